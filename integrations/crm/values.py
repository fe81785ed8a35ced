"""Single values of the CRM's JSON as ours (pure): texts, numbers, days, identifiers.

Texts stay plain text: markup, braces and emoji mean nothing here, and templates escape them.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from datetime import date, datetime, tzinfo
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cache
from typing import Any

from babel import Locale
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from stdnum import get_cc_module
from stdnum.exceptions import ValidationError as NumberError

from billing_portal.money import LARGEST_MINOR, round_half_up
from billing_portal.notices import Notice, amount, count
from billing_portal.typed import texts
from integrations.core.http import Json

_OLDEST, _LATEST = date(1990, 1, 1), date(2200, 1, 1)


class Refused(Exception):
    """The object cannot be taken; the notice says why and what to do."""

    def __init__(self, code: str, **values: Any) -> None:
        self.notice = Notice(code, **values)
        super().__init__(code)

    def __str__(self) -> str:
        return str(self.notice)


class Unreadable(Exception):
    pass


# ─ Texts


def clean(text: str) -> str:
    """Several lines, without signs that cannot be seen: they are printed on the invoice."""
    return texts.lines(text)


def one_line(text: str) -> str:
    """Without line breaks and signs that cannot be seen: titles go into mails and lists."""
    return " ".join(texts.one_line(text).split())


def cut(text: str, length: int, what: Notice, notices: list[Notice]) -> str:
    if len(text) <= length:
        return text
    notices.append(Notice("crm.cut", what=what, length=count(length)))
    return text[: length - 1].rstrip() + "…"


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


def primary(entries: Any) -> str:
    """The value of the primary email or telephone of a person."""
    if not isinstance(entries, list):
        return ""
    named = [each for each in entries if isinstance(each, dict) and each.get("value")]
    named.sort(key=lambda each: each.get("primary") is not True)
    return one_line(str(named[0]["value"])) if named else ""


# ─ Numbers and amounts


def exact(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise Unreadable
    number = Decimal(value)
    # 1e999999999 is a short text and an endless integer.
    if not number.is_finite() or (number and not -30 <= number.adjusted() <= 30):
        raise Unreadable
    return number


def column(
    value: Any, whole_digits: int, places: int, what: Notice, notices: list[Notice]
) -> Decimal:
    """`value` as a number that its column can hold. Raises Refused if it is too large."""
    try:
        number = exact(value)
        if number.adjusted() >= whole_digits:
            raise Refused("crm.number_too_large", what=what, value=f"{number:,.2f}")
        rounded = number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    except (Unreadable, InvalidOperation):
        raise Refused("crm.no_number", what=what) from None
    if rounded != number:
        notices.append(Notice("crm.rounded", what=what, places=places))
    return rounded


def amount_minor(value: Any, currency: str) -> int:
    try:
        minor = round_half_up(exact(value), currency)
    except (Unreadable, InvalidOperation):
        raise Refused("crm.no_number", what=Notice("crm.the_value")) from None
    if abs(minor) > LARGEST_MINOR:
        raise Refused("crm.value_too_large", value=amount(minor, currency))
    return minor


def external_id(thing: Json) -> int:
    number = object_id(thing.get("id"))
    if number is None:
        raise Refused("crm.no_id")
    return number


def object_id(value: Any) -> int | None:
    if isinstance(value, dict):
        value = value.get("value", value.get("id"))
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 < value < 2**63 else None


# ─ Days


def moment_day(value: Any, name: Notice | str, zone: tzinfo, notices: list[Notice]) -> date | None:
    """The day in our calendar of an RFC 3339 moment."""
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(str(value)[:40])
        day = (moment.astimezone(zone) if moment.tzinfo else moment).date()
    except (ValueError, OverflowError):
        return day_of(str(value), name, notices)
    return day_of(day.isoformat(), name, notices)


def day_of(value: Any, name: Notice | str, notices: list[Notice]) -> date | None:
    if not value:
        return None
    try:
        day = date.fromisoformat(str(value)[:10])
        if _OLDEST <= day <= _LATEST:
            return day
    except ValueError:
        pass
    notices.append(Notice("crm.no_date", field=name, value=one_line(str(value))[:40]))
    return None


# ─ Countries and identifiers


@cache
def countries() -> dict[str, str]:
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
    return countries().get(_folded(text), "") if text else ""


def vat_id_of(text: str) -> str:
    """The VAT id without blanks and points. Raises ValueError if its check fails."""
    compact = re.sub(r"[\s.\-/]", "", text).upper()
    if not re.fullmatch(r"[A-Z]{2}[A-Z0-9]{2,13}|CHE[0-9]{9}[A-Z]{0,4}", compact):
        raise ValueError(text)
    prefix = compact[:2].lower()
    if prefix not in countries() and prefix not in ("el", "xi"):
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


def fingerprint(*values: object) -> str:
    """The same for the same values; notices are not part of it, for they are in some language."""
    return hashlib.sha256(repr(values).encode()).hexdigest()
