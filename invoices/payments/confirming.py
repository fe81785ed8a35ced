"""What a person sees of a payment when asked whether to do what cannot be undone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from billing_portal.confirming import Change, Shown, facts_of, locked
from invoices.models import Allocation, Invoice, Payment, Refund
from invoices.payments.refunding import Source


def payment_shown(payment: Payment) -> Shown:
    """The money, and what it settled: reversing opens those invoices again."""
    settled = payment.allocations.order_by("pk").values_list("invoice_id", "amount_minor")
    return Shown({**facts_of(payment), "settled": list(settled)})


def payment_under_lock(pk: int) -> Callable[[], Shown]:
    def read() -> Shown:
        payment = locked(Payment.objects.all(), pk)
        return payment_shown(payment) if payment is not None else Shown({})

    return read


def sources_shown(sources: Sequence[Source]) -> Shown:
    """What a client could get back, and out of what."""
    rows = [
        (source.payment and source.payment.pk, source.credit_note and source.credit_note.pk)
        for source in sources
    ]
    return Shown({"sources": rows, "free": [source.free_minor for source in sources]})


def refund_shown(refund: Refund) -> Shown:
    """What came out of what, and whether somebody has taken it back."""
    parts = Allocation.objects.filter(refund=refund).order_by("pk")
    answer = Refund.objects.filter(reverses=refund).select_related("recorded_by").first()
    return Shown(
        {
            **facts_of(refund),
            "parts": list(parts.values_list("payment_id", "credit_note_id", "amount_minor")),
            "taken_back": answer is not None,
        },
        _by(answer.recorded_by, answer.recorded_at) if answer else _by(None, None),
    )


def refund_under_lock(pk: int) -> Callable[[], Shown]:
    def read() -> Shown:
        refund = locked(Refund.objects.all(), pk)
        return refund_shown(refund) if refund is not None else Shown({})

    return read


def write_off_shown(row: Allocation) -> Shown:
    """The claim that would stand again, and how its invoice stands now."""
    invoice = row.invoice
    assert invoice is not None
    answer = Allocation.objects.filter(takes_back=row).select_related("by").first()
    return Shown(
        {
            **facts_of(row),
            "status": invoice.status,
            "written_off_minor": invoice.written_off_minor,
            "outstanding_minor": invoice.outstanding_minor,
            "taken_back": answer is not None,
        },
        _by(answer.by, answer.recorded_at) if answer else _by(None, None),
    )


def write_off_under_lock(pk: int) -> Callable[[], Shown]:
    """Under the lock of its invoice: whatever moves the balance waits there."""

    def read() -> Shown:
        row = Allocation.objects.filter(pk=pk, kind=Allocation.Kind.WRITE_OFF).first()
        if row is None or row.invoice_id is None:
            return Shown({})
        row.invoice = locked(Invoice.objects.all(), row.invoice_id)
        return write_off_shown(row)

    return read


def _by(person: object, at: datetime | None) -> Callable[[datetime], Change | None]:
    return lambda _since: Change(str(person), at) if person and at else None
