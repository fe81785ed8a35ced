"""Draft to issued, and the credit notes that answer a mistake.

The document is printed with the number that is expected *before* the transaction begins, for laying
out a PDF takes ten times as long as everything else: so the series row, and on SQLite the one
writer, is held for milliseconds. Under the lock the paper is made again; when it is not word for
word the one that was printed (another took the number, somebody changed an address), it is printed
again there. What is kept is therefore always what the locked rows say.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _
from moneyed import Money

from billing_portal.accounts.models import User
from billing_portal.money import formatted_minor, from_minor, is_currency, to_minor
from invoices import drafting, numbering, pdf, settling, snapshot
from invoices.dates import day
from invoices.models import (
    Company,
    Document,
    Invoice,
    InvoiceEvent,
    InvoiceLine,
    NumberSeries,
    VatBreakdown,
)
from invoices.models.terms import TermsKind, latest_lawful_due_date
from invoices.paper import Paper
from invoices.totals import STANDARD, LineInput, Totals, TotalsRefused, split, vat_of
from invoices.vat import vat_treatment


@dataclass(frozen=True)
class Reason:
    """Why a draft cannot be issued yet. `anchor` leads to the field: "#id_due_date" in the editor,
    "client" and "company" on their own pages."""

    field: str
    text: str
    anchor: str


class IssueRefused(Exception):
    """Nothing was numbered, kept or sent; the message is written for staff."""

    def __init__(self, reasons: Sequence[Reason] | str) -> None:
        found = [Reason("", reasons, "")] if isinstance(reasons, str) else list(reasons)
        super().__init__(" ".join(reason.text for reason in found))
        self.reasons = found


# ─ Why not ──────────────────────────────────────────────────────────────────────────────────────


def reasons_not_to_issue(
    invoice: Invoice,
    on: date,
    *,
    sending: bool = False,
    lines: Sequence[InvoiceLine] | None = None,
) -> list[Reason]:
    """All that stands in the way of issuing this draft on `on`; empty when nothing does.

    A total of zero is refused too: nobody owes anything, and no payment could ever settle it.
    `lines` when somebody is typing and they are not stored yet.
    """
    if not invoice.is_draft:
        return [Reason("status", _not_a_draft(invoice), "")]
    company = Company.objects.filter(pk=1).first()
    lines = list(invoice.lines.all() if lines is None else lines)
    return [
        *_company_reasons(company),
        *_client_reasons(invoice, lines),
        *_line_reasons(invoice, lines),
        *_date_reasons(invoice, on),
        *_sending_reasons(invoice, sending=sending),
    ]


def warnings_before_issue(invoice: Invoice, on: date) -> list[Reason]:
    """What a person should look at before issuing, though the law does not forbid it."""
    company = Company.objects.filter(pk=1).first()
    if not invoice.is_draft or company is None:
        return []
    found: list[Reason] = []
    issue_date, due = drafting.dates_of(invoice, on)
    client = invoice.client
    if client.country != "FR" and due > latest_lawful_due_date(issue_date, invoice.terms_kind):
        found.append(Reason("due_date", _too_late(issue_date, due, invoice), "#id_due_date"))
    if is_currency(invoice.currency) and (
        snapshot.exchange_rate(invoice.currency, company, issue_date) is None
    ):
        found.append(
            Reason(
                "currency",
                _(
                    "No exchange rate for %(currency)s is known: figures in %(own)s leave this "
                    "invoice out, and the page cannot state its VAT in euros."
                )
                % {"currency": invoice.currency, "own": company.currency},
                "company",
            )
        )
    if client.country == "FR" and not client.siren:
        found.append(Reason("siren", _("The client's SIREN is missing."), "client"))
    if not company.iban:
        found.append(Reason("company.iban", _("No IBAN: the page says no account."), "company"))
    if snapshot.penalty_rate(issue_date) is None:
        found.append(
            Reason(
                "penalty",
                _("No late-payment rate is known for this day: the page names the legal one."),
                "company",
            )
        )
    if not invoice.recipients:
        found.append(Reason("recipients", _("Nobody would receive it."), "#id_recipients"))
    treatment = vat_treatment(client, company)
    charged = any(line.vat_category == STANDARD for line in invoice.lines.all())
    if treatment.category != STANDARD and charged:
        found.append(
            Reason("vat", _("VAT is charged to a client outside our VAT territory."), "#lines")
        )
    paper = _printable_paper(invoice, on)
    if odd := pdf.unprintable(paper) if paper else ():
        found.append(
            Reason(
                "lines",
                _("The page cannot print these characters: %(characters)s")
                % {"characters": " ".join(odd)[:80]},
                "#lines",
            )
        )
    return found


def _not_a_draft(invoice: Invoice) -> str:
    if invoice.status == Invoice.Status.VOID:
        return _("This draft was discarded.")
    if invoice.issued_by is None or invoice.issued_at is None:
        return _("%(number)s is issued already.") % {"number": invoice.number}
    return _("%(number)s is issued already, by %(person)s on %(day)s.") % {
        "number": invoice.number,
        "person": invoice.issued_by,
        "day": day(timezone.localdate(invoice.issued_at)),
    }


def _company_reasons(company: Company | None) -> list[Reason]:
    if company is None:
        return [Reason("company", _("Say who sells: fill in the company in Settings."), "company")]
    wanted = [
        ("name", company.name, _("The company's name is missing.")),
        (
            "address_line1",
            company.address_line1 and company.city,
            _("The company's address is missing."),
        ),
        (
            "siren",
            company.siren or company.country != "FR",
            _("The company's SIREN is missing."),
        ),
        (
            "vat_id",
            company.vat_id or not company.vat_rate,
            _("The company's VAT id is missing."),
        ),
    ]
    return [
        Reason(f"company.{field}", text, "company") for field, value, text in wanted if not value
    ]


def _client_reasons(invoice: Invoice, lines: list[InvoiceLine]) -> list[Reason]:
    client = invoice.client
    found = []
    if not client.name.strip():
        found.append(Reason("client", _("The client has no name."), "client"))
    if not client.has_address:
        found.append(Reason("address", _("The client's address is missing."), "client"))
    if client.needs_purchase_order and not invoice.purchase_order.strip():
        found.append(
            Reason(
                "purchase_order",
                _("This client asks for a purchase order on every invoice."),
                "#id_purchase_order",
            )
        )
    if any(line.vat_category in ("AE", "K") for line in lines) and not client.vat_id:
        found.append(
            Reason(
                "vat_id", _("Reverse charge needs the client's VAT id, which is missing."), "client"
            )
        )
    return found


def _line_reasons(invoice: Invoice, lines: list[InvoiceLine]) -> list[Reason]:
    found = []
    if not is_currency(invoice.currency):
        return [Reason("currency", _("Choose a currency."), "#id_currency")]
    if not lines:
        return [Reason("lines", _("There is no line."), "#lines")]
    for place, line in enumerate(lines, 1):
        if not line.description.strip():
            found.append(
                Reason(
                    "lines",
                    _("Line %(line)s has no description.") % {"line": place},
                    f"#id_lines-{place - 1}-description",
                )
            )
    if any(line.vat_category == "E" for line in lines) and not invoice.note.strip():
        found.append(
            Reason(
                "note",
                _("A line is exempt from VAT: the note must name the article of law."),
                "#id_note",
            )
        )
    try:
        totals = drafting.totals_of(invoice, lines)
    except TotalsRefused as refusal:
        return [*found, Reason("lines", str(refusal), "#lines")]
    if totals.total_minor <= 0:
        found.append(
            Reason(
                "total",
                _("The total is %(total)s: an invoice asks for something.")
                % {"total": formatted_minor(totals.total_minor, invoice.currency)},
                "#lines",
            )
        )
    return found


def _date_reasons(invoice: Invoice, on: date) -> list[Reason]:
    found = []
    issue_date, due = drafting.dates_of(invoice, on)
    if issue_date > on:
        found.append(Reason("issue_date", _("The issue date is in the future."), "#id_issue_date"))
    elif issue_date < drafting.EARLIEST:
        found.append(Reason("issue_date", _("The issue date is out of range."), "#id_issue_date"))
    series = numbering.series_of(invoice.kind, issue_date.year)
    if text := _before_last(series, issue_date):
        found.append(Reason("issue_date", text, "#id_issue_date"))
    if due < issue_date:
        found.append(
            Reason("due_date", _("The due date is before the issue date."), "#id_due_date")
        )
    if invoice.client.country == "FR" and due > latest_lawful_due_date(
        issue_date, invoice.terms_kind
    ):
        found.append(Reason("due_date", _too_late(issue_date, due, invoice), "#id_due_date"))
    return found


def _before_last(series: NumberSeries | None, issue_date: date) -> str:
    if series is None or series.last_issue_date is None or issue_date >= series.last_issue_date:
        return ""
    return _(
        "The last document of this series bears the date %(last)s: numbers follow the calendar, so "
        "take that day or a later one."
    ) % {"last": day(series.last_issue_date)}


def _too_late(issue_date: date, due: date, invoice: Invoice) -> str:
    limit = latest_lawful_due_date(issue_date, invoice.terms_kind)
    values = {"days": (due - issue_date).days, "limit": day(limit)}
    if invoice.terms_kind == TermsKind.NET:
        return _("%(days)s days after issue. The law allows 60: %(limit)s at the latest.") % values
    return (
        _("%(days)s days after issue. The law allows 45, end of month: %(limit)s at the latest.")
        % values
    )


def _sending_reasons(invoice: Invoice, *, sending: bool) -> list[Reason]:
    if sending and not invoice.recipients:
        return [
            Reason("recipients", _("Say who receives it by mail."), "#id_recipients"),
        ]
    if wrong := drafting.address_problem(invoice.recipients):
        return [Reason("recipients", wrong, "#id_recipients")]
    return []


# ─ Issue ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Printed:
    paper: Paper
    content: bytes


def issue(
    *,
    invoice_id: int,
    by: User | None,
    on: date,
    send: bool = False,
    recipients: Sequence[str] = (),
) -> Invoice:
    """Number it, freeze it, print it, keep it; queue its mail if asked. Raises IssueRefused.

    All of it or nothing, whatever ends the process in between.
    """
    recipients = [address.strip() for address in recipients if address.strip()]
    ahead = _print_ahead(invoice_id, on)
    with transaction.atomic():
        invoice = (
            Invoice.objects.select_for_update(of=("self",))
            .select_related("client", "issued_by")
            .filter(pk=invoice_id)
            .first()
        )
        if invoice is None:
            raise IssueRefused(_("This draft is no longer here."))
        if recipients:
            invoice.recipients = recipients
        if reasons := reasons_not_to_issue(invoice, on, sending=send):
            raise IssueRefused(reasons)
        company = Company.objects.get(pk=1)
        invoice.issue_date, invoice.due_date = drafting.dates_of(invoice, on)
        invoice.exchange_rate = snapshot.exchange_rate(
            invoice.currency, company, invoice.issue_date
        )
        totals = drafting.recalculate(invoice)
        _freeze(invoice, company, totals=totals, by=by, ahead=ahead)
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
            },
        )
        if send:
            _queue_mail(invoice, by=by, on=on)
    return invoice


def _queue_mail(invoice: Invoice, *, by: User | None, on: date) -> None:
    from invoices import mail

    try:
        mail.queue_invoice(invoice_id=invoice.pk, recipients=invoice.recipients, by=by, on=on)
    except mail.MailRefused as refusal:
        raise IssueRefused([Reason("recipients", str(refusal), "#id_recipients")]) from None


def preview_pdf(invoice: Invoice, on: date) -> bytes:
    """The page of a draft, marked as one and without a number. Raises IssueRefused, PdfRefused."""
    company = Company.objects.filter(pk=1).first()
    if company is None:
        raise IssueRefused(_company_reasons(None))
    paper = _printable_paper(invoice, on)
    if paper is None:
        raise IssueRefused(_line_reasons(invoice, list(invoice.lines.all())))
    return pdf.render(paper, draft=True, logo_png=bytes(company.logo_png) or None)


def _printable_paper(invoice: Invoice, on: date, number: str = "") -> Paper | None:
    """The paper as it would be on `on`; None when the lines cannot be added up yet."""
    company = Company.objects.filter(pk=1).first()
    lines = list(invoice.lines.all())
    if company is None or not is_currency(invoice.currency):
        return None
    issue_date, due = drafting.dates_of(invoice, on)
    try:
        totals = drafting.totals_of(invoice, lines)
    except TotalsRefused:
        return None
    return snapshot.paper_of(
        invoice,
        company,
        lines=lines,
        totals=totals,
        number=number,
        issue_date=issue_date,
        due_date=due,
        corrects=invoice.corrects,
    )


def _print_ahead(invoice_id: int, on: date) -> Printed | None:
    """Printed with the number that comes next, if nobody is quicker; None if it cannot be."""
    invoice = Invoice.objects.select_related("client", "corrects").filter(pk=invoice_id).first()
    company = Company.objects.filter(pk=1).first()
    if invoice is None or company is None or not invoice.is_draft:
        return None
    issue_date, _due = drafting.dates_of(invoice, on)
    if reasons_not_to_issue(invoice, on):
        return None
    number = numbering.next_number(invoice.kind, issue_date.year, company)
    paper = _printable_paper(invoice, on, number)
    return Printed(paper, _rendered(paper, company)) if paper else None


def _rendered(paper: Paper, company: Company) -> bytes:
    try:
        return pdf.render(paper, logo_png=bytes(company.logo_png) or None)
    except pdf.PdfRefused as refusal:
        raise IssueRefused(str(refusal)) from refusal


def _freeze(
    invoice: Invoice,
    company: Company,
    *,
    totals: Totals,
    by: User | None,
    ahead: Printed | None,
    breakdown: list[VatBreakdown] | None = None,
    corrects: Invoice | None = None,
) -> None:
    """Take the number, last of all, and keep paper and bytes; the invoice is locked and dated."""
    assert invoice.issue_date is not None and invoice.due_date is not None
    lines = list(invoice.lines.all())
    now = timezone.now()
    try:
        series = numbering.locked_series(invoice.kind, invoice.issue_date.year, company)
    except numbering.NumberRefused as refusal:
        raise IssueRefused([Reason("company.prefix", str(refusal), "company")]) from None
    if text := _before_last(series, invoice.issue_date):
        raise IssueRefused([Reason("issue_date", text, "#id_issue_date")])
    invoice.series = series
    invoice.sequence = numbering.take(series)
    invoice.number = series.number(invoice.sequence)
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
    )
    content = ahead.content if ahead and ahead.paper == paper else _rendered(paper, company)
    invoice.paper = paper.to_json()
    invoice.previous_hash = series.last_hash
    invoice.content_hash = snapshot.chained_hash(series.last_hash, invoice.paper)
    invoice.issued_at, invoice.issued_by = now, by
    settling.put(invoice, settling.settlement(invoice.total_minor, invoice.issue_date, []))
    invoice.save()
    series.last_issue_date = invoice.issue_date
    series.last_hash = invoice.content_hash
    series.save(update_fields=["next_value", "last_issue_date", "last_hash"])
    Document.objects.create(
        invoice=invoice,
        kind="pdf",
        filename=_filename(paper, invoice),
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
    )


def _filename(paper: Paper, invoice: Invoice) -> str:
    french = paper.language == "fr"
    if invoice.is_credit_note:
        kind = "Avoir" if french else "Credit-note"
    else:
        kind = "Facture" if french else "Invoice"
    return re.sub(r"[^A-Za-z0-9._+-]", "-", f"{kind}-{invoice.number}.pdf")


# ─ Credit notes ─────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class CreditLine:
    """A part of an invoice line to credit: its net in minor units, with the line's own sign."""

    line_id: int
    net_minor: int


