"""Pipedrive's JSON to our values (pure): what is kept, what is cut, and what is said about it.

Texts stay plain text: markup, braces and emoji mean nothing here, and templates escape them.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cache
from typing import Any, Final

from babel import Locale
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _
from stdnum import get_cc_module
from stdnum.exceptions import ValidationError as NumberError
from stdnum.fr import siren as siren_number

from billing_portal.money import LARGEST_MINOR, formatted_minor, is_currency, round_half_up
from billing_portal.templatetags.portal import grouped

Json = dict[str, Any]

LONGEST_DESCRIPTION: Final = 2_000
_OLDEST, _LATEST = date(1990, 1, 1), date(2200, 1, 1)
# NUL and the halves of broken emoji cannot be stored; other control characters only do harm.
_UNSTORABLE: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_CENT: Final = Decimal("0.01")
_FREQUENCIES: Final = frozenset(
    ("one-time", "annually", "semi-annually", "quarterly", "monthly", "weekly")
)


class Refused(Exception):
    """The object cannot be taken; the message says why and what to do."""


class _Unreadable(Exception):
    pass


# ─ What the mapping page decides ────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Source:
    """Where a value of ours comes from; `values` gives our value for an option's id."""

    target: str
    entity: str
    code: str
    name: str
    field_type: str
    labels: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Rules:
    sources: tuple[Source, ...]
    # Names in small letters, and primary keys.
    client_types: Mapping[str, int]
    zone: tzinfo

    def of(self, entity: str) -> list[Source]:
        return [source for source in self.sources if source.entity == entity]


@dataclass
class Found:
    """Values by target; an empty field of the CRM is not in `values`, so ours stays."""

    values: dict[str, Any] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    # Worth knowing where the object is shown, but nothing that the import changed.
    hints: list[str] = field(default_factory=list)
    # target → option id that we have no value for
    unknown: dict[str, str] = field(default_factory=dict)


def read_mapped(thing: Json, entity: str, rules: Rules) -> Found:
    found = Found()
    for source in rules.sources:
        if source.entity != entity:
            continue
        raw = _raw(thing, source.code)
        if raw is None or raw in ("", [], {}):
            continue
        _READERS[source.target](source, raw, rules, found)
    return found


def _raw(thing: Json, code: str) -> Any:
    custom = thing.get("custom_fields")
    value = custom.get(code) if isinstance(custom, dict) else None
    return thing.get(code) if value is None else value


def _option(source: Source, raw: Any) -> str | None:
    """The option's id as text, for a field with options."""
    if isinstance(raw, dict) and "id" in raw:
        raw = raw["id"]
    if isinstance(raw, list):
        raw = raw[0] if raw else None
    if source.field_type not in ("enum", "set", "varchar_options", "status"):
        return None
    return str(raw) if isinstance(raw, (int, str)) and not isinstance(raw, bool) else None


def _label(source: Source, option: str) -> str:
    return source.labels.get(option, "")


def _text(raw: Any) -> str:
    if isinstance(raw, dict):
        raw = raw.get("value", "")
    return one_line(str(raw)) if isinstance(raw, (str, int, Decimal)) else ""


def _unknown(source: Source, option: str, found: Found) -> None:
    found.unknown[source.target] = option
    label = _label(source, option)
    shown = f"{label} ({option})" if label else option
    found.notices.append(
        _(
            "“%(field)s” has the option %(option)s, which stands for nothing here yet. "
            "Choose on the mapping page what it means."
        )
        % {"field": source.name, "option": shown}
    )


def _read_client_type(source: Source, raw: Any, rules: Rules, found: Found) -> None:
    option = _option(source, raw)
    if isinstance(raw, list) and len(raw) > 1:
        found.notices.append(
            _("“%(field)s” has several options; the first one counts.") % {"field": source.name}
        )
    chosen = source.values.get(option or "", "")
    if chosen.isdecimal() and int(chosen) in rules.client_types.values():
        found.values[source.target] = int(chosen)
        return
    name = _label(source, option) if option else _text(raw)
    if (known := rules.client_types.get(name.casefold())) is not None:
        found.values[source.target] = known
    else:
        _unknown(source, option or name[:80], found)


