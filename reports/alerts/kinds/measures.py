"""P50, P75 and mean of days late, as rules compare them (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from reports.delays.estimator import Curve
from reports.models import AlertRule

_SHARE = {AlertRule.Measure.P50: (1, 2), AlertRule.Measure.P75: (3, 4)}


@dataclass(frozen=True)
class Measured:
    """`value` is None when not reached, or without payments; `longest` is the longest seen."""

    value: int | Decimal | None
    longest: int | None
    paid: int
    open: int

    def above(self, days: int) -> bool:
        if self.value is not None:
            return self.value > days
        return self.paid > 0 and self.longest is not None and self.longest > days


def measured(measure: str, paid: Mapping[int, int], unfinished: Mapping[int, int]) -> Measured:
    """P50, P75 (Kaplan–Meier) or mean of days late; both maps are days → number of invoices."""
    curve = Curve(paid, unfinished)
    value: int | Decimal | None = None
    if not curve.events:
        pass
    elif measure == AlertRule.Measure.MEAN:
        mean = Decimal(sum(t * m for t, m in paid.items())) / curve.events
        value = mean.quantize(Decimal("0.1"), ROUND_HALF_UP)
    else:
        value = curve.percentile(*_SHARE[AlertRule.Measure(measure)])
    return Measured(value, curve.longest, curve.events, sum(unfinished.values()))
