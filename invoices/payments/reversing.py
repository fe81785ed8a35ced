"""A payment taken back: answered by its mirror, and its invoices are open again.

Nothing is deleted. Rows are locked in the order of all acts: the payment, then invoices by key.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.db import transaction
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from invoices.models import Allocation, InvoiceEvent, Payment
from invoices.payments.allocating import take_back
from invoices.payments.applying import PaymentRefused, check_period, locked_invoices

LONGEST_REASON = 300


def reverse_payment(*, payment_id: int, by: User | None, on: date, reason: str) -> Payment:
    """Answer a wrong or bounced payment by its mirror, dated `on`; its invoices are open again."""
    reason = reason.strip()
    if not reason:
        raise PaymentRefused(_("Say why it is reversed."))
    if len(reason) > LONGEST_REASON:
        raise PaymentRefused(_("At most %(limit)s characters.") % {"limit": LONGEST_REASON})
    return _reverse(payment_id, by=by, on=on, reason=reason)


def undo_payment(*, payment_id: int, by: User | None) -> Payment:
    """Take back what was just recorded by mistake: on its own day, so that it never stood.

    No reason is asked: a reversal without one is such a slip.
    """
    return _reverse(payment_id, by=by, on=None, reason="")


def _reverse(payment_id: int, *, by: User | None, on: date | None, reason: str) -> Payment:
    """`on` is the day of the reversal; None is the payment's own."""
    with transaction.atomic():
        payment = locked_payment(payment_id)
        on = payment.received_on if on is None else on
        rows = _standing_parts(payment, on)
        mirror = Payment.objects.create(
            client_id=payment.client_id,
            received_on=on,
            currency=payment.currency,
            amount_minor=-payment.amount_minor,
            charges_minor=-payment.charges_minor,
            reference=payment.reference,
            method=payment.method,
            reverses=payment,
            occurrence=payment.occurrence,
            note=reason,
            recorded_by=by,
        )
        _open_again(payment, mirror, rows, on=on, by=by)
        return mirror


def _standing_parts(payment: Payment, on: date) -> list[Allocation]:
    """What it settled. Raises PaymentRefused where it cannot be taken back on this day."""
    if payment.reverses_id is not None:
        raise PaymentRefused(_("This is a reversal itself: record the payment again."))
    if is_reversed(payment):
        raise PaymentRefused(_("This payment was reversed already."))
    if on < payment.received_on:
        raise PaymentRefused(_("A reversal is not dated before its payment."))
    check_period(on)
    rows = list(payment.allocations.order_by("invoice_id", "pk"))
    if sum(row.amount_minor for row in rows if row.kind == Allocation.Kind.REFUND):
        raise PaymentRefused(
            _("A part of it was refunded: take the refund back first, then the payment.")
        )
    return [row for row in rows if row.kind == Allocation.Kind.PAYMENT]


def _open_again(
    payment: Payment, mirror: Payment, rows: Sequence[Allocation], *, on: date, by: User | None
) -> None:
    invoices = locked_invoices(row.invoice_id for row in rows if row.invoice_id)
    taken: dict[int, int] = {}
    for row in rows:
        assert row.invoice_id is not None
        take_back(row, on=on, by=by, invoice=invoices[row.invoice_id], payment=mirror)
        taken[row.invoice_id] = taken.get(row.invoice_id, 0) + row.amount_minor
    for invoice_id, minor in taken.items():
        InvoiceEvent.objects.create(
            invoice=invoices[invoice_id],
            kind=InvoiceEvent.Kind.REVERSED,
            on=on,
            by=by,
            data={
                "payment_id": payment.pk,
                "amount_minor": minor,
                "currency": payment.currency,
                "reference": payment.reference,
                "reason": mirror.note,
                "undone": not mirror.note,
                "outstanding_minor": invoices[invoice_id].outstanding_minor,
            },
        )


def locked_payment(payment_id: int) -> Payment:
    payment = Payment.objects.select_for_update().filter(pk=payment_id).first()
    if payment is None:
        raise PaymentRefused(_("This payment is no longer here."))
    return payment


def is_reversed(payment: Payment) -> bool:
    return Payment.objects.filter(reverses=payment).exists()
