"""The calendar of a subscription: no gap, no overlap, no drift."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import islice, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from invoices.subscriptions.periods import LATEST, MONTH, WEEK, YEAR, Schedule, schedule_problem

DAYS = st.dates(date(2000, 1, 1), date(2060, 12, 31))


@st.composite
def schedules(draw):
    """Any calendar that may be saved: with or without a part period first, and an end."""
    unit = draw(st.sampled_from([WEEK, MONTH, YEAR]))
    every = draw(st.integers(1, 14))
    whole_from = draw(DAYS)
    month_day = whole_from.day
    if (whole_from + timedelta(days=1)).day == 1 and draw(st.booleans()):
        month_day = 31
    plain = Schedule(unit, every, whole_from, whole_from, month_day)
    before = (whole_from - plain.boundary(-1)).days
    starts_on = whole_from - timedelta(days=draw(st.integers(0, before)))
    ends_on = draw(st.none() | st.integers(0, 2000).map(lambda n: starts_on + timedelta(days=n)))
    return Schedule(
        unit,
        every,
        starts_on,
        whole_from,
        month_day,
        ends_on=ends_on,
        in_arrears=draw(st.booleans()),
    )


@settings(max_examples=150)
@given(schedules())
def test_periods_follow_each_other_from_the_start_to_the_end(schedule):
    assert schedule_problem(schedule) == ""
    found = list(islice(schedule.periods(), 40))
    assert found[0].first == schedule.starts_on
    assert [period.number for period in found] == list(range(1, len(found) + 1))
    for one, other in pairwise(found):
        assert other.first == one.last + timedelta(days=1)
        # A part period is the first or the last one, never one between.
        assert one.is_whole or one is found[0]
    if len(found) < 40 and found[-1].last != schedule.ends_on:
        # The calendar itself ended.
        following = schedule.boundary(len(found) - schedule.begins_with_a_part + 1)
        assert following > LATEST
    for period in found:
        assert period.whole_first <= period.first <= period.last <= period.whole_last
        assert schedule.due_on(period) in (period.first, period.last)


@settings(max_examples=150)
@given(schedules(), st.integers(0, 60))
def test_whole_periods_never_drift_from_their_day(schedule, n):
    day = schedule.boundary(n)
    if schedule.unit == WEEK:
        assert (day - schedule.whole_from).days == 7 * schedule.every * n
        return
    last = (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    assert day.day == min(schedule.month_day, last.day)
    months = (day.year - schedule.whole_from.year) * 12 + day.month - schedule.whole_from.month
    assert months == schedule.every * n * (12 if schedule.unit == YEAR else 1)


@settings(max_examples=80)
@given(schedules(), st.integers(1, 30))
def test_a_period_knows_itself_by_its_number_alone(schedule, number):
    """However far the task has come, the period of a number has the same days."""
    wanted = next(islice(schedule.periods(), number - 1, None), None)
    assert schedule.period(number) == wanted


def test_the_31st_is_the_last_day_of_each_month():
    schedule = Schedule(MONTH, 1, date(2027, 1, 31), date(2027, 1, 31), 31)
    assert [period.first for period in islice(schedule.periods(), 5)] == [
        date(2027, 1, 31),
        date(2027, 2, 28),
        date(2027, 3, 31),
        date(2027, 4, 30),
        date(2027, 5, 31),
    ]


def test_a_leap_day_comes_back_after_four_years():
    schedule = Schedule(YEAR, 1, date(2024, 2, 29), date(2024, 2, 29), 29)
    firsts = [period.first for period in islice(schedule.periods(), 5)]
    assert firsts[1:] == [
        date(2025, 2, 28),
        date(2026, 2, 28),
        date(2027, 2, 28),
        date(2028, 2, 29),
    ]


def test_a_start_within_a_quarter_makes_a_part_of_it():
    schedule = Schedule(MONTH, 3, date(2027, 2, 15), date(2027, 4, 1), 1)
    first, second = islice(schedule.periods(), 2)
    assert (first.first, first.last, first.days, first.whole_days) == (
        date(2027, 2, 15),
        date(2027, 3, 31),
        45,
        90,
    )
    assert (second.first, second.last, second.is_whole) == (
        date(2027, 4, 1),
        date(2027, 6, 30),
        True,
    )


def test_so_many_periods_and_no_more():
    schedule = Schedule(WEEK, 2, date(2027, 1, 4), date(2027, 1, 4), 4, most_periods=3)
    assert [period.last for period in schedule.periods()] == [
        date(2027, 1, 17),
        date(2027, 1, 31),
        date(2027, 2, 14),
    ]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"whole_from": date(2026, 12, 31)}, "whole_before_start"),
        ({"whole_from": date(2027, 3, 1)}, "part_too_long"),
        ({"month_day": 31}, "month_day"),
        ({"ends_on": date(2026, 12, 31)}, "ends_before_start"),
        ({"every": 0}, "every"),
    ],
)
def test_what_makes_no_calendar_is_named(fields, problem):
    given = {
        "unit": MONTH,
        "every": 1,
        "starts_on": date(2027, 1, 1),
        "whole_from": date(2027, 1, 1),
        "month_day": 1,
    }
    assert schedule_problem(Schedule(**{**given, **fields})) == problem


def test_the_end_of_the_calendar_ends_it():
    schedule = Schedule(YEAR, 120, date(2050, 1, 1), date(2050, 1, 1), 1)
    assert schedule.period(1) is None
