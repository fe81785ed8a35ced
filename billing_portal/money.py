"""Minor units to Money and back, rounding, how amounts are written."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import cache
from typing import NamedTuple

from babel.core import get_global
from django.utils.translation import get_language
from moneyed import Money, get_currency
from moneyed.classes import CurrencyDoesNotExist
from moneyed.l10n import format_money

MINUS = "\u2212"
# No single amount is larger: BigIntegerField holds it, and a printed total stays readable.
LARGEST_MINOR = 10**13
# Ended since Babel's list was made: Bulgaria has the euro from 1 January 2026.
_ENDED = {"BGN"}


def is_currency(code: str) -> bool:
    try:
        get_currency(code)
    except CurrencyDoesNotExist:
        return False
    return True


@cache
def currencies_in_force() -> frozenset[str]:
    """What is legal tender somewhere today, as far as amounts in it can be written here."""
    tender = {
        code
        for periods in get_global("territory_currencies").values()
        for code, _from, until, is_tender in periods
        if is_tender and until is None
    }
    return frozenset(code for code in tender - _ENDED if is_currency(code))


def digits(currency: str) -> int:
    """Decimals of the minor unit: EUR 2, JPY 0, TND 3."""
    return len(str(get_currency(currency).sub_unit)) - 1


def from_minor(amount_minor: int, currency: str) -> Money:
    return Money(amount_minor * (Decimal(1) / get_currency(currency).sub_unit), currency)


def to_minor(amount: Money) -> int:
    """Raises ValueError for an amount finer than the minor unit: round it first."""
    # Neither the column nor get_amount_in_sub_unit() would object: they cut decimals off.
    minor = Fraction(amount.amount) * amount.currency.sub_unit
    if minor.denominator != 1:
        raise ValueError(f"{amount!r} is finer than the minor unit: round it first.")
    return minor.numerator


def round_half_up(amount: Decimal, currency: str) -> int:
    """`amount` in major units, rounded half away from zero, in minor units."""
    return int((amount * get_currency(currency).sub_unit).to_integral_value(ROUND_HALF_UP))


def reader_locale() -> str:
    """Babel's name of the reader's language: plain `en` would give American dates and a bare $."""
    return "fr_FR" if (get_language() or "").startswith("fr") else "en_GB"


def formatted(amount: Money, locale: str | None = None) -> str:
    """The amount as the reader writes it: €1,234.50, 1 234,50 €, with a true minus sign."""
    text: str = format_money(amount, locale=locale or reader_locale(), decimal_quantization=False)
    return text.replace("-", MINUS)


def formatted_minor(amount_minor: int, currency: str, locale: str | None = None) -> str:
    """The same for minor units: a list writes a hundred amounts, and Babel takes 0.1 ms for one."""
    shape = _shape(currency, locale or reader_locale())
    if shape is None:
        return formatted(from_minor(amount_minor, currency), locale)
    whole, rest = divmod(abs(amount_minor), 10**shape.places)
    text = f"{whole:,}".replace(",", shape.group)
    if shape.places:
        text = f"{text}{shape.point}{rest:0{shape.places}d}"
    before, after = shape.negative if amount_minor < 0 else shape.positive
    return f"{before}{text}{after}"


class _Shape(NamedTuple):
    """What Babel writes around and between the digits of an amount."""

    places: int
    group: str
    point: str
    positive: tuple[str, str]
    negative: tuple[str, str]


@cache
def _shape(currency: str, locale: str) -> _Shape | None:
    """None if Babel drops the decimals of round amounts, as it does of Syrian pounds."""
    places = digits(currency)

    def sample(text: str, sign: int) -> re.Match[str] | None:
        pattern = r"(.*)1(\D*)234(?:\2)567" + (rf"(\D+){text}" if places else "()") + r"(.*)"
        written = formatted(from_minor(sign * int(f"1234567{text}"), currency), locale)
        return re.fullmatch(pattern, written, re.DOTALL)

    positive, negative = sample("8" * places, 1), sample("8" * places, -1)
    if not (positive and negative and sample("0" * places, 1)):
        return None
    return _Shape(
        places,
        positive[2],
        positive[3],
        (positive[1], positive[4]),
        (negative[1], negative[4]),
    )
