"""What is owed on an invoice, and when it was paid: the only place that writes a balance.

Every payment, credit note and write-off becomes an Allocation (append-only); the invoice keeps the
sums. `settled_on` is the day on which the outstanding balance reached zero. `paid_on` is the value
date of the last payment, given only when money settled at least a part: an invoice settled by
credit note or write-off alone was never paid, and reports treat it as an unfinished observation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Q

from billing_portal.accounts.models import User
from invoices.models import Allocation, Invoice, Payment


class BalanceRefused(Exception):
    """More would be settled than is owed; callers check before and say it in their own words."""


@dataclass(frozen=True)
class Settled:
    """One step towards zero: kind, amount in minor units (negative when reversed), effective day.

    `source` is the payment or credit note that it came from; a reversal bears that of what it takes
    back, for two payments of one amount are not each other.
    """

    kind: str
    amount_minor: int
    on: date
    source: int | None = None


@dataclass(frozen=True)
class Settlement:
    paid_minor: int
    credited_minor: int
    written_off_minor: int
    outstanding_minor: int
    settled_on: date | None
    paid_on: date | None


def settlement(total_minor: int, issue_date: date, steps: Iterable[Settled]) -> Settlement:
    """The balance after all `steps`. Raises BalanceRefused below zero."""
    steps = list(steps)
    by_kind = dict.fromkeys(Allocation.Kind.values, 0)
    for step in steps:
        by_kind[step.kind] += step.amount_minor
    paid, credited = by_kind[Allocation.Kind.PAYMENT], by_kind[Allocation.Kind.CREDIT]
    written_off = by_kind[Allocation.Kind.WRITE_OFF]
    outstanding = total_minor - paid - credited - written_off
    if min(outstanding, paid, credited, written_off) < 0:
        raise BalanceRefused(f"{outstanding} would be outstanding of {total_minor}.")
    if outstanding:
        return Settlement(paid, credited, written_off, outstanding, None, None)
    settled_on, paid_on = _last_days(issue_date, steps)
    return Settlement(paid, credited, written_off, 0, settled_on, paid_on)


def _last_days(issue_date: date, steps: list[Settled]) -> tuple[date, date | None]:
    """Days of the steps that stand: a source that was taken back whole never settled anything."""
    left: dict[tuple[str, str, int], int] = {}
    last: dict[tuple[str, str, int], date] = {}
    for step in steps:
        # Write-offs have no source: one is taken back by its amount.
        key = (
            (step.kind, "amount", abs(step.amount_minor))
            if step.source is None
            else (step.kind, "source", step.source)
        )
        left[key] = left.get(key, 0) + step.amount_minor
        if step.amount_minor > 0:
            last[key] = max(step.on, last.get(key, step.on))
    if any(amount < 0 for amount in left.values()):
        raise BalanceRefused("More would be taken back than was given.")
    standing = {key: day for key, day in last.items() if left[key] > 0}
    paid = [day for key, day in standing.items() if key[0] == Allocation.Kind.PAYMENT]
    return max(standing.values(), default=issue_date), max(paid, default=None)


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
]


def write_balance(invoice: Invoice, found: Settlement) -> None:
    """Write a settlement on an issued invoice in memory; the caller saves BALANCE_FIELDS."""
    assert invoice.issue_date is not None and invoice.due_date is not None
    invoice.paid_minor = found.paid_minor
    invoice.credited_minor = found.credited_minor
    invoice.written_off_minor = found.written_off_minor
    invoice.outstanding_minor = found.outstanding_minor
    invoice.settled_on = found.settled_on
    invoice.paid_on = found.paid_on
    invoice.days_late = (found.paid_on - invoice.due_date).days if found.paid_on else None
    invoice.days_to_pay = (found.paid_on - invoice.issue_date).days if found.paid_on else None
    invoice.status = Invoice.Status.ISSUED if found.outstanding_minor else Invoice.Status.SETTLED


def steps_of(invoice: Invoice) -> list[Settled]:
    """All that was applied to an invoice; for a credit note, all that was applied from it."""
    if invoice.is_credit_note:
        # A credit note is used up by what it settles elsewhere, or by paying it back.
        rows = Allocation.objects.filter(Q(credit_note=invoice) | Q(invoice=invoice))
    else:
        rows = Allocation.objects.filter(invoice=invoice)
    return [
        Settled(kind, amount, on, credit_note_id or reverses_id or payment_id)
        for kind, amount, on, credit_note_id, reverses_id, payment_id in rows.values_list(
            "kind",
            "amount_minor",
            "applied_on",
            "credit_note_id",
            "payment__reverses_id",
            "payment_id",
        )
    ]


def refresh(invoice: Invoice) -> None:
    """Recompute and save the balance of an invoice that the caller has locked."""
    assert invoice.issue_date is not None
    write_balance(invoice, settlement(invoice.total_minor, invoice.issue_date, steps_of(invoice)))
    invoice.save(update_fields=[*BALANCE_FIELDS, "updated_at"])


def allocate(
    *,
    invoice: Invoice,
    amount_minor: int,
    applied_on: date,
    by: User | None,
    payment: Payment | None = None,
    credit_note: Invoice | None = None,
) -> Allocation:
    """Settle a part of `invoice` (locked by the caller, as are payment and credit note).

    Without payment and credit note it is a write-off. A negative amount takes back an earlier one.
    """
    kind = Allocation.Kind.WRITE_OFF
    if payment is not None:
        kind = Allocation.Kind.PAYMENT
    elif credit_note is not None:
        kind = Allocation.Kind.CREDIT
    row = Allocation.objects.create(
        kind=kind,
        invoice=invoice,
        payment=payment,
        credit_note=credit_note,
        amount_minor=amount_minor,
        applied_on=applied_on,
        by=by,
    )
    refresh(invoice)
    if payment is not None:
        payment.allocated_minor += amount_minor
        payment.save(update_fields=["allocated_minor"])
    if credit_note is not None:
        refresh(credit_note)
    return row
