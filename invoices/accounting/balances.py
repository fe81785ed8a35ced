"""Is each balance what its allocations make?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from itertools import islice
from typing import NamedTuple

from django.db.models import Q
from django.utils.translation import gettext as _

from invoices.accounting import instalments
from invoices.accounting.broken import Broken
from invoices.models import Allocation, Instalment, Invoice, PastSettlement
from invoices.payments import settling

BATCH = 2_000
FIELDS = (
    "paid_minor",
    "credited_minor",
    "written_off_minor",
    "outstanding_minor",
    "settled_on",
    "paid_on",
)


class Row(NamedTuple):
    pk: int
    number: str
    kind: str
    total_minor: int
    issue_date: date
    due_date: date
    next_due: date | None
    paid_minor: int
    credited_minor: int
    written_off_minor: int
    outstanding_minor: int
    settled_on: date | None
    paid_on: date | None

    def __str__(self) -> str:
        return self.number or f"#{self.pk}"


def check() -> Iterator[Broken]:
    issued = Invoice.objects.issued().order_by("pk")
    # One statement: SQLite sorts all issued ones for each that asks for the next few.
    rows = issued.values_list(*Row._fields).iterator(chunk_size=BATCH)
    while batch := [Row(*row) for row in islice(rows, BATCH)]:
        span = (batch[0].pk, batch[-1].pk)
        steps, past = _steps(batch, span), _past(span)
        for invoice in batch:
            yield from _balance(invoice, steps.get(invoice.pk, []), past.get(invoice.pk, set()))
        if Instalment.objects.filter(invoice__gte=span[0], invoice__lte=span[1]).exists():
            yield from instalments.check(list(issued.filter(pk__range=span)))


def _steps(batch: list[Row], span: tuple[int, int]) -> dict[int, list[settling.Settled]]:
    found: dict[int, list[settling.Settled]] = defaultdict(list)
    notes = {row.pk for row in batch if row.kind == Invoice.Kind.CREDIT_NOTE}
    first, last = span
    rows = Allocation.objects.filter(
        Q(invoice__gte=first, invoice__lte=last) | Q(credit_note__gte=first, credit_note__lte=last)
    )
    for invoice, note, *step in rows.values_list(
        "invoice_id", "credit_note_id", *settling.STEP_COLUMNS
    ):
        one = settling.Settled(*step)
        if invoice is not None and first <= invoice <= last and invoice not in notes:
            found[invoice].append(one)
        if note is not None and note in notes:
            found[note].append(one)
    return found


def _past(span: tuple[int, int]) -> dict[int, set[settling.Past]]:
    found: dict[int, set[settling.Past]] = defaultdict(set)
    rows = PastSettlement.objects.filter(
        invoice__gte=span[0], invoice__lte=span[1], instalment__isnull=True
    )
    for row in rows:
        found[row.invoice_id].add(settling.Past(row.settled_on, row.paid_on, row.reopened_on))
    return found


def _balance(
    invoice: Row, steps: list[settling.Settled], past: set[settling.Past]
) -> Iterator[Broken]:
    try:
        found = settling.settlement(invoice.total_minor, invoice.issue_date, steps)
    except settling.BalanceRefused:
        yield Broken(str(invoice), _("more was settled than it comes to."))
        return
    for field in FIELDS:
        stored, right = getattr(invoice, field), getattr(found, field)
        if stored != right:
            yield Broken(
                str(invoice),
                _("%(field)s is %(stored)s; its allocations make %(right)s.")
                % {"field": field, "stored": stored, "right": right},
            )
    if past != set(found.past):
        yield Broken(
            str(invoice), _("the times in which it was settled are not what its allocations make.")
        )
