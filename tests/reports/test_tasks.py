"""When the worker tells of a day."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from reports.schedules import SCHEDULES
from reports.tasks import TOLD_FROM, day_told_of

PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (datetime(2026, 11, 25, 0, 10), date(2026, 11, 24)),
        (datetime(2026, 11, 25, 7, 29), date(2026, 11, 24)),
        (datetime(2026, 11, 25, 7, 30), date(2026, 11, 25)),
        (datetime(2026, 11, 25, 23, 59), date(2026, 11, 25)),
        (datetime(2027, 1, 1, 3, 0), date(2026, 12, 31)),
        # The night in which clocks change.
        (datetime(2026, 3, 29, 3, 30), date(2026, 3, 28)),
    ],
)
def test_the_alerts_of_a_day_leave_from_half_past_seven_on(now, day):
    assert day_told_of(now.replace(tzinfo=PARIS)) == day


def test_the_morning_run_comes_at_the_hour_from_which_a_day_is_told_of():
    (morning,) = (each for each in SCHEDULES if each["name"] == "alerts-morning")
    assert morning["cron"] == f"{TOLD_FROM.minute} {TOLD_FROM.hour} * * *"
