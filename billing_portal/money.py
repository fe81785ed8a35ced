"""Minor units to Money and back, rounding, how amounts are written and read."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from moneyed import Money, get_currency
from moneyed.classes import CurrencyDoesNotExist
from moneyed.l10n import format_money

MINUS = "\u2212"
# No single amount is larger: BigIntegerField holds it, and a printed total stays readable.
LARGEST_MINOR = 10**13


def is_currency(code: str) -> bool:
    try:
        get_currency(code)
    except CurrencyDoesNotExist:
        return False
    return True


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


def parse_decimal(text: str) -> Decimal:
    """Read 12480.5, 12480,5, 12,480.50 and 12 480,50. Raises ValueError with a sentence."""
    cleaned = re.sub(r"[\s\u00a0\u202f']", "", text).replace(MINUS, "-")
    cleaned = cleaned.strip("€$£")
    comma, dot = cleaned.rfind(","), cleaned.rfind(".")
    if comma >= 0 and dot >= 0:
        thousands = "," if dot > comma else "."
        cleaned = cleaned.replace(thousands, "")
    elif cleaned.count(",") > 1:
        cleaned = cleaned.replace(",", "")
    elif cleaned.count(".") > 1:
        cleaned = cleaned.replace(".", "")
    cleaned = cleaned.replace(",", ".")
    if not re.fullmatch(r"-?\d{1,18}(\.\d{0,12})?|-?\.\d{1,12}", cleaned):
        raise ValueError(_("“%(text)s” is not a number.") % {"text": text[:40]})
    try:
        return Decimal(cleaned)
    except InvalidOperation as problem:  # pragma: no cover - the pattern above excludes it
        raise ValueError(str(problem)) from problem


def as_typed(number: Decimal | str) -> str:
    """How a field shows a number: no groups, with the reader's decimal sign."""
    text = format(number, "f") if isinstance(number, Decimal) else number
    plain = reader_locale() == "fr_FR" and re.fullmatch(r"-?\d+\.\d+", text)
    return text.replace(".", ",") if plain else text


class DecimalTextField(forms.Field):
    """A number as people type it, with comma or point; cleans to Decimal."""

    widget = forms.TextInput

    def __init__(
        self,
        *,
        places: int = 6,
        least: Decimal | None = None,
        most: Decimal | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.places, self.least, self.most = places, least, most

    def prepare_value(self, value: Any) -> Any:
        return as_typed(value) if isinstance(value, Decimal | str) else value

    def to_python(self, value: Any) -> Decimal | None:
        if value in self.empty_values:
            return None
        try:
            number = parse_decimal(str(value))
        except ValueError as problem:
            raise ValidationError(str(problem)) from problem
        exponent = number.as_tuple().exponent
        if isinstance(exponent, int) and -exponent > self.places:
            raise ValidationError(
                _("At most %(places)s decimals here.") % {"places": self.places}, code="places"
            )
        if self.least is not None and number < self.least:
            raise ValidationError(_("At least %(least)s.") % {"least": as_typed(self.least)})
        if self.most is not None and number > self.most:
            raise ValidationError(_("At most %(most)s.") % {"most": as_typed(self.most)})
        return number


class MoneyField(DecimalTextField):
    """An amount in one currency as people type it; cleans to Money."""

    def __init__(self, *, currency: str, **options: Any) -> None:
        super().__init__(places=digits(currency), **options)
        self.currency = currency

    def to_python(self, value: Any) -> Money | None:  # type: ignore[override]
        number = super().to_python(value)
        if number is None:
            return None
        amount = Money(number, self.currency)
        if abs(to_minor(amount)) > LARGEST_MINOR:
            raise ValidationError(_("No amount here is that large: check the figure."))
        return amount
