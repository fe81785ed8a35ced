"""Is each balance what its allocations make?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from invoices.accounting import instalments
from invoices.accounting.broken import Broken
from invoices.accounting.chain.plain_rows import day_written, rows_of
from invoices.accounting.chain.reading import ISSUED
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
    status: str
    days_late: int | None
    days_to_pay: int | None

    def __str__(self) -> str:
        return self.number or f"#{self.pk}"


_COLUMNS = ("id", *Row._fields[1:])
_DAYS = [
    _COLUMNS.index(name) for name in ("issue_date", "due_date", "next_due", "settled_on", "paid_on")
]
_STEP = ("kind", "amount_minor", "applied_on", "id", "takes_back_id")


def check() -> Iterator[Broken]:
    issued, last = Invoice.objects.issued().order_by("pk"), 0
    while batch := _issued_after(last):
        last = batch[-1].pk
        span = (batch[0].pk, last)
        steps, past = _steps(batch, span), _past(span)
        in_parts = _last_days(span)
        for invoice in batch:
            yield from _balance(
                invoice._replace(due_date=in_parts.get(invoice.pk, invoice.due_date)),
                steps.get(invoice.pk, []),
                past.get(invoice.pk, set()),
            )
            if invoice.pk not in in_parts and invoice.next_due != invoice.due_date:
                yield _differs(invoice, "next_due", invoice.next_due, invoice.due_date)
        if in_parts:
            yield from instalments.check(list(issued.filter(pk__range=span)))


def _last_days(span: tuple[int, int]) -> dict[int, date]:
    """Of invoices in instalments the last day that counts: to it the release of a retention may
    have been moved."""
    found: dict[int, date] = {}
    columns, where = ("invoice_id", "due_date"), "f.invoice_id BETWEEN %s AND %s"
    for invoice, day in rows_of(Instalment, columns, where, [*span]):
        found[invoice] = max(found.get(invoice, date.min), day_written(day) or date.min)
    return found


def _issued_after(last: int) -> list[Row]:
    where = f"f.id > %s AND f.{ISSUED} ORDER BY f.id LIMIT {BATCH}"
    return [_row(values) for values in rows_of(Invoice, _COLUMNS, where, [last])]


def _row(values: list[Any]) -> Row:
    for place in _DAYS:
        values[place] = day_written(values[place])
    return Row(*values)


def _steps(batch: list[Row], span: tuple[int, int]) -> dict[int, list[settling.Settled]]:
    found: dict[int, list[settling.Settled]] = defaultdict(list)
    notes = {row.pk for row in batch if row.kind == Invoice.Kind.CREDIT_NOTE}
    first, last = span
    columns = ("invoice_id", "credit_note_id", *_STEP)
    where = "f.invoice_id BETWEEN %s AND %s OR f.credit_note_id BETWEEN %s AND %s"
    for invoice, note, kind, minor, on, *keys in rows_of(
        Allocation, columns, where, [*span, *span]
    ):
        one = settling.Settled(kind, minor, day_written(on) or date.min, *keys)
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


def _differs(invoice: Row, field: str, stored: object, right: object) -> Broken:
    return Broken(
        str(invoice),
        _("%(field)s is %(stored)s; its allocations make %(right)s.")
        % {"field": field, "stored": stored, "right": right},
    )


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
            yield _differs(invoice, field, stored, right)
    status = "issued" if found.outstanding_minor else "settled"
    if invoice.status != status:
        yield _differs(invoice, "status", invoice.status, status)
    delays = settling.delays(found.paid_on, invoice.issue_date, invoice.due_date)
    if (invoice.days_late, invoice.days_to_pay) != delays:
        yield Broken(str(invoice), _("its days of delay are not those of its payments."))
    if past != set(found.past):
        yield Broken(
            str(invoice), _("the times in which it was settled are not what its allocations make.")
        )
