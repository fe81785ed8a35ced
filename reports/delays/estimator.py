"""When invoices get paid, open ones counted as what they are: unfinished observations (pure).

The product-limit estimator of Kaplan and Meier on a histogram of whole days. Shares are exact
quotients of integers: a percentile often meets its threshold exactly, where floats would miss it.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Literal, NamedTuple

# Below so many payments a percentile is not shown; below so many it is shown in grey.
TOO_FEW = 5
FEW = 20
# Far above what rounding can add up to over the days of a curve.
_TOO_NEAR = 1e-9
_Z95 = 1.959963984540054


State = Literal["reached", "not_reached", "too_few"]


@dataclass(frozen=True)
class Estimate:
    """A percentile as it may be shown: without a value, the state says why."""

    state: State
    value: int | None
    # Not reached: it lies beyond this day.
    beyond: int | None = None


class Step(NamedTuple):
    """The curve from `day` on: `above` ÷ `below` of the invoices are still unpaid."""

    day: int
    at_risk: int
    paid: int
    above: int
    below: int

    @property
    def share(self) -> Fraction:
        return Fraction(self.above, self.below)


@dataclass(frozen=True)
class Curve:
    """`paid` and `unfinished` map days to numbers of invoices; days may be negative.

    `entries` maps the day at which invoices were first seen to their number: those are at risk only
    after it (left truncation). The others are at risk from the beginning.
    """

    paid: Mapping[int, int]
    unfinished: Mapping[int, int]
    entries: Mapping[int, int] | None = None

    @cached_property
    def events(self) -> int:
        return sum(self.paid.values())

    @property
    def count(self) -> int:
        return self.events + sum(self.unfinished.values())

    @cached_property
    def longest(self) -> int | None:
        """The longest time that was observed, paid or not."""
        return max((*self.paid, *self.unfinished), default=None)

    @cached_property
    def steps(self) -> list[Step]:
        """One step per day on which something was paid. Paid comes before unfinished on one day."""
        return list(self._walk())

    def risks(self) -> Iterator[tuple[int, int, int]]:
        """Each day on which something was paid: how many were at risk, and how many were paid."""
        paid, unfinished = self.paid, self.unfinished
        at_risk = sum(paid.values()) + sum(unfinished.values())
        arrivals = sorted(self.entries.items()) if self.entries else []
        at_risk -= sum(number for _day, number in arrivals)
        arrivals.reverse()
        for day in sorted({**paid, **unfinished} if unfinished else paid):
            while arrivals and arrivals[-1][0] < day:
                at_risk += arrivals.pop()[1]
            here = paid.get(day, 0)
            if here and at_risk > 0:
                yield day, at_risk, here
            at_risk -= here
            if unfinished:
                at_risk -= unfinished.get(day, 0)

    def _walk(self) -> Iterator[Step]:
        return map(Step._make, self._products())

    def _products(self) -> Iterator[tuple[int, int, int, int, int]]:
        """The steps one by one: the integers grow with each, and a percentile needs the first."""
        above = below = pending = 1
        for day, at_risk, paid in self.risks():
            # (n - d) / n: equal neighbours cancel, which keeps the integers short.
            if at_risk != pending:
                above *= pending
                below *= at_risk
            pending = at_risk - paid
            yield day, at_risk, paid, above * pending, below

    def percentile(self, above: int, below: int) -> int | None:
        """The first day by which `above` ÷ `below` are paid; None: not reached so far."""
        # In floating point first, which decides nearly always; too near to call, exactly.
        unpaid, wanted = 1.0, (below - above) / below
        surely, perhaps = wanted - _TOO_NEAR, wanted + _TOO_NEAR
        for day, at_risk, paid in self.risks():
            unpaid *= (at_risk - paid) / at_risk
            if unpaid <= perhaps and (unpaid < surely or self._at_most(day, below - above, below)):
                return day
        return None

    def _at_most(self, day: int, above: int, below: int) -> bool:
        """Whether exactly `above` ÷ `below` or less are unpaid from a day of the curve on."""
        left, of = next((left, of) for then, _n, _k, left, of in self._products() if then == day)
        return left * below <= above * of

    def estimate(self, above: int, below: int) -> Estimate:
        """The percentile, unless too few payments stand behind it."""
        if self.events < TOO_FEW:
            return Estimate("too_few", None)
        value = self.percentile(above, below)
        if value is None:
            return Estimate("not_reached", None, self.watched_until)
        return Estimate("reached", value)

    @property
    def certainty(self) -> Literal["", "few", "too_few"]:
        """What stands beside every percentile that is printed, drawn or exported."""
        if self.events < TOO_FEW:
            return "too_few"
        return "few" if self.events < FEW else ""

    @cached_property
    def watched_until(self) -> int | None:
        """The last day with at least five at risk; with fewer rows, the longest time seen.

        One forgotten invoice of twenty years says nothing about the others.
        """
        left = TOO_FEW
        for day in sorted({*self.paid, *self.unfinished}, reverse=True):
            left -= self.paid.get(day, 0) + self.unfinished.get(day, 0)
            if left <= 0:
                return day
        return self.longest

    @cached_property
    def p50(self) -> int | None:
        return self.percentile(1, 2)

    @cached_property
    def p75(self) -> int | None:
        return self.percentile(3, 4)

    @cached_property
    def p90(self) -> int | None:
        return self.percentile(9, 10)

    def unpaid(self, day: int) -> float:
        """The share still unpaid at the end of `day`."""
        place = bisect_right(self.steps, day, key=lambda step: step.day)
        if not place:
            return 1.0
        step = self.steps[place - 1]
        return step.above / step.below

    def median_interval(self) -> tuple[int | None, int | None]:
        """95 % interval of the median, by Greenwood's variance of log(−log S)."""
        low = None
        spread = 0.0
        for step in self._walk():
            left = step.at_risk - step.paid
            if left and step.above != step.below:
                spread += step.paid / (step.at_risk * left)
                level = math.log(step.above / step.below)
                width = _Z95 * math.sqrt(spread) / abs(level)
                lower = math.exp(level * math.exp(width))
                upper = math.exp(level * math.exp(-width))
            else:
                # All paid: the variance has no value there, the band keeps its last upper end.
                lower, upper = (0.0, 1.0) if left == 0 else (1.0, 1.0)
            if low is None and lower <= 0.5:
                low = step.day
            # The lower end is never above the upper one, so it was met before; the rest of the
            # curve says nothing about the median.
            if upper <= 0.5:
                return low, step.day
        return low, None
