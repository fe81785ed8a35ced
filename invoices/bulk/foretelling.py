"""What a batch will come to, as far as it can be told before: sums, numbers, ways."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from django.db.models import Count, Q, Sum
from django.db.models.functions import Coalesce

from billing_portal.money import formatted_minor
from invoices.company import numbering
from invoices.models import Batch, BatchItem, Invoice

State = BatchItem.State


@dataclass(frozen=True)
class Numbers:
    """The numbers that a series would give: as it stands now, promised to nobody."""

    first: str
    last: str
    count: int


def numbers_of(batch: Batch) -> list[Numbers]:
    """Of what waits to be issued, in the order in which it will be."""
    if not batch.issues:
        return []
    rows = batch.items.filter(state=State.WAITING)
    days = Counter(
        (kind, day or batch.on)
        for kind, day in rows.values_list("invoice__kind", "invoice__issue_date")
    )
    found: dict[tuple[str, str], Numbers] = {}
    for (kind, day), count in sorted(days.items()):
        series = numbering.series_for(kind, day)
        key = (series.prefix, series.period)
        before = found.get(key)
        given = before.count if before else 0
        last = series.number(series.next_value + given + count - 1, day)
        first = before.first if before else series.next_number(day)
        found[key] = Numbers(first, last, given + count)
    return list(found.values())


def sums_of(batch: Batch) -> list[str]:
    """What waits or is done, per currency with its VAT; credit notes count below zero."""
    credited = Q(invoice__kind=Invoice.Kind.CREDIT_NOTE)
    rows = (
        batch.items.filter(state__in=[State.WAITING, State.DONE])
        .order_by("invoice__currency")
        .values_list("invoice__currency")
        .annotate(
            owed=Coalesce(Sum("invoice__total_minor", filter=~credited), 0),
            less=Coalesce(Sum("invoice__total_minor", filter=credited), 0),
        )
    )
    return [formatted_minor(owed - less, currency) for currency, owed, less in rows]


def counts_of(batch: Batch) -> dict[str, int]:
    """How many items are in each state, all states named."""
    found = dict(batch.items.order_by().values_list("state").annotate(Count("pk")))
    return {state: found.get(state, 0) for state in State.values}


def ways_of(batch: Batch) -> dict[str, int]:
    """Of what waits or is done, how many clients are reached by which way; and whom a mail finds.

    `emails` counts the mails that leave, whatever else the law asks for.
    """
    rows = batch.items.filter(state__in=[State.WAITING, State.DONE])
    found = dict(rows.order_by().values_list("way").annotate(Count("pk")))
    mailed = rows.exclude(recipients=[]).count() if batch.sends else 0
    return {**found, "emails": mailed}
