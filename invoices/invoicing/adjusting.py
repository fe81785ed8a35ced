"""Discounts and charges on a whole document: what a draft says of them, and what lines they become.

`Invoice.adjustments` is what somebody typed. The lines that `adjusts` marks are made from it, one
for each VAT rate (and nature), whenever the draft is saved: so what sums, credits, books or deducts
lines does so with them too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from invoices.documents.adjustments import CHARGE, Part, Sort, as_line, parts_of, read
from invoices.documents.paper import PaperAllowance
from invoices.documents.totals import LineInput, Totals, TotalsRefused
from invoices.invoicing.draft_lines import DraftLine
from invoices.models import Invoice, InvoiceLine


def parts_for(
    kept: Iterable[Mapping[str, str]],
    lines: Sequence[DraftLine],
    totals: Totals,
    currency: str,
) -> list[Part]:
    """Of the lines as they are typed, which `totals` adds up. Raises TotalsRefused."""
    sorts = [
        Sort(line.amounts.vat_category, line.amounts.vat_rate, line.nature, line.exemption_id)
        for line in lines
    ]
    nets = [amounts.net_minor for amounts in totals.lines]
    return parts_of(read(kept), zip(sorts, nets, strict=True), currency)


def inputs_for(
    kept: Iterable[Mapping[str, str]],
    lines: Sequence[DraftLine],
    totals: Totals,
    problems: dict[str, str],
) -> list[LineInput]:
    """For the arithmetic of the whole; what is wrong with them goes to `problems`."""
    try:
        parts = parts_for(kept, lines, totals, totals.currency)
    except TotalsRefused as refusal:
        problems["adjustments"] = str(refusal)
        return []
    return [as_line(part, totals.currency) for part in parts]


def rows_of(invoice: Invoice, parts: Sequence[Part], after: int) -> list[InvoiceLine]:
    """Not saved yet; they stand behind the lines that are typed."""
    return [
        InvoiceLine(
            invoice=invoice,
            position=after + place,
            description=part.adjustment.words(invoice.language),
            quantity=amounts.quantity,
            unit_price=amounts.unit_price,
            vat_category=part.sort.vat_category,
            vat_rate=part.sort.vat_rate,
            nature=part.sort.nature,
            exemption_id=part.sort.exemption_id,
            net_minor=part.line[0] * part.minor,
            adjusts=part.adjustment.kind,
            adjust_percent=part.adjustment.percent,
            adjust_code=part.adjustment.code,
        )
        for place, part in enumerate(parts, 1)
        for amounts in (as_line(part, invoice.currency),)
    ]


def on_paper(lines: Sequence[InvoiceLine], totals: Totals) -> tuple[PaperAllowance, ...]:
    """One for each discount or charge and VAT rate: the page knows nothing of natures."""
    found: dict[tuple[Any, ...], int] = {}
    for line, amounts in zip(lines, totals.lines, strict=True):
        if line.adjusts:
            percent, rate = Decimal(line.adjust_percent), Decimal(line.vat_rate)
            words = (line.description, percent, line.adjusts, line.adjust_code)
            key = (*words, line.vat_category, rate)
            found[key] = found.get(key, 0) + amounts.net_minor
    return tuple(
        PaperAllowance(
            amount_minor=abs(minor),
            label=label,
            percent=percent,
            vat_category=category,
            vat_rate=rate,
            is_charge=kind == CHARGE,
            code=code,
        )
        for (label, percent, kind, code, category, rate), minor in found.items()
    )
