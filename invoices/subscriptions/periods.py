"""The calendar of a subscription: which days each period has. Pure: no model, no clock.

Whole periods follow one another from `whole_from`, each counted from that day and never from the
one before, so that the 31st does not drift: 31 January, 28 February, 31 March. A start before
`whole_from` and an end within a period make part periods, which know the whole one that they are
part of. All days are inclusive.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

WEEK, MONTH, YEAR = "week", "month", "year"
# Nothing is planned beyond: a day further off is a slip of the pen.
LATEST: Final = date(2099, 12, 31)
_DAY: Final = timedelta(days=1)
# In a year, for what a subscription is worth in one.
PER_YEAR: Final = {WEEK: 52, MONTH: 12, YEAR: 1}


@dataclass(frozen=True)
class Period:
    # From 1.
    number: int
    first: date
    last: date
    # Of the whole period that this is, or is a part of.
    whole_first: date
    whole_last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def whole_days(self) -> int:
        return (self.whole_last - self.whole_first).days + 1

    @property
    def days_before(self) -> int:
        """Days of the whole period that lie before this part."""
        return (self.first - self.whole_first).days

    @property
    def is_whole(self) -> bool:
        return self.days == self.whole_days


@dataclass(frozen=True)
class Schedule:
    unit: str
    every: int
    starts_on: date
    whole_from: date
    # Day of the month on which whole periods begin, or the last one of a shorter month.
    month_day: int
    ends_on: date | None = None
    most_periods: int | None = None
    in_arrears: bool = False

    @property
    def begins_with_a_part(self) -> bool:
        return self.starts_on < self.whole_from

    def boundary(self, n: int) -> date:
        """The first day of the n-th whole period, 0 being the one that begins on `whole_from`."""
        if self.unit == WEEK:
            return self.whole_from + timedelta(weeks=self.every * n)
        months = self.every * n * (12 if self.unit == YEAR else 1)
        return on_month_day(self.whole_from, months, self.month_day)

    def period(self, number: int) -> Period | None:
        """The period of this number; None once the subscription has ended before it begins."""
        if self.most_periods is not None and number > self.most_periods:
            return None
        n = number - 1 - self.begins_with_a_part
        try:
            whole_first, whole_last = self.boundary(n), self.boundary(n + 1) - _DAY
        except (ValueError, OverflowError):
            return None
        first = max(whole_first, self.starts_on)
        last = whole_last if self.ends_on is None else min(whole_last, self.ends_on)
        if first > last or last > LATEST:
            return None
        return Period(number, first, last, whole_first, whole_last)

    def periods(self, number: int = 1) -> Iterator[Period]:
        """From this number on; endless but for the end of the calendar."""
        while (period := self.period(number)) is not None:
            yield period
            number += 1

    def due_on(self, period: Period) -> date:
        """The day on which its invoice is made: its first one in advance, its last in arrears."""
        return period.last if self.in_arrears else period.first

    def due_by(self, number: int, on: date, most: int) -> list[Period]:
        """At most `most` periods from this number on whose invoice is due on `on` or before."""
        found: list[Period] = []
        for period in self.periods(number):
            if self.due_on(period) > on or len(found) == most:
                break
            found.append(period)
        return found


def on_month_day(day: date, months: int, month_day: int) -> date:
    """So many months after the month of `day`, on its `month_day` or its last day."""
    month = day.year * 12 + day.month - 1 + months
    year, month = divmod(month, 12)
    length = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(month_day, length))


def is_last_of_month(day: date) -> bool:
    return (day + _DAY).day == 1


def schedule_problem(schedule: Schedule) -> str:
    """What is wrong with it, as a code; empty when nothing is. The words are the caller's."""
    if schedule.every < 1:
        return "every"
    if schedule.whole_from < schedule.starts_on:
        return "whole_before_start"
    if schedule.unit != WEEK and schedule.boundary(0) != schedule.whole_from:
        return "month_day"
    if schedule.begins_with_a_part and schedule.boundary(-1) > schedule.starts_on:
        # Two periods would lie before the first whole one.
        return "part_too_long"
    if schedule.ends_on is not None and schedule.ends_on < schedule.starts_on:
        return "ends_before_start"
    return ""
