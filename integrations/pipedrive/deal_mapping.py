"""Deals of Pipedrive, their lines and discounts as ours (pure).

What is kept, what is cut, and what is said about it; a deal that cannot become an invoice as it is
is refused with a code that says why.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, tzinfo
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from django.utils.translation import gettext as _

from billing_portal.money import LARGEST_MINOR, is_currency, round_half_up
from billing_portal.notices import Notice, amount
from integrations.core.http import Json
from integrations.crm.contract import DealValues, DiscountValues, LineValues
from integrations.crm.fields import Found, Rules
from integrations.crm.values import (
    Refused,
    Unreadable,
    amount_minor,
    clean,
    column,
    cut,
    day_of,
    exact,
    external_id,
    moment_day,
    object_id,
    one_line,
)
from integrations.pipedrive.mapping import mapped
from integrations.pipedrive.product_mapping import instalment_values

LONGEST_DESCRIPTION: Final = 2_000
_CENT: Final = Decimal("0.01")
_FREQUENCIES: Final = frozenset(
    ("one-time", "annually", "semi-annually", "quarterly", "monthly", "weekly")
)


def asks_for_discounts(deal: Json, lines: Sequence[Json]) -> bool:
    """Whether the deal's value is not the sum of its lines: then it has discounts of its own."""
    if not lines or deal.get("is_deleted") is True:
        return False
    try:
        value = exact(deal.get("value") or 0)
        total = sum(
            (exact(line.get("sum") or 0) for line in lines if line.get("is_enabled") is not False),
            Decimal(0),
        )
    except Unreadable:
        return False
    return value != total


def may_have_instalments(deal: Json, lines: Sequence[Json]) -> bool:
    """The provider allows them beside lines that are billed once, and no others."""
    if deal.get("status") != "won" or deal.get("is_deleted") is True or not lines:
        return False
    return all(line.get("billing_frequency") in (None, "one-time") for line in lines)


def deal_values(
    deal: Json,
    lines: Sequence[Json],
    discounts: Sequence[Json],
    units: Mapping[int, str],
    rules: Rules,
    instalments: Sequence[Json] | None = None,
) -> DealValues:
    """Raises Refused with a sentence for a deal that cannot become an invoice as it is."""
    number = external_id(deal)
    found = mapped("deal", deal, rules)
    notices = found.notices
    currency = str(deal.get("currency") or "")[:10].upper()
    if not re.fullmatch(r"[A-Z]{3}", currency) or not is_currency(currency):
        raise Refused("crm.currency_unknown", currency=one_line(currency) or "–")
    value_minor = amount_minor(deal.get("value") or 0, currency)
    if value_minor < 0:
        notices.append(Notice("crm.value_negative", value=amount(value_minor, currency)))
    given = deal.get("title")
    title = cut(
        one_line(given) if isinstance(given, str) else "", 255, Notice("crm.the_title"), notices
    )
    ordered = sorted(lines, key=_place)
    read_lines = [
        _line_values(line, place, currency, units, found) for place, line in enumerate(ordered, 1)
    ]
    read_discounts = [_discount_values(each, notices) for each in discounts]
    _compare(value_minor, ordered, read_lines, read_discounts, currency, notices)
    return DealValues(
        number,
        title or _("Deal %(number)s") % {"number": number},
        object_id(deal.get("org_id")),
        object_id(deal.get("person_id")),
        object_id(deal.get("owner_id")),
        object_id(deal.get("stage_id")),
        _status(deal, notices),
        deal.get("is_archived") is True,
        currency,
        value_minor,
        _tax_method(ordered, notices),
        moment_day(deal.get("add_time"), Notice("crm.deal_created"), rules.zone, notices),
        _won_on(deal, rules.zone, notices),
        read_lines,
        read_discounts,
        found,
        None if instalments is None else instalment_values(instalments, currency, notices),
    )


def _status(deal: Json, notices: list[Notice]) -> str:
    if deal.get("is_deleted") is True:
        return "deleted"
    status = deal.get("status")
    if status in ("open", "won", "lost", "deleted"):
        return str(status)
    notices.append(Notice("crm.status_unknown"))
    return "open"


def _won_on(deal: Json, zone: tzinfo, notices: list[Notice]) -> date | None:
    if deal.get("status") != "won":
        return None
    name = Notice("crm.won_time")
    day = moment_day(deal.get("won_time"), name, zone, notices)
    return day or day_of(deal.get("local_won_date"), name, notices)


def _place(line: Json) -> tuple[int, int]:
    order, number = line.get("order_nr"), line.get("id")
    return (order if isinstance(order, int) else 0, number if isinstance(number, int) else 0)


def _tax_method(lines: Sequence[Json], notices: list[Notice]) -> str:
    methods = [line.get("tax_method") for line in lines]
    known = [str(method) for method in methods if method in ("exclusive", "inclusive", "none")]
    if len(set(known)) > 1:
        notices.append(Notice("crm.vat_ways_differ"))
    return known[0] if known else "exclusive"


