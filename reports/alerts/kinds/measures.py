"""P50, P75 and mean of days late, as rules compare them (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from reports.delays.tally import Tally
from reports.models import AlertRule

_SHARE = {AlertRule.Measure.P50: (1, 2), AlertRule.Measure.P75: (3, 4)}


@dataclass(frozen=True)
class Measured:
    """`value` is None when not reached, or without payments; `longest` is the longest seen.

    `behind` of the paid ones stand behind the value: a curve leaves out what was paid before its
    first sight.
    """

    value: int | Decimal | None
    longest: int | None
    paid: int
    open: int
    behind: int

    def above(self, days: int) -> bool:
        if self.value is not None:
            return self.value > days
        return self.behind > 0 and self.longest is not None and self.longest > days


def value_of(measure: str, tally: Tally) -> tuple[int | Decimal | None, int]:
    """P50, P75 (Kaplan–Meier) or mean of days late, and how many payments stand behind it."""
    if measure == AlertRule.Measure.MEAN:
        paid = tally.n_paid
        if not paid:
            return None, 0
        mean = Decimal(sum(days * n for days, n in tally.paid.items())) / paid
        return mean.quantize(Decimal("0.1"), ROUND_HALF_UP), paid
    curve = tally.curve
    if not curve.events:
        return None, 0
    return curve.percentile(*_SHARE[AlertRule.Measure(measure)]), curve.events


def measured(measure: str, tally: Tally) -> Measured:
    """The value as the delay report reads it, with what else is told of it."""
    value, behind = value_of(measure, tally)
    paid = tally.n_paid
    return Measured(value, tally.curve.longest, paid, tally.n - paid, behind)
