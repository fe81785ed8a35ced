"""What a person sees of a payment when asked whether to do what cannot be undone."""

from __future__ import annotations

from collections.abc import Callable

from billing_portal.confirming import Shown, facts_of, locked
from invoices.models import Payment


def payment_shown(payment: Payment) -> Shown:
    """The money, and what it settled: reversing opens those invoices again."""
    settled = payment.allocations.order_by("pk").values_list("invoice_id", "amount_minor")
    return Shown({**facts_of(payment), "settled": list(settled)})


def payment_under_lock(pk: int) -> Callable[[], Shown]:
    def read() -> Shown:
        payment = locked(Payment.objects.all(), pk)
        return payment_shown(payment) if payment is not None else Shown({})

    return read
