"""From the rows of an invoice to the Paper that it will be for good."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any, Literal, Protocol

from billing_portal.money import from_minor, is_currency, round_half_up
from invoices.company import looks
from invoices.company.rates import rate_on, row_on
from invoices.company.seller import seller_of
from invoices.documents import mentions
from invoices.documents.nature import nature_of_all
from invoices.documents.paper import (
    Buyer,
    Paper,
    PaperDeposit,
    PaperLine,
    PaperVat,
    canonical_bytes,
)
from invoices.documents.totals import LineTotal, Totals, TotalsRefused
from invoices.invoicing import adjusting, drafting, dues, einvoice_data, paper_links, sentences
from invoices.invoicing.supplying import Delivered, delivered_of, place_of_service
from invoices.invoicing.without_vat import WithoutVat, without_vat
from invoices.models import Client, Company, Invoice, InvoiceLine, VatBreakdown

Language = Literal["fr", "en"]


def paper_of(
    invoice: Invoice,
    company: Company,
    *,
    lines: list[InvoiceLine],
    totals: Totals,
    breakdown: list[VatBreakdown] | None = None,
    number: str,
    issue_date: date,
    due_date: date,
    corrects: Invoice | None = None,
    buyer: BuyerSaid | None = None,
) -> Paper:
    """All that the page will say; a credit note may bring its own `breakdown` and `buyer`."""
    buyer = buyer or buyer_of(invoice.client, invoice.corrects or invoice)
    language: Language = "fr" if invoice.language == "fr" else "en"
    vat_rows = _vat_rows(totals, breakdown)
    parts = [] if invoice.is_credit_note else dues.dues_of(invoice, issue_date)
    deposits = paper_links.deposits_of(invoice)
    categories = [row.vat_category for row in vat_rows]
    why_none = without_vat(invoice, company, language, lines, categories, issue_date)
    net, vat = (sum(getattr(row, f"{of}_minor") for row in vat_rows) for of in ("basis", "vat"))
    said_in = partial(sentences.of, invoice, company, issue_date, due_date, corrects, parts)
    return Paper(
        kind="credit_note" if invoice.is_credit_note else "invoice",
        language=language,
        currency=invoice.currency,
        number=number,
        title=invoice.title,
        issue_date=issue_date,
        due_date=None if invoice.is_credit_note else due_date,
        **dues.on_paper(invoice, parts),
        service_from=invoice.service_from,
        service_until=invoice.service_until,
        seller=seller_of(company),
        buyer=buyer.buyer,
        **buyer.where(),
        purchase_order=invoice.purchase_order,
        **paper_links.of(invoice, corrects, language, deposits.values()),
        lines=_paper_lines(lines, totals, deposits),
        allowances=adjusting.on_paper(lines, totals),
        breakdown=tuple(_explained(row, why_none) for row in vat_rows),
        net_minor=net,
        vat_minor=vat,
        total_minor=net + vat,
        nature=nature_of_all(line.nature for line in lines),
        exemptions=_sentences(why_none),
        vat_on_debits=company.vat_on_debits and vat != 0,
        vat_minor_in_eur=_vat_in_eur(invoice, company, vat, issue_date),
        eur_rate=_eur_rate(invoice, company, vat, issue_date, corrects),
        vat_group=sentences.vat_group(company, language),
        notes=invoice.note,
        look=looks.look_of(company),
        **einvoice_data.of(invoice, company, issue_date, [line.nature for line in lines], vat),
        **said_in(language),
        **sentences.in_the_other(invoice, company, language, lines, vat_rows, issue_date, said_in),
    )


def _explained(row: PaperVat, why_none: dict[str, WithoutVat]) -> PaperVat:
    """With its reason, where it bears no VAT."""
    why = why_none.get(row.vat_category)
    return replace(row, exemption_code=why.code, exemption_text=why.text) if why else row


def _sentences(why_none: Mapping[str, WithoutVat]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for why in why_none.values() for each in why.sentences))


def _vat_rows(totals: Totals, breakdown: list[VatBreakdown] | None) -> tuple[PaperVat, ...]:
    """One row per category and rate: those given, or those that the totals make."""
    if breakdown is None:
        return tuple(
            PaperVat(
                basis_minor=group.basis_minor,
                vat_minor=group.vat_minor,
                vat_category=group.vat_category,
                vat_rate=group.vat_rate,
            )
            for group in totals.breakdown
        )
    return tuple(
        PaperVat(
            basis_minor=row.basis_minor,
            vat_minor=row.vat_minor,
            vat_category=row.category,
            vat_rate=Decimal(row.rate),
        )
        for row in breakdown
    )


def _paper_lines(
    lines: list[InvoiceLine], totals: Totals, deposits: Mapping[int, PaperDeposit]
) -> tuple[PaperLine, ...]:
    """Without discounts and charges on the whole, which stand among the totals."""
    pairs = zip(lines, totals.lines, strict=True)
    return tuple(_paper_line(line, sums, deposits) for line, sums in pairs if not line.adjusts)


def _paper_line(
    line: InvoiceLine, amounts: LineTotal, deposits: Mapping[int, PaperDeposit]
) -> PaperLine:
    deposit = deposits.get(line.deducts_id or 0)
    return PaperLine(
        deducts=deposit.number if deposit else "",
        deducted_vat_minor=line.deducted_vat_minor,
        description=line.description,
        quantity=Decimal(line.quantity),
        unit=line.unit,
        unit_price=Decimal(line.unit_price),
        net_minor=amounts.net_minor,
        vat_category=line.vat_category,
        vat_rate=Decimal(line.vat_rate),
        discount_percent=Decimal(line.discount_percent),
        discount_minor=amounts.discount_minor,
    )


def _vat_in_eur(invoice: Invoice, company: Company, vat_minor: int, on: date) -> int | None:
    if invoice.currency == "EUR" or company.currency != "EUR" or not vat_minor:
        return None
    # A credit note takes back what its invoice said, at the rate that the invoice was declared at.
    if invoice.is_credit_note:
        return vat_in_eur(invoice, vat_minor, invoice.exchange_rate)
    return vat_in_eur(invoice, vat_minor, rate_on(invoice.currency, company.currency, on))


def _eur_rate(
    invoice: Invoice, company: Company, vat_minor: int, on: date, corrects: Invoice | None
) -> str:
    if invoice.currency == "EUR" or company.currency != "EUR" or not vat_minor:
        return ""
    if corrects is not None:
        return str((corrects.paper or {}).get("eur_rate", ""))
    row = row_on(invoice.currency, on)
    if row is None:
        return ""
    language: Language = "fr" if invoice.language == "fr" else "en"
    return mentions.exchange(
        language, currency=row.currency, rate=Decimal(row.rate), source=row.source, day=row.on
    )


def vat_in_eur(invoice: Invoice, vat_minor: int, rate: Decimal | None) -> int | None:
    if rate is None:
        return None
    return round_half_up(from_minor(vat_minor, invoice.currency).amount * rate, "EUR")


@dataclass(frozen=True)
class BuyerSaid:
    """Who buys, and where it went, as a page says it."""

    buyer: Buyer
    delivered: Delivered
    supplied_at: tuple[str, ...] = ()
    supplied_in: str = ""

    def where(self) -> dict[str, Any]:
        """Fields of a Paper."""
        return {
            "delivery_address": self.delivered.address,
            "delivery_postal_code": self.delivered.postal_code,
            "delivery_city": self.delivered.city,
            "delivery_country": self.delivered.country,
            "supplied_at": self.supplied_at,
            "supplied_in": self.supplied_in,
        }


def buyer_of(client: Client, document: Invoice | None = None) -> BuyerSaid:
    """The client of today, and where this document of his goes."""
    buyer = Buyer(
        name=client.name,
        address=tuple(client.address_lines),
        country=client.country,
        siren=client.siren,
        vat_id=client.vat_id,
        postal_code=client.postal_code,
        city=client.city,
    )
    delivered = delivered_of(client, document)
    if document is None:
        return BuyerSaid(buyer, delivered)
    return BuyerSaid(buyer, delivered, place_of_service(document), document.tie_country)


def buyer_on(invoice: Invoice) -> BuyerSaid | None:
    """The buyer as an issued page names him; None for one of the old system, which has no page."""
    if not isinstance(invoice.paper, dict):
        return None
    paper = Paper.from_json(invoice.paper)
    delivered = Delivered(
        paper.delivery_address,
        paper.delivery_postal_code,
        paper.delivery_city,
        paper.delivery_country,
    )
    return BuyerSaid(paper.buyer, delivered, paper.supplied_at, paper.supplied_in)


def buyer_differs(invoice: Invoice) -> bool:
    """The client has another name, address or number today than the invoice says."""
    said, today = buyer_on(invoice), buyer_of(invoice.client, invoice)
    if said is None or said.delivered != today.delivered:
        return said is not None
    # Older pages have the city in the last line of the address only.
    return replace(said.buyer, postal_code="", city="") != replace(
        today.buyer, postal_code="", city=""
    )


def chained_hash(previous_hash: str, paper: Paper | dict[str, Any]) -> str:
    """SHA-256 over the document before it in the series and the paper's canonical bytes."""
    return hashlib.sha256(previous_hash.encode() + b"\n" + canonical_bytes(paper)).hexdigest()


