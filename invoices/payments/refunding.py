"""Money that goes back to a client: of unapplied cash, or of a credit note that nobody used.

Never more than what is there. A refund that was a mistake is taken back by its mirror, and both
stay to be seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.utils.translation import gettext as _
from moneyed import Money

from billing_portal import dates
from billing_portal.accounts.models import User
from billing_portal.money import formatted, from_minor
from invoices.models import Allocation, Client, Invoice, InvoiceEvent, Payment, Refund
from invoices.payments.allocating import give_back, source_steps, take_back
from invoices.payments.applying import (
    PaymentRefused,
    check_period,
    checked_amount,
    locked_invoices,
)
from invoices.payments.settling import BalanceRefused, room_from


@dataclass(frozen=True)
class Source:
    """A payment or a credit note with money that can go back."""

    payment: Payment | None
    credit_note: Invoice | None

    @property
    def day(self) -> date:
        """From which day on the money is there."""
        if self.payment:
            return self.payment.received_on
        assert self.credit_note is not None and self.credit_note.issue_date is not None
        return self.credit_note.issue_date

    @property
    def free_minor(self) -> int:
        if self.payment:
            return self.payment.amount_minor - self.payment.allocated_minor
        assert self.credit_note is not None
        return self.credit_note.outstanding_minor

    @property
    def free(self) -> Money:
        currency = self.payment.currency if self.payment else self.credit_note.currency  # type: ignore[union-attr]
        return from_minor(self.free_minor, currency)

    @property
    def whole_minor(self) -> int:
        if self.payment:
            return self.payment.amount_minor
        assert self.credit_note is not None
        return self.credit_note.total_minor


def refundable(client_id: int, currency: str, *, lock: bool = False) -> list[Source]:
    """What can go back to the client's account, oldest first; cash before credit notes."""
    account = Client.objects.account_of(client_id)
    cash = Payment.objects.unapplied_of(account).filter(currency=currency)
    notes = Invoice.objects.credit_notes().filter(
        client__in=account, currency=currency, status=Invoice.Status.ISSUED
    )
    if lock:
        # In the order of all acts: payments first, then invoices and credit notes, each by key.
        ids = list(cash.values_list("pk", flat=True))
        locked = Payment.objects.select_for_update().filter(pk__in=ids).order_by("pk")
        payments = [row for row in locked if row.allocated_minor < row.amount_minor]
        credit = [
            row
            for row in locked_invoices(notes.values_list("pk", flat=True)).values()
            if row.outstanding_minor
        ]
    else:
        payments, credit = list(cash), list(notes)
    found = [Source(row, None) for row in payments] + [Source(None, row) for row in credit]
    return sorted(found, key=lambda source: (source.payment is None, source.day))


def refund_client(
    *,
    client_id: int,
    amount: Money,
    refunded_on: date,
    reference: str,
    method: str,
    reason: str,
    by: User | None,
    on: date,
) -> Refund:
    """Pay a client back, out of the oldest money that is free. `on` is today."""
    reference, reason = reference.strip(), reason.strip()
    minor = checked_amount(amount)
    currency = amount.currency.code
    if not reason:
        raise PaymentRefused(_("Say why it is refunded."))
    if len(reference) > 140 or len(reason) > 300:
        raise PaymentRefused(_("The reference has at most 140 characters, the reason 300."))
    if method not in Payment.Method.values:
        raise PaymentRefused(_("Choose how it was paid."))
    if refunded_on > on:
        raise PaymentRefused(_("The day is in the future."))
    check_period(refunded_on)
    with transaction.atomic():
        client = Client.objects.select_for_update(of=("self",)).filter(pk=client_id).first()
        if client is None:
            raise PaymentRefused(_("This client is no longer here."))
        parts = _parts(refundable(client_id, currency, lock=True), minor, refunded_on)
        given = sum(part for _source, part in parts)
        if given < minor:
            raise PaymentRefused(
                _("Only %(free)s can be refunded on %(day)s.")
                % {"free": formatted(from_minor(given, currency)), "day": dates.day(refunded_on)}
            )
        refund = Refund.objects.create(
            client=client,
            refunded_on=refunded_on,
            currency=currency,
            amount_minor=minor,
            reference=reference,
            method=method,
            reason=reason,
            recorded_by=by,
        )
        for source, part in parts:
            give_back(
                refund=refund,
                amount_minor=part,
                by=by,
                payment=source.payment,
                credit_note=source.credit_note,
            )
            _tell(source.credit_note, InvoiceEvent.Kind.REFUNDED, refund, part, by)
        return refund


