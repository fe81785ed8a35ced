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
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
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
    ends = _Ends(*sets)
    # A part that is in both sets moves both at once.
    parts = {*before, *now}
    if not ends.told or len(parts) < FEWEST_PARTS:
        return Comparison(*sets, chance=1.0)
    was, is_now = ends.shares
    pulls = [
        is_now.pull(now[key].curve if key in now else _NOBODY)
        - was.pull(before[key].curve if key in before else _NOBODY)
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
    was, is_now = _Ends(before, now).shares
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


_NOBODY = Curve({}, {})


class _Ends:
    def __init__(self, before: Tally, now: Tally) -> None:
        self.before, self.now = before, now
        self.told = min(before.n_paid, now.n_paid) >= TOO_FEW
        day = total((before, now)).curve.p50 if self.told else None
        self.told = day is not None
        self.day = day or 0

    @property
    def shares(self) -> tuple[_Share, _Share]:
        return _Share(self.before.curve, self.day), _Share(self.now.curve, self.day)


class _Share:
    """The share that is unpaid at the end of a day, and what each invoice adds to it."""

    def __init__(self, curve: Curve, day: int) -> None:
        self.day = day
        self.days: list[int] = []
        # Up to each day: what being at risk adds, and Greenwood's sum.
        self.at_risk, self.greenwood = [0.0], [0.0]
        self.by_payment: dict[int, float] = {}
        share = 1.0
        for then, at_risk, paid in curve.risks():
            if then > day:
                break
            # Where the last one is paid the share has no variance: half a payment is taken off.
            left = max(at_risk - paid, 0.5)
            share *= left / at_risk
            self.days.append(then)
            self.at_risk.append(self.at_risk[-1] + 1 / left - 1 / at_risk)
            self.greenwood.append(self.greenwood[-1] + (at_risk - left) / (at_risk * left))
            self.by_payment[then] = 1 / left
        self.share = share

    def _until(self, day: int) -> float:
        return self.at_risk[bisect_right(self.days, day)]

    def pull(self, curve: Curve) -> float:
        """How far the invoices of one part move the share, to first order."""
        found = sum(n * self._until(day) for day, n in _ended(curve))
        found -= sum(n * self._until(day) for day, n in (curve.entries or {}).items())
        found -= sum(n * self.by_payment.get(day, 0.0) for day, n in curve.paid.items())
        return found * self.share

    @property
    def variance(self) -> float:
        return self.share**2 * self.greenwood[-1]


def _ended(curve: Curve) -> Iterator[tuple[int, int]]:
    yield from curve.paid.items()
    yield from curve.unfinished.items()


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
