"""One thing wrong with a lawful document, and the rule that has to say so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from invoices.documents.facturx import own_rules
from invoices.documents.paper import CREDIT_NOTE

D = Decimal


@dataclass(frozen=True)
class Break:
    name: str
    rule: str
    spoil: Any
    fits: Any = lambda paper: True


def _seller(**fields):
    return lambda paper: replace(paper, seller=replace(paper.seller, **fields))


def _buyer(**fields):
    return lambda paper: replace(paper, buyer=replace(paper.buyer, **fields))


def _paper(**fields):
    return lambda paper: replace(paper, **fields)


def _line(**fields):
    return lambda paper: replace(paper, lines=(replace(paper.lines[0], **fields), *paper.lines[1:]))


def _row(**fields):
    return lambda paper: replace(
        paper, breakdown=(replace(paper.breakdown[0], **fields), *paper.breakdown[1:])
    )


def _more_vat(cents):
    def spoil(paper):
        """The totals follow, so that only the product is wrong."""
        row = paper.breakdown[0]
        return replace(
            paper,
            breakdown=(replace(row, vat_minor=row.vat_minor + cents), *paper.breakdown[1:]),
            vat_minor=paper.vat_minor + cents,
            total_minor=paper.total_minor + cents,
        )

    return spoil


def _rate(rate):
    def spoil(paper):
        lines = tuple(
            replace(line, vat_rate=rate) if line.vat_rate == paper.lines[0].vat_rate else line
            for line in paper.lines
        )
        rows = tuple(
            replace(row, vat_rate=rate) if row.vat_rate == paper.lines[0].vat_rate else row
            for row in paper.breakdown
        )
        return replace(paper, lines=lines, breakdown=rows)

    return spoil


def _beside_outside_vat(paper):
    """A taxed line on a document that is outside VAT; the sums stay those of the others."""
    taxed = replace(paper.lines[0], vat_category="S", vat_rate=D(20))
    return replace(paper, lines=(*paper.lines, taxed))


def _is(kind):
    return lambda paper: paper.kind == kind


def _has(category):
    return lambda paper: any(row.vat_category == category for row in paper.breakdown)


def _at_home(paper):
    return paper.treatment == "B2B"


def _taxed_invoice(paper):
    return paper.kind != CREDIT_NOTE and paper.breakdown[0].vat_category == "S"


BREAKS = (
    # ── Who sells
    Break("no SIREN of the seller", "BR-FR-10", _seller(siren="")),
    Break("a SIREN of 8 digits", "BR-FR-10", _seller(siren="73282932")),
    Break("a SIREN that fails its check", own_rules.SELLER_SIREN, _seller(siren="732829321")),
    Break("a SIRET of another", "BR-FR-09", _seller(siret="55210055400013")),
    Break(
        "no VAT id and no SIREN",
        "BR-S-02",
        _seller(vat_id="", siren=""),
        # One of a VAT group names that of the group.
        lambda paper: _has("S")(paper) and not paper.vat_group_vat_id,
    ),
    Break("a VAT key that is wrong", own_rules.SELLER_VAT_ID, _seller(vat_id="FR45732829320")),
    Break(
        "an IBAN with a wrong digit", own_rules.IBAN, _seller(iban="FR7630006000011234567890188")
    ),
    Break("a BIC that is none", own_rules.BIC, _seller(bic="AGRI")),
    Break("no country of the seller", "BR-09", _seller(country="")),
    Break("no name of the seller", "BR-06", _seller(name=" ")),
    # ── Who buys
    Break("no SIREN of a French business", "BR-FR-11", _buyer(siren=""), _at_home),
    Break(
        "an address that is not the SIREN's",
        "BR-FR-21",
        _paper(electronic_address="123456789"),
        _at_home,
    ),
    Break(
        "nowhere to reach the buyer",
        "BR-FR-12",
        _paper(electronic_address="", electronic_address_scheme=""),
    ),
    Break(
        "an address of 130 signs",
        "BR-FR-25",
        _paper(electronic_address="a" * 118 + "@client.example"),
        lambda paper: paper.electronic_address_scheme == "EM",
    ),
    Break("a SIREN of the buyer that fails", own_rules.BUYER_SIREN, _buyer(siren="552100555")),
    Break("a VAT id with a wrong digit", own_rules.BUYER_VAT_ID, _buyer(vat_id="DE136695977")),
    Break("no VAT id under reverse charge", "BR-AE-02", _buyer(vat_id="", siren=""), _has("AE")),
    Break("no VAT id within the Union", "BR-IC-02", _buyer(vat_id=""), _has("K")),
    Break("no country of the buyer", "BR-11", _buyer(country="")),
    Break("a country that is none", "FX-SCH-A-000568", _buyer(country="ZZ")),
    Break("no name of the buyer", "BR-07", _buyer(name="")),
    Break("a treatment that is none", "BR-FR-20", _paper(treatment="B2X")),
    # ── Number and days
    Break("a number with a space", "BR-FR-02", _paper(number="F 2026-0001")),
    Break("a number with an accent", "BR-FR-02", _paper(number="É-2026-0001")),
    Break("a number of 36 signs", "BR-FR-01", _paper(number="F" * 36)),
    Break("no number", "BR-02", _paper(number="")),
    Break(
        "due before it is issued",
        "BR-FR-CO-07",
        lambda paper: replace(paper, due_date=paper.issue_date - timedelta(days=1)),
        # With a retention the e-invoice names the last other instalment; paid, the day of that.
        lambda paper: _is("invoice")(paper) and not (paper.retention or paper.paid_minor),
    ),
    Break(
        "neither due date nor terms",
        own_rules.DUE,
        _paper(due_date=None, payment_terms=""),
        _is("invoice"),
    ),
    Break(
        "a period that ends before it begins",
        "BR-29",
        lambda paper: replace(
            paper,
            service_from=paper.issue_date,
            service_until=paper.issue_date - timedelta(days=2),
        ),
    ),
    Break(
        "no day of a delivery within the Union",
        "BR-IC-11",
        _paper(service_from=None, service_until=None),
        _has("K"),
    ),
    Break(
        "a credit note that names no invoice",
        "BR-FR-CO-05",
        _paper(corrects_number="", corrects_date=None),
        _is("credit_note"),
    ),
    Break(
        "a credit note without the day of its invoice",
        "BR-FR-CO-05",
        _paper(corrects_date=None),
        _is("credit_note"),
    ),
    # ── Amounts
    Break(
        "a line that is not quantity × price",
        own_rules.LINE_NET,
        lambda paper: _line(net_minor=paper.lines[0].net_minor + 1)(paper),
    ),
    Break("VAT a cent too much", own_rules.VAT_AMOUNT, _more_vat(1), _taxed_invoice),
    Break("VAT 90 cents too little", own_rules.VAT_AMOUNT, _more_vat(-90), _taxed_invoice),
    Break(
        "a total that is not the sum",
        own_rules.TOTALS,
        lambda paper: replace(paper, total_minor=paper.total_minor + 1),
    ),
    Break(
        "a total that is not the sum, by EN 16931",
        "BR-CO-15",
        lambda paper: replace(paper, total_minor=paper.total_minor + 1),
    ),
    Break(
        "a basis that is not its lines",
        own_rules.GROUP_BASIS,
        lambda paper: _row(basis_minor=paper.breakdown[0].basis_minor + 1)(paper),
    ),
    Break(
        "a credit note with minus signs",
        own_rules.SIGN,
        lambda paper: replace(paper, total_minor=-paper.total_minor),
        _is("credit_note"),
    ),
    # ── VAT
    Break("a rate that France never had", "BR-FR-16", _rate(D("19")), _taxed_invoice),
    Break("a rate of 19.6001", "BR-FR-16", _rate(D("19.6001")), _taxed_invoice),
    Break("a category that is none", "BR-FR-15", _line(vat_category="L")),
    Break(
        "no reason for an exemption",
        "BR-E-10",
        _row(exemption_code="", exemption_text=""),
        lambda paper: {row.vat_category for row in paper.breakdown} == {"E"},
    ),
    Break(
        "no reason for reverse charge",
        "BR-AE-10",
        _row(exemption_code="", exemption_text=""),
        _has("AE"),
    ),
    Break(
        "a reason of no list",
        "FX-SCH-A-000589",
        _row(exemption_code="VATEX-FR-MADE-UP"),
        lambda paper: paper.breakdown[0].vat_category != "S",
    ),
    Break("a rate outside VAT", "BR-O-12", _beside_outside_vat, _has("O")),
    Break(
        "no VAT in euros",
        "BR-FR-CO-12",
        _paper(vat_minor_in_eur=None),
        lambda paper: paper.currency != "EUR" and bool(paper.vat_minor),
    ),
    # ── The rest
    Break("a unit in words", "FX-SCH-A-000613", _line(unit="jour")),
    Break("nobody said what is supplied", "BR-FR-08", _paper(billing_mode="")),
    Break("a billing mode of no list", "BR-FR-08", _paper(billing_mode="X1")),
    Break("no line", "BR-16", _paper(lines=())),
)