def _line_values(
    line: Json, place: int, currency: str, units: Mapping[int, str], found: Found
) -> LineValues:
    notices = found.notices
    where = Notice("crm.line", place=place)
    quantity = column(
        line.get("quantity", 1), 12, 4, Notice("crm.the_quantity", where=where), notices
    )
    price = column(line.get("item_price", 0), 14, 6, Notice("crm.the_price", where=where), notices)
    shown = round_half_up(price, currency)
    if abs(shown) > LARGEST_MINOR:
        raise Refused("crm.price_too_large", place=place, price=amount(shown, currency))
    if price < 0:
        notices.append(Notice("crm.price_negative", place=place, price=amount(shown, currency)))
    if quantity < 0:
        notices.append(Notice("crm.quantity_negative", place=place))
    kind, discount = _discount_of(line, place, where, notices)
    comments = line.get("comments")
    description = clean(comments) if isinstance(comments, str) else ""
    name = cut(one_line(str(line.get("name") or "")), 255, where, notices)
    given = line.get("billing_frequency")
    frequency = given if isinstance(given, str) and given in _FREQUENCIES else "one-time"
    product_id = line.get("product_id")
    return LineValues(
        name or str(where),
        cut(description, LONGEST_DESCRIPTION, where, notices),
        quantity,
        units.get(product_id, "") if isinstance(product_id, int) else "",
        price,
        discount,
        kind,
        _tax_of(line, place, where, notices),
        line.get("is_enabled") is not False,
        frequency,
        *_recurrence(line, frequency, where, notices),
        object_id(product_id),
    )


def _recurrence(
    line: Json, frequency: str, where: Notice, notices: list[Notice]
) -> tuple[int | None, date | None]:
    """How often a recurring line is billed, and from when on; a line that is billed once has
    neither, whatever is left over in it."""
    if frequency == "one-time":
        return None, None
    cycles = line.get("billing_frequency_cycles")
    # Documented as at most 208; zero of them would mean that nothing recurs.
    known = isinstance(cycles, int) and not isinstance(cycles, bool) and 1 <= cycles <= 1200
    return (cycles if known else None), day_of(line.get("billing_start_date"), where, notices)


def _discount_of(
    line: Json, place: int, where: Notice, notices: list[Notice]
) -> tuple[str, Decimal]:
    discount = column(
        line.get("discount") or 0, 14, 6, Notice("crm.the_discount", where=where), notices
    )
    kind = "amount" if line.get("discount_type") == "amount" else "percentage"
    if discount < 0 or (kind == "percentage" and discount > 100):
        shown = f"{discount.normalize():f}"
        notices.append(Notice("crm.discount_impossible", place=place, discount=shown))
        discount = Decimal(0)
    return kind, discount


def _tax_of(line: Json, place: int, where: Notice, notices: list[Notice]) -> Decimal:
    tax = column(line.get("tax") or 0, 3, 4, Notice("crm.the_vat_rate", where=where), notices)
    if not 0 <= tax <= 100:
        notices.append(Notice("crm.vat_impossible", place=place, rate=f"{tax.normalize():f}"))
        tax = Decimal(0)
    return tax


def _discount_values(discount: Json, notices: list[Notice]) -> DiscountValues:
    what = Notice("crm.the_deal_discount")
    description = discount.get("description")
    text = one_line(description) if isinstance(description, str) else ""
    return DiscountValues(
        cut(text, 255, what, notices),
        "amount" if discount.get("type") == "amount" else "percentage",
        column(discount.get("amount") or 0, 14, 6, what, notices),
    )


def _compare(
    value_minor: int,
    raw_lines: Sequence[Json],
    lines: Sequence[LineValues],
    discounts: Sequence[DiscountValues],
    currency: str,
    notices: list[Notice],
) -> None:
    """How the provider rounds is not documented: we reckon ourselves and say where it differs."""
    subtotal = Decimal(0)
    for place, (raw, line) in enumerate(zip(raw_lines, lines, strict=True), 1):
        if not line.enabled:
            continue
        gross = line.quantity * line.unit_price
        off = gross * line.discount / 100 if line.discount_kind == "percentage" else line.discount
        net = (gross - off).quantize(_CENT, ROUND_HALF_UP)
        if abs(round_half_up(net, currency)) > LARGEST_MINOR:
            raise Refused("crm.line_too_large", place=place)
        subtotal += net
        try:
            theirs = exact(raw.get("sum"))
        except Unreadable:
            continue
        if abs(theirs - net) > _CENT and raw.get("tax_method") != "inclusive":
            notices.append(
                Notice(
                    "crm.line_differs",
                    place=place,
                    ours=amount(round_half_up(net, currency), currency),
                    theirs=amount(round_half_up(theirs, currency), currency),
                )
            )
    total = subtotal - sum(
        (
            subtotal * each.value / 100 if each.kind == "percentage" else each.value
            for each in discounts
        ),
        Decimal(0),
    )
    ours = round_half_up(total, currency)
    if lines and abs(ours - value_minor) > max(1, len(lines)):
        notices.append(
            Notice(
                "crm.value_differs",
                ours=amount(ours, currency),
                theirs=amount(value_minor, currency),
            )
        )