_END_OF_MONTH: Final = re.compile(r"end of (the )?month|fin de mois|\bfdm\b|\beom\b", re.I)
_END_FIRST: Final = re.compile(r"(end of (the )?month|fin de mois|fdm|eom)\D*(\d{1,3})", re.I)


def read_terms(text: str) -> tuple[str, int] | None:
    """“45 days end of month”, “fin de mois + 30”, “30”, “on receipt”, “net:30” as kind and days."""
    text = one_line(text).lower()
    if stored := re.fullmatch(r"(net|eom_after|eom_before):(\d{1,3})", text):
        return stored[1], int(stored[2])
    if re.search(r"receipt|réception|reception|comptant|immediate|immédiat", text):
        return ("net", 0)
    numbers = re.findall(r"\d+", text)
    if len(numbers) > 1 or (numbers and (len(numbers[0]) > 3 or int(numbers[0]) > 365)):
        return None
    if _END_OF_MONTH.search(text):
        days = int(numbers[0]) if numbers else 0
        return ("eom_before" if _END_FIRST.search(text) else "eom_after", days)
    return ("net", int(numbers[0])) if numbers else None


def _read_terms(source: Source, raw: Any, rules: Rules, found: Found) -> None:
    option = _option(source, raw)
    text = (source.values.get(option) or _label(source, option)) if option else _text(raw)
    if terms := read_terms(text):
        found.values[source.target] = terms
    elif option:
        _unknown(source, option, found)
    else:
        found.notices.append(
            _("“%(text)s” is not a payment term we can read; the terms were left as they are.")
            % {"text": text[:80]}
        )


def read_language(text: str) -> str | None:
    word = text.strip().lower()
    if word.startswith(("fr", "français")):
        return "fr"
    return "en" if word.startswith(("en", "ang", "brit")) else None


def _read_language(source: Source, raw: Any, rules: Rules, found: Found) -> None:
    option = _option(source, raw)
    text = (source.values.get(option) or _label(source, option)) if option else _text(raw)
    if language := read_language(text):
        found.values[source.target] = language
    elif option:
        _unknown(source, option, found)
    else:
        found.notices.append(
            _("“%(text)s” is not a language of our documents; it was left as it is.")
            % {"text": text[:80]}
        )


def vat_id_of(text: str) -> str:
    """The VAT id without blanks and points. Raises ValueError if its check fails."""
    compact = re.sub(r"[\s.\-/]", "", text).upper()
    if not re.fullmatch(r"[A-Z]{2}[A-Z0-9]{2,13}|CHE[0-9]{9}[A-Z]{0,4}", compact):
        raise ValueError(text)
    prefix = compact[:2].lower()
    if prefix not in _countries() and prefix not in ("el", "xi"):
        raise ValueError(text)
    if not re.search(r"\d.*\d", compact):
        raise ValueError(text)
    module = get_cc_module("gr" if compact[:2] == "EL" else compact[:2].lower(), "vat")
    if module is not None:
        try:
            module.validate(compact)
        except NumberError as error:
            raise ValueError(text) from error
    return compact


def _read_vat_id(source: Source, raw: Any, rules: Rules, found: Found) -> None:
    text = _text(raw)
    try:
        found.values[source.target] = vat_id_of(text)
    except ValueError:
        found.notices.append(
            _("The VAT id “%(text)s” fails its check and was not taken.") % {"text": text[:40]}
        )


def _read_siren(source: Source, raw: Any, rules: Rules, found: Found) -> None:
    text = _text(raw)
    compact = re.sub(r"[\s.\-]", "", text)
    # A SIRET is the SIREN with five digits for the place.
    number = compact[:9] if re.fullmatch(r"\d{14}", compact) else compact
    if siren_number.is_valid(number):
        found.values[source.target] = number
    else:
        found.notices.append(
            _("The SIREN “%(text)s” fails its check and was not taken.") % {"text": text[:40]}
        )


def email_of(text: str) -> str:
    """A usable address in small letters, or ""."""
    text = one_line(text).removeprefix("mailto:").strip()
    if len(text) > 254:
        return ""
    try:
        validate_email(text)
    except ValidationError:
        return ""
    return text.lower()


def _primary(entries: Any) -> str:
    """The value of the primary email or telephone of a person."""
    if not isinstance(entries, list):
        return ""
    named = [each for each in entries if isinstance(each, dict) and each.get("value")]
    named.sort(key=lambda each: each.get("primary") is not True)
    return one_line(str(named[0]["value"])) if named else ""


