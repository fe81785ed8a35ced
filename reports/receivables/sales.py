"""Sales month by month, and the days of sales that a receivable stands for (DSO)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction

from django.db.models import F, Q, Sum

from invoices.models import Client, Invoice
from invoices.models.standing import was_issued
from invoices.selections.filters import NOBODY, InvoiceFilter, of_types
from invoices.selections.sql import MonthIndex, first_day, month_index


@dataclass
class Movements:
    """What one currency saw, month by month, up to the as-of day."""

    invoiced: dict[int, int] = field(default_factory=dict)
    credited: dict[int, int] = field(default_factory=dict)

    def sales(self, month: int) -> int:
        """Credit sales: invoices issued less credit notes issued."""
        return self.invoiced.get(month, 0) - self.credited.get(month, 0)

    @property
    def first(self) -> int | None:
        return min((*self.invoiced, *self.credited), default=None)


def movements(
    as_of: date, *, since: date | None = None, wanted: InvoiceFilter | None = None
) -> dict[str, Movements]:
    """Invoiced and credited per month of issue, until the end of `as_of`. One query."""
    rows = Invoice.objects.filter(
        # Both kinds, said out loud: so the covering index serves.
        was_issued(),
        scoped(wanted),
        kind__in=Invoice.Kind.values,
        issue_date__lte=as_of,
    )
    if since:
        rows = rows.filter(issue_date__gte=since)
    found: dict[str, Movements] = {}
    for currency, kind, month, minor in (
        rows.order_by()
        .values("currency", "kind", month=MonthIndex(F("issue_date")))
        .annotate(minor=Sum("total_minor"))
        .values_list("currency", "kind", "month", "minor")
    ):
        here = found.setdefault(currency, Movements())
        (here.invoiced if kind == Invoice.Kind.INVOICE else here.credited)[month] = minor
    return found


def scoped(wanted: InvoiceFilter | None, through: str = "") -> Q:
    """Conditions for all kinds of invoices of the clients, owner and currency of `wanted`."""
    if wanted is None:
        return Q()
    plain = {
        "client__in": None if wanted.client is None else Client.objects.account_of(wanted.client),
        "currency": wanted.currency or None,
        "owner": wanted.owner or None,
        "owner__isnull": True if wanted.owner == NOBODY else None,
    }
    narrowed = {f"{through}{name}": value for name, value in plain.items() if value is not None}
    return Q(**narrowed) & (of_types(wanted, through=through) if wanted.type else Q())


def dso(receivable: int, sales: int, days: int) -> Fraction | None:
    return Fraction(receivable * days, sales) if sales > 0 else None


def exhaust(receivable: int, moves: Movements, as_of: date) -> tuple[Fraction | None, int | None]:
    """Countback: days of the latest sales that the receivable stands for.

    Months with net sales of zero or less add their days and carry their credit back. Where history
    ends first: None, and the days that it covers.
    """
    if receivable <= 0:
        return Fraction(0), None
    month, left, days, carried = month_index(as_of), receivable, 0, 0
    while moves.first is not None and month >= moves.first:
        begins = first_day(month)
        ends = min(as_of, first_day(month + 1) - timedelta(days=1))
        length = (ends - begins).days + 1
        sales = moves.sales(month) + carried
        carried = min(sales, 0)
        if sales > left:
            return days + Fraction(left * length, sales), None
        left -= max(sales, 0)
        days += length
        if not left:
            return Fraction(days), None
        month -= 1
    return None, days


def rolling(
    receivable: int,
    period: Movements,
    applied: dict[int, int],
    sales: int,
    start: date,
    as_of: date,
) -> Fraction | None:
    """Average receivable at the end of each month of the period ÷ its sales × its days."""
    if sales <= 0:
        return None
    ends, standing = [], receivable
    for month in range(month_index(as_of), month_index(start) - 1, -1):
        ends.append(standing)
        standing += applied.get(month, 0) - period.invoiced.get(month, 0)
    return Fraction(sum(ends) * ((as_of - start).days + 1), len(ends) * sales)
