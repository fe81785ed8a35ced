"""Money and credit that no invoice has taken: they stand beside the receivable, never in it."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import Sum

from invoices.models import Allocation, Client, Invoice, Payment
from invoices.models.standing import was_issued
from invoices.selections.as_of import open_at, unapplied_as_of
from invoices.selections.filters import InvoiceFilter
from reports.receivables.sales import scoped


def unapplied_cash(as_of: date, *, wanted: InvoiceFilter | None = None) -> dict[str, int]:
    """Money received by the end of `as_of` that no invoice had taken by then. Three queries.

    Money belongs to a client and to no document yet: it has the type that the client has today,
    and no seller.
    """
    narrowed = _of_clients(wanted)
    return unapplied_as_of(as_of, payments=Payment.objects.filter(**narrowed) if narrowed else None)


def credit_balances(as_of: date, *, wanted: InvoiceFilter | None = None) -> dict[str, int]:
    """Credit notes issued by the end of `as_of`, as far as nothing had used them. Two queries."""
    rows = Invoice.objects.filter(
        scoped(wanted),
        was_issued(),
        open_at(as_of),
        kind=Invoice.Kind.CREDIT_NOTE,
        issue_date__lte=as_of,
    )
    found = dict(
        rows.order_by()
        .values("currency")
        .annotate(minor=Sum("outstanding_minor"))
        .values_list("currency", "minor")
    )
    later = Allocation.objects.filter(credit_note__in=rows, applied_on__gt=as_of)
    return _with_later(found, later, "credit_note__currency")


def _of_clients(wanted: InvoiceFilter | None) -> dict[str, Any]:
    if wanted is None:
        return {}
    clients = Client.objects.all()
    if wanted.client is not None:
        clients = clients.account_of(wanted.client)
    if wanted.type:
        clients = clients.of_types(wanted.type)
    plain = {
        "client__in": clients.values("pk") if wanted.client is not None or wanted.type else None,
        "currency": wanted.currency or None,
    }
    return {name: value for name, value in plain.items() if value is not None}


def _with_later(found: dict[str, int], later: Any, currency: str) -> dict[str, int]:
    for code, minor in (
        later.order_by()
        .values(currency)
        .annotate(minor=Sum("amount_minor"))
        .values_list(currency, "minor")
    ):
        found[code] = found.get(code, 0) + minor
    return {code: minor for code, minor in found.items() if minor}