def _read_billing_email(source: Source, raw: Any, rules: Rules, found: Found) -> None:
    if source.field_type == "people" and isinstance(raw, int):
        # A person: whoever writes the rows knows the address.
        found.values["billing_person"] = raw
        return
    text = _primary(raw) if isinstance(raw, list) else _text(raw)
    addresses = [part for part in re.split(r"[,;\s]+", text) if part]
    email = email_of(addresses[0]) if addresses else ""
    if not email:
        found.notices.append(
            _("“%(text)s” is not an email address; the billing email was left as it is.")
            % {"text": text[:80]}
        )
        return
    if len(addresses) > 1:
        found.notices.append(
            _("Of several billing emails only the first, %(email)s, was taken.") % {"email": email}
        )
    found.values[source.target] = email


def _read_purchase_order(source: Source, raw: Any, rules: Rules, found: Found) -> None:
    option = _option(source, raw)
    text = _label(source, option) or option if option else _text(raw)
    found.values[source.target] = cut(text or "", 120, _("The purchase order"), found.notices)


def _read_service_period(source: Source, raw: Any, rules: Rules, found: Found) -> None:
    start, end = (raw.get("value"), raw.get("until")) if isinstance(raw, dict) else (raw, None)
    begin = _day(start, source.name, found.notices)
    until = _day(end, source.name, found.notices) or begin
    if begin and until and until < begin:
        found.notices.append(
            _("“%(field)s” ends before it begins; it was left empty.") % {"field": source.name}
        )
    elif begin and until:
        found.values[source.target] = (begin, until)


_READERS: Final = {
    "client_type": _read_client_type,
    "vat_id": _read_vat_id,
    "siren": _read_siren,
    "payment_terms": _read_terms,
    "billing_email": _read_billing_email,
    "language": _read_language,
    "purchase_order": _read_purchase_order,
    "service_period": _read_service_period,
}


# ─ Clients and contacts ─────────────────────────────────────────────────────────────────────────


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
    return ClientValues(number, name, _id(thing.get("owner_id")), address, found)


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


@cache
def _countries() -> dict[str, str]:
    names: dict[str, str] = {}
    for language in ("en", "fr", "de", "es", "it", "nl"):
        for code, name in Locale(language).territories.items():
            if len(code) == 2 and code.isalpha():
                names.setdefault(_folded(name), code)
    names |= {code.lower(): code for code in set(names.values())}
    return names | {"uk": "GB", "usa": "US", "u.s.a.": "US", "england": "GB"}


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.strip().lower())
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def country_code(text: str) -> str:
    """ISO 3166 letters of a country's name in the languages around us, or ""."""
    return _countries().get(_folded(text), "") if text else ""


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
    written = _primary(thing.get("emails"))
    email = email_of(written)
    if written and not email:
        found.notices.append(
            _("“%(text)s” is not an email address and was not taken.") % {"text": written[:80]}
        )
    job_title = thing.get("job_title")
    return ContactValues(
        number,
        _id(thing.get("org_id")),
        name or _("Person %(number)s") % {"number": number},
        email,
        _primary(thing.get("phones"))[:60],
        one_line(job_title)[:120] if isinstance(job_title, str) else "",
        found,
    )


