"""Credit notes: what answers a mistake on an issued invoice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.db import transaction
from django.utils.translation import gettext as _
from moneyed import Money

from billing_portal.accounts.models import User
from invoices.einvoicing import disputes
from invoices.invoicing import deducting, drafting, snapshot
from invoices.invoicing.by_platform import transmit_with_its_invoice
from invoices.invoicing.creditable import CreditLine, Wanted, creditable, what_to_credit
from invoices.invoicing.freezing import IssueRefused, freeze, queue_mail
from invoices.invoicing.readiness import company_reasons
from invoices.invoicing.reasons import Reason
from invoices.models import Company, Invoice, InvoiceEvent, InvoiceLine, VatBreakdown
from invoices.payments.allocating import allocate


def issue_credit_note(
    *,
    invoice_id: int,
    lines: Sequence[CreditLine] | None = None,
    reason: str,
    by: User | None,
    on: date,
    amount: Money | None = None,
    code: str = "",
    send: bool = False,
    recipients: Sequence[str] = (),
    to_client_of_today: bool = False,
) -> Invoice:
    """Credit what is left of an invoice, parts of its lines, or an `amount` with VAT.

    It is applied to the invoice at once, as far as something is outstanding; the rest is the
    client's credit. Raises IssueRefused. Credit notes never exceed their invoice. `code` is one of
    CreditReason.

    The note bears the buyer as the invoice names him, name and address, unless the person asks for
    those of today.
    """
    reason = reason_given(reason)
    with transaction.atomic():
        invoice = _locked_for_credit(invoice_id)
        company = company_of_today()
        assert invoice.issue_date is not None
        if on < invoice.issue_date:
            raise IssueRefused(_("A credit note is not dated before its invoice."))
        if text := deducting.reason_not_to_credit(invoice):
            raise IssueRefused(text)
        left = creditable(invoice)
        if left.total_minor <= 0:
            raise IssueRefused(
                _("%(number)s is credited in full already.") % {"number": invoice.number}
            )
        wanted = what_to_credit(invoice, left, lines, amount, company)
        note = _drawn_up(invoice, reason=reason, code=code, recipients=recipients, by=by, on=on)
        rows = store_credit_lines(note, wanted)
        freeze(
            note,
            company,
            totals=drafting.totals_of(note, rows),
            by=by,
            on=on,
            ahead=None,
            breakdown=list(note.vat_breakdown.all()),
            corrects=invoice,
            buyer=None if to_client_of_today else snapshot.buyer_on(invoice),
        )
        applied = min(note.total_minor, invoice.outstanding_minor)
        if applied:
            allocate(invoice=invoice, amount_minor=applied, applied_on=on, by=by, credit_note=note)
        _tell_both(invoice, note, applied=applied, reason=reason, by=by, on=on)
        if note.total_minor == left.total_minor:
            _credited_whole(invoice, note, by=by, on=on)
        transmit_with_its_invoice(note, by=by, on=on)
        if send:
            queue_mail(note, by=by, on=on)
    return note


def _credited_whole(invoice: Invoice, note: Invoice, *, by: User | None, on: date) -> None:
    """It takes nothing off any more, and nothing of it is left to contest."""
    deducting.release(invoice, by=by, on=on)
    disputes.settle(invoice, outcome=note.number, by=by)


def reason_given(typed: str) -> str:
    reason = typed.strip()
    if not reason:
        raise IssueRefused(
            [Reason("reason", _("Say why: it stands on the credit note."), "#id_reason")]
        )
    if len(reason) > 2000:
        raise IssueRefused([Reason("reason", _("At most 2,000 characters."), "#id_reason")])
    return reason


def company_of_today() -> Company:
    company = Company.ours()
    if reasons := company_reasons(company):
        raise IssueRefused(reasons)
    assert company is not None
    return company


def _drawn_up(
    invoice: Invoice,
    *,
    reason: str,
    code: str,
    recipients: Sequence[str],
    by: User | None,
    on: date,
) -> Invoice:
    """The note before its lines and its number: what it takes over from its invoice."""
    return Invoice.objects.create(
        kind=Invoice.Kind.CREDIT_NOTE,
        client=invoice.client,
        owner_id=invoice.owner_id,
        deal_id=invoice.deal_id,
        corrects=invoice,
        title=invoice.title,
        language=invoice.language,
        currency=invoice.currency,
        issue_date=on,
        due_date=on,
        terms_kind=invoice.terms_kind,
        terms_days=invoice.terms_days,
        service_from=invoice.service_from,
        service_until=invoice.service_until,
        purchase_order=invoice.purchase_order,
        note=reason,
        credit_reason=code,
        exchange_rate=invoice.exchange_rate,
        recipients=[a.strip() for a in recipients if a.strip()] or invoice.recipients,
        created_by=by,
    )


def _tell_both(
    invoice: Invoice, note: Invoice, *, applied: int, reason: str, by: User | None, on: date
) -> None:
    """Into the history of the note, and of the invoice that it corrects."""
    InvoiceEvent.objects.create(
        invoice=note,
        kind=InvoiceEvent.Kind.ISSUED,
        on=on,
        by=by,
        data={
            "number": note.number,
            "corrects": invoice.number,
            "total_minor": note.total_minor,
            "currency": note.currency,
        },
    )
    InvoiceEvent.objects.create(
        invoice=invoice,
        kind=InvoiceEvent.Kind.CREDITED,
        on=on,
        by=by,
        data={
            "number": note.number,
            "credit_note_id": note.pk,
            "amount_minor": applied,
            "total_minor": note.total_minor,
            "currency": note.currency,
            "reason": reason[:300],
        },
    )


def credit_totals(
    invoice: Invoice,
    *,
    lines: Sequence[CreditLine] | None = None,
    amount: Money | None = None,
) -> tuple[int, int]:
    """Net and VAT in minor units that `issue_credit_note` would credit now. Raises IssueRefused."""
    if text := deducting.reason_not_to_credit(invoice):
        raise IssueRefused(text)
    company = company_of_today()
    wanted = what_to_credit(invoice, creditable(invoice), lines, amount, company)
    groups = wanted.by_rate.values()
    return sum(basis for basis, _vat in groups), sum(vat for _basis, vat in groups)


def _locked_for_credit(invoice_id: int) -> Invoice:
    invoice = (
        Invoice.objects.select_for_update(of=("self",))
        .select_related("client")
        .filter(pk=invoice_id)
        .first()
    )
    if invoice is None:
        raise IssueRefused(_("This invoice is no longer here."))
    if invoice.is_credit_note:
        raise IssueRefused(_("A credit note cannot be credited: make an invoice."))
    if not invoice.is_issued:
        raise IssueRefused(_("Only an issued invoice is credited; a draft is simply changed."))
    return invoice


def store_credit_lines(note: Invoice, wanted: Wanted) -> list[InvoiceLine]:
    InvoiceLine.objects.bulk_create(
        InvoiceLine(
            invoice=note,
            position=position,
            description=line.description,
            unit=line.unit,
            quantity=line.amounts.quantity,
            unit_price=line.amounts.unit_price,
            discount_percent=line.amounts.discount_percent,
            discount_amount=line.amounts.discount_amount,
            vat_category=line.amounts.vat_category,
            vat_rate=line.amounts.vat_rate,
            exemption_id=line.exemption_id,
            nature=line.nature,
            item_id=line.item_id,
            net_minor=line.net_minor,
            credits_id=line.source_id,
            adjusts=adjusts,
            adjust_percent=percent,
            adjust_code=code,
        )
        for position, line in enumerate(wanted.lines, 1)
        for adjusts, percent, code in (line.adjusts,)
    )
    VatBreakdown.objects.bulk_create(
        VatBreakdown(invoice=note, category=category, rate=rate, basis_minor=basis, vat_minor=vat)
        for (category, rate), (basis, vat) in wanted.by_rate.items()
    )
    note.net_minor = sum(basis for basis, _vat in wanted.by_rate.values())
    note.vat_minor = sum(vat for _basis, vat in wanted.by_rate.values())
    note.total_minor = note.outstanding_minor = note.net_minor + note.vat_minor
    note.save()
    return list(note.lines.all())