SEAL = 2


class Frozen(Protocol):
    """An issued document, or what was read of it."""

    paper: Any
    previous_hash: str
    client_id: Any
    corrects_id: Any
    deal_id: Any
    exchange_rate: Any
    issued_by_id: Any
    owner_id: Any
    plan_step: Any
    replaces_id: Any


def sealed_hash(invoice: Frozen, document_sha256: str) -> str:
    """As `chained_hash`, over the stored document too, and over what the page does not say.

    The client, the deal, the corrected invoice and the rate are links and figures that reports
    follow: changed in the database they would move money without changing a word on the page.
    """
    assert isinstance(invoice.paper, dict)
    rate = invoice.exchange_rate
    facts: dict[str, Any] = {
        "client": invoice.client_id,
        "corrects": invoice.corrects_id,
        "deal": invoice.deal_id,
        "document": document_sha256,
        "exchange_rate": None if rate is None else format(Decimal(rate).normalize(), "f"),
        "issued_by": invoice.issued_by_id,
        "owner": invoice.owner_id,
        "plan_step": invoice.plan_step,
    }
    if invoice.replaces_id:
        facts["replaces"] = invoice.replaces_id
    plain = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    first = chained_hash(invoice.previous_hash, invoice.paper)
    return hashlib.sha256(f"{first}\n{plain}".encode()).hexdigest()


def paper_on(
    invoice: Invoice, on: date, number: str = "", *, company: Company | None = None
) -> Paper | None:
    """The paper as it would be on `on`; None when the lines cannot be added up yet."""
    company = company or Company.ours()
    lines = list(invoice.lines.all())
    if company is None or not is_currency(invoice.currency):
        return None
    issue_date, due = drafting.dates_of(invoice, on)
    try:
        totals = drafting.totals_of(invoice, lines)
    except TotalsRefused:
        return None
    return paper_of(
        invoice,
        company,
        lines=lines,
        totals=totals,
        number=number,
        issue_date=issue_date,
        due_date=due,
        corrects=invoice.corrects,
    )
