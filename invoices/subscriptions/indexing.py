"""Prices that follow a published index: new price = price × new value ÷ base value. Pure.

The new value is that of the base period's month or quarter, one year later at the first review, two
at the second. Each price is taken of the typed one and rounded half up once, to the decimals of the
currency or of the typed price where that has more, so that roundings never add up. A value that is
not known yet leaves the price of the review before; nothing is billed afterwards for the time
until it is known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from invoices.documents.totals import PRICE_DECIMALS, WIDE, sub_unit
from invoices.invoicing.draft_lines import MAX_DESCRIPTION, DraftLine
from invoices.subscriptions.periods import on_month_day

MONTHLY: Final = ("syntec",)
_MONTH, _QUARTER = re.compile(r"(\d{4})-(0[1-9]|1[0-2])"), re.compile(r"(\d{4})-[QT]([1-4])")


def read_period(index: str, text: str) -> str:
    """“2026-Q3”, also typed as 2026-T3 or Q3 2026; of a monthly index “2026-08”, also 08/2026.

    Raises ValueError.
    """
    said = text.strip().upper().replace(" ", "").replace("/", "-")
    turned = re.fullmatch(r"([QT]?\d{1,2})-?(\d{4})", said)
    if turned:
        said = f"{turned[2]}-{turned[1]}"
    if index in MONTHLY:
        said = re.sub(r"-(\d)$", r"-0\1", said)
        if not _MONTH.fullmatch(said):
            raise ValueError(text)
        return said
    found = _QUARTER.fullmatch(said)
    if found is None:
        raise ValueError(text)
    return f"{found[1]}-Q{found[2]}"


def later(period: str, years: int) -> str:
    return f"{int(period[:4]) + years}{period[4:]}"


def period_in_words(period: str, language: str) -> str:
    """“T3 2026”, “Q3 2026”, “08/2026”."""
    year, part = period.split("-")
    if part.startswith("Q"):
        return f"{'T' if language == 'fr' else 'Q'}{part[1:]} {year}"
    return f"{part}/{year}"


@dataclass(frozen=True)
class Indexed:
    index: str
    base_period: str
    first_review: date
    holds: bool
    # Of its index, by period.
    values: Mapping[str, Decimal]

    def reviews_until(self, day: date) -> int:
        """How many reviews lie on `day` or before."""
        count = max(0, day.year - self.first_review.year + 1)
        while count and self._review(count - 1) > day:
            count -= 1
        return count

    def _review(self, place: int) -> date:
        return on_month_day(self.first_review, 12 * place, self.first_review.day)

    def wanted(self, day: date) -> str:
        """The period by whose value a price of `day` goes; the base before the first review."""
        return later(self.base_period, self.reviews_until(day))

    def known(self, day: date) -> str | None:
        """The latest such period with a value by `day`; None where not even the base has one."""
        for years in range(self.reviews_until(day), -1, -1):
            if (period := later(self.base_period, years)) in self.values:
                return period
        return None

    def missing(self, day: date) -> str:
        """The period whose value is not known, though a price of `day` goes by it; "" if it is."""
        if self.base_period not in self.values and self.reviews_until(day):
            return self.base_period
        wanted = self.wanted(day)
        return "" if not self.reviews_until(day) or wanted in self.values else wanted

    def applied(
        self, line: DraftLine, *, since: date, until: date, currency: str, language: str
    ) -> DraftLine:
        """The line at the price of `until`, typed for `since`; with its arithmetic beneath."""
        old, new = self.known(since), self.known(until)
        price = line.amounts.unit_price
        if old is None or new is None or old == new or not price:
            return line
        typed = price.normalize(WIDE).as_tuple().exponent
        finest = max(len(str(sub_unit(currency))) - 1, -typed if isinstance(typed, int) else 0)
        exact = WIDE.divide(WIDE.multiply(price, self.values[new]), self.values[old])
        unit = Decimal(1).scaleb(-min(finest, PRICE_DECIMALS))
        changed = exact.quantize(unit, ROUND_HALF_UP, WIDE)
        told = self._arithmetic(price, old, new, changed, currency, language)
        text = line.description[: MAX_DESCRIPTION - len(told) - 1].rstrip()
        return replace(
            line,
            description=f"{text}\n{told}".strip(),
            amounts=replace(line.amounts, unit_price=changed),
        )

    def _arithmetic(
        self, price: Decimal, old: str, new: str, changed: Decimal, currency: str, language: str
    ) -> str:
        def said(number: Decimal) -> str:
            text = format(number.normalize(WIDE), "f")
            return text.replace(".", ",") if language == "fr" else text

        french = language == "fr"
        colon = "\u202f:" if french else ":"
        return (
            f"Indexation {self.index.upper()}{colon} {said(price)} × {said(self.values[new])} "
            f"({period_in_words(new, language)}) ÷ {said(self.values[old])} "
            f"({period_in_words(old, language)}) = {said(changed)} {currency}"
        )
