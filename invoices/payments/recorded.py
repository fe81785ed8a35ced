"""What was recorded on a day, for whoever records the next line of the bank."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from invoices.models import Payment

SHOWN = 8


@dataclass(frozen=True)
class Recorded:
    payment: Payment
    # “F-2026-0817”, “2 invoices”, or that all of it is kept.
    settles: str


def recorded_on(day: date) -> tuple[list[Recorded], int]:
    """The standing payments that people recorded on `day`, the latest first, and how many."""
    start = timezone.make_aware(datetime.combine(day, time.min))
    rows = (
        Payment.objects.filter(
            recorded_at__gte=start,
            recorded_at__lt=start + timedelta(days=1),
            imported=False,
            reverses__isnull=True,
            reversed_by__isnull=True,
        )
        .select_related("client")
        .prefetch_related("allocations__invoice")
        .order_by("-recorded_at", "-pk")
    )
    return [Recorded(row, _settles(row)) for row in rows[:SHOWN]], rows.count()


def _settles(payment: Payment) -> str:
    rows = payment.allocations.all()
    numbers = {str(row.invoice) for row in rows if row.invoice and row.amount_minor > 0}
    if not numbers:
        return _("kept as unapplied cash")
    if len(numbers) == 1:
        return numbers.pop()
    return ngettext("%(n)s invoice", "%(n)s invoices", len(numbers)) % {"n": len(numbers)}
