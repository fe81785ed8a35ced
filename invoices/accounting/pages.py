"""Does each issued page say what the rows beneath it say? Every field that both of them have."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from decimal import Decimal
from typing import Any

from django.db.models import Prefetch
from django.utils.translation import gettext as _

from invoices.accounting.broken import Broken
from invoices.documents.paper import Paper, PaperMalformed
from invoices.documents.rebates import per_invoice
from invoices.documents.totals import TotalsRefused
from invoices.invoicing import adjusting, drafting, snapshot
from invoices.invoicing.freezing import filename_of
from invoices.models import CreditShare, Document, Instalment, Invoice

BATCH = 500
# Of many that were changed, the first are looked at more closely.
MOST = 500


def check(only: Collection[int] | None = None) -> Iterator[Broken]:
    """Of all documents, or of those with these ids."""
    ours = (
        Invoice.objects.issued()
        .filter(imported=False)
        .select_related("corrects", "replaces", "client", "rebate")
        .prefetch_related(
            "lines",
            "vat_breakdown",
            "deductions__deposit",
            "credit_shares__invoice",
            Prefetch("instalments", Instalment.objects.order_by("position")),
            Prefetch("documents", Document.objects.filter(kind="pdf").defer("content")),
        )
    )
    if only is not None:
        ours = ours.filter(pk__in=sorted(only)[:MOST])
    last = 0
    while batch := list(ours.filter(pk__gt=last).order_by("pk")[:BATCH]):
        last = batch[-1].pk
        for invoice in batch:
            yield from _invoice(invoice)


def _invoice(invoice: Invoice) -> Iterator[Broken]:
    if not isinstance(invoice.paper, dict):
        # The chain says so.
        return
    try:
        paper = Paper.from_json(invoice.paper)
    except PaperMalformed:
        yield Broken(str(invoice), _("its frozen content cannot be read."))
        return
    for name, said, stored in _pairs(invoice, paper):
        if said != stored:
            yield Broken(
                str(invoice),
                _("the page says %(said)s where the row has %(stored)s (%(field)s).")
                % {"said": said, "stored": stored, "field": name},
            )
    if _lines_said(paper) != _lines_stored(invoice):
        yield Broken(str(invoice), _("its lines are not those of the page."))
    if _vat_said(paper) != _vat_stored(invoice):
        yield Broken(str(invoice), _("its VAT rows are not those of the page."))
    yield from _document(invoice, paper)


def _pairs(invoice: Invoice, paper: Paper) -> Iterable[tuple[str, Any, Any]]:
    corrects = invoice.corrects
    yield "due_date", paper.due_date, None if invoice.is_credit_note else invoice.due_date
    dues = [(each.due_date, each.amount_minor, each.is_retention) for each in paper.instalments]
    rows = invoice.instalments.all()
    parts = [(each.said_due, each.amount_minor, each.is_retention) for each in rows]
    yield "instalments", dues, parts
    yield "title", paper.title, invoice.title
    yield "language", paper.language, "fr" if invoice.language == "fr" else "en"
    yield "purchase_order", paper.purchase_order, invoice.purchase_order
    yield "note", paper.notes, invoice.note
    yield "service_from", paper.service_from, invoice.service_from
    yield "service_until", paper.service_until, invoice.service_until
    yield "buyer", paper.buyer.name[:255], invoice.buyer_name
    replaces = invoice.replaces
    yield "purpose", paper.purpose, (corrects or invoice).purpose
    yield "replaces", paper.replaces_number, replaces.number if replaces else ""
    deposits = [(each.number, each.net_minor, each.vat_minor) for each in paper.deposits]
    yield "deposits", sorted(deposits), _deposits_stored(invoice)
    yield "credited", _credited_said(paper), _credited_stored(invoice)
    yield "corrects", paper.corrects_number, corrects.number if corrects else ""
    if paper.vat_minor_in_eur is not None:
        # An older version printed a note's VAT at the rate of its own day: left as it is.
        said, rate = paper.vat_minor_in_eur, invoice.exchange_rate
        if not invoice.is_credit_note or invoice.sealed_with > 1:
            yield "exchange_rate", said, snapshot.vat_in_eur(invoice, paper.vat_minor, rate)


def _credited_said(paper: Paper) -> list[tuple[str, int, int]]:
    """With the agreement, of a credit note over several invoices or over a period."""
    found = [(each.number, each.net_minor, each.vat_minor) for each in paper.credited]
    return sorted([*found, (paper.contract, 0, 0)] if paper.contract else found)


def _credited_stored(invoice: Invoice) -> list[tuple[str, int, int]]:
    if not invoice.is_credit_note:
        return []
    rows = [(row.invoice.number, row.basis_minor, row.vat_minor) for row in _shares(invoice)]
    found = [(number, net, vat) for number, (net, vat) in per_invoice(rows).items()]
    rebate = getattr(invoice, "rebate", None)
    return sorted([*found, (rebate.contract, 0, 0)] if rebate and rebate.contract else found)


def _shares(invoice: Invoice) -> list[CreditShare]:
    return list(invoice.credit_shares.all())


def _deposits_stored(invoice: Invoice) -> list[tuple[str, int, int]]:
    """Whether they are deducted still or were released since: the page said so."""
    rows = invoice.deductions.all()
    return sorted((row.deposit.number, row.net_minor, row.vat_minor) for row in rows)


def _lines_said(paper: Paper) -> list[Any]:
    return [
        (
            line.description,
            line.quantity,
            line.unit,
            line.unit_price,
            line.net_minor,
            line.vat_category,
            line.vat_rate,
            line.discount_percent,
            line.discount_minor,
        )
        for line in paper.lines
    ] + list(paper.allowances)


def _lines_stored(invoice: Invoice) -> list[Any] | None:
    lines = list(invoice.lines.all())
    try:
        totals = drafting.totals_of(invoice, lines)
    except TotalsRefused:
        return None
    if any(
        line.net_minor != amounts.net_minor
        for line, amounts in zip(lines, totals.lines, strict=True)
    ):
        return None
    return [
        (
            line.description,
            Decimal(line.quantity),
            line.unit,
            Decimal(line.unit_price),
            line.net_minor,
            line.vat_category,
            Decimal(line.vat_rate),
            Decimal(line.discount_percent),
            amounts.discount_minor,
        )
        for line, amounts in zip(lines, totals.lines, strict=True)
        if not line.adjusts
    ] + list(adjusting.on_paper(lines, totals))


def _vat_said(paper: Paper) -> set[tuple[Any, ...]]:
    return {(g.vat_category, g.vat_rate, g.basis_minor, g.vat_minor) for g in paper.breakdown}


def _vat_stored(invoice: Invoice) -> set[tuple[Any, ...]]:
    rows = invoice.vat_breakdown.all()
    return {(r.category, Decimal(r.rate), r.basis_minor, r.vat_minor) for r in rows}


def _document(invoice: Invoice, paper: Paper) -> Iterator[Broken]:
    for document in invoice.documents.all():
        if document.filename != filename_of(paper, invoice):
            yield Broken(str(invoice), _("its stored document bears another name than its own."))
        sealed = snapshot.sealed_hash(invoice, document.sha256)
        if invoice.sealed_with > 1 and sealed != invoice.content_hash:
            yield Broken(str(invoice), _("its content was changed after it was issued."))
