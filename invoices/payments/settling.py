"""What is owed on an invoice, and when it was paid: the only place that writes a balance.

Every payment, credit note and write-off becomes an Allocation (append-only); the invoice keeps the
sums. `settled_on` is the day on which the outstanding balance reached zero. `paid_on` is the day of
the last payment, given only when money settled the invoice: its final step decides. An invoice that
a credit note or a write-off closed was withdrawn, and reports treat it as an unfinished
observation, unless money had settled all but a fiftieth: a bank fee or a small discount withdraws
nothing.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from invoices.models import Allocation, Instalment, Invoice, PastSettlement
from invoices.models.payments import PAID_PERCENT

# By money; a credit note is also used up by paying it back.
_MONEY = (Allocation.Kind.PAYMENT, Allocation.Kind.REFUND)


class BalanceRefused(Exception):
    """More would be settled than is owed; callers check before and say it in their own words."""


@dataclass(frozen=True, slots=True)
class Settled:
    """One step towards zero: kind, amount in minor units (negative takes back), effective day.

    `key` names the step, so that another can take back just this one: two payments of one amount
    are not each other.
    """

    kind: str
    amount_minor: int
    on: date
    key: Hashable = None
    takes_back: Hashable = None


@dataclass(frozen=True)
class Past:
    """A time in which the invoice was settled, until `reopened_on`."""

    settled_on: date
    paid_on: date | None
    reopened_on: date


@dataclass(frozen=True, slots=True)
class Settlement:
    paid_minor: int
    credited_minor: int
    written_off_minor: int
    outstanding_minor: int
    settled_on: date | None
    paid_on: date | None
    past: tuple[Past, ...] = ()


def settlement(total_minor: int, issue_date: date, steps: Iterable[Settled]) -> Settlement:
    """The balance after all `steps`. Raises BalanceRefused below zero."""
    steps = list(steps)
    found = _at(total_minor, issue_date, steps, date.max)
    if min(found.outstanding_minor, found.paid_minor, found.credited_minor) < 0:
        raise BalanceRefused(f"{found.outstanding_minor} would be outstanding of {total_minor}.")
    if all(step.amount_minor > 0 for step in steps):
        return found
    given = {step.key: step for step in steps if step.amount_minor > 0}
    reopened: set[date] = set()
    for step in steps:
        if step.amount_minor > 0:
            continue
        whole = given.get(step.takes_back)
        if whole is None or whole.amount_minor != -step.amount_minor or whole.on > step.on:
            raise BalanceRefused("A step is taken back whole, once, and not before its day.")
        # Given and taken back on one day, it never stood at the end of any.
        if whole.on < step.on:
            reopened.add(step.on)
    past = []
    for day in sorted(reopened):
        before = _at(total_minor, issue_date, steps, day - timedelta(days=1))
        if before.settled_on is not None:
            past.append(Past(before.settled_on, before.paid_on, day))
    return Settlement(
        found.paid_minor,
        found.credited_minor,
        found.written_off_minor,
        found.outstanding_minor,
        found.settled_on,
        found.paid_on,
        tuple(past),
    )


def _at(total_minor: int, issue_date: date, steps: Sequence[Settled], day: date) -> Settlement:
    """The balance at the end of `day`, of the steps that stood by then."""
    taken = {step.takes_back for step in steps if step.amount_minor < 0 and step.on <= day}
    sums = {Allocation.Kind.PAYMENT: 0, Allocation.Kind.CREDIT: 0, Allocation.Kind.WRITE_OFF: 0}
    last: dict[Allocation.Kind, date] = {}
    # Money that came in: what goes back out of a credit note uses it up, and pays nothing.
    paid_on: date | None = None
    for step in steps:
        if step.amount_minor < 0 or step.on > day or (taken and step.key in taken):
            continue
        kind = Allocation.Kind.PAYMENT if step.kind in _MONEY else Allocation.Kind(step.kind)
        sums[kind] += step.amount_minor
        last[kind] = max(step.on, last.get(kind, step.on))
        if step.kind == Allocation.Kind.PAYMENT:
            paid_on = max(step.on, paid_on or step.on)
    paid, credited, written_off = sums.values()
    outstanding = total_minor - paid - credited - written_off
    if outstanding:
        return Settlement(paid, credited, written_off, outstanding, None, None)
    settled_on = max(last.values(), default=issue_date)
    # Of one day's steps the credit note comes first and the write-off last: it gives up what the
    # money left.
    by_money = paid_on == settled_on and last.get(Allocation.Kind.WRITE_OFF) != settled_on
    if not by_money and paid * 100 < total_minor * PAID_PERCENT:
        paid_on = None
    return Settlement(paid, credited, written_off, 0, settled_on, paid_on)


def room_from(day: date, amount_minor: int, limit_minor: int, steps: Iterable[Settled]) -> date:
    """The first day from `day` on which `amount_minor` fits beside `steps`, and fits ever after.

    What was settled, reopened and is settled now was not open in between: money applied now took
    effect when it was open again, whatever its value date. Raises BalanceRefused without room.
    """
    changes: dict[date, int] = {}
    for step in steps:
        changes[step.on] = changes.get(step.on, 0) + step.amount_minor
    used = 0
    for on, until in pairwise([*sorted(changes), date.max]):
        used += changes[on]
        if until > day and used + amount_minor > limit_minor:
            day = until
    if day == date.max:
        raise BalanceRefused(f"{amount_minor} beside {used} is more than {limit_minor}.")
    return day


BALANCE_FIELDS = [
    "paid_minor",
    "credited_minor",
    "written_off_minor",
    "outstanding_minor",
    "settled_on",
    "paid_on",
    "days_late",
    "days_to_pay",
    "status",
    "next_due",
]
# The same of an instalment, which has no status of its own.
PART_FIELDS = [field for field in BALANCE_FIELDS if field not in ("status", "next_due")]


def write_balance(invoice: Invoice, found: Settlement) -> None:
    """Write a settlement on an issued invoice in memory; the caller saves BALANCE_FIELDS."""
    assert invoice.issue_date is not None and invoice.due_date is not None
    write_part(invoice, found, issue_date=invoice.issue_date)
    invoice.status = Invoice.Status.ISSUED if found.outstanding_minor else Invoice.Status.SETTLED
    # refresh() has the word where it is due in parts.
    invoice.next_due = invoice.due_date


def write_part(row: Invoice | Instalment, found: Settlement, *, issue_date: date) -> None:
    """What an invoice and an instalment have in common of a balance, in memory."""
    assert row.due_date is not None
    row.paid_minor = found.paid_minor
    row.credited_minor = found.credited_minor
    row.written_off_minor = found.written_off_minor
    row.outstanding_minor = found.outstanding_minor
    row.settled_on = found.settled_on
    row.paid_on = found.paid_on
    row.days_late, row.days_to_pay = delays(found.paid_on, issue_date, row.due_date)


def delays(paid_on: date | None, issue_date: date, due_date: date) -> tuple[int | None, int | None]:
    """Days late and days to pay, of what money settled."""
    if paid_on is None:
        return None, None
    return (paid_on - due_date).days, (paid_on - issue_date).days


STEP_COLUMNS = ("kind", "amount_minor", "applied_on", "pk", "takes_back_id")


def steps_of(invoice: Invoice) -> list[Settled]:
    """All that was applied to an invoice; for a credit note, all that was applied from it."""
    side = "credit_note" if invoice.is_credit_note else "invoice"
    rows = Allocation.objects.filter(**{side: invoice}).order_by("pk")
    return [Settled(*row) for row in rows.values_list(*STEP_COLUMNS)]


def steps_by_part(invoice: Invoice) -> dict[int | None, list[Settled]]:
    """All that was applied to an invoice, by the instalment that it settled."""
    rows = Allocation.objects.filter(invoice=invoice).order_by("pk")
    found: dict[int | None, list[Settled]] = {}
    for part, *step in rows.values_list("instalment_id", *STEP_COLUMNS):
        found.setdefault(part, []).append(Settled(*step))
    return found


def past_settlements(
    invoice: Invoice, found: Settlement, instalment: Instalment | None = None
) -> list[PastSettlement]:
    return [
        PastSettlement(
            invoice=invoice,
            instalment=instalment,
            settled_on=past.settled_on,
            paid_on=past.paid_on,
            reopened_on=past.reopened_on,
        )
        for past in found.past
    ]


def refresh(invoice: Invoice) -> None:
    """Recompute and save the balance of an invoice that the caller has locked, and of its parts."""
    assert invoice.issue_date is not None
    by_part = steps_by_part(invoice)
    if invoice.is_credit_note:
        by_part = {None: steps_of(invoice)}
    steps = [step for of_part in by_part.values() for step in of_part]
    found = settlement(invoice.total_minor, invoice.issue_date, steps)
    write_balance(invoice, found)
    past = past_settlements(invoice, found)
    parts = [] if invoice.is_credit_note else list(invoice.instalments.order_by("position"))
    for part in parts:
        mine = settlement(part.amount_minor, invoice.issue_date, by_part.get(part.pk, []))
        write_part(part, mine, issue_date=invoice.issue_date)
        past += past_settlements(invoice, mine, part)
    if parts:
        Instalment.objects.bulk_update(parts, PART_FIELDS)
        if invoice.paid_on is not None:
            # By the last day that counts, to which a release may have been moved.
            last = max(part.due_date for part in parts)
            invoice.days_late = (invoice.paid_on - last).days
        invoice.next_due = next_due(parts) or invoice.due_date
    invoice.save(update_fields=[*BALANCE_FIELDS, "updated_at"])
    if any(step.amount_minor < 0 for step in steps):
        PastSettlement.objects.filter(invoice=invoice).delete()
        PastSettlement.objects.bulk_create(past)


def next_due(parts: Iterable[Instalment]) -> date | None:
    """The day by which the oldest open part is due; None where nothing is open."""
    return min((part.due_date for part in parts if part.outstanding_minor), default=None)
