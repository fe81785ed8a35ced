"""What a cell of a report says: numbers as people read them, and where the rows behind it are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import ngettext

from billing_portal.figures import grouped, percent
from billing_portal.money import MINUS


@dataclass(frozen=True)
class Cell:
    """One figure of a table; `url` are the invoices that it counts."""

    text: str
    url: str = ""
    classes: str = ""
    strong: bool = False


@dataclass(frozen=True)
class Head:
    """The head of a column; `key` is what it sorts by, "" for none."""

    key: str
    label: str
    classes: str


@dataclass(frozen=True)
class Kpi:
    """One figure of the strip on top: label, value, unit, and a line below."""

    label: str
    value: str
    unit: str
    sub: str
    url: str = ""


@dataclass(frozen=True)
class Worklist:
    """A few rows of a selection, its whole count and where the rest is."""

    rows: Sequence[Any]
    count: int
    url: str

    @property
    def more(self) -> int:
        return self.count - len(self.rows)


def rounded(number: Fraction | None, places: int = 2) -> float | None:
    """Half away from zero, as people round."""
    if number is None:
        return None
    exact = Decimal(number.numerator) / Decimal(number.denominator)
    return float(exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP))


def days_text(days: int) -> str:
    return str(days).replace("-", MINUS)


def signed(days: int) -> str:
    return f"+{days}" if days > 0 else days_text(days)


def one_place(number: Any) -> str:
    found = rounded(number, 1)
    if found is None:
        return "–"
    return number_format(found, decimal_pos=1, use_l10n=True).replace("-", MINUS)


def plural_of(number: Any) -> int:
    """What `ngettext` is asked by for a number with decimals: French has 1.5 day, English 1.5 days,
    and of both 0 chooses that word."""
    found = abs(rounded(Fraction(number or 0), 1) or 0)
    return 1 if found == 1 else 0 if found < 2 else 2


def days_unit(number: Any) -> str:
    return ngettext("day", "days", plural_of(number))


def percent_text(share: Any) -> str:
    return "–" if share is None else percent(rounded(share * 100, 0))


def invoices_text(n: int) -> str:
    return ngettext("%(n)s invoice", "%(n)s invoices", n) % {"n": grouped(n)}
