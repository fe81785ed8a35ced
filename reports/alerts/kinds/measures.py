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


def measured(measure: str, tally: Tally) -> Measured:
    """P50, P75 (Kaplan–Meier) or mean of days late, as the delay report reads them."""
    curve, paid = tally.curve, tally.n_paid
    is_mean = measure == AlertRule.Measure.MEAN
    behind = paid if is_mean else curve.events
    value: int | Decimal | None = None
    if not behind:
        pass
    elif is_mean:
        mean = Decimal(sum(days * n for days, n in tally.paid.items())) / paid
        value = mean.quantize(Decimal("0.1"), ROUND_HALF_UP)
    else:
        value = curve.percentile(*_SHARE[AlertRule.Measure(measure)])
    return Measured(value, curve.longest, paid, tally.n - paid, behind)
