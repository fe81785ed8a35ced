"""How late a client usually pays."""

from __future__ import annotations

from math import floor
from statistics import median
from typing import NamedTuple

from invoices.models import Client, Invoice
from invoices.models.dues import by_instalment

# Fewer payments than this say nothing about a habit, and old ones say little.
FEWEST_PAYMENTS = 5
LATEST_PAYMENTS = 50


class Habit(NamedTuple):
    """The median days late of so many latest payments; None when they are too few."""

    days: int | None
    payments: int


def habit_of(client_id: int) -> Habit:
    account = Client.objects.account_of(client_id)
    rows, columns = by_instalment(Invoice.objects.invoices().filter(client__in=account))
    paid = rows.filter(**{f"{columns.days_late}__isnull": False})
    latest = paid.order_by(f"-{columns.paid_on}", f"-{columns.key}")
    found = latest.values_list(columns.days_late, flat=True)[:LATEST_PAYMENTS]
    late: list[int] = [days for days in found if isinstance(days, int)]
    if len(late) < FEWEST_PAYMENTS:
        return Habit(None, len(late))
    # A half counts as the later day.
    return Habit(floor(median(late) + 0.5), len(late))
