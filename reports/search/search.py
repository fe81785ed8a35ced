"""The search box: a number, a name, a title or an amount leads to the page.

Bounded on every side: words of at least two characters, a few rows per group. Numbers and names are
looked up by their beginning first; inside the words only where these do not fill the group.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower
from moneyed import get_currency

from billing_portal.accounts.models import User
from billing_portal.typed.numbers import readings
from invoices.models import Client, Deal, Invoice, Payment
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
            _group("deals", _deals(text, user)),
            _group("titles", _titles(invoices, text)),
            *_amounts(invoices, text, user),
        )
        if group.rows
    ]
    return found


def _group(key: str, rows: list[Any]) -> Group:
    return Group(key, rows[:PER_GROUP], len(rows) > PER_GROUP)


def _exact(invoices: QuerySet[Invoice], text: str) -> Invoice | None:
    rows = list(invoices.filter(number__in={text, text.upper()})[:2])
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


def begins(column: str, text: str) -> Q:
    """Begins with the text, through an index on both databases."""
    found = Q(**{f"{column}__startswith": text})
    if connection.vendor == "sqlite":
        # LIKE does not use an index there; a span of the binary order does.
        found &= Q(**{f"{column}__gte": text, f"{column}__lt": text + "\U0010ffff"})
    return found


def _by_number(invoices: QuerySet[Invoice], text: str) -> list[Any]:
    """Numbers that begin so, else numbers that end so: people type 0744 for F-2026-0744."""
    ways = begins("number", text)
    if text.upper() != text:
        ways |= begins("number", text.upper())
    rows = _newest(invoices, ways)
    if rows or not any(letter.isdigit() for letter in text):
        return rows
    return _newest(invoices, Q(number__iendswith=text))


def _clients(text: str, user: User) -> list[Any]:
    if not user.has_perm("invoices.view_client"):
        return []
    clients = Client.objects.select_related("client_type").filter(gone_at__isnull=True)
    lowered = clients.annotate(lower_name=Lower("name"))
    begin = lowered.filter(lower_name__startswith=text.lower()).order_by("name", "pk")
    rows = _first(begin)
    if len(rows) > PER_GROUP:
        return rows
    known = {client.pk for client in rows}
    inside = clients.filter(
        Q(name__icontains=text) | Q(vat_id__iexact=text) | Q(siren=text.replace(" ", ""))
    ).exclude(pk__in=known)
    return rows + _first(inside.order_by("name", "pk"))


def _deals(text: str, user: User) -> list[Any]:
    if not user.has_perm("invoices.view_deal"):
        return []
    deals = Deal.objects.visible_to(user).exclude(status=Deal.Status.DELETED)
    return _first(
        deals.filter(title__icontains=text).select_related("client").order_by("-won_on", "-pk")
    )


def _titles(invoices: QuerySet[Invoice], text: str) -> list[Any]:
    clients = Client.objects.filter(name__icontains=text).order_by().values_list("pk", flat=True)
    return _newest(
        invoices,
        Q(title__icontains=text)
        | Q(purchase_order__icontains=text)
        | Q(client__in=list(clients[:SCANNED])),
    )


def _amounts(invoices: QuerySet[Invoice], text: str, user: User) -> list[Group]:
    """Documents of that total or balance, and payments of that amount; 1234 and 1234,50 alike."""
    # What can be meant in two ways is looked for in both.
    amounts = [each for each in readings(text) if 0 < each < Decimal(10) ** 12]
    # One amount is another number of minor units in euros, yen and dinars.
    minors = {unit: [amount * unit for amount in amounts] for unit in codes_by_unit()}
    values = {int(minor) for found in minors.values() for minor in found if minor == int(minor)}
    if not values:
        return []

    def fits(row: Invoice | Payment, *given: int) -> bool:
        return any(minor in given for minor in minors[get_currency(row.currency).sub_unit])

    found = _newest(invoices, Q(total_minor__in=values) | Q(outstanding_minor__in=values))
    documents = [row for row in found if fits(row, row.total_minor, row.outstanding_minor)]
    groups = [_group("amounts", documents)]
    if user.has_perm("invoices.view_payment"):
        rows = Payment.objects.filter(amount_minor__in=values).select_related("client")
        paid = list(rows.order_by()[:SCANNED])
        paid.sort(key=lambda payment: (payment.received_on, payment.pk), reverse=True)
        groups.append(_group("payments", [row for row in paid if fits(row, row.amount_minor)]))
    return groups
