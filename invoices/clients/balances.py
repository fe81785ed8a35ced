"""What clients owe: outstanding and overdue, in minor units, a figure per currency."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, NamedTuple

from django.db.models import Exists, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from billing_portal.lists.totals import Total
from invoices.models import Client, Invoice
from invoices.models.clients import account
from invoices.models.dues import by_instalment
from invoices.models.invoices import InvoiceQuerySet


class Owed(NamedTuple):
    currency: str
    outstanding_minor: int
    overdue_minor: int


def balances(clients: Iterable[int], on: date) -> dict[int, list[Owed]]:
    """Per client, the currency with most outstanding first; of all its account."""
    owing = _owing(list(clients)).annotate(account=account())
    rows = (
        _owed(owing, on, "account")
        .order_by("account", "-outstanding")
        .values_list("account", "currency", "outstanding", "overdue")
    )
    found: dict[int, list[Owed]] = {}
    for client, currency, outstanding, overdue in rows:
        found.setdefault(client, []).append(Owed(currency, outstanding, overdue or 0))
    return found


def balance_totals(clients: QuerySet[Client], on: date) -> list[Total]:
    """What the clients of a selection owe together, a row per currency, the largest first."""
    totals = [
        Total(row["currency"], 0, {"open": row["outstanding"], "late": row["overdue"] or 0})
        for row in _owed(_owing(clients.order_by().values("pk")), on)
    ]
    return sorted(totals, key=lambda total: (-total.sums["open"], total.currency))


def _owing(accounts: Any) -> InvoiceQuerySet:
    # Who belongs to them is asked of the small table: an OR between the two tables would read every
    # invoice there is, where the index of what is open answers for a list of clients.
    return Invoice.objects.outstanding().filter(client__in=Client.objects.members_of(accounts))


def _owed(invoices: Any, on: date, *by: str) -> Any:
    rows, columns = by_instalment(invoices)
    return (
        rows.order_by()
        .values(*by, "currency")
        .annotate(
            outstanding=Sum(columns.open),
            overdue=Sum(columns.open, filter=Q(**{f"{columns.due_while_open}__lt": on})),
        )
    )


def accounts_of(invoices: QuerySet[Invoice]) -> QuerySet[Any]:
    """The clients whose accounts these invoices are part of.

    Each client looks for its first one, by the index of what clients owe: there are fewer clients
    than invoices.
    """
    members = Client.objects.filter(Exists(invoices.order_by().filter(client=OuterRef("pk"))))
    return members.order_by().values_list(Coalesce("merged_into", "pk"), flat=True)
