"""Does the XML say what the paper says? Read back as a receiver reads it, to the cent.

Not by way of the terms from which it was written: a slip there would be in both.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from lxml import etree

from invoices.documents.paper import CREDIT_NOTE, Paper

_NAMES = {
    "rsm": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
    "qdt": "urn:un:unece:uncefact:data:standard:QualifiedDataType:100",
}
_SUMS = (
    "rsm:SupplyChainTradeTransaction/ram:ApplicableHeaderTradeSettlement/"
    "ram:SpecifiedTradeSettlementHeaderMonetarySummation/"
)
_LINE_NET = (
    "ram:SpecifiedLineTradeSettlement/ram:SpecifiedTradeSettlementLineMonetarySummation/"
    "ram:LineTotalAmount"
)


def disagreements(content: bytes, paper: Paper) -> list[str]:
    """What the CII says otherwise than `paper`: “field: XML / paper”; empty when they agree."""
    root = etree.fromstring(content)
    return [
        f"{field}: {said!r} / {meant!r}"
        for field, said, meant in (*_head(root, paper), *_sums(root, paper), *_rows(root, paper))
        if said != meant
    ]


def _head(root: Any, paper: Paper) -> Iterator[tuple[str, Any, Any]]:
    document = "rsm:ExchangedDocument/ram:"
    issued = f"{paper.issue_date:%Y%m%d}" if paper.issue_date else ""
    yield "number", _text(root, f"{document}ID"), paper.number
    yield "date", _text(root, f"{document}IssueDateTime/udt:DateTimeString"), issued
    codes = {"deposit": ("386", "503")}
    kind = codes.get(paper.purpose, ("380", "381"))[paper.kind == CREDIT_NOTE]
    if kind == "381" and paper.contract and not (paper.corrects_number or paper.credited):
        kind = "262"
    yield "kind", _text(root, f"{document}TypeCode"), kind
    settlement = "rsm:SupplyChainTradeTransaction/ram:ApplicableHeaderTradeSettlement/ram:"
    yield "currency", _text(root, f"{settlement}InvoiceCurrencyCode"), paper.currency
    named_by = [
        each
        for each in (
            paper.corrects_number,
            *(credited.number for credited in paper.credited),
            paper.replaces_number,
            *(deposit.number for deposit in paper.deposits),
        )
        if each
    ]
    if named_by:
        named = root.iterfind(f"{settlement}InvoiceReferencedDocument/ram:IssuerAssignedID", _NAMES)
        yield "invoices", [each.text for each in named], named_by
    if paper.kind != CREDIT_NOTE:
        due = f"{settlement}SpecifiedTradePaymentTerms/ram:DueDateDateTime/udt:DateTimeString"
        day = (paper.paid_minor and not paper.payable_minor and paper.paid_on) or _due(paper)
        yield "due", _text(root, due), f"{day:%Y%m%d}" if day else ""


def _due(paper: Paper) -> date | None:
    at_once = [part.due_date for part in paper.instalments if not part.is_retention]
    return at_once[-1] if paper.retention and at_once else paper.due_date


def _sums(root: Any, paper: Paper) -> Iterator[tuple[str, Any, Any]]:
    unit = paper.sub_unit
    vat = f'ram:TaxTotalAmount[@currencyID="{paper.currency}"]'
    for field, path, minor in (
        ("net", "ram:TaxBasisTotalAmount", paper.net_minor),
        ("vat", vat, paper.vat_minor),
        ("total", "ram:GrandTotalAmount", paper.total_minor),
        ("payable", "ram:DuePayableAmount", paper.payable_minor),
        ("lines", "ram:LineTotalAmount", sum(line.net_minor for line in paper.lines)),
    ):
        yield field, _minor(_text(root, _SUMS + path), unit), minor
    for field, path, is_charge in (
        ("discounts", "ram:AllowanceTotalAmount", False),
        ("charges", "ram:ChargeTotalAmount", True),
    ):
        meant = sum(each.amount_minor for each in paper.allowances if each.is_charge == is_charge)
        yield field, _minor(_text(root, _SUMS + path) or "0", unit), meant
    if paper.vat_minor_in_eur is not None:
        in_eur = _text(root, f'{_SUMS}ram:TaxTotalAmount[@currencyID="EUR"]')
        yield "vat in euros", _minor(in_eur, 100), paper.vat_minor_in_eur


def _rows(root: Any, paper: Paper) -> Iterator[tuple[str, Any, Any]]:
    unit = paper.sub_unit
    transaction = "rsm:SupplyChainTradeTransaction/ram:"
    lines = root.iterfind(f"{transaction}IncludedSupplyChainTradeLineItem", _NAMES)
    said = [_minor(_text(line, _LINE_NET), unit) for line in lines]
    yield "net of lines", said, [line.net_minor for line in paper.lines]
    settlement = f"{transaction}ApplicableHeaderTradeSettlement/ram:"
    adjusted = root.iterfind(f"{settlement}SpecifiedTradeAllowanceCharge", _NAMES)
    yield (
        "discounts and charges",
        sorted(
            (
                _text(each, "ram:ChargeIndicator/udt:Indicator") == "true",
                _text(each, "ram:CategoryTradeTax/ram:CategoryCode"),
                _decimal(_text(each, "ram:CategoryTradeTax/ram:RateApplicablePercent") or "0"),
                _minor(_text(each, "ram:ActualAmount"), unit),
            )
            for each in adjusted
        ),
        sorted(
            (each.is_charge, each.vat_category, each.vat_rate, each.amount_minor)
            for each in paper.allowances
        ),
    )
    groups = root.iterfind(f"{settlement}ApplicableTradeTax", _NAMES)
    yield (
        "VAT rows",
        [
            (
                _text(group, "ram:CategoryCode"),
                _decimal(_text(group, "ram:RateApplicablePercent") or "0"),
                _minor(_text(group, "ram:BasisAmount"), unit),
                _minor(_text(group, "ram:CalculatedAmount"), unit),
            )
            for group in groups
        ],
        [
            (row.vat_category, row.vat_rate, row.basis_minor, row.vat_minor)
            for row in paper.breakdown
        ],
    )


def _text(within: Any, path: str) -> str:
    found = within.find(path, _NAMES)
    return "" if found is None or found.text is None else str(found.text)


def _minor(text: str, unit: int) -> Decimal | None:
    value = _decimal(text)
    return None if value is None else value * unit


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None
