"""How late the clients of each type pay: in the old accounting, and as the demo goes on."""

import math
from collections.abc import Callable
from datetime import date, timedelta
from random import Random
from typing import Final, NamedTuple

NEVER_PAYS: Final = 0.006
QUARTER_DAYS: Final = 91.3
DRIFT_QUARTERS: Final = 8

Behaviour = Callable[[Random, float, date], int | None]


class _Habit(NamedTuple):
    """Days after due: `earliest` + a log-normal with the median and ninth decile given."""

    earliest: float
    median: float
    decile_9: float
    usual_invoice: float


_HABITS: Final = {
    "Public sector": _Habit(-6, 25, 80, 18_000),
    "International": _Habit(-7, 13, 39, 13_000),
    "Large account": _Habit(-9, 10.2, 31, 24_000),
    "SME": _Habit(-11, 7, 29, 9_000),
    "Start-up": _Habit(-6, 3.8, 38, 9_000),
    "Non-profit": _Habit(-8, 1.2, 12, 5_000),
}
_LONGEST: Final = 260


def payment_behaviour(client_type: str, *, today: date | None = None) -> Behaviour:
    """A function of (random source, invoice total, due date) that gives days after due, or None.

    Negative is early, None is never. Larger invoices wait somewhat longer. SMEs drift from a median
    of 3 days to one of 14 over the eight quarters before `today`.
    """
    habit = _HABITS.get(client_type, _HABITS["SME"])
    last_day = today or date.today()

    def days_after_due(rng: Random, total: float, due: date) -> int | None:
        earliest, median, decile_9, usual = habit
        if client_type == "SME":
            ago = (last_day - due).days / QUARTER_DAYS
            drift = min(1.0, max(0.0, 1 - ago / DRIFT_QUARTERS))
            median = 2.2 + 11 * drift
            decile_9 = median + 20
        if rng.random() < NEVER_PAYS:
            return None
        spread = math.log((decile_9 - earliest) / (median - earliest)) / 1.2816
        days = earliest + rng.lognormvariate(math.log(median - earliest), spread)
        size = math.log10(max(total, 1.0) / usual)
        days += max(-2.5, min(6.0, 4 * size))
        received = due + timedelta(days=round(min(days, _LONGEST)))
        # Banks do not book on Saturdays and Sundays.
        received += timedelta(
            days=max(0, 7 - received.weekday()) % 7 if received.weekday() > 4 else 0
        )
        return (received - due).days

    return days_after_due
