"""The lines of a draft as somebody gives them: read, or told what is wrong with each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from django.utils.translation import gettext as _

from invoices.company.exemptions import Exemptions
from invoices.documents.nature import Nature
from invoices.documents.totals import STANDARD, VAT_CATEGORIES, LineInput, TotalsRefused, compute
from invoices.invoicing.draft_lines import HUNDREDTH, MAX_DESCRIPTION, MAX_LINES, DraftLine
from invoices.models.natures import USUAL_NATURE

# What a person says of a line of a draft: columns of InvoiceLine.
LINE_FIELDS: Final = (
    "description",
    "quantity",
    "unit",
    "unit_price",
    "price_missing",
    "discount_percent",
    "discount_amount",
    "vat_category",
    "vat_rate",
    "exemption_id",
    "nature",
    "item_id",
)


def lines_in(
    lines: Sequence[Mapping[str, Any]], currency: str
) -> tuple[list[DraftLine], dict[str, str]]:
    problems: dict[str, str] = {}
    found: list[DraftLine] = []
    exemptions = Exemptions()
    if len(lines) > MAX_LINES:
        problems["lines"] = _("More than %(limit)s lines.") % {"limit": MAX_LINES}
        return found, problems
    for place, given in enumerate(lines):
        if unknown := set(given) - set(LINE_FIELDS):
            raise ValueError(f"a line knows no {', '.join(sorted(unknown))}")
        description = str(given.get("description", "")).strip()
        if len(description) > MAX_DESCRIPTION:
            problems[f"lines.{place}.description"] = _("At most %(limit)s characters.") % {
                "limit": MAX_DESCRIPTION
            }
        rate = Decimal(given.get("vat_rate", 0))
        category = str(given.get("vat_category", STANDARD if rate else "Z"))
        if category not in VAT_CATEGORIES:
            problems[f"lines.{place}.vat_category"] = _("Choose a VAT category.")
            continue
        line = LineInput(
            quantity=Decimal(given.get("quantity", 1)),
            unit_price=Decimal(given.get("unit_price", 0)),
            vat_rate=rate,
            vat_category=category,
            discount_percent=Decimal(given.get("discount_percent", 0)),
            discount_amount=Decimal(given.get("discount_amount", 0)),
        )
        if line.unit_price < 0:
            line = replace(line, quantity=-line.quantity, unit_price=-line.unit_price)
        if rate != rate.quantize(HUNDREDTH):
            problems[f"lines.{place}.vat_rate"] = _("At most two decimals.")
            continue
        try:
            compute([line], currency=currency)
        except TotalsRefused as refusal:
            problems[f"lines.{place}"] = str(refusal)
        unit = str(given.get("unit", "C62"))[:3] or "C62"
        missing = bool(given.get("price_missing")) and not line.unit_price
        why = given.get("exemption_id") if category in ("E", "AE") else None
        if why is not None and not exemptions.fits(why, category):
            problems[f"lines.{place}.vat_category"] = _("Choose why there is no VAT on the line.")
            why = None
        nature = str(given.get("nature", USUAL_NATURE))
        if nature not in set(Nature):
            problems[f"lines.{place}.nature"] = _("Choose goods or services.")
            continue
        item = given.get("item_id")
        found.append(DraftLine(description, unit, line, missing, why, nature, item))
    return found, problems