def _parts(sources: Sequence[Source], minor: int, day: date) -> list[tuple[Source, int]]:
    found: list[tuple[Source, int]] = []
    for source in sources:
        part = min(minor, source.free_minor)
        if part <= 0 or source.day > day or not _was_free(source, part, day):
            continue
        found.append((source, part))
        minor -= part
    return found


def _was_free(source: Source, part: int, day: date) -> bool:
    """Free now, it may have been refunded on that day by a refund that was taken back later."""
    steps = source_steps(source.payment, source.credit_note)
    try:
        return room_from(day, part, source.whole_minor, steps) == day
    except BalanceRefused:
        return False


def take_back_refund(*, refund_id: int, reason: str, by: User | None, on: date) -> Refund:
    """Answer a refund that did not happen, or came back, by its mirror dated `on`."""
    reason = reason.strip()
    if not reason:
        raise PaymentRefused(_("Say why it is taken back."))
    if len(reason) > 300:
        raise PaymentRefused(_("At most %(limit)s characters.") % {"limit": 300})
    with transaction.atomic():
        refund = Refund.objects.select_for_update(of=("self",)).filter(pk=refund_id).first()
        if refund is None:
            raise PaymentRefused(_("This refund is no longer here."))
        if refund.reverses_id is not None:
            raise PaymentRefused(_("This takes a refund back itself: refund again."))
        if Refund.objects.filter(reverses=refund).exists():
            raise PaymentRefused(_("This refund was taken back already."))
        if on < refund.refunded_on:
            raise PaymentRefused(_("It is not taken back before its own day."))
        check_period(on)
        mirror = Refund.objects.create(
            client_id=refund.client_id,
            refunded_on=on,
            currency=refund.currency,
            amount_minor=-refund.amount_minor,
            reference=refund.reference,
            method=refund.method,
            reason=reason,
            reverses=refund,
            recorded_by=by,
        )
        rows = list(Allocation.objects.filter(refund=refund).order_by("payment_id", "pk"))
        ids = sorted({row.payment_id for row in rows if row.payment_id})
        locked = Payment.objects.select_for_update().filter(pk__in=ids).order_by("pk")
        payments = {payment.pk: payment for payment in locked}
        notes = locked_invoices(row.credit_note_id for row in rows if row.credit_note_id)
        for row in rows:
            note = notes[row.credit_note_id] if row.credit_note_id else None
            payment = payments[row.payment_id] if row.payment_id else None
            take_back(row, on=on, by=by, payment=payment, credit_note=note, refund=mirror)
            _tell(note, InvoiceEvent.Kind.REFUND_TAKEN_BACK, mirror, row.amount_minor, by)
        return mirror


def _tell(
    note: Invoice | None,
    kind: InvoiceEvent.Kind,
    refund: Refund,
    amount_minor: int,
    by: User | None,
) -> None:
    if note is None:
        return
    InvoiceEvent.objects.create(
        invoice=note,
        kind=kind,
        on=refund.refunded_on,
        by=by,
        data={
            "refund_id": refund.pk,
            "amount_minor": amount_minor,
            "currency": refund.currency,
            "reference": refund.reference,
            "reason": refund.reason,
        },
    )
