"""The payments of a history, what they settle, and those that went back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from invoices.history.batches import Writing, batches
from invoices.history.plan import HeldReturn, Remittance, chunks
from invoices.history.rows import PaymentRow
from invoices.models import Allocation, ImportedPaymentRow, Invoice, InvoiceEvent, Payment
from invoices.payments.settling import refresh

# A payment, the rows that say that it came or went back, and what it settles.
Booked = tuple[Payment, list[PaymentRow], list[Allocation]]


def write_payments(writing: Writing) -> None:
    returned: list[Booked] = []
    days: list[tuple[date, int]] = []
    for batch in batches(writing.plan.remittances):
        made = [_payment(writing, remittance) for remittance in batch]
        writing.insert(Payment, made)
        booked = [
            (payment, remittance.rows, _allocations(writing, remittance, payment))
            for remittance, payment in zip(batch, made, strict=True)
        ]
        _book(writing, booked, InvoiceEvent.Kind.PAID)
        for remittance, each in zip(batch, booked, strict=True):
            if remittance.returned_on is not None:
                returned.append(each)
                days.append((remittance.returned_on, remittance.mirror_occurrence))
    _write_returns(writing, returned, days)


def _payment(writing: Writing, remittance: Remittance) -> Payment:
    first, held = remittance.rows[0], writing.plan.invoices
    return Payment(
        client_id=writing.client_id(remittance.client_key),
        received_on=first.received_on,
        currency=first.currency,
        amount_minor=remittance.amount_minor,
        allocated_minor=sum(writing.plan.paid_minor(row.line) for row in remittance.rows),
        reference=first.reference,
        method=first.method,
        # What settles an invoice of ours is of the books of today, and no history.
        imported=all(
            row.invoice not in held or held[row.invoice].imported for row in remittance.rows
        ),
        occurrence=remittance.occurrence,
        recorded_by=writing.by,
    )


def _allocations(writing: Writing, remittance: Remittance, payment: Payment) -> list[Allocation]:
    return [
        Allocation(
            kind=Allocation.Kind.PAYMENT,
            invoice_id=writing.invoices[row.invoice],
            instalment_id=writing.part_of(row.invoice, applied.place),
            payment=payment,
            amount_minor=applied.amount_minor,
            applied_on=applied.on,
            by=writing.by,
        )
        for row in remittance.rows
        for applied in writing.plan.paid.get(row.line, ())
    ]


# ─ What went back ───────────────────────────────────────────────────────────────────────────────
def _write_returns(writing: Writing, returned: list[Booked], days: list[tuple[date, int]]) -> None:
    plan = writing.plan
    back: list[Booked] = []
    mirrors: list[Payment] = []
    for (payment, rows, allocations), (on, occurrence) in zip(returned, days, strict=True):
        back.append((payment, [plan.returns[row.line] for row in rows], allocations))
        mirrors.append(_mirror(writing, payment, on, occurrence))
    taken = _taken_of_held(plan.held_returns)
    for held in plan.held_returns:
        back.append((held.payment, held.rows, taken.get(held.payment.pk, [])))
        mirrors.append(
            _mirror(writing, held.payment, held.rows[0].received_on, held.mirror_occurrence)
        )
    writing.insert(Payment, mirrors)
    answered = [
        (mirror, backs, [_answer(writing, each, mirror) for each in allocations])
        for mirror, (_payment, backs, allocations) in zip(mirrors, back, strict=True)
    ]
    _book(writing, answered, InvoiceEvent.Kind.REVERSED)
    # Somebody may have applied what was left of such a payment to any invoice of the client.
    again = {row.invoice_id for rows in taken.values() for row in rows if row.invoice_id}
    for invoice in Invoice.objects.select_for_update().filter(pk__in=again).order_by("pk"):
        refresh(invoice)


def _mirror(writing: Writing, payment: Payment, on: date, occurrence: int) -> Payment:
    return Payment(
        client_id=payment.client_id,
        received_on=on,
        currency=payment.currency,
        amount_minor=-payment.amount_minor,
        allocated_minor=-payment.allocated_minor,
        reference=payment.reference,
        method=payment.method,
        reverses=payment,
        imported=payment.imported,
        occurrence=occurrence,
        recorded_by=writing.by,
    )


def _taken_of_held(held: Iterable[HeldReturn]) -> dict[int, list[Allocation]]:
    """By payment, the allocations that stand: what was taken back already stays so."""
    found: dict[int, list[Allocation]] = {}
    for chunk in chunks(each.payment.pk for each in held):
        rows = Allocation.objects.filter(
            payment__in=chunk,
            kind=Allocation.Kind.PAYMENT,
            amount_minor__gt=0,
            taken_back_by__isnull=True,
        )
        for row in rows.order_by("invoice_id", "pk"):
            assert row.payment_id is not None
            found.setdefault(row.payment_id, []).append(row)
    return found


def _answer(writing: Writing, row: Allocation, mirror: Payment) -> Allocation:
    return Allocation(
        kind=row.kind,
        invoice_id=row.invoice_id,
        instalment_id=row.instalment_id,
        payment=mirror,
        amount_minor=-row.amount_minor,
        applied_on=max(mirror.received_on, row.applied_on),
        takes_back=row,
        by=writing.by,
    )


# ─ Both ─────────────────────────────────────────────────────────────────────────────────────────
def _book(writing: Writing, booked: list[Booked], kind: str) -> None:
    writing.insert(Allocation, [each for _payment, _rows, found in booked for each in found])
    taken = [
        ImportedPaymentRow(
            invoice_id=writing.invoices[row.invoice],
            payment=payment,
            received_on=row.received_on,
            currency=row.currency,
            amount_minor=row.amount_minor,
            reference=row.reference,
            method=row.method,
            instalment=row.instalment or None,
            occurrence=writing.plan.occurrences[row.line],
        )
        for payment, rows, _found in booked
        for row in rows
    ]
    writing.insert(ImportedPaymentRow, taken)
    events = [
        _event(writing, payment, each, kind) for payment, _rows, found in booked for each in found
    ]
    writing.insert(InvoiceEvent, events)


def _event(writing: Writing, payment: Payment, row: Allocation, kind: str) -> InvoiceEvent:
    # Money of a history settles invoices; no refund is among it.
    assert row.invoice_id is not None
    data: dict[str, Any] = {
        "amount_minor": abs(row.amount_minor),
        "currency": payment.currency,
        "reference": payment.reference,
        "payment_id": payment.reverses_id or payment.pk,
    }
    return InvoiceEvent(
        invoice_id=row.invoice_id, kind=kind, on=payment.received_on, by=writing.by, data=data
    )