@dataclass(frozen=True)
class Creditable:
    """What credit notes have left of an invoice: in all, and net of each line."""

    total_minor: int
    net_by_line: dict[int, int]
    # (category, rate) → (basis, VAT)
    by_rate: dict[tuple[str, Decimal], tuple[int, int]]


def creditable(invoice: Invoice) -> Creditable:
    """Reads the credit notes issued so far; lock the invoice before acting on it."""
    notes = Invoice.objects.filter(corrects=invoice).issued()
    total = invoice.total_minor - (notes.aggregate(sum=Sum("total_minor"))["sum"] or 0)
    net_by_line = {line.pk: line.net_minor for line in invoice.lines.all()}
    events = InvoiceEvent.objects.filter(
        invoice__in=notes, kind=InvoiceEvent.Kind.ISSUED
    ).values_list("data", flat=True)
    for data in events:
        for line_id, net_minor in data.get("lines", []):
            if line_id in net_by_line:
                net_by_line[line_id] -= net_minor
    by_rate = {
        (row.category, Decimal(row.rate)): (row.basis_minor, row.vat_minor)
        for row in invoice.vat_breakdown.all()
    }
    for row in VatBreakdown.objects.filter(invoice__in=notes):
        key = (row.category, Decimal(row.rate))
        if key in by_rate:
            basis, vat = by_rate[key]
            by_rate[key] = (basis - row.basis_minor, vat - row.vat_minor)
    return Creditable(total, net_by_line, by_rate)


