"""Products of Pipedrive as items of the catalogue, and a deal's instalments (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from django.utils.translation import gettext as _

from billing_portal.money import is_currency
from billing_portal.notices import Notice
from integrations.core.http import Json
from integrations.crm.contract import InstalmentValues, ProductValues
from integrations.crm.values import (
    Refused,
    amount_minor,
    clean,
    column,
    cut,
    day_of,
    external_id,
    one_line,
)

LONGEST_CODE: Final = 40
LONGEST_DESCRIPTION: Final = 1_500


def product_values(thing: Json) -> ProductValues:
    """Raises Refused for one without a number of its own."""
    number = external_id(thing)
    notices: list[Notice] = []
    name = cut(_text(thing, "name"), 255, Notice("crm.the_name"), notices)
    given = thing.get("description")
    description = clean(given) if isinstance(given, str) else ""
    return ProductValues(
        number,
        cut(_text(thing, "code"), LONGEST_CODE, Notice("crm.the_code"), notices),
        name or _("Product %(number)s") % {"number": number},
        cut(description, LONGEST_DESCRIPTION, Notice("crm.the_description"), notices),
        _text(thing, "unit")[:40],
        _tax_of(thing, notices),
        _prices_of(thing, notices),
        # It is there, and may no longer be added to a deal: what was once its active flag.
        thing.get("is_linkable") is not False,
        thing.get("is_deleted") is True,
        notices,
    )


def _text(thing: Json, name: str) -> str:
    value = thing.get(name)
    return one_line(value) if isinstance(value, str) else ""


def _tax_of(thing: Json, notices: list[Notice]) -> Decimal:
    """In percent; nought where it is not given, which is the provider's word for that too."""
    tax = column(thing.get("tax") or 0, 3, 2, Notice("crm.the_vat_of_product"), notices)
    if not 0 <= tax < 100:
        notices.append(Notice("crm.product_vat_impossible", rate=f"{tax.normalize():f}"))
        return Decimal(0)
    return tax


def _prices_of(thing: Json, notices: list[Notice]) -> dict[str, Decimal]:
    """By currency; one that cannot be taken is left out and told."""
    found: dict[str, Decimal] = {}
    given = thing.get("prices")
    for each in given if isinstance(given, list) else ():
        if not isinstance(each, dict) or each.get("price") is None:
            continue
        currency = str(each.get("currency") or "").upper()[:10]
        if not is_currency(currency):
            notices.append(Notice("crm.price_currency", currency=one_line(currency) or "–"))
            continue
        what = Notice("crm.the_product_price", currency=currency)
        price = column(each["price"], 14, 6, what, notices)
        if price < 0:
            notices.append(Notice("crm.product_price_negative", currency=currency))
            continue
        found.setdefault(currency, price)
    return found


def instalment_values(
    rows: Sequence[Json], currency: str, notices: list[Notice]
) -> list[InstalmentValues]:
    """Oldest first; one without a day or an amount is left out, and told."""
    found = []
    for place, row in enumerate(rows, 1):
        where = Notice("crm.instalment", place=place)
        day = day_of(row.get("billing_date"), where, notices)
        try:
            minor = amount_minor(row.get("amount"), currency)
        except Refused:
            minor = 0
        if day is None or minor <= 0:
            notices.append(Notice("crm.instalment_left_out", place=place))
            continue
        words = cut(_text(row, "description"), 255, where, notices)
        found.append(InstalmentValues(words, minor, day))
    return sorted(found, key=lambda each: each.due_on)
