"""Invoices past their due date, and what was owed on them on a day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import F, Q, QuerySet

from invoices.models import Allocation, Invoice, PastSettlement
from reports.delays.tally import Tally


def late_invoices(since: date, until: date, days: int) -> QuerySet[Invoice]:
    """Invoices open more than `days` past their due date on some day of the span."""
    return (
        Invoice.objects.issued()
        .invoices()
        .filter(due_date__lt=until - timedelta(days=days))
        .filter(
            Q(settled_on__isnull=True) | (Q(settled_on__gt=since) & Q(settled_on__gt=F("due_date")))
        )
        .order_by()
    )


@dataclass(frozen=True, slots=True)
class PastSettled:
    """Settled from a day, by money or not, until the day that opened the invoice again."""

    on: date
    paid_on: date | None
    reopened: date


def past_settlements(invoices: QuerySet[Invoice]) -> Mapping[int, tuple[PastSettled, ...]]:
    """Of the few invoices that were settled and opened again."""
    found: dict[int, tuple[PastSettled, ...]] = defaultdict(tuple)
    if not PastSettlement.objects.exists():
        return found
    rows = PastSettlement.objects.filter(invoice__in=invoices.values("pk"))
    for pk, on, paid_on, reopened in rows.order_by("settled_on").values_list(
        "invoice_id", "settled_on", "paid_on", "reopened_on"
    ):
        found[pk] += (PastSettled(on, paid_on, reopened),)
    return found


def settled_at(
    day: date,
    settled: date | None,
    paid_on: date | None,
    past: Iterable[PastSettled] = (),
) -> tuple[date | None, date | None]:
    """Since when an invoice was settled and paid at the end of a day; None while it was open."""
    if settled is not None and settled <= day:
        return settled, paid_on
    for before in past:
        if before.on <= day < before.reopened:
            return before.on, before.paid_on
    return None, None


def rows_apart() -> Q | None:
    """The few invoices that are read one by one: settled and opened again, or first seen when they
    had an age already. None where there are none."""
    apart = Q()
    if PastSettlement.objects.exists():
        apart |= Q(pk__in=PastSettlement.objects.values("invoice"))
    if Invoice.objects.seen_late().exists():
        apart |= Q(pk__in=Invoice.objects.seen_late().values("pk"))
    return apart or None


def count_late(
    tally: Tally,
    state: tuple[date | None, date | None],
    due: date,
    seen: date,
    on: date,
    number: int = 1,
) -> None:
    """Count an invoice that was first seen on the day `seen`, settled and paid as `state` says."""
    settled_on, paid_on = state
    counts, unseen = tally.unfinished, tally.unseen_unfinished
    if paid_on is not None:
        counts, unseen = tally.paid, tally.unseen_paid
    days = ((paid_on or settled_on or on) - due).days
    counts[days] = counts.get(days, 0) + number
    tally.enter(unseen, days, (seen - due).days, number)


def settling_steps(invoices: QuerySet[Invoice]) -> Mapping[int, list[tuple[date, int]]]:
    """What settled a part of each invoice before it was settled: (day, amount), in order."""
    found: dict[int, list[tuple[date, int]]] = defaultdict(list)
    rows = (
        Allocation.objects.filter(invoice__in=invoices.values("pk"))
        .filter(Q(invoice__settled_on__isnull=True) | Q(applied_on__lt=F("invoice__settled_on")))
        .order_by("applied_on", "pk")
        .values_list("invoice_id", "applied_on", "amount_minor")
    )
    for pk, day, amount in rows.iterator():
        found[pk].append((day, amount))
    return found


def owed_on(total_minor: int, steps: Iterable[tuple[date, int]], on: date) -> int:
    return total_minor - sum(amount for day, amount in steps if day <= on)
