"""The search box: a number, a name, a title or an amount leads to the page.

Bounded on every side: words of at least two characters, a few rows per group. Numbers and names are
looked up by their beginning first; inside the words only where these do not fill the group.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import F, Q, QuerySet
from moneyed import get_currency

from billing_portal.accounts.models import User
from billing_portal.keys import begins, contains, contains_number, number_key, text_key
from billing_portal.typed.numbers import readings
from invoices.models import Client, Deal, Invoice, Payment, Quote, QuoteVersion, Subscription
from invoices.selections.sql import codes_by_unit

PER_GROUP = 8
SHORTEST, LONGEST = 2, 120
SCANNED = 300


@dataclass
class Group:
    key: str
    rows: list[Any] = field(default_factory=list)
    # There are more than are shown.
    more: bool = False


@dataclass
class Found:
    text: str
    too_short: bool = False
    # The one document that bears exactly this number.
    exact: Invoice | None = None
    groups: list[Group] = field(default_factory=list)

    @property
    def count(self) -> int:
        return sum(len(group.rows) for group in self.groups)


def search(text: str, user: User) -> Found:
    """Everything the person may see that bears these words."""
    text = " ".join(text.replace("\0", "").split())[:LONGEST]
    if len(text) < SHORTEST:
        return Found(text, too_short=True)
    invoices = Invoice.objects.visible_to(user).select_related("client").defer("paper")
    found = Found(text, exact=_exact(invoices, text))
    found.groups = [
        group
        for group in (
            _group("numbers", _by_number(invoices, text)),
            _group("clients", _clients(text, user)),
            _group("quotes", _quotes(text, user)),
            _group("subscriptions", _subscriptions(text, user)),
            _group("deals", _deals(text, user)),
            _group("titles", _titles(invoices, text)),
            _group("amounts", _amounts(invoices, text)),
            _group("payments", _payments(text, user)),
        )
        if group.rows
    ]
    return found


def _group(key: str, rows: list[Any]) -> Group:
    return Group(key, rows[:PER_GROUP], len(rows) > PER_GROUP)


def _exact(invoices: QuerySet[Invoice], text: str) -> Invoice | None:
    key = number_key(text)
    if not key:
        return None
    rows = list(invoices.filter(Q(number_key=key) | Q(number_plain=text_key(text)))[:2])
    return rows[0] if len(rows) == 1 else None


def _first(rows: QuerySet[Any]) -> list[Any]:
    return list(rows[: PER_GROUP + 1])


def _newest(invoices: QuerySet[Invoice], condition: Q) -> list[Any]:
    """The newest of those that meet a condition which no index serves.

    Their keys first, in one pass over the table and at most SCANNED of them: walking the index of
    the issue date would read the whole table row by row.
    """
    keys = list(
        invoices.filter(condition)
        .exclude(status=Invoice.Status.VOID)
        .order_by()
        .values_list("issue_date", "pk")[:SCANNED]
    )
    keys.sort(key=lambda key: (key[0] is not None, key[0] or date.min, key[1]), reverse=True)
    wanted = [pk for _, pk in keys[: PER_GROUP + 1]]
    rows = invoices.in_bulk(wanted)
    return [rows[pk] for pk in wanted]


def _by_number(invoices: QuerySet[Invoice], text: str) -> list[Any]:
    """Numbers that begin so, else numbers that end so: people type 0744 for F-2026-0744."""
    plain = text_key(text)
    rows = _newest(invoices, begins("number_key", number_key(text)) | begins("number_plain", plain))
    if rows or not any(letter.isdigit() for letter in text):
        return rows
    return _newest(invoices, Q(number_plain__endswith=plain))


def _clients(text: str, user: User) -> list[Any]:
    if not user.has_perm("invoices.view_client"):
        return []
    living = Client.objects.living().filter(gone_at__isnull=True)
    clients = living.select_related("client_type")
    key = text_key(text)
    if not key:
        return []
    begin = clients.filter(_named(begins("name_key", key))).order_by("name_key", "pk")
    rows = _first(begin)
    if len(rows) > PER_GROUP:
        return rows
    known = {client.pk for client in rows}
    inside = clients.filter(
        _named(contains("name_key", text)) | Q(vat_id__iexact=text) | Q(siren=text.replace(" ", ""))
    ).exclude(pk__in=known)
    return rows + _first(inside.order_by("name_key", "pk"))


def _named(condition: Q) -> Q:
    """A client that is named so, or that took up one who was: papers still bear the old name."""
    former = Client.objects.filter(condition, merged_into__isnull=False).order_by()
    return condition | Q(pk__in=list(former.values_list("merged_into", flat=True)[:SCANNED]))


def _deals(text: str, user: User) -> list[Any]:
    if not user.has_perm("invoices.view_deal"):
        return []
    deals = Deal.objects.visible_to(user).exclude(status=Deal.Status.DELETED)
    named = contains("title_key", text) | contains("order_key", text)
    return _first(deals.filter(named).select_related("client").order_by("-won_on", "-pk"))


def _quotes(text: str, user: User) -> list[Any]:
    """By number, client or the title of any version, the latest first."""
    if not user.has_perm("invoices.view_quote"):
        return []
    titled = QuoteVersion.objects.filter(contains("title_key", text)).values("quote")
    named = contains_number(text) | contains("client__name_key", text) | Q(pk__in=titled)
    quotes = Quote.objects.visible_to(user).exclude(version__status="discarded")
    return _first(quotes.filter(named).select_related("client", "version").order_by("-pk"))


def _subscriptions(text: str, user: User) -> list[Any]:
    """By title or client; those that bill next come first."""
    if not user.has_perm("invoices.view_subscription"):
        return []
    named = contains("title_key", text) | contains("client__name_key", text)
    mine = Subscription.objects.visible_to(user).exclude(status=Subscription.Status.DISCARDED)
    rows = mine.filter(named).select_related("client")
    return _first(rows.order_by(F("next_due_on").asc(nulls_last=True), "-pk"))


def _titles(invoices: QuerySet[Invoice], text: str) -> list[Any]:
    clients = Client.objects.filter(contains("name_key", text)).order_by()
    return _newest(
        invoices,
        contains("title_key", text)
        | contains("order_key", text)
        | Q(client__in=list(clients.values_list("pk", flat=True)[:SCANNED])),
    )


def _payments(text: str, user: User) -> list[Payment]:
    """Payments whose remittance reference has these words or this amount, the latest first."""
    if not user.has_perm("invoices.view_payment"):
        return []
    minors = _minors(text)
    # What the client paid, or what the bank's line shows of it.
    values = _values(minors)
    on_line = Q(charges_minor__gt=0, amount_minor__in=[F("charges_minor") + v for v in values])
    wanted = contains("reference_key", text) | Q(amount_minor__in=values) | on_line
    rows = Payment.objects.filter(wanted).select_related("client")
    found = list(rows.order_by()[:SCANNED])
    found.sort(key=lambda payment: (payment.received_on, payment.pk), reverse=True)
    key = text_key(text)
    return [
        row
        for row in found
        if (key and key in row.reference_key)
        or {row.amount_minor, row.amount_minor - row.charges_minor}
        & {*minors[get_currency(row.currency).sub_unit]}
    ]


def _minors(text: str) -> dict[int, list[Decimal]]:
    """The amounts that can be meant, in the minor units of each kind of currency."""
    # What can be meant in two ways is looked for in both.
    amounts = [each for each in readings(text) if 0 < each < Decimal(10) ** 12]
    # One amount is another number of minor units in euros, yen and dinars.
    return {unit: [amount * unit for amount in amounts] for unit in codes_by_unit()}


def _values(minors: dict[int, list[Decimal]]) -> set[int]:
    return {int(minor) for found in minors.values() for minor in found if minor == int(minor)}


def _amounts(invoices: QuerySet[Invoice], text: str) -> list[Any]:
    """Documents of that total or balance; 1234 and 1234,50 as the reader writes them."""
    minors = _minors(text)
    if not (values := _values(minors)):
        return []
    found = _newest(invoices, Q(total_minor__in=values) | Q(outstanding_minor__in=values))
    return [
        row
        for row in found
        if {row.total_minor, row.outstanding_minor} & {*minors[get_currency(row.currency).sub_unit]}
    ]
