"""What the lines of a subscription cost in a period: rises, and the share of a part period. Pure.

Pro rata: a line of a part period costs what it would cost from the first day of the whole period to
the last day of the part, less what it would cost until the day before the part, each by days and
each rounded half up to the minor unit:

    part = round(net × days until its end ÷ days of the whole) − round(net × days before ÷ days)

So the parts of a whole period, wherever it is cut, sum to the net of the whole to the cent. (VAT is
rounded once per invoice, as EN 16931 does, and may differ by a cent between two invoices and one.)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from invoices.documents import mentions
from invoices.documents.adjustments import DISCOUNT, Adjustment, Part, few
from invoices.documents.totals import (
    PRICE_DECIMALS,
    WIDE,
    LineInput,
    line_total,
    round_half_up,
    sub_unit,
)
from invoices.invoicing.draft_lines import MAX_DESCRIPTION, DraftLine
from invoices.subscriptions.periods import Period, on_month_day

_PART = {
    "fr": "Au prorata\u202f: {days} jours sur {whole}, période entière {net}",
    "en": "Pro rata: {days} of {whole} days, whole period {net}",
}
_PART_OF_ONE_DAY = {
    "fr": "Au prorata\u202f: 1 jour sur {whole}, période entière {net}",
    "en": "Pro rata: 1 of {whole} days, whole period {net}",
}
LUMP_SUM = "LS"
Group = tuple[str, Decimal]


@dataclass(frozen=True)
class Rise:
    """Prices rise by `percent` on a day, or from it on that day of every year."""

    first_day: date
    percent: Decimal
    yearly: bool = False
    ends_before: date | None = None

    def days(self, after: date, until: date) -> list[date]:
        """The days on which it raises prices, later than `after` and not later than `until`."""
        if not self.yearly:
            found = [self.first_day]
        else:
            years = range(max(0, until.year - self.first_day.year) + 1)
            found = [on_month_day(self.first_day, 12 * year, self.first_day.day) for year in years]
        return [
            day
            for day in found
            if after < day <= until and (self.ends_before is None or day < self.ends_before)
        ]


def raised(
    line: LineInput, rises: Iterable[Rise], *, since: date, until: date, currency: str
) -> LineInput:
    """The line at the prices of `until`, typed for `since`.

    Each rise is taken of the price before it and rounded half up, to the decimals of the currency
    or of the typed price where that has more: what is printed can be recomputed from what was
    printed before. An amount off the line stays as it is, a percentage follows by itself.
    """
    steps = sorted(
        (day, place, rise.percent)
        for place, rise in enumerate(rises)
        for day in rise.days(since, until)
    )
    price = line.unit_price
    if not steps or not price:
        return line
    typed = price.normalize(WIDE).as_tuple().exponent
    finest = max(len(str(sub_unit(currency))) - 1, -typed if isinstance(typed, int) else 0)
    unit = Decimal(1).scaleb(-min(finest, PRICE_DECIMALS))
    for _day, _place, percent in steps:
        exact = WIDE.multiply(price, WIDE.add(Decimal(1), WIDE.divide(percent, Decimal(100))))
        price = exact.quantize(unit, ROUND_HALF_UP, WIDE)
    return replace(line, unit_price=price)


def part_of(net_minor: int, period: Period) -> int:
    """What this part of a whole period costs, in minor units."""

    def until(days: int) -> int:
        return round_half_up(Fraction(net_minor * days, period.whole_days))

    return until(period.days_before + period.days) - until(period.days_before)


def shared_out(
    lines: Sequence[DraftLine], period: Period, *, currency: str, language: str
) -> list[DraftLine]:
    """The lines of a part period: each a lump sum that says how it came about."""
    return [_share(line, period, currency, language) for line in lines]


def _share(line: DraftLine, period: Period, currency: str, language: str) -> DraftLine:
    unit = sub_unit(currency)
    net = line_total(line.amounts, unit).net_minor
    part = part_of(net, period)
    words = (_PART if period.days > 1 else _PART_OF_ONE_DAY)["fr" if language == "fr" else "en"]
    told = words.format(
        days=period.days,
        whole=period.whole_days,
        net=mentions.money(language, net, currency),
    )
    text = line.description[: MAX_DESCRIPTION - len(told) - 1].rstrip()
    return replace(
        line,
        description=f"{text}\n{told}".strip(),
        unit=LUMP_SUM,
        amounts=LineInput(
            # EN 16931 has no negative price: the quantity bears the sign.
            quantity=Decimal(-1 if part < 0 else 1),
            unit_price=Decimal(abs(part)) / unit,
            vat_rate=line.amounts.vat_rate,
            vat_category=line.amounts.vat_category,
        ),
    )


def shared_adjustments(
    parts: Sequence[Part],
    lines: Sequence[DraftLine],
    period: Period,
    *,
    currency: str,
    language: str,
) -> list[Adjustment]:
    """Of the discounts and charges of a whole period what falls on this part: amounts at each VAT
    rate, by days as the lines, so that the parts make the whole to the minor unit."""
    unit = sub_unit(currency)
    whole: dict[tuple[int, Group], int] = {}
    given = {id(part.adjustment): part.adjustment for part in parts}
    for part in parts:
        key = (id(part.adjustment), (part.sort.vat_category, part.sort.vat_rate))
        whole[key] = whole.get(key, 0) + part.minor
    # A discount of nearly everything: no more is taken off than this part of the lines is.
    room: dict[Group, int] = {}
    for line in lines:
        group = (line.amounts.vat_category, line.amounts.vat_rate)
        room[group] = room.get(group, 0) + line_total(line.amounts, unit).net_minor
    found = []
    for (which, group), whole_minor in whole.items():
        adjustment, minor = given[which], part_of(whole_minor, period)
        if adjustment.kind == DISCOUNT:
            minor = min(minor, room.get(group, 0))
            room[group] = room.get(group, 0) - max(minor, 0)
        if minor > 0:
            found.append(
                replace(
                    adjustment,
                    percent=Decimal(0),
                    amount=Decimal(minor) / unit,
                    reason=adjustment.as_amount(language),
                    only=group,
                )
            )
    return few(found)
