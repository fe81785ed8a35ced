"""What settled what, step by step in the order in which it was recorded.

Allocations are append-only, and those of one document are made under its lock: so what a step is
worth follows from the steps before it, and never changes. Each step is worth the difference that it
makes to what is left. The worth of all steps and of what is left then come to the worth of the
whole, to the cent, at any rate.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from django.db.models import QuerySet

from invoices.accounting.journal.documents import letter_of
from invoices.accounting.journal.entries import Worth, share
from invoices.models import Allocation

_COLUMNS = (
    "pk", "kind", "amount_minor", "applied_on", "recorded_at", "takes_back", "invoice", "payment",
    "credit_note", "refund", "invoice__settled_on", "taken_back_by__applied_on",
    "write_off__cause", "takes_back__write_off__cause",
    "instalment__is_retention",
)  # fmt: skip


class Step(NamedTuple):
    pk: int
    kind: str
    # Below zero it takes another one back.
    minor: int
    on: date
    recorded_at: datetime
    takes_back: int | None
    invoice: int | None
    payment: int | None
    note: int | None
    refund: int | None
    settled_on: date | None
    taken_back_on: date | None
    # Of a write-off; None of one from before a cause was asked.
    cause: str | None
    cause_taken_back: str | None
    # What it settles is held back, on an account of its own.
    retained: bool | None = None

    def letter(self, until: date) -> tuple[str, date | None]:
        """Of the line of an account that this step settles, as far as it is known by that day."""
        if self.on > until:
            return "", None
        if self.invoice is not None:
            if self.settled_on is None or self.settled_on > until:
                return "", None
            return letter_of(self.invoice), self.settled_on
        if self.takes_back is not None or (self.taken_back_on and self.taken_back_on <= until):
            return "", None
        return f"R{self.refund}", self.on


def steps(**of: Collection[int]) -> dict[int, list[Step]]:
    """Of several documents or payments, each in order: `steps(invoice=ids)`."""
    ((name, ids),) = of.items()
    rows = Allocation.objects.filter(**{f"{name}__in": ids}).order_by("pk")
    found: dict[int, list[Step]] = defaultdict(list)
    field = {"credit_note": "note"}.get(name, name)
    for row in rows.values_list(*_COLUMNS):
        step = Step(*row)
        found[getattr(step, field)].append(step)
    return found


def in_order(rows: QuerySet[Allocation]) -> Iterator[Step]:
    """The rows of a query one by one, without keeping them."""
    found = rows.order_by("applied_on", "pk").values_list(*_COLUMNS)
    return (Step(*row) for row in found.iterator(chunk_size=2_000))


def worths(whole: int, taken: Iterable[Step], worth: Worth) -> dict[int, int]:
    """Step → what it is worth in the company's currency."""
    left, before = whole, worth.of(whole)
    found: dict[int, int] = {}
    for step in taken:
        left -= step.minor
        after = worth.of(left)
        found[step.pk] = before - after
        before = after
    return found


VatByRate = Mapping[Decimal | None, int]


def vat_due(whole: int, waiting: VatByRate, taken: Iterable[Step]) -> dict[int, VatByRate]:
    """Step → the VAT that it makes due, by rate: as much of what waits as it settles of the open
    amount. What takes a step back takes its very VAT back. The last step has the rest."""
    left, waits = whole, dict(waiting)
    found: dict[int, VatByRate] = {}
    for step in taken:
        if step.takes_back in found:
            mine = {rate: -minor for rate, minor in found[step.takes_back].items()}
        elif left:
            mine = {rate: share(minor, step.minor, left) for rate, minor in waits.items()}
        else:
            mine = {}
        for rate, minor in mine.items():
            waits[rate] = waits.get(rate, 0) - minor
        left -= step.minor
        found[step.pk] = {rate: minor for rate, minor in mine.items() if minor}
    return found


class Lettered(NamedTuple):
    """A line of a client's account."""

    minor: int
    worth: int
    letter: tuple[str, date | None]
    retained: bool


def lettered(taken: Iterable[Step], worth_of: Mapping[int, int], until: date) -> list[Lettered]:
    """The lines of an account that bear a letter, or are of a retention; the rest is one line."""
    sums: dict[tuple[tuple[str, date | None], bool], list[int]] = {}
    for step in taken:
        letter, retained = step.letter(until), bool(step.retained)
        if letter[0] or retained:
            found = sums.setdefault((letter, retained), [0, 0])
            found[0] += step.minor
            found[1] += worth_of[step.pk]
    return [
        Lettered(minor, worth, letter, retained)
        for (letter, retained), (minor, worth) in sums.items()
        if (minor, worth) != (0, 0)
    ]
