"""What settles an invoice without money coming in: credit notes, and claims that are given up.

What every way of settling checks lies here too: that an invoice takes the amount, and the locks.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.db import transaction
from django.utils.translation import gettext as _
from moneyed import Money

from billing_portal import dates
from billing_portal.accounts.models import User
from billing_portal.money import LARGEST_MINOR, formatted, is_currency, to_minor
from invoices.company.closing import closed_reason
from invoices.models import Allocation, Invoice, InvoiceEvent, WriteOff
from invoices.payments import write_off_limits
from invoices.payments.allocating import allocate, parts_settled, take_back
from invoices.payments.settling import BalanceRefused


class PaymentRefused(Exception):
    """Nothing was recorded; the message is written for staff."""


def apply_credit_note(
    *,
    credit_note_id: int,
    invoice_id: int,
    amount: Money,
    by: User | None,
    on: date,
    instalment: int | None = None,
) -> list[Allocation]:
    """Settle a part of an invoice with what is left of a credit note of the same client."""
    minor = checked_amount(amount)
    with transaction.atomic():
        rows = locked_invoices([credit_note_id, invoice_id])
        note, invoice = rows.get(credit_note_id), rows.get(invoice_id)
        if note is None or invoice is None:
            raise PaymentRefused(_("One of the two is no longer here."))
        if not note.is_credit_note or note.is_draft:
            raise PaymentRefused(_("%(number)s is not a credit note.") % {"number": note})
        if note.client.account_id != invoice.client.account_id:
            raise PaymentRefused(
                _("%(number)s is an invoice of another client.") % {"number": invoice}
            )
        check_takes(invoice, minor, amount.currency.code)
        if note.currency != invoice.currency:
            raise PaymentRefused(
                _("%(number)s is in %(currency)s.") % {"number": note, "currency": note.currency}
            )
        if minor > note.outstanding_minor:
            raise PaymentRefused(
                _("%(number)s has %(left)s left.")
                % {"number": note, "left": formatted(note.outstanding_balance)}
            )
        assert note.issue_date is not None and invoice.issue_date is not None
        made = allocate(
            invoice=invoice,
            amount_minor=minor,
            applied_on=max(note.issue_date, invoice.issue_date),
            by=by,
            credit_note=note,
            instalment=instalment,
        )
        data = {"amount_minor": minor, "currency": invoice.currency}
        InvoiceEvent.objects.create(
            invoice=invoice,
            kind=InvoiceEvent.Kind.CREDITED,
            on=on,
            by=by,
            data={**data, "number": note.number, "credit_note_id": note.pk},
        )
        InvoiceEvent.objects.create(
            invoice=note,
            kind=InvoiceEvent.Kind.CREDITED,
            on=on,
            by=by,
            data={**data, "number": invoice.number, "invoice_id": invoice.pk},
        )
        return made


def check_period(on: date) -> None:
    """Nothing is dated in a closed period of the books."""
    if reason := closed_reason(on):
        raise PaymentRefused(reason)


def write_off(
    *,
    invoice_id: int,
    amount: Money | None = None,
    reason: str,
    by: User | None,
    on: date,
    cause: str = "",
) -> list[Allocation]:
    """Give up what is outstanding, or `amount` of it; it leaves the receivable on `on`.

    `cause` is one of WriteOff.Cause. Raises PaymentRefused, also beyond the limit of a person.
    """
    reason = reason.strip()
    if not reason:
        raise PaymentRefused(_("Say why it is written off."))
    with transaction.atomic():
        invoice = locked_invoices([invoice_id]).get(invoice_id)
        if invoice is None:
            raise PaymentRefused(_("This invoice is no longer here."))
        # An amount of zero is an amount: only none given means all that is left.
        given_up = invoice.outstanding_balance if amount is None else amount
        if invoice.status == Invoice.Status.SETTLED:
            raise PaymentRefused(_("%(number)s is settled.") % {"number": invoice})
        minor = checked_amount(given_up)
        check_takes(invoice, minor, given_up.currency.code)
        if invoice.issue_date is not None and on < invoice.issue_date:
            raise PaymentRefused(_("A write-off is not dated before its invoice."))
        check_period(on)
        _check_open_then(invoice, minor, on)
        if text := write_off_limits.refusal(invoice, minor, by=by, on=on):
            raise PaymentRefused(text)
        rows = allocate(invoice=invoice, amount_minor=minor, applied_on=on, by=by)
        if cause:
            WriteOff.objects.bulk_create(WriteOff(allocation=row, cause=cause) for row in rows)
        InvoiceEvent.objects.create(
            invoice=invoice,
            kind=InvoiceEvent.Kind.WRITTEN_OFF,
            on=on,
            by=by,
            data={
                "amount_minor": minor,
                "currency": invoice.currency,
                "reason": reason[:300],
                **({"cause": cause} if cause else {}),
                "outstanding_minor": invoice.outstanding_minor,
            },
        )
        return rows


def checked_amount(amount: Money) -> int:
    if not is_currency(amount.currency.code):
        raise PaymentRefused(_("Choose a currency."))
    try:
        minor = to_minor(amount)
    except ValueError:
        raise PaymentRefused(
            _("%(amount)s is finer than the smallest coin of its currency.")
            % {"amount": f"{amount.amount} {amount.currency.code}"}
        ) from None
    if minor <= 0:
        raise PaymentRefused(_("Give an amount above zero."))
    if minor > LARGEST_MINOR:
        raise PaymentRefused(_("No amount here is that large: check the figure."))
    return minor


def locked_invoices(ids: Iterable[int]) -> dict[int, Invoice]:
    rows = Invoice.objects.select_for_update().filter(pk__in=set(ids)).order_by("pk")
    return {invoice.pk: invoice for invoice in rows}


def check_takes(invoice: Invoice, minor: int, currency: str) -> None:
    if invoice.is_credit_note:
        raise PaymentRefused(
            _("%(number)s is a credit note: it is owed to the client.") % {"number": invoice}
        )
    if invoice.status in (Invoice.Status.DRAFT, Invoice.Status.VOID):
        raise PaymentRefused(_("A draft cannot be paid: issue it first."))
    if invoice.currency != currency:
        raise PaymentRefused(
            _("%(number)s is in %(currency)s; a payment in %(other)s cannot settle it.")
            % {"number": invoice, "currency": invoice.currency, "other": currency}
        )
    if minor > invoice.outstanding_minor:
        raise PaymentRefused(
            _("%(number)s has %(owed)s outstanding.")
            % {"number": invoice, "owed": formatted(invoice.outstanding_balance)}
        )


def _check_open_then(invoice: Invoice, minor: int, on: date) -> None:
    """A write-off keeps its own day: what was settled on it cannot have been given up on it."""
    try:
        fits = all(day == on for _part, _minor, day in parts_settled(invoice, minor, on))
    except BalanceRefused:
        fits = False
    if not fits:
        raise PaymentRefused(
            _("%(number)s was settled on %(day)s and opened again later: choose a later day.")
            % {"number": invoice, "day": dates.day(on)}
        )


def take_back_write_off(
    *, allocation_id: int, reason: str, by: User | None, on: date
) -> Allocation:
    """The claim stands again from `on`; the write-off stays in the history, with this answer."""
    reason = reason.strip()
    if not reason:
        raise PaymentRefused(_("Say why it is taken back."))
    with transaction.atomic():
        row = Allocation.objects.filter(pk=allocation_id, kind=Allocation.Kind.WRITE_OFF).first()
        if row is None or row.invoice_id is None or row.amount_minor < 0:
            raise PaymentRefused(_("This write-off is no longer here."))
        invoice = locked_invoices([row.invoice_id])[row.invoice_id]
        # Looked at under the lock of its invoice: two clicks at once make one answer.
        if Allocation.objects.filter(takes_back=row).exists():
            raise PaymentRefused(_("This write-off was taken back already."))
        if on < row.applied_on:
            raise PaymentRefused(_("It is not taken back before its own day."))
        check_period(on)
        answer = take_back(row, on=on, by=by, invoice=invoice)
        InvoiceEvent.objects.create(
            invoice=invoice,
            kind=InvoiceEvent.Kind.WRITE_OFF_TAKEN_BACK,
            on=on,
            by=by,
            data={
                "amount_minor": row.amount_minor,
                "currency": invoice.currency,
                "reason": reason[:300],
                "outstanding_minor": invoice.outstanding_minor,
            },
        )
        return answer
