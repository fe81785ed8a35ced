"""What of a client's account is open at the end of a day: each due with its age, credit, cash."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple

from django.db.models import F, Q, Sum

from invoices.models import Allocation, Invoice, Payment
from invoices.models.dues import by_instalment
from invoices.selections.as_of import issued_by, open_at, with_open_amount

_CHUNK = 2_000


class OpenItem(NamedTuple):
    """A due; `part` is its place among the instalments of its invoice, 0 where it is due whole."""

    invoice_id: int
    number: str
    title: str
    issued_on: date
    due_on: date
    currency: str
    total_minor: int
    open_minor: int
    part: int

    def days_late(self, on: date) -> int:
        return max(0, (on - self.due_on).days)


class FreeItem(NamedTuple):
    """Credit or cash that no invoice took; `kind` as of a movement."""

    pk: int
    kind: str
    reference: str
    text: str
    day: date
    currency: str
    free_minor: int


def _open(mine: Any, day: date) -> tuple[Any, Any]:
    rows, columns = by_instalment(Invoice.objects.invoices().filter(client__in=mine))
    rows = rows.filter(issued_by(day), open_at(day, columns))
    return with_open_amount(rows, day, columns=columns), columns


def receivable_at(mine: Any, day: date) -> tuple[dict[str, int], dict[str, int]]:
    """Currency → what is owed at the end of `day`, and what of it was due before that day."""
    rows, columns = _open(mine, day)
    late = Q(**{f"{columns.due}__lt": day})
    sums = (
        rows.order_by()
        .values("currency")
        .annotate(owed=Sum("open_minor"), late=Sum("open_minor", filter=late))
    )
    found = list(sums.values_list("currency", "owed", "late"))
    return (
        {code: owed for code, owed, _late in found},
        {code: overdue for code, _owed, overdue in found if overdue is not None},
    )


def open_items(mine: Any, day: date) -> Iterator[OpenItem]:
    """Of each currency the oldest due first; read in chunks."""
    rows, columns = _open(mine, day)
    place = "position" if columns.apart else "plan_step"
    found = (
        rows.order_by("currency", columns.due, columns.key)
        .values_list(
            *("pk", "number", "title", "issue_date", columns.due, "currency"),
            *(columns.total, "open_minor", place),
        )
        .iterator(chunk_size=_CHUNK)
    )
    for row in found:
        item = OpenItem(*row)
        yield item if columns.apart else item._replace(part=0)


def free_items(mine: Any, day: date) -> Iterator[FreeItem]:
    """Credit notes not used and cash not applied at the end of `day`, by currency and day."""
    notes = Invoice.objects.credit_notes().filter(issued_by(day), client__in=mine)
    rows: Any = with_open_amount(notes, day)
    rows = rows.filter(open_minor__gt=0)
    credit = rows.values_list("pk", "number", "title", "issue_date", "currency", "open_minor")
    found = [FreeItem(pk, "credit_note", *rest) for pk, *rest in credit]
    # A payment that was taken back by then holds nothing; its reversal neither.
    here = Payment.objects.filter(
        Q(reversed_by__isnull=True) | Q(reversed_by__received_on__gt=day),
        client__in=mine,
        reverses__isnull=True,
        received_on__lte=day,
    )
    later = _applied_later(mine, day)
    money = here.filter(Q(allocated_minor__lt=F("amount_minor")) | Q(pk__in=later))
    rows = money.values_list(
        *("pk", "reference", "method", "received_on", "currency"),
        *("amount_minor", "allocated_minor"),
    )
    for pk, reference, method, on, code, amount, applied in rows:
        if free := amount - applied + later.get(pk, 0):
            found.append(FreeItem(pk, "payment", reference, method, on, code, free))
    yield from sorted(found, key=lambda item: (item.currency, item.day, item.kind, item.pk))


def _applied_later(mine: Any, day: date) -> dict[int, int]:
    rows = Allocation.objects.filter(payment__client__in=mine, applied_on__gt=day).order_by()
    sums: Any = rows.values("payment").annotate(minor=Sum("amount_minor"))
    return dict(sums.values_list("payment", "minor"))
