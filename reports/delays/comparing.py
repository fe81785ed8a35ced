"""Whether one set of invoices is paid later than another, or seems so only by chance (pure).

The one rule for “worse”, “better”, “later” and “sooner” of the delay report. Compared is the share
that is still unpaid on the day by which half of both sets together are paid: the medians differ as
far as these shares do. Invoices of one client are not independent of each other, so clients, not
invoices, say how much chance there is; of several groups on one page each is asked the more, the
more of them there are (Holm): a page on which nothing changed claims something once in twenty.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from operator import mul
from typing import Literal, TypeVar

from reports.delays.estimator import TOO_FEW, Curve
from reports.delays.tally import Tally, total

# A page on which nothing changed may claim a change so often.
FALSE_CLAIMS = 0.05
# With fewer clients, or parts of them, nobody can say how much they differ by themselves.
FEWEST_PARTS = 5

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Comparison:
    """Two sets of invoices; `chance` is how often chance alone makes so large a difference."""

    before: Tally
    now: Tally
    chance: float

    @property
    def state(self) -> Literal["known", "too_few", "too_early"]:
        if min(self.before.n_paid, self.now.n_paid) < TOO_FEW:
            return "too_few"
        return "too_early" if None in (self.before.curve.p50, self.now.curve.p50) else "known"

    @property
    def change(self) -> int:
        """Days by which the median is later; 0 while one of them is not known."""
        now, before = self.now.curve.p50, self.before.curve.p50
        return 0 if now is None or before is None else now - before


def compare(before: Mapping[Key, Tally], now: Mapping[Key, Tally]) -> Comparison:
    """The tallies of both sets by client, or by parts of the clients."""
    sets = total(before.values()), total(now.values())
    # A part that is in both sets moves both at once.
    parts = {*before, *now}
    day = _middle(*sets) if len(parts) >= FEWEST_PARTS else None
    if day is None:
        return Comparison(*sets, chance=1.0)
    was, is_now = (_Share(each.curve, day) for each in sets)
    pull, pull_now = was.pulls(), is_now.pulls()
    pulls = [
        (pull_now(now[key].curve) if key in now else 0.0)
        - (pull(before[key].curve) if key in before else 0.0)
        for key in parts
    ]
    free = len(parts) - 1
    variance = sum(pull * pull for pull in pulls) * len(parts) / free
    return Comparison(*sets, chance=_chance(is_now.share - was.share, variance, free))


def compare_alone(before: Tally, now: Tally) -> Comparison:
    """Of a single client, where only its invoices can say how much chance there is (Greenwood)."""
    found = Comparison(before, now, chance=1.0)
    # A report has thousands of clients, and most of them nothing to tell.
    if found.state != "known" or not found.change:
        return found
    day = _middle(before, now)
    if day is None:
        return found
    was, is_now = _Share(before.curve, day), _Share(now.curve, day)
    return Comparison(
        before,
        now,
        chance=_chance(
            is_now.share - was.share,
            was.variance + is_now.variance,
            before.n_paid + now.n_paid - 2,
        ),
    )


def beyond_chance(compared: Mapping[Key, Comparison]) -> set[Key]:
    """Those of a page whose difference may be told."""
    known = [(each.chance, key) for key, each in compared.items() if each.state == "known"]
    told: set[Key] = set()
    for place, (chance, key) in enumerate(sorted(known, key=lambda pair: pair[0])):
        if chance > FALSE_CLAIMS / (len(known) - place):
            break
        told.add(key)
    return {key for key in told if compared[key].change}


def _middle(before: Tally, now: Tally) -> int | None:
    """The day by which half of both together are paid; None where it cannot be told."""
    if min(before.n_paid, now.n_paid) < TOO_FEW:
        return None
    return total((before, now)).curve.p50


class _Share:
    """The share that is unpaid at the end of a day, and what each invoice adds to it."""

    def __init__(self, curve: Curve, day: int) -> None:
        self.share = 1.0
        # Each day of payments until then: who was at risk, and who was left.
        self.days: list[tuple[int, int, float]] = []
        for then, at_risk, paid in curve.risks():
            if then > day:
                break
            # Where the last one is paid the share has no variance: half a payment is taken off.
            left = max(at_risk - paid, 0.5)
            self.share *= left / at_risk
            self.days.append((then, at_risk, left))

    def pulls(self) -> Callable[[Curve], float]:
        """How far the invoices of a part of the set move the share, to first order."""
        days = [then for then, _at_risk, _left in self.days]
        # Up to each day, what being at risk adds; less what is taken off on the day of a payment.
        sums = [0.0, *accumulate(1 / left - 1 / at_risk for _then, at_risk, left in self.days)]
        by_payment = {then: 1 / left for then, _at_risk, left in self.days}
        until = _OfDay(lambda day: sums[bisect_right(days, day)])
        of_paid = _OfDay(lambda day: until[day] - by_payment.get(day, 0.0))

        def pull(curve: Curve) -> float:
            found = _times(curve.paid, of_paid) + _times(curve.unfinished, until)
            return (found - _times(curve.entries or {}, until)) * self.share

        return pull

    @property
    def variance(self) -> float:
        """Greenwood's."""
        return self.share**2 * sum(
            (at_risk - left) / (at_risk * left) for _then, at_risk, left in self.days
        )


class _OfDay(dict[int, float]):
    """A value for every day, worked out once: the parts of a set share most of their days."""

    def __init__(self, value: Callable[[int], float]) -> None:
        self.value = value

    def __missing__(self, day: int) -> float:
        found = self[day] = self.value(day)
        return found


def _times(counts: Mapping[int, int], of_day: _OfDay) -> float:
    return float(sum(map(mul, counts.values(), map(of_day.__getitem__, counts))))


def _chance(difference: float, variance: float, free: int) -> float:
    """Two-sided, by Student's t with `free` degrees of freedom (Wallace's approximation)."""
    if variance <= 0 or free < 1:
        return 1.0
    squared = difference * difference / variance
    normal = (8 * free + 1) / (8 * free + 3) * math.sqrt(free * math.log1p(squared / free))
    return math.erfc(normal / math.sqrt(2))


def even_split(numbers: list[int]) -> int:
    """The place at which a list of numbers falls into the two parts that are nearest in sum."""
    whole = sum(numbers)
    places = range(1, len(numbers))
    return min(places, key=lambda at: abs(Fraction(whole, 2) - sum(numbers[:at])), default=0)
