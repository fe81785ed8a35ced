"""The search box: a number, a name, a title or an amount leads to the page.

Bounded on every side: words of at least two characters, a few rows per group. Numbers and names are
looked up by their beginning first; inside the words only where these do not fill the group.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from billing_portal.accounts.models import User
from billing_portal.money import parse_decimal
from invoices.expressions import codes_by_unit
from invoices.models import Client, Deal, Invoice, Payment

PER_GROUP = 8
SHORTEST, LONGEST = 2, 120


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


def _by_number(invoices: QuerySet[Invoice], text: str) -> list[Any]:
    """Numbers that begin so, else numbers that end so: people type 0744 for F-2026-0744."""
    rows = _first(
        invoices.filter(Q(number__startswith=text) | Q(number__startswith=text.upper())).order_by(
            "-issue_date", "-pk"
        )
    )
    if rows or not any(letter.isdigit() for letter in text):
        return rows
    return _first(invoices.filter(number__iendswith=text).order_by("-issue_date", "-pk"))


def _clients(text: str, user: User) -> list[Any]:
    if not user.has_perm("invoices.view_client"):
        return []
    clients = Client.objects.select_related("client_type").filter(gone_at__isnull=True)
    lowered = clients.annotate(lower_name=Lower("name"))
    begins = lowered.filter(lower_name__startswith=text.lower()).order_by("name", "pk")
    rows = _first(begins)
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
    words = Q(title__icontains=text) | Q(purchase_order__icontains=text)
    found = invoices.filter(words | Q(client__name__icontains=text)).exclude(
        status=Invoice.Status.VOID
    )
    return _first(found.order_by("-issue_date", "-pk"))


def _amounts(invoices: QuerySet[Invoice], text: str, user: User) -> list[Group]:
    """Documents of that total or balance, and payments of that amount; 1234 and 1234,50 alike."""
    try:
        amount = parse_decimal(text)
    except ValueError:
        return []
    if not 0 < amount < Decimal(10) ** 12:
        return []
    documents, payments = Q(), Q()
    for unit, codes in codes_by_unit().items():
        minor = amount * unit
        if minor != int(minor):
            continue
        here = Q(currency__in=codes)
        documents |= here & (Q(total_minor=int(minor)) | Q(outstanding_minor=int(minor)))
        payments |= here & Q(amount_minor=int(minor))
    if not documents:
        return []
    found = invoices.filter(documents).exclude(status=Invoice.Status.VOID)
    groups = [_group("amounts", _first(found.order_by("-issue_date", "-pk")))]
    if user.has_perm("invoices.view_payment"):
        rows = Payment.objects.filter(payments).select_related("client")
        groups.append(_group("payments", _first(rows.order_by("-received_on", "-pk"))))
    return groups