# ─ Deals ────────────────────────────────────────────────────────────────────────────────────────


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
        value = _number(deal.get("value") or 0)
        total = sum(
            (
                _number(line.get("sum") or 0)
                for line in lines
                if line.get("is_enabled") is not False
            ),
            Decimal(0),
        )
    except _Unreadable:
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
    value_minor = _amount_minor(deal.get("value") or 0, currency)
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
        _id(deal.get("org_id")),
        _id(deal.get("person_id")),
        _id(deal.get("owner_id")),
        _id(deal.get("stage_id")),
        _status(deal, notices),
        deal.get("is_archived") is True,
        currency,
        value_minor,
        _tax_method(ordered, notices),
        _moment_day(deal.get("add_time"), _("Deal created"), rules.zone, notices),
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
    day = _moment_day(deal.get("won_time"), _("Won time"), zone, notices)
    return day or _day(deal.get("local_won_date"), _("Won time"), notices)


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
    quantity = _column(
        line.get("quantity", 1), 12, 4, _("%(where)s: the quantity") % {"where": where}, notices
    )
    price = _column(
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
    discount = _column(
        line.get("discount") or 0, 14, 6, _("%(where)s: the discount") % {"where": where}, notices
    )
    kind = "amount" if line.get("discount_type") == "amount" else "percentage"
    if discount < 0 or (kind == "percentage" and discount > 100):
        notices.append(
            _("Line %(place)s has a discount of %(discount)s, which cannot be; it was left out.")
            % {**named, "discount": f"{discount.normalize():f}"}
        )
        discount = Decimal(0)
    tax = _column(
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
        _column(discount.get("amount") or 0, 14, 6, what, notices),
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
            theirs = _number(raw.get("sum"))
        except _Unreadable:
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


# ─ People ───────────────────────────────────────────────────────────────────────────────────────


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


# ─ Small readers ────────────────────────────────────────────────────────────────────────────────


def external_id(thing: Json) -> int:
    number = _id(thing.get("id"))
    if number is None:
        raise Refused(_("It has no number, so it cannot be told from others."))
    return number


def _id(value: Any) -> int | None:
    if isinstance(value, dict):
        value = value.get("value", value.get("id"))
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 < value < 2**63 else None


def clean(text: str) -> str:
    return _UNSTORABLE.sub("", text)


def one_line(text: str) -> str:
    return " ".join(clean(text).split())


def cut(text: str, length: int, what: str, notices: list[str]) -> str:
    if len(text) <= length:
        return text
    notices.append(
        _("%(what)s was cut to %(length)s characters.") % {"what": what, "length": grouped(length)}
    )
    return text[: length - 1].rstrip() + "…"


def _number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise _Unreadable
    number = Decimal(value)
    # 1e999999999 is a short text and an endless integer.
    if not number.is_finite() or (number and not -30 <= number.adjusted() <= 30):
        raise _Unreadable
    return number


def _column(value: Any, whole_digits: int, places: int, what: str, notices: list[str]) -> Decimal:
    """`value` as a number that its column can hold. Raises Refused if it is too large."""
    try:
        number = _number(value)
        if number.adjusted() >= whole_digits:
            raise Refused(
                _("%(what)s is too large (%(value)s). Correct it in Pipedrive.")
                % {"what": what, "value": f"{number:,.2f}"}
            )
        rounded = number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    except (_Unreadable, InvalidOperation):
        raise Refused(
            _("%(what)s is not a number we can read. Correct it in Pipedrive.") % {"what": what}
        ) from None
    if rounded != number:
        notices.append(
            _("%(what)s was rounded to %(places)s decimals.") % {"what": what, "places": places}
        )
    return rounded


def _amount_minor(value: Any, currency: str) -> int:
    try:
        minor = round_half_up(_number(value), currency)
    except (_Unreadable, InvalidOperation):
        raise Refused(_("The deal’s value is not a number we can read.")) from None
    if abs(minor) > LARGEST_MINOR:
        raise Refused(
            _(
                "The deal’s value of %(value)s is larger than any amount here may be. "
                "Correct it in Pipedrive."
            )
            % {"value": formatted_minor(minor, currency)}
        )
    return minor


def _moment_day(value: Any, name: str, zone: tzinfo, notices: list[str]) -> date | None:
    """The day in our calendar of an RFC 3339 moment."""
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(str(value)[:40])
        day = (moment.astimezone(zone) if moment.tzinfo else moment).date()
    except (ValueError, OverflowError):
        return _day("?", name, notices)
    return _day(day.isoformat(), name, notices)


def _day(value: Any, name: str, notices: list[str]) -> date | None:
    if not value:
        return None
    try:
        day = date.fromisoformat(str(value)[:10])
        if _OLDEST <= day <= _LATEST:
            return day
    except ValueError:
        pass
    notices.append(
        _("“%(field)s” is no date we can use (%(value)s); it was left empty.")
        % {"field": name, "value": one_line(str(value))[:40]}
    )
    return None


def fingerprint(*values: object) -> str:
    """The same for the same values; notices are not part of it, for they are in some language."""
    return hashlib.sha256(repr(values).encode()).hexdigest()
