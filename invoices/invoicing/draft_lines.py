"""A line of a draft before it is stored, and the words of the notes about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from babel.numbers import format_decimal
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing_portal.money import formatted_minor, reader_locale
from invoices.documents.totals import LineInput
from invoices.models.natures import USUAL_NATURE

MAX_DESCRIPTION = 2_000
MAX_LINES = 500
HUNDREDTH = Decimal("0.01")


@dataclass(frozen=True)
class DraftLine:
    """A line of a draft before it is stored: the arithmetic, and its words."""

    description: str
    unit: str
    amounts: LineInput
    # See InvoiceLine.price_missing.
    price_missing: bool = False
    # See InvoiceLine.exemption.
    exemption_id: int | None = None
    nature: str = USUAL_NATURE
    # See InvoiceLine.item.
    item_id: int | None = None


def plain(number: Decimal) -> str:
    return format(number.normalize() + 0, "f")


# How often a line of a deal recurs, by the word of the CRM.
FREQUENCIES: Final = {
    "weekly": gettext_lazy("weekly"),
    "monthly": gettext_lazy("monthly"),
    "quarterly": gettext_lazy("quarterly"),
    "semi-annually": gettext_lazy("every half year"),
    "annually": gettext_lazy("yearly"),
}


def told(note: Mapping[str, Any]) -> str:
    """A note of a draft (data["notes"] of its DRAFTED event) in the reader's language."""
    code, values = note.get("code"), dict(note)
    if "difference_minor" in values:
        values["difference"] = formatted_minor(values["difference_minor"], values["currency"])
    for name in ("sum", "amount"):
        if f"{name}_minor" in values:
            values[name] = formatted_minor(values[f"{name}_minor"], values["currency"])
    if "limit" in values:
        values["limit"] = format_decimal(values["limit"], locale=reader_locale())
    if code == "recurring":
        values["every"] = FREQUENCIES.get(values["every"], values["every"])
    sentences = {
        "cut": _("Line %(line)s was cut to %(limit)s characters."),
        "rate_rounded": _("The VAT rate of line %(line)s was rounded to %(rate)s %%."),
        "negative_price": _(
            "Line %(line)s has a negative price: on the invoice its quantity is negative instead."
        ),
        "recurring": _("Line %(line)s recurs (%(every)s): one period is billed here."),
        "instalments_taken": _(
            "The deal has instalments: they are the due dates, by their shares of its amount. VAT "
            "goes with each, and the last takes what rounding leaves."
        ),
        "instalments_differ": _(
            "The deal’s instalments come to %(sum)s, its lines to %(amount)s: they were kept with "
            "the deal, and the payment terms of the client hold here. Correct them in the CRM, or "
            "type the instalments by hand."
        ),
        "instalments_many": _(
            "The deal has more than %(limit)s instalments: they were kept with the deal, and the "
            "payment terms of the client hold here."
        ),
        "no_lines": _("The deal has no lines: one line bears its title and its value."),
        "vat_assumed": _("The deal names no VAT: %(rate)s %% was assumed."),
        "exempt_assumed": _(
            "Line %(line)s has no VAT in the deal, other lines have: it was taken as exempt."
        ),
        "gross_differs": _(
            "No price before VAT gives the deal's total exactly: it differs by %(difference)s."
        ),
    }
    sentence = sentences.get(str(code))
    return sentence % values if sentence else str(note.get("text", ""))
