"""Objects of Pipedrive as ours (pure): what is kept, what is cut, and what is said about it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from django.utils.translation import gettext as _

from billing_portal.money import LARGEST_MINOR, formatted_minor, is_currency, round_half_up
from integrations.core.http import Json
from integrations.crm.fields import Found, Rules, read_mapped
from integrations.crm.values import (
    Refused,
    Unreadable,
    amount_minor,
    clean,
    column,
    country_code,
    cut,
    day_of,
    email_of,
    exact,
    external_id,
    moment_day,
    object_id,
    one_line,
    primary,
)

LONGEST_DESCRIPTION: Final = 2_000
_CENT: Final = Decimal("0.01")
_FREQUENCIES: Final = frozenset(
    ("one-time", "annually", "semi-annually", "quarterly", "monthly", "weekly")
)


# ─ Clients and contacts


@dataclass(frozen=True)
class Address:
    line1: str = ""
    line2: str = ""
    postal_code: str = ""
    city: str = ""
    country: str = ""


@dataclass
class ClientValues:
    external_id: int
    name: str
    owner_id: int | None
    address: Address
    found: Found


def client_values(thing: Json, rules: Rules) -> ClientValues:
    """Raises Refused for an object without an id."""
    number = external_id(thing)
    found = read_mapped(thing, "organization", rules)
    name = cut(one_line(str(thing.get("name") or "")), 255, _("The name"), found.notices)
    if not name:
        name = _("Organisation %(number)s") % {"number": number}
        found.notices.append(_("It has no name in Pipedrive."))
    address = address_of(thing.get("address"), found.notices)
    return ClientValues(number, name, object_id(thing.get("owner_id")), address, found)


def address_of(raw: Any, notices: list[str]) -> Address:
    if isinstance(raw, str):
        raw = {"value": raw}
    if not isinstance(raw, dict):
        return Address()

    def part(name: str) -> str:
        value = raw.get(name)
        return one_line(value) if isinstance(value, str) else ""

    whole, city, postal_code = part("value"), part("locality"), part("postal_code")
    street = " ".join(filter(None, (part("street_number"), part("route"))))
    country = country_code(part("country"))
    if not street and whole:
        street, city, postal_code, country = _split_address(whole, city, postal_code, country)
    if part("country") and not country:
        notices.append(
            _("“%(text)s” is not a country we know; check the country.")
            % {"text": part("country")[:60]}
        )
    address = _("The address")
    return Address(
        cut(street, 255, address, notices),
        cut(part("subpremise"), 255, address, notices),
        cut(postal_code, 20, _("The postal code"), notices),
        cut(city or part("admin_area_level_2"), 120, _("The town"), notices),
        country,
    )


def _split_address(
    whole: str, city: str, postal_code: str, country: str
) -> tuple[str, str, str, str]:
    """Somebody typed the address in one line: “12 rue X, 44000 Nantes, France”."""
    parts = [part.strip() for part in whole.split(",") if part.strip()]
    if len(parts) > 1 and (code := country_code(parts[-1])):
        country = country or code
        parts.pop()
    for place in range(len(parts) - 1, 0, -1):
        if town := re.fullmatch(r"([A-Z]{0,2}-?\d{4,6})\s+(\D.*)", parts[place]):
            city, postal_code = city or town[2], postal_code or town[1]
            del parts[place:]
            break
    return ", ".join(parts), city, postal_code, country


@dataclass
class ContactValues:
    external_id: int
    organization_id: int | None
    name: str
    email: str
    phone: str
    job_title: str
    found: Found


def contact_values(thing: Json, rules: Rules) -> ContactValues:
    """Raises Refused for an object without an id."""
    number = external_id(thing)
    found = read_mapped(thing, "person", rules)
    name = cut(one_line(str(thing.get("name") or "")), 255, _("The name"), found.notices)
    written = primary(thing.get("emails"))
    email = email_of(written)
    if written and not email:
        found.notices.append(
            _("“%(text)s” is not an email address and was not taken.") % {"text": written[:80]}
        )
    job_title = thing.get("job_title")
    return ContactValues(
        number,
        object_id(thing.get("org_id")),
        name or _("Person %(number)s") % {"number": number},
        email,
        primary(thing.get("phones"))[:60],
        one_line(job_title)[:120] if isinstance(job_title, str) else "",
        found,
    )


# ─ Deals


@dataclass(frozen=True)
class LineValues:
    name: str
    description: str
    quantity: Decimal
    unit: str
    unit_price: Decimal
    discount: Decimal
    discount_kind: str
    tax_percent: Decimal
    enabled: bool
    billing_frequency: str


@dataclass(frozen=True)
class DiscountValues:
    description: str
    kind: str
    value: Decimal


@dataclass
class DealValues:
    external_id: int
    title: str
    organization_id: int | None
    person_id: int | None
    owner_id: int | None
    stage_id: int | None
    status: str
    archived: bool
    currency: str
    value_minor: int
    tax_method: str
    added_on: date | None
    won_on: date | None
    lines: list[LineValues]
    discounts: list[DiscountValues]
    found: Found


def title_of(thing: Json) -> str:
    title = thing.get("title") or thing.get("name")
    return one_line(title)[:255] if isinstance(title, str) else ""


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


def deal_values(
    deal: Json,
    lines: Sequence[Json],
    discounts: Sequence[Json],
    units: Mapping[int, str],
    rules: Rules,
) -> DealValues:
    """Raises Refused with a sentence for a deal that cannot become an invoice as it is."""
    number = external_id(deal)
    found = read_mapped(deal, "deal", rules)
    notices = found.notices
    currency = str(deal.get("currency") or "")[:10].upper()
    if not re.fullmatch(r"[A-Z]{3}", currency) or not is_currency(currency):
        raise Refused(
            _(
                "“%(code)s” is not a currency the portal knows. "
                "Change the deal’s currency in Pipedrive."
            )
            % {"code": one_line(currency) or "–"}
        )
    value_minor = amount_minor(deal.get("value") or 0, currency)
    if value_minor < 0:
        notices.append(
            _("The deal’s value is negative (%(value)s).")
            % {"value": formatted_minor(value_minor, currency)}
        )
    given = deal.get("title")
    title = cut(one_line(given) if isinstance(given, str) else "", 255, _("The title"), notices)
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
        moment_day(deal.get("add_time"), _("Deal created"), rules.zone, notices),
        _won_on(deal, rules.zone, notices),
        read_lines,
        read_discounts,
        found,
    )


def _status(deal: Json, notices: list[str]) -> str:
    if deal.get("is_deleted") is True:
        return "deleted"
    status = deal.get("status")
    if status in ("open", "won", "lost", "deleted"):
        return str(status)
    notices.append(_("Its status is not one we know; it counts as open."))
    return "open"


def _won_on(deal: Json, zone: tzinfo, notices: list[str]) -> date | None:
    if deal.get("status") != "won":
        return None
    day = moment_day(deal.get("won_time"), _("Won time"), zone, notices)
    return day or day_of(deal.get("local_won_date"), _("Won time"), notices)


def _place(line: Json) -> tuple[int, int]:
    order, number = line.get("order_nr"), line.get("id")
    return (order if isinstance(order, int) else 0, number if isinstance(number, int) else 0)


def _tax_method(lines: Sequence[Json], notices: list[str]) -> str:
    methods = [line.get("tax_method") for line in lines]
    known = [str(method) for method in methods if method in ("exclusive", "inclusive", "none")]
    if len(set(known)) > 1:
        notices.append(_("Its lines state VAT in different ways; the first line’s way counts."))
    return known[0] if known else "exclusive"


def _line_values(
    line: Json, place: int, currency: str, units: Mapping[int, str], found: Found
) -> LineValues:
    notices, hints = found.notices, found.hints
    named = {"place": place}
    where = _("Line %(place)s") % named
    quantity = column(
        line.get("quantity", 1), 12, 4, _("%(where)s: the quantity") % {"where": where}, notices
    )
    price = column(
        line.get("item_price", 0), 14, 6, _("%(where)s: the price") % {"where": where}, notices
    )
    if abs(round_half_up(price, currency)) > LARGEST_MINOR:
        raise Refused(
            _(
                "Line %(place)s has a price of %(price)s; no amount here may be that large. "
                "Correct it in Pipedrive."
            )
            % {**named, "price": formatted_minor(round_half_up(price, currency), currency)}
        )
    if price < 0:
        notices.append(
            _("Line %(place)s has a negative price (%(price)s): it lowers the invoice.")
            % {**named, "price": formatted_minor(round_half_up(price, currency), currency)}
        )
    if quantity < 0:
        notices.append(_("Line %(place)s has a negative quantity: it lowers the invoice.") % named)
    discount = column(
        line.get("discount") or 0, 14, 6, _("%(where)s: the discount") % {"where": where}, notices
    )
    kind = "amount" if line.get("discount_type") == "amount" else "percentage"
    if discount < 0 or (kind == "percentage" and discount > 100):
        notices.append(
            _("Line %(place)s has a discount of %(discount)s, which cannot be; it was left out.")
            % {**named, "discount": f"{discount.normalize():f}"}
        )
        discount = Decimal(0)
    tax = column(
        line.get("tax") or 0, 3, 4, _("%(where)s: the VAT rate") % {"where": where}, notices
    )
    if not 0 <= tax <= 100:
        notices.append(
            _(
                "Line %(place)s has a VAT rate of %(rate)s %%, which cannot be; "
                "choose one on the draft."
            )
            % {**named, "rate": f"{tax.normalize():f}"}
        )
        tax = Decimal(0)
    comments = line.get("comments")
    description = clean(comments).strip() if isinstance(comments, str) else ""
    name = cut(one_line(str(line.get("name") or "")), 255, where, notices)
    given = line.get("billing_frequency")
    frequency = given if isinstance(given, str) and given in _FREQUENCIES else "one-time"
    product_id = line.get("product_id")
    if frequency != "one-time":
        hints.append(_("Line %(place)s recurs: a draft bills it once.") % named)
    return LineValues(
        name or where,
        cut(description, LONGEST_DESCRIPTION, where, notices),
        quantity,
        units.get(product_id, "") if isinstance(product_id, int) else "",
        price,
        discount,
        kind,
        tax,
        line.get("is_enabled") is not False,
        frequency,
    )


def _discount_values(discount: Json, notices: list[str]) -> DiscountValues:
    what = _("The discount of the deal")
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
    notices: list[str],
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
            raise Refused(
                _(
                    "Line %(place)s amounts to more than any amount here may be. "
                    "Correct it in Pipedrive."
                )
                % {"place": place}
            )
        subtotal += net
        try:
            theirs = exact(raw.get("sum"))
        except Unreadable:
            continue
        if abs(theirs - net) > _CENT and raw.get("tax_method") != "inclusive":
            notices.append(
                _("Line %(place)s amounts to %(ours)s; Pipedrive shows %(theirs)s.")
                % {
                    "place": place,
                    "ours": formatted_minor(round_half_up(net, currency), currency),
                    "theirs": formatted_minor(round_half_up(theirs, currency), currency),
                }
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
            _("Its lines amount to %(ours)s, its value says %(theirs)s; a draft takes the lines.")
            % {
                "ours": formatted_minor(ours, currency),
                "theirs": formatted_minor(value_minor, currency),
            }
        )


# ─ People


@dataclass(frozen=True)
class PersonOfCrm:
    external_id: int
    name: str
    email: str
    active: bool


def user_values(thing: Json) -> PersonOfCrm:
    """Raises Refused for one without an email: a person here is known by it."""
    number = external_id(thing)
    name = one_line(str(thing.get("name") or ""))[:255]
    email = email_of(str(thing.get("email") or ""))
    if not email:
        raise Refused(
            _("This user of Pipedrive has no usable email, so the deals have no owner here.")
        )
    active = thing.get("active_flag") is not False and thing.get("is_deleted") is not True
    return PersonOfCrm(number, name, email, active)
