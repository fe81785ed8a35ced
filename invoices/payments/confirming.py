"""What a person sees of a payment when asked whether to do what cannot be undone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from billing_portal.confirming import Shown, facts_of, locked
from invoices.models import Payment
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
