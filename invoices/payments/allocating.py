"""The rows that settle: each carries its effective day, and when the portal learnt it.

The callers lock what they hand in (payments first, then invoices and credit notes by primary key)
and say in their own words what cannot be.
"""

from __future__ import annotations

from datetime import date

from billing_portal.accounts.models import User
from invoices.models import Allocation, Instalment, Invoice, Payment, Refund
from invoices.payments import settling


def allocate(
    *,
    invoice: Invoice,
    amount_minor: int,
    applied_on: date,
    by: User | None,
    payment: Payment | None = None,
    credit_note: Invoice | None = None,
    instalment: int | None = None,
) -> list[Allocation]:
    """Settle a part of `invoice`; without payment and credit note it is a write-off.

    `applied_on` is the value date of the payment, the credit note's issue date, or the day of the
    write-off. Money and credit take effect on the first day from then on which both were there: the
    invoice issued and open for so much, the source not used elsewhere.

    Of an invoice in instalments the one named by `instalment` is settled first, then the oldest
    open ones: a row for each.
    """
    kind = Allocation.Kind.WRITE_OFF
    if payment is not None:
        kind = Allocation.Kind.PAYMENT
    elif credit_note is not None:
        kind = Allocation.Kind.CREDIT
    assert invoice.issue_date is not None
    day = max(applied_on, invoice.issue_date)
    if credit_note is not None and credit_note.issue_date is not None:
        day = max(day, credit_note.issue_date)
    rows = []
    for part, minor, since in parts_settled(invoice, amount_minor, day, instalment):
        row = Allocation.objects.create(
            kind=kind,
            invoice=invoice,
            instalment=part,
            payment=payment,
            credit_note=credit_note,
            amount_minor=minor,
            applied_on=_source_room(since, minor, payment, credit_note),
            by=by,
        )
        rows.append(row)
        _count(row, None, payment, credit_note)
    settling.refresh(invoice)
    return rows


def parts_settled(
    invoice: Invoice, amount_minor: int, day: date, named: int | None = None
) -> list[tuple[Instalment | None, int, date]]:
    """What would be settled of which instalment, and from which day on it fits; of an invoice that
    is due whole, of none. Raises BalanceRefused for more than is open."""
    by_part = settling.steps_by_part(invoice)
    found: list[tuple[Instalment | None, int, date]] = []
    for part, minor in _shared_out(invoice, amount_minor, named):
        steps = by_part.get(part.pk if part else None, [])
        limit = part.amount_minor if part else invoice.total_minor
        fits = settling.room_from(day, minor, limit, steps) if _were_taken_back(steps) else day
        found.append((part, minor, fits))
    return found


def _shared_out(
    invoice: Invoice, amount_minor: int, named: int | None
) -> list[tuple[Instalment | None, int]]:
    parts = list(invoice.instalments.order_by("due_date", "position"))
    if not parts:
        return [(None, amount_minor)]
    # The sort keeps the oldest first among the others.
    parts.sort(key=lambda part: part.pk != named)
    found: list[tuple[Instalment | None, int]] = []
    left = amount_minor
    for part in parts:
        minor = min(left, part.outstanding_minor)
        if minor > 0:
            found.append((part, minor))
            left -= minor
    if left > 0:
        raise settling.BalanceRefused(f"{left} more than is open of {invoice}.")
    return found


def give_back(
    *,
    refund: Refund,
    amount_minor: int,
    by: User | None,
    payment: Payment | None = None,
    credit_note: Invoice | None = None,
) -> Allocation:
    """The part of a refund that comes from one payment or credit note."""
    row = Allocation.objects.create(
        kind=Allocation.Kind.REFUND,
        refund=refund,
        payment=payment,
        credit_note=credit_note,
        amount_minor=amount_minor,
        applied_on=refund.refunded_on,
        by=by,
    )
    _count(row, None, payment, credit_note)
    return row


def take_back(
    row: Allocation,
    *,
    on: date,
    by: User | None,
    invoice: Invoice | None = None,
    payment: Payment | None = None,
    credit_note: Invoice | None = None,
    refund: Refund | None = None,
) -> Allocation:
    """Answer `row` by its negative, on its own day, but not before `row` itself took effect.

    `payment` is the reversing payment for a reversal, else the one that `row` came from.
    """
    answer = Allocation.objects.create(
        kind=row.kind,
        invoice=invoice,
        payment=payment,
        credit_note=credit_note,
        refund=refund,
        instalment_id=row.instalment_id,
        amount_minor=-row.amount_minor,
        applied_on=max(on, row.applied_on),
        takes_back=row,
        by=by,
    )
    _count(answer, invoice, payment, credit_note)
    return answer


def source_steps(payment: Payment | None, credit_note: Invoice | None) -> list[settling.Settled]:
    """What was given out of a payment or credit note."""
    if credit_note is not None:
        return settling.steps_of(credit_note)
    rows = Allocation.objects.filter(payment=payment).order_by("pk")
    return [settling.Settled(*row) for row in rows.values_list(*settling.STEP_COLUMNS)]


def _were_taken_back(steps: list[settling.Settled]) -> bool:
    return any(step.amount_minor < 0 for step in steps)


def _source_room(
    day: date, amount_minor: int, payment: Payment | None, credit_note: Invoice | None
) -> date:
    """A refund that was taken back had the money for a while."""
    if payment is None and credit_note is None:
        return day
    steps = source_steps(payment, credit_note)
    if not _were_taken_back(steps):
        return day
    limit = payment.amount_minor if payment else credit_note.total_minor if credit_note else 0
    return settling.room_from(day, amount_minor, limit, steps)


def _count(
    row: Allocation, invoice: Invoice | None, payment: Payment | None, credit_note: Invoice | None
) -> None:
    if invoice is not None:
        settling.refresh(invoice)
    if payment is not None:
        payment.allocated_minor += row.amount_minor
        payment.save(update_fields=["allocated_minor"])
    if credit_note is not None:
        settling.refresh(credit_note)
