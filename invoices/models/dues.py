"""Rows of what is due: an invoice that is due whole is one, each instalment of the others is one.

What asks about dues (overdue, ageing, days late) reads these rows; what asks about documents reads
invoices. The names of their columns are in `Columns`. As long as no invoice has instalments they
are the invoice's own, without a join, and its indexes serve them.

    rows, columns = by_instalment(Invoice.objects.outstanding())
    rows.filter(**{f"{columns.due}__lt": day}).aggregate(owed=Sum(columns.open))
"""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

from django.db.models import Case, Count, F, Q, Sum, Value, When
from django.db.models.functions import Coalesce

from invoices.documents.instalments import MOST_INSTALMENTS
from invoices.models.instalments import Instalment
from invoices.models.invoices import Invoice, InvoiceQuerySet


class Columns(NamedTuple):
    """Where a query finds what is due: amounts in minor units, days, the counts of days."""

    due: str = "due_date"
    total: str = "total_minor"
    open: str = "outstanding_minor"
    paid: str = "paid_minor"
    settled_on: str = "settled_on"
    paid_on: str = "paid_on"
    days_late: str = "days_late"
    days_to_pay: str = "days_to_pay"
    # The due date of what is open: the same day, in the index of what is open.
    due_while_open: str = "next_due"
    # The key of the instalment, 0 where the invoice is due whole; "" when there are none at all.
    part: str = ""
    # What tells one row from the others, and has their order.
    key: str = "pk"

    @property
    def apart(self) -> bool:
        """Rows are instalments where an invoice has them."""
        return bool(self.part)


WHOLE = Columns()
EACH = Columns(
    due="due_each",
    total="total_each",
    open="open_each",
    paid="paid_each",
    settled_on="settled_each",
    paid_on="paid_on_each",
    days_late="late_each",
    days_to_pay="to_pay_each",
    due_while_open="due_each",
    part="part",
    key="row_key",
)
_OF_INSTALMENT = {
    "due": "due_date",
    "total": "amount_minor",
    "open": "outstanding_minor",
    "paid": "paid_minor",
    "settled_on": "settled_on",
    "paid_on": "paid_on",
    "days_late": "days_late",
    "days_to_pay": "days_to_pay",
}


def by_instalment(rows: InvoiceQuerySet) -> tuple[InvoiceQuerySet, Columns]:
    if not Instalment.objects.exists():
        return rows, WHOLE
    return each(rows), EACH


def apart(rows: InvoiceQuerySet) -> list[tuple[InvoiceQuerySet, Columns]]:
    """The same in two lots, the invoices that are due whole by their own columns: for reports over
    all of them, which the covering index of the invoices serves."""
    if not Instalment.objects.exists():
        return [(rows, WHOLE)]
    planned = Instalment.objects.order_by().values("invoice")
    return [(rows.exclude(pk__in=planned), WHOLE), (each(rows.filter(pk__in=planned)), EACH)]


def overdue_minor(invoice: Invoice, on: date) -> int:
    """What of an invoice is past its day; all that is outstanding where it is due whole."""
    if not invoice.is_overdue(on):
        return 0
    parts = invoice.instalments.aggregate(
        n=Count("pk"), late=Sum("outstanding_minor", filter=Q(due_date__lt=on))
    )
    return (parts["late"] or 0) if parts["n"] else invoice.outstanding_minor


def each(rows: InvoiceQuerySet) -> InvoiceQuerySet:
    """A row for each instalment, with the columns of `EACH`."""
    found: dict[str, Any] = {
        "part": Coalesce(F("instalments__pk"), Value(0)),
        "position": Coalesce(F("instalments__position"), Value(0)),
        "row_key": F("pk") * Value(MOST_INSTALMENTS + 1)
        + Coalesce(F("instalments__position"), Value(0)),
    }
    for field, name in _OF_INSTALMENT.items():
        own, of_part = getattr(WHOLE, field), F(f"instalments__{name}")
        if name in _NULL_WHILE_OPEN:
            # Of an instalment that is open, null is the answer, whatever the invoice says.
            found[getattr(EACH, field)] = Case(
                When(instalments__isnull=True, then=F(own)), default=of_part
            )
        else:
            found[getattr(EACH, field)] = Coalesce(of_part, F(own))
    return rows.annotate(**found)


_NULL_WHILE_OPEN = {"settled_on", "paid_on", "days_late", "days_to_pay"}
