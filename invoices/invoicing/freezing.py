"""The moment at which a document gets its number and stops changing.

It is printed with the number that is expected *before* the transaction begins, for laying out a PDF
takes ten times as long as everything else: so the series row, and on SQLite the one writer, is held
for milliseconds. Under the lock the paper is made again; when it is not word for word the one that
was printed (another took the number, somebody changed an address), it is printed again there. What
is kept is therefore always what the locked rows say.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils import timezone
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from invoices.company import closing, dating, looks, numbering
from invoices.documents.facturx import judging
from invoices.documents.facturx.attaching import attachment
from invoices.documents.paper import Paper
from invoices.documents.pdf import render
from invoices.documents.totals import Totals
from invoices.invoicing import drafting, dues, snapshot
from invoices.invoicing.einvoice_reasons import reasons_of
from invoices.invoicing.readiness import reasons_not_to_issue
from invoices.invoicing.reasons import Reason
from invoices.invoicing.sending import queue_invoice
from invoices.invoicing.unprintable import reasons_of_paper
from invoices.models import (
    Company,
    Document,
    Instalment,
    Invoice,
    NumberSeries,
    VatBreakdown,
)
from invoices.models.facts import seal_of_document
from invoices.outbox.queueing import MailRefused
from invoices.payments import settling

logger = logging.getLogger(__name__)


class IssueRefused(Exception):
    """Nothing was numbered, kept or sent; the message is written for staff."""

    def __init__(self, reasons: Sequence[Reason] | str) -> None:
        found = [Reason("", reasons, "")] if isinstance(reasons, str) else list(reasons)
        super().__init__(" ".join(reason.text for reason in found))
        self.reasons = found


@dataclass(frozen=True)
class Printed:
    """`xml` is the e-invoice that the PDF carries; None of a seller outside France."""

    paper: Paper
    content: bytes
    xml: bytes | None = None


def print_ahead(invoice_id: int, on: date) -> Printed | None:
    """Printed with the number that comes next, if nobody is quicker; None if it cannot be."""
    drafts = Invoice.objects.select_related("client", "corrects", "replaces").prefetch_related(
        "lines"
    )
    invoice, company = drafts.filter(pk=invoice_id).first(), Company.ours()
    if invoice is None or company is None or not invoice.is_draft:
        return None
    issue_date, _due = drafting.dates_of(invoice, on)
    if reasons_not_to_issue(invoice, on, company=company):
        return None
    number = numbering.next_number(invoice.kind, issue_date)
    paper = snapshot.paper_on(invoice, on, number, company=company)
    return printed(paper, company) if paper else None


def reasons_of_einvoice(invoice: Invoice, company: Company, on: date) -> list[Reason]:
    """Rules that its e-invoice would break, of a draft that nothing else stands in the way of."""
    issue_date, _due = drafting.dates_of(invoice, on)
    number = numbering.next_number(invoice.kind, issue_date)
    paper = snapshot.paper_on(invoice, on, number, company=company)
    if paper is None or not judging.is_for(paper):
        return []
    return reasons_of(judging.judged(paper).failures)


def printed(paper: Paper, company: Company) -> Printed:
    """The page, and in it the e-invoice, judged before. Raises IssueRefused."""
    if odd := reasons_of_paper(paper):
        raise IssueRefused(odd)
    xml = _einvoice(paper)
    attached = (attachment(xml),) if xml is not None else ()
    try:
        content = render.render(
            paper,
            logo_png=bytes(company.logo_png) or None,
            attachments=attached,
            made_at=timezone.now(),
        )
    except render.PdfRefused as refusal:
        raise IssueRefused(str(refusal)) from refusal
    return Printed(paper, content, xml)


def _einvoice(paper: Paper) -> bytes | None:
    if not judging.is_for(paper):
        return None
    found = judging.judged(paper)
    if found.failures:
        logger.warning(
            "An e-invoice was refused by %s", ", ".join(each.rule for each in found.failures)
        )
        raise IssueRefused(reasons_of(found.failures))
    return found.content


def freeze(
    invoice: Invoice,
    company: Company,
    *,
    totals: Totals,
    by: User | None,
    on: date,
    ahead: Printed | None,
    breakdown: list[VatBreakdown] | None = None,
    corrects: Invoice | None = None,
    buyer: snapshot.BuyerSaid | None = None,
) -> None:
    """Take the number, last of all, and keep paper and bytes; the invoice is locked and dated."""
    assert invoice.issue_date is not None and invoice.due_date is not None
    lines = list(invoice.lines.all())
    series = _number(invoice, on)
    paper = snapshot.paper_of(
        invoice,
        company,
        lines=lines,
        totals=totals,
        breakdown=breakdown,
        number=invoice.number,
        issue_date=invoice.issue_date,
        due_date=invoice.due_date,
        corrects=corrects,
        buyer=buyer,
    )
    found = ahead if ahead and ahead.paper == paper else printed(paper, company)
    _same_as_the_rows(paper, invoice)
    invoice.paper = paper.to_json()
    invoice.buyer_name = paper.buyer.name
    # A credit note counts where its invoice counts, whatever the client is today.
    invoice.client_type_id = (corrects.client_type_id if corrects else None) or (
        invoice.client.client_type_id
    )
    invoice.previous_hash = series.last_hash
    invoice.issued_at, invoice.issued_by = timezone.now(), by
    invoice.sealed_with = snapshot.SEAL
    invoice.content_hash = snapshot.sealed_hash(invoice, sha256_of(found.content))
    settling.write_balance(
        invoice, settling.settlement(invoice.total_minor, invoice.issue_date, [])
    )
    parts: list[Instalment] = []
    if not invoice.is_credit_note:
        # Before the status says that it is issued: from then on it gains no row.
        parts = dues.made(invoice)
        invoice.next_due = settling.next_due(parts) or invoice.due_date
    files = _files(invoice, found)
    invoice.seal = seal_of_document(
        invoice,
        lines=lines,
        vat_breakdown=list(invoice.vat_breakdown.all()),
        instalments=parts,
        documents=files,
    )
    invoice.save()
    _advance(series, invoice)
    looks.keep_logo(company)
    Document.objects.bulk_create(files)


def sha256_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _files(invoice: Invoice, found: Printed) -> list[Document]:
    files = [_file(invoice, "pdf", filename_of(found.paper, invoice), found.content)]
    if found.xml is not None:
        files.append(_file(invoice, "xml", filename_of(found.paper, invoice, "xml"), found.xml))
    return files


def _file(invoice: Invoice, kind: str, filename: str, content: bytes) -> Document:
    """Not saved yet: the seal of the invoice, which is frozen first, covers it."""
    assert invoice.issued_at is not None
    return Document(
        invoice=invoice,
        kind=kind,
        filename=filename,
        content=content,
        sha256=sha256_of(content),
        size=len(content),
        created_at=invoice.issued_at,
    )


def _same_as_the_rows(paper: Paper, invoice: Invoice) -> None:
    """The database says to the cent what page and e-invoice say, before any of them is kept."""
    said = (paper.net_minor, paper.vat_minor, paper.total_minor)
    rows = {
        (row.category, row.rate): (row.basis_minor, row.vat_minor)
        for row in invoice.vat_breakdown.all()
    }
    groups = {
        (row.vat_category, row.vat_rate): (row.basis_minor, row.vat_minor)
        for row in paper.breakdown
    }
    if said != (invoice.net_minor, invoice.vat_minor, invoice.total_minor) or groups != rows:
        logger.error("Invoice %s: page %s, rows %s", invoice.pk, groups, rows)
        raise IssueRefused(_("The page does not add up to what is stored. Nothing was kept."))


def _number(invoice: Invoice, on: date) -> NumberSeries:
    """Lock the series, see that the document may bear its date, and take the next number of it."""
    assert invoice.issue_date is not None
    try:
        series = numbering.locked_series(invoice.kind, invoice.issue_date)
    except numbering.NumberRefused as refusal:
        raise IssueRefused([Reason("company.prefix", str(refusal), "numbers")]) from None
    _date(invoice, on)
    if text := numbering.number_reason(series, invoice.issue_date):
        raise IssueRefused([Reason("number", text, "books")])
    invoice.series = series
    invoice.sequence = numbering.take(series)
    invoice.number = series.number(invoice.sequence, invoice.issue_date)
    return series


def _advance(series: NumberSeries, invoice: Invoice) -> None:
    assert invoice.issue_date is not None
    # Under an exception a date goes back, the series does not.
    series.last_issue_date = max(series.last_issue_date or date.min, invoice.issue_date)
    series.last_hash = invoice.content_hash
    series.save(update_fields=["next_value", "last_issue_date", "last_hash"])


def _date(invoice: Invoice, on: date) -> None:
    """May it bear this date, with all series of its kind locked? Keeps the exception it needs."""
    assert invoice.issue_date is not None
    invoice.date_exception = None
    if text := closing.closed_reason(invoice.issue_date):
        raise IssueRefused([Reason("issue_date", text, "#id_issue_date")])
    text = dating.order_reason(invoice.kind, invoice.issue_date, on)
    if text:
        granted = dating.exception_for(invoice.kind, invoice.issue_date, on)
        if granted is None:
            raise IssueRefused([Reason("issue_date", text, "#id_issue_date")])
        invoice.date_exception = granted


def filename_of(paper: Paper, invoice: Invoice, suffix: str = "pdf") -> str:
    french = paper.language == "fr"
    if invoice.is_credit_note:
        kind = "Avoir" if french else "Credit-note"
    elif invoice.is_deposit:
        kind = "Facture-acompte" if french else "Deposit-invoice"
    else:
        kind = "Facture" if french else "Invoice"
    return re.sub(r"[^A-Za-z0-9._+-]", "-", f"{kind}-{invoice.number}.{suffix}")


def queue_mail(
    invoice: Invoice, *, by: User | None, on: date, standing: Collection[int] | None = None
) -> None:
    try:
        queue_invoice(
            invoice_id=invoice.pk,
            recipients=invoice.recipients,
            by=by,
            on=on,
            standing=standing,
        )
    except MailRefused as refusal:
        raise IssueRefused([Reason("recipients", str(refusal), "#id_recipients")]) from None