def issue_credit_note(
    *,
    invoice_id: int,
    lines: Sequence[CreditLine] | None = None,
    reason: str,
    by: User | None,
    on: date,
    amount: Money | None = None,
    send: bool = False,
    recipients: Sequence[str] = (),
) -> Invoice:
    """Credit what is left of an invoice, parts of its lines, or an `amount` with VAT.

    It is applied to the invoice at once, as far as something is outstanding; the rest is the
    client's credit. Raises IssueRefused. Credit notes never exceed their invoice.
    """
    reason = reason.strip()
    if not reason:
        raise IssueRefused(
            [Reason("reason", _("Say why: it stands on the credit note."), "#id_reason")]
        )
    if len(reason) > 2000:
        raise IssueRefused([Reason("reason", _("At most 2,000 characters."), "#id_reason")])
    with transaction.atomic():
        invoice = _locked_for_credit(invoice_id)
        company = Company.objects.filter(pk=1).first()
        if reasons := _company_reasons(company):
            raise IssueRefused(reasons)
        assert company is not None and invoice.issue_date is not None
        if on < invoice.issue_date:
            raise IssueRefused(_("A credit note is not dated before its invoice."))
        left = creditable(invoice)
        if left.total_minor <= 0:
            raise IssueRefused(
                _("%(number)s is credited in full already.") % {"number": invoice.number}
            )
        wanted = _wanted(invoice, left, lines, amount, company)
        note = Invoice.objects.create(
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
            exchange_rate=invoice.exchange_rate,
            recipients=[a.strip() for a in recipients if a.strip()] or invoice.recipients,
            created_by=by,
        )
        rows = _store_credit_lines(note, wanted)
        totals = drafting.totals_of(note, rows)
        _freeze(
            note,
            company,
            totals=totals,
            by=by,
            ahead=None,
            breakdown=list(note.vat_breakdown.all()),
            corrects=invoice,
        )
        applied = min(note.total_minor, invoice.outstanding_minor)
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
                "lines": [
                    [line.source_id, line.net_minor] for line in wanted.lines if line.source_id
                ],
            },
        )
        if applied:
            settling.allocate(
                invoice=invoice, amount_minor=applied, applied_on=on, by=by, credit_note=note
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
        if send:
            _queue_mail(note, by=by, on=on)
    return note


def credit_totals(
    invoice: Invoice,
    *,
    lines: Sequence[CreditLine] | None = None,
    amount: Money | None = None,
) -> tuple[int, int]:
    """Net and VAT in minor units that `issue_credit_note` would credit now. Raises IssueRefused."""
    company = Company.objects.filter(pk=1).first()
    if reasons := _company_reasons(company):
        raise IssueRefused(reasons)
    assert company is not None
    wanted = _wanted(invoice, creditable(invoice), lines, amount, company)
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
    if invoice.status not in (Invoice.Status.ISSUED, Invoice.Status.SETTLED):
        raise IssueRefused(_("Only an issued invoice is credited; a draft is simply changed."))
    return invoice


@dataclass(frozen=True)
class _NoteLine:
    description: str
    unit: str
    amounts: LineInput
    net_minor: int
    source_id: int | None = None


@dataclass(frozen=True)
class _Wanted:
    lines: tuple[_NoteLine, ...]
    # (category, rate) → (basis, VAT): VAT is what is left of the invoice's where all is credited.
    by_rate: dict[tuple[str, Decimal], tuple[int, int]]


def _wanted(
    invoice: Invoice,
    left: Creditable,
    lines: Sequence[CreditLine] | None,
    amount: Money | None,
    company: Company,
) -> _Wanted:
    if lines is not None and amount is not None:
        raise ValueError("a credit note is made by lines or by amount")
    if amount is not None:
        return _by_amount(invoice, left, amount, company)
    if not left.by_rate:
        # Brought in from an older system: only its sums are known.
        return _by_amount(invoice, left, from_minor(left.total_minor, invoice.currency), company)
    if lines is None:
        rest = [CreditLine(pk, net) for pk, net in left.net_by_line.items() if net]
        if sum(line.net_minor for line in rest) != sum(b for b, _vat in left.by_rate.values()):
            # Credited by amount before: what is left no longer belongs to single lines.
            return _by_amount(
                invoice, left, from_minor(left.total_minor, invoice.currency), company
            )
        lines = rest
    return _by_lines(invoice, left, lines)


def _by_lines(invoice: Invoice, left: Creditable, lines: Sequence[CreditLine]) -> _Wanted:
    rows = {row.pk: row for row in invoice.lines.all()}
    found: list[_NoteLine] = []
    bases: dict[tuple[str, Decimal], int] = {}
    for wanted in lines:
        row = rows.get(wanted.line_id)
        if row is None:
            raise IssueRefused(_("A line is not of this invoice. Nothing was kept: load it again."))
        rest = left.net_by_line[row.pk]
        if wanted.net_minor == 0:
            continue
        if wanted.net_minor * rest <= 0 or abs(wanted.net_minor) > abs(rest):
            raise IssueRefused(
                [
                    Reason(
                        f"line-{row.pk}",
                        _("“%(line)s” has %(left)s before VAT left to credit.")
                        % {
                            "line": row.description.splitlines()[0][:60],
                            "left": formatted_minor(rest, invoice.currency),
                        },
                        f"#id_line-{row.pk}",
                    )
                ]
            )
        found.append(_note_line(row, wanted.net_minor, invoice.currency))
        key = (row.vat_category, Decimal(row.vat_rate))
        bases[key] = bases.get(key, 0) + wanted.net_minor
    by_rate = {}
    for key, basis in bases.items():
        left_basis, left_vat = left.by_rate[key]
        if basis * left_basis < 0 or abs(basis) > abs(left_basis):
            raise IssueRefused(
                _(
                    "At %(rate)s %% VAT only %(left)s before VAT is left to credit: a discount of "
                    "the invoice belongs to it, credit that line too."
                )
                % {
                    "rate": format(key[1].normalize() + 0, "f"),
                    "left": formatted_minor(left_basis, invoice.currency),
                }
            )
        by_rate[key] = (basis, _vat_part(basis, key[1], left_basis, left_vat))
    return _checked(_Wanted(tuple(found), by_rate), invoice, left)


def _vat_part(basis: int, rate: Decimal, left_basis: int, left_vat: int) -> int:
    """VAT on a part; the last part takes what is left, so that all parts make the invoice's VAT."""
    if basis == left_basis:
        return left_vat
    vat = vat_of(basis, rate)
    return min(vat, left_vat) if left_vat >= 0 else max(vat, left_vat)


def _note_line(row: InvoiceLine, net_minor: int, currency: str) -> _NoteLine:
    if net_minor == row.net_minor:
        amounts = drafting.input_of(row)
        unit = row.unit
    else:
        unit = "C62"
        amounts = LineInput(
            quantity=Decimal(1 if net_minor > 0 else -1),
            unit_price=from_minor(abs(net_minor), currency).amount,
            vat_rate=Decimal(row.vat_rate),
            vat_category=row.vat_category,
        )
    return _NoteLine(row.description, unit, amounts, net_minor, row.pk)


def _by_amount(invoice: Invoice, left: Creditable, amount: Money, company: Company) -> _Wanted:
    """`amount` with VAT, shared over the invoice's rates as they are left."""
    if amount.currency.code != invoice.currency:
        raise IssueRefused(
            _("%(number)s is in %(currency)s.")
            % {"number": invoice.number, "currency": invoice.currency}
        )
    gross = to_minor(amount)
    if gross <= 0:
        raise IssueRefused([Reason("amount", _("Give an amount above zero."), "#id_amount")])
    if gross > left.total_minor:
        raise IssueRefused([Reason("amount", _over(invoice, left), "#id_amount")])
    groups = dict(left.by_rate)
    if not groups:
        groups = _imported_groups(invoice, left, company)
    french = invoice.language == "fr"
    number = invoice.number
    label = f"Avoir sur facture {number}" if french else f"Credit on invoice {number}"
    weights = {key: basis + vat for key, (basis, vat) in groups.items() if basis + vat > 0}
    shares = split(gross, weights)
    found, by_rate = [], {}
    for key, share in shares.items():
        if not share:
            continue
        basis, vat = groups[key]
        parts = split(share, {"net": basis, "vat": vat}) if vat > 0 else {"net": share, "vat": 0}
        net = parts["net"]
        found.append(
            _NoteLine(
                label,
                "C62",
                LineInput(
                    quantity=Decimal(1),
                    unit_price=from_minor(net, invoice.currency).amount,
                    vat_rate=key[1],
                    vat_category=key[0],
                ),
                net,
            )
        )
        by_rate[key] = (net, parts["vat"])
    return _checked(_Wanted(tuple(found), by_rate), invoice, left)


def _imported_groups(
    invoice: Invoice, left: Creditable, company: Company
) -> dict[tuple[str, Decimal], tuple[int, int]]:
    """One group from the sums of an older system, at the rate that they come to."""
    before = (
        Invoice.objects.filter(corrects=invoice)
        .issued()
        .aggregate(net=Sum("net_minor"), vat=Sum("vat_minor"))
    )
    net = invoice.net_minor - (before["net"] or 0)
    vat = invoice.vat_minor - (before["vat"] or 0)
    if vat <= 0 or net <= 0:
        category = vat_treatment(invoice.client, company).category
        category = "E" if category == STANDARD else category
        return {(category, Decimal(0)): (left.total_minor, 0)}
    rate = (Decimal(invoice.vat_minor) * 100 / invoice.net_minor).quantize(Decimal("0.01"))
    nearest = min(
        (company.vat_rate, *map(Decimal, ("20", "10", "8.5", "5.5", "2.1"))),
        key=lambda known: abs(known - rate),
    )
    if abs(nearest - rate) <= Decimal("0.05"):
        rate = nearest
    return {(STANDARD, max(rate, Decimal("0.01"))): (net, vat)}


def _over(invoice: Invoice, left: Creditable) -> str:
    return _("%(number)s has %(left)s left to credit.") % {
        "number": invoice.number,
        "left": formatted_minor(left.total_minor, invoice.currency),
    }


def _checked(wanted: _Wanted, invoice: Invoice, left: Creditable) -> _Wanted:
    total = sum(basis + vat for basis, vat in wanted.by_rate.values())
    if not wanted.lines or total <= 0:
        raise IssueRefused(_("Nothing to credit: give an amount for at least one line."))
    if total > left.total_minor:
        raise IssueRefused(_over(invoice, left))
    return wanted


def _store_credit_lines(note: Invoice, wanted: _Wanted) -> list[InvoiceLine]:
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
            net_minor=line.net_minor,
        )
        for position, line in enumerate(wanted.lines, 1)
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
