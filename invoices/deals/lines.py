"""From the lines of a deal to those of an invoice: discounts, units, VAT, and prices with VAT."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from billing_portal.money import from_minor
from invoices.catalogue.units import PIECE, known_unit
from invoices.catalogue.vat import LineVat, vat_of
from invoices.clients.vat import vat_treatment
from invoices.documents.from_gross import net_lines_from_gross
from invoices.documents.totals import (
    STANDARD,
    DiscountInput,
    LineInput,
    Totals,
    compute,
)
from invoices.invoicing.draft_lines import HUNDREDTH, MAX_DESCRIPTION, DraftLine, plain
from invoices.models import CatalogueItem, Client, Company, Deal, DealLine
from invoices.tax.deciding import VatTreatment

# What a line is taxed with that names no VAT itself, by its item of the catalogue.
VatOfItem = Callable[[CatalogueItem], LineVat]


@dataclass(frozen=True)
class Drafted:
    """The lines of a deal as an invoice would have them, and what staff should know about them.

    `notes` are {"code": …} with figures; `told` turns one into a sentence of the reader's language.
    """

    lines: tuple[DraftLine, ...]
    notes: tuple[dict[str, Any], ...]
    totals: Totals
    # As the CRM adds up: prices as given, discounts taken off, tax neither added nor taken out.
    deal_sum_minor: int


# The units that a deal's words stand for. What is drafted from one is held against what it was
# drafted from (changes.py): a unit more here would look like a change of every deal that has it.
_UNITS = frozenset(("DAY", "HUR", "MON", "ANN", "KMT"))


class _Words(NamedTuple):
    description: str
    unit: str
    nature: str
    exemption_id: int | None = None
    item_id: int | None = None


def recurring_lines(deal: Deal) -> list[DealLine]:
    return [line for line in deal.lines.all() if line.enabled and line.recurs]


def has_subscription(deal: Deal) -> bool:
    """A subscription bills its recurring lines: a draft of the deal leaves them out."""
    return any(each.status != "discarded" for each in deal.subscriptions.all())


def drafted_for(
    deal: Deal, client: Client, company: Company | None, *, of: Sequence[DealLine] | None = None
) -> Drafted:
    """As a document for this client has them, with what the catalogue knows.

    Raises TotalsRefused.
    """
    return drafted_lines(
        deal,
        vat_treatment(client, company),
        of=of,
        vat_of_item=lambda item: vat_of(item, client, company),
    )


def drafted_lines(
    deal: Deal,
    treatment: VatTreatment,
    *,
    of: Sequence[DealLine] | None = None,
    vat_of_item: VatOfItem | None = None,
) -> Drafted:
    """All its lines, but for those that a subscription bills; or those in `of`, for a subscription.

    With `vat_of_item` a line without VAT of its own has that of its item. Raises TotalsRefused.
    Reads only what `with_what_billing_needs` prefetches.
    """
    words, amounts, notes = _read(deal, treatment, of, vat_of_item)
    discounts = _discounts(deal, shares_only=of is not None) if amounts else []
    totals = as_given = compute(amounts, currency=deal.currency, discounts=discounts)
    if deal.tax_method == Deal.TaxMethod.INCLUSIVE:
        restated = net_lines_from_gross(amounts, currency=deal.currency, discounts=discounts)
        amounts, discounts = list(restated.lines), list(restated.discounts)
        totals = compute(amounts, currency=deal.currency, discounts=discounts)
        if restated.difference_minor:
            notes.append(
                {
                    "code": "gross_differs",
                    "difference_minor": restated.difference_minor,
                    "currency": deal.currency,
                }
            )
    # The CRM does not say whether a product is goods or a service: its item does, and without one
    # what is usually sold is assumed.
    lines = [
        DraftLine(
            said.description,
            said.unit,
            line,
            exemption_id=said.exemption_id,
            nature=said.nature,
            item_id=said.item_id,
        )
        for said, line in zip(words, amounts, strict=True)
    ]
    if totals.allowances:
        lines += _discount_lines(totals, deal, treatment.nature.value)
        totals = compute([line.amounts for line in lines], currency=deal.currency)
    return Drafted(tuple(lines), tuple(notes), totals, as_given.net_minor)


def _read(
    deal: Deal,
    treatment: VatTreatment,
    of: Sequence[DealLine] | None,
    vat_of_item: VatOfItem | None,
) -> tuple[list[_Words], list[LineInput], list[dict[str, Any]]]:
    """The words and amounts of each line as given, and what staff should know about them."""
    notes: list[dict[str, Any]] = []
    enabled = [line for line in deal.lines.all() if line.enabled]
    taxed = any(line.tax_percent for line in enabled)
    words: list[_Words] = []
    assumed = False
    amounts: list[LineInput] = []
    if enabled:
        if of is not None or has_subscription(deal):
            enabled = list(of or (line for line in enabled if not line.recurs))
        for place, line in enumerate(enabled, 1):
            vat = _line_vat(deal, line, treatment, taxed=taxed, vat_of_item=vat_of_item)
            description, was_cut = _described(line)
            notes += _notes_of(line, place, vat, taxed=taxed, was_cut=was_cut)
            assumed = assumed or not (_names_vat(line) and vat_of_item)
            item = line.item if vat_of_item is not None else None
            words.append(
                _Words(
                    description,
                    _unit(line.unit),
                    item.nature if item is not None else treatment.nature.value,
                    vat.exemption_id,
                    line.item_id,
                )
            )
            amounts.append(_line_amounts(line, vat.category, vat.rate))
    else:
        notes.append({"code": "no_lines"})
        value = deal.value.amount
        assumed = True
        words.append(_Words(deal.title, PIECE, treatment.nature.value))
        amounts.append(
            LineInput(
                quantity=Decimal(-1 if value < 0 else 1),
                unit_price=abs(value),
                vat_rate=treatment.rate,
                vat_category=treatment.category,
            )
        )
    if assumed and not taxed and treatment.category == STANDARD:
        notes.append({"code": "vat_assumed", "rate": plain(treatment.rate)})
    return words, amounts, notes


def _discounts(deal: Deal, *, shares_only: bool) -> list[DiscountInput]:
    """Those of the whole deal. Of what recurs only shares: an amount is given once."""
    share = DealLine.DiscountKind.PERCENTAGE
    return [
        DiscountInput(
            percent=extra.value if extra.kind == share else Decimal(0),
            amount=Decimal(0) if extra.kind == share else extra.value,
            label=extra.description,
        )
        for extra in deal.discounts.all()
        if extra.kind == share or not shares_only
    ]


def _notes_of(
    line: DealLine, place: int, vat: LineVat, *, taxed: bool, was_cut: bool
) -> list[dict[str, Any]]:
    """What became of a line on its way into the invoice, as far as staff should know."""
    found: list[dict[str, Any]] = []
    if Decimal(vat.rate) != line.tax_percent and taxed and line.tax_percent:
        found.append({"code": "rate_rounded", "line": place, "rate": plain(vat.rate)})
    if vat.category == "E" and vat.exemption_id is None and taxed:
        found.append({"code": "exempt_assumed", "line": place})
    if was_cut:
        found.append({"code": "cut", "line": place, "limit": MAX_DESCRIPTION})
    if line.unit_price < 0:
        found.append({"code": "negative_price", "line": place})
    if line.recurs:
        found.append({"code": "recurring", "line": place, "every": line.billing_frequency})
    return found


def _discount_lines(totals: Totals, deal: Deal, nature: str) -> list[DraftLine]:
    """A discount of the whole deal as a line of quantity −1 for each VAT rate it falls on."""
    fr = deal.client is None or deal.client.language == "fr"
    found = []
    for part in totals.allowances:
        label = part.label.strip() or ("Remise" if fr else "Discount")
        if part.percent:
            label += f" ({plain(part.percent)} %)" if fr else f" ({plain(part.percent)}%)"
        amount = from_minor(abs(part.amount_minor), totals.currency).amount
        found.append(
            DraftLine(
                label[:MAX_DESCRIPTION],
                "C62",
                LineInput(
                    quantity=Decimal(-1 if part.amount_minor > 0 else 1),
                    unit_price=amount,
                    vat_rate=part.vat_rate,
                    vat_category=part.vat_category,
                ),
                nature=nature,
            )
        )
    return found


def _names_vat(line: DealLine) -> bool:
    return line.item is not None and bool(line.item.vat_category)


def _line_vat(
    deal: Deal,
    line: DealLine,
    treatment: VatTreatment,
    *,
    taxed: bool,
    vat_of_item: VatOfItem | None,
) -> LineVat:
    """The rate that the deal names; where it names none, the item's, and where that has none
    either, what the client's situation asks for."""
    if line.tax_percent and deal.tax_method != Deal.TaxMethod.NONE:
        return LineVat(STANDARD, line.tax_percent.quantize(HUNDREDTH, ROUND_HALF_UP), None)
    item = line.item if vat_of_item is not None else None
    own = vat_of_item(item) if vat_of_item is not None and item is not None else None
    if taxed and treatment.category not in ("AE", "K") and deal.tax_method != Deal.TaxMethod.NONE:
        # Other lines of this deal are taxed: that this one is not was meant. Its item may say why.
        return LineVat("E", Decimal(0), own.exemption_id if own is not None else None)
    return own or LineVat(treatment.category, treatment.rate, None)


def _line_amounts(line: DealLine, category: str, rate: Decimal) -> LineInput:
    quantity, price = line.quantity, line.unit_price
    if price < 0:
        # EN 16931 has no negative price: the quantity bears the sign.
        quantity, price = -quantity, -price
    is_percent = line.discount_kind == DealLine.DiscountKind.PERCENTAGE
    return LineInput(
        quantity=quantity,
        unit_price=price,
        vat_rate=rate,
        vat_category=category,
        discount_percent=line.discount if is_percent else Decimal(0),
        discount_amount=Decimal(0) if is_percent else line.discount,
    )


def _described(line: DealLine) -> tuple[str, bool]:
    text = "\n".join(part for part in (line.name.strip(), line.description.strip()) if part)
    if len(text) <= MAX_DESCRIPTION:
        return text, False
    return text[: MAX_DESCRIPTION - 1].rstrip() + "…", True


def _unit(word: str) -> str:
    unit = known_unit(word)
    return unit if unit in _UNITS else PIECE
