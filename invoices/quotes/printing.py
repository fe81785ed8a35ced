"""The page of a quote: the one of an invoice, with its own head, choices and place to sign."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date

from django.utils import timezone
from django.utils.translation import gettext as _

from invoices.documents.adjustments import read
from invoices.documents.paper import Paper, PaperLine
from invoices.documents.pdf import render
from invoices.documents.totals import LineTotal, line_total, sub_unit
from invoices.invoicing import adjusting, snapshot
from invoices.invoicing.unprintable import reasons_of_paper
from invoices.models import (
    Company,
    Invoice,
    InvoiceLine,
    QuoteDocument,
    QuoteLine,
    QuoteVersion,
    SalesTerms,
)
from invoices.quotes import words
from invoices.quotes.choices import adjusted, input_of, left, taken, totals_of
from invoices.quotes.refusals import QuoteRefused


def paper_of(
    version: QuoteVersion,
    lines: Sequence[QuoteLine],
    choice: Collection[int],
    *,
    on: date,
    number: str,
    accepted: tuple[str, ...] = (),
) -> Paper:
    """What the page says on that day with these choices. Raises QuoteRefused, TotalsRefused."""
    company = Company.ours()
    if company is None:
        raise QuoteRefused(_("Say who sells: fill in the company in Settings."))
    kept = taken(lines, choice)
    totals = totals_of(kept, version.currency, version.adjustments)
    parts = adjusted(kept, version.currency, read(version.adjustments))
    # An invoice that nobody saves: so both pages say the same of seller, buyer, VAT and why none.
    draft = Invoice(
        client=version.quote.client,
        title=version.title,
        language=version.language,
        currency=version.currency,
        note=version.note,
        **version.supplied,
    )
    paper = snapshot.paper_of(
        draft,
        company,
        lines=[
            *map(_as_of_invoice, kept),
            *adjusting.rows_of(draft, parts, after=len(kept)),
        ],
        totals=totals,
        number=number,
        issue_date=on,
        due_date=on,
    )
    return replace(
        paper,
        kind="quote",
        due_date=None,
        valid_until=version.valid_until,
        payment_terms=_terms(version, totals.total_minor),
        # Of a claim, which there is none yet.
        early_payment="",
        late_penalty="",
        recovery_indemnity="",
        second_terms="",
        second_claims=(),
        vat_minor_in_eur=None,
        eur_rate="",
        lines=tuple(
            replace(row, section=line.section) for row, line in zip(paper.lines, kept, strict=True)
        ),
        offered=()
        if accepted
        else tuple(_offered(line, version.currency) for line in left(lines, choice)),
        accepted=accepted,
    )


def _terms(version: QuoteVersion, total_minor: int) -> str:
    """How it is paid, and by which terms of sale it is sold."""
    found = words.plan_in_words(version, total_minor)
    terms = version.sales_terms
    if terms is None and version.is_draft:
        terms = SalesTerms.objects.in_force(version.language)
    return f"{found} {words.sale_terms(terms)}" if terms else found


def _as_of_invoice(line: QuoteLine) -> InvoiceLine:
    return InvoiceLine(
        description=line.description,
        quantity=line.quantity,
        unit=line.unit,
        unit_price=line.unit_price,
        discount_percent=line.discount_percent,
        discount_amount=line.discount_amount,
        vat_category=line.vat_category,
        vat_rate=line.vat_rate,
        exemption_id=line.exemption_id,
        nature=line.nature,
    )


def _offered(line: QuoteLine, currency: str) -> PaperLine:
    amounts: LineTotal = line_total(input_of(line), sub_unit(currency))
    return PaperLine(
        description=line.description,
        quantity=line.quantity,
        unit=line.unit,
        unit_price=line.unit_price,
        net_minor=amounts.net_minor,
        vat_category=line.vat_category,
        vat_rate=line.vat_rate,
        section=line.section,
    )


def printed(paper: Paper, *, draft: bool = False) -> bytes:
    """The PDF. Raises PdfRefused; a page that leaves says so of characters that no font has."""
    company = Company.objects.get(pk=1)
    if not draft and (odd := reasons_of_paper(paper)):
        raise render.PdfRefused(" ".join(reason.text for reason in odd))
    return render.render(
        paper, draft=draft, logo_png=bytes(company.logo_png) or None, made_at=timezone.now()
    )


def keep(version: QuoteVersion, kind: str, content: bytes) -> QuoteDocument:
    """The bytes as they leave the house; the caller holds the transaction."""
    return QuoteDocument.objects.create(
        version=version,
        kind=kind,
        filename=file_name(version, kind),
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
    )


def file_name(version: QuoteVersion, kind: str = QuoteDocument.Kind.SENT) -> str:
    french = version.language == "fr"
    parts = ["Devis" if french else "Quote", version.quote.number]
    if version.number > 1:
        parts.append(f"v{version.number}")
    if kind == QuoteDocument.Kind.ACCEPTED:
        parts.append("accepte" if french else "accepted")
    return re.sub(r"[^A-Za-z0-9._+-]", "-", "-".join(filter(None, parts)) + ".pdf")
