"""What a late invoice may be charged beside its balance (C. com. L441-10, D441-5).

Simple interest on the principal that was open, per day of 365, at the rate in force on each day,
from the day after the due date; the flat indemnity once, as soon as the invoice was late at all.
A claim, never part of the balance.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

YEAR = 365


@dataclass(frozen=True)
class Rate:
    """Percent a year, from that day on; until its last day, or until another begins."""

    starts_on: date
    percent: Decimal
    ends_on: date | None = None


@dataclass(frozen=True)
class Step:
    """Days [first, last] with the same principal and rate; `percent` None where none is known."""

    first: date
    last: date
    open_minor: int
    percent: Decimal | None

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


@dataclass(frozen=True)
class Claim:
    """Interest in the invoice's minor units; None when no rate is known for a late day."""

    interest_minor: int | None
    indemnity_minor: int
    days_late: int
    # The rates that were used, oldest first.
    percents: tuple[Decimal, ...]
    # What the interest was worked out from, in the order of days: open × percent × days / 36,500.
    steps: tuple[Step, ...] = ()


def claim(
    *,
    total_minor: int,
    due_date: date,
    settled: Iterable[tuple[date, int]],
    on: date,
    rates: Sequence[Rate],
    indemnity_minor: int,
) -> Claim | None:
    """The claim at the end of `on`; None when nothing was ever late.

    `settled` are days and amounts (negative when taken back) that lowered the principal: the day
    on which money arrived still bears interest on what was open before it.
    """
    open_minor = total_minor
    steps: dict[date, int] = {}
    for day, amount in settled:
        if day <= due_date:
            open_minor -= amount
        elif day <= on:
            steps[day] = steps.get(day, 0) + amount
    interest = Fraction(0)
    unknown = False
    days_late = 0
    used: dict[date, Decimal] = {}
    told: list[Step] = []
    # Interest runs on the days (start, end] at what was open after `start`.
    start = due_date
    for end in sorted({*steps, max(on, due_date)}):
        if open_minor > 0 and end > start:
            days_late += (end - start).days
            for first, days, rate in _at_rates(start, end, rates):
                last = first + timedelta(days=days - 1)
                told.append(Step(first, last, open_minor, rate.percent if rate else None))
                if rate is None:
                    unknown = True
                    continue
                used[rate.starts_on] = rate.percent
                interest += Fraction(open_minor) * days * Fraction(rate.percent) / (100 * YEAR)
        open_minor -= steps.get(end, 0)
        start = end
    if not days_late:
        return None
    rounded = int(
        (Decimal(interest.numerator) / Decimal(interest.denominator)).to_integral_value(
            ROUND_HALF_UP
        )
    )
    return Claim(
        interest_minor=None if unknown else rounded,
        indemnity_minor=indemnity_minor,
        days_late=days_late,
        percents=tuple(used[day] for day in sorted(used)),
        steps=tuple(told),
    )


def together(claims: Iterable[Claim | None]) -> Claim | None:
    """The claim of an invoice in instalments: each bears its own interest, the indemnity is due
    once."""
    found = [claim for claim in claims if claim is not None]
    if not found:
        return None
    known = [claim.interest_minor for claim in found if claim.interest_minor is not None]
    return Claim(
        interest_minor=sum(known) if len(known) == len(found) else None,
        indemnity_minor=found[0].indemnity_minor,
        days_late=max(claim.days_late for claim in found),
        percents=tuple(dict.fromkeys(each for claim in found for each in claim.percents)),
        steps=tuple(step for claim in found for step in claim.steps),
    )


def _at_rates(
    start: date, end: date, rates: Sequence[Rate]
) -> Iterable[tuple[date, int, Rate | None]]:
    """The days of (start, end] cut where a rate begins or ends: the first of them, how many, and
    their rate; None: no rate is known for them."""
    known = sorted(rates, key=lambda rate: rate.starts_on)
    first = start + timedelta(days=1)
    changes = {rate.starts_on for rate in known}
    changes |= {rate.ends_on + timedelta(days=1) for rate in known if rate.ends_on}
    cuts = [first, *sorted(day for day in changes if first < day <= end)]
    for place, begin in enumerate(cuts):
        last = cuts[place + 1] - timedelta(days=1) if place + 1 < len(cuts) else end
        yield begin, (last - begin).days + 1, rate_on(known, begin)


def rate_on(known: Sequence[Rate], day: date) -> Rate | None:
    """The one that began last and has not ended; `known` in the order of their first days."""
    for rate in reversed(known):
        if rate.starts_on <= day and (rate.ends_on is None or day <= rate.ends_on):
            return rate
    return None
