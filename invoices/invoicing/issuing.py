"""Draft to issued. readiness.py says why not, freezing.py how; crediting.py takes it back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from invoices.company.rates import rate_on
from invoices.documents.paper import Paper
from invoices.documents.pdf import render
from invoices.invoicing import correcting, deducting, drafting, origins, snapshot
from invoices.invoicing.by_platform import transmit_at_issue
from invoices.invoicing.freezing import IssueRefused, Printed, freeze, print_ahead, queue_mail
from invoices.invoicing.readiness import company_reasons, line_reasons, reasons_not_to_issue
from invoices.invoicing.vat_readiness import answer_relied_on
from invoices.models import Client, Company, Invoice, InvoiceEvent, VatCheck
from invoices.payments.applying import PaymentRefused


def issue(
    *,
    invoice_id: int,
    by: User | None,
    on: date,
    send: bool = False,
    recipients: Sequence[str] = (),
    ahead: Printed | None = None,
    standing: Collection[int] | None = None,
) -> Invoice:
    """Number it, freeze it, print it, keep it; queue its mail if asked. Raises IssueRefused.

    All or nothing, whatever ends the process. `ahead`: printed before the caller took its locks;
    `standing`: as for `queue_invoice`.
    """
    recipients = [address.strip() for address in recipients if address.strip()]
    ahead = ahead or print_ahead(invoice_id, on)
    with transaction.atomic():
        correcting.lock(invoice_id)
        invoice = _locked(invoice_id)
        invoice.recipients = recipients or invoice.recipients
        company = Company.ours()
        deducting.lock(invoice)
        reasons = reasons_not_to_issue(invoice, on, sending=send, company=company)
        relied_on = answer_relied_on(invoice, list(invoice.lines.all()), company)
        if reasons or company is None:
            raise IssueRefused(reasons)
        totals = drafting.recalculate(invoice)
        # After the total, which instalments of nothing are left out of.
        invoice.issue_date, invoice.due_date = drafting.dates_of(invoice, on)
        invoice.exchange_rate = rate_on(invoice.currency, company.currency, invoice.issue_date)
        deducting.take_over(invoice, by=by, on=on)
        freeze(invoice, company, totals=totals, by=by, on=on, ahead=ahead)
        InvoiceEvent.objects.create(
            invoice=invoice,
            kind=InvoiceEvent.Kind.ISSUED,
            on=on,
            by=by,
            data={
                "number": invoice.number,
                "total_minor": invoice.total_minor,
                "currency": invoice.currency,
                "due_date": invoice.due_date.isoformat(),
                **_deposits_of(invoice),
                **_replaced_by(invoice),
                **_as_proof(relied_on),
            },
        )
        deducting.tell_deposits(invoice, by=by, on=on)
        _take_its_place(invoice, by=by, on=on)
        transmit_at_issue(invoice, company, by=by, on=on)
        if send:
            queue_mail(invoice, by=by, on=on, standing=standing)
    return invoice


def _locked(invoice_id: int) -> Invoice:
    invoice = (
        Invoice.objects.select_for_update(of=("self",))
        .select_related("issued_by", "replaces")
        .prefetch_related("lines")
        .filter(pk=invoice_id)
        .first()
    )
    if invoice is None:
        raise IssueRefused(_("This draft is no longer here."))
    # After the lock: beside it PostgreSQL gives the client from before the wait.
    invoice.client = Client.objects.get(pk=invoice.client_id)
    return invoice


def _deposits_of(invoice: Invoice) -> dict[str, Any]:
    """Which deposits a final invoice took off, for its history."""
    rows = deducting.in_force(invoice) if invoice.is_final else []
    if not rows:
        return {}
    return {"deposits": [[row.deposit.number, row.deposit_id, row.total_minor] for row in rows]}


def _take_its_place(invoice: Invoice, *, by: User | None, on: date) -> None:
    """The invoice that this one replaces is credited whole, and billed by it."""
    if invoice.replaces is None:
        return
    try:
        correcting.settle(invoice, by=by, on=on)
    except PaymentRefused as refusal:
        raise IssueRefused(str(refusal)) from None
    origins.replaced(invoice.replaces, invoice)


def _replaced_by(invoice: Invoice) -> dict[str, Any]:
    old = invoice.replaces
    return {"replaces": old.number, "replaces_id": old.pk} if old else {}


def _as_proof(answer: VatCheck | None) -> dict[str, Any]:
    """What VIES had said of the client's id by then: kept with the document that rests on it."""
    if answer is None:
        return {}
    return {
        "vat_check": {
            "id": answer.pk,
            "vat_id": answer.vat_id,
            "answer": answer.answer,
            "on": answer.on.isoformat(),
            "consultation": answer.consultation,
        }
    }


def preview_paper(invoice: Invoice, on: date) -> Paper:
    """The page of a draft, without a number. Raises IssueRefused."""
    if Company.ours() is None:
        raise IssueRefused(company_reasons(None))
    paper = snapshot.paper_on(invoice, on)
    if paper is None:
        raise IssueRefused(line_reasons(invoice, list(invoice.lines.all()), Company.ours()))
    return paper


def printed_draft(paper: Paper) -> bytes:
    """Marked as a draft. Raises PdfRefused."""
    company = Company.objects.get(pk=1)
    return render.render(paper, draft=True, logo_png=bytes(company.logo_png) or None)


def pro_forma(paper: Paper) -> bytes:
    """A draft or a quote as a pro forma: no number, no claim, no VAT right; nothing is kept.

    Raises PdfRefused.
    """
    company = Company.objects.get(pk=1)
    said = replace(paper, kind="invoice", number="", valid_until=None, offered=(), accepted=())
    return render.render(said, pro_forma=True, logo_png=bytes(company.logo_png) or None)
