"""What numbers look like: periods, places of the date, and who could meet whom."""

from __future__ import annotations

import re
from datetime import date
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoices.documents import numbers
from invoices.documents.numbers import MONTH, NEVER, YEAR, Pattern

ON = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("pattern", "period", "prefix", "number"),
    [
        (Pattern("F-{year}-", 4, YEAR), "2026", "F-2026-", "F-2026-0007"),
        (Pattern("FA", 6, NEVER), "", "FA", "FA000007"),
        (Pattern("F-{year}-{month}-", 4, MONTH), "2026-11", "F-2026-11-", "F-2026-11-0007"),
        (Pattern("{yy}{month}-", 3, MONTH), "2026-11", "2611-", "2611-007"),
        # What changes within the period stays open.
        (Pattern("F-{year}-{month}-", 4, YEAR), "2026", "F-2026-{month}-", "F-2026-11-0007"),
        (Pattern("F-{year}-", 4, NEVER), "", "F-{year}-", "F-2026-0007"),
        (Pattern("", 1, NEVER), "", "", "7"),
    ],
)
def test_a_pattern_has_a_period_and_a_beginning_in_it(pattern, period, prefix, number):
    assert (pattern.period(ON), pattern.prefix_in(ON)) == (period, prefix)
    assert numbers.filled(prefix, ON) + f"{7:0{pattern.width}d}" == number
    assert re.match(numbers.regex(pattern.prefix), number)
    assert not re.match(numbers.regex(pattern.prefix), f"{number}-B")


@given(st.dates(date(2000, 1, 1), date(2999, 12, 31)))
def test_a_day_lies_in_each_of_its_periods(day):
    for period in numbers.periods_of(day):
        assert numbers.first_day(period) <= day <= numbers.last_day(period)
    month, year, _never = numbers.periods_of(day)
    assert numbers.last_day(month).month == day.month
    assert numbers.last_day(year) == date(day.year, 12, 31)


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        (("F-{year}-", 4), ("A-{year}-", 4), False),
        (("F-{year}-", 4), ("F-{year}-", 6), True),
        (("F-", 4), ("F-1", 4), True),
        (("F-", 4), ("F-0", 4), False),
        (("FA", 6), ("FA{year}-", 4), False),
        (("FA", 6), ("FA{year}", 4), True),
        (("", 6), ("A", 6), False),
        (("", 3), ("{yy}{month}", 3), True),
        (("F{month}", 3), ("F9", 3), False),
        (("F{yy}-{month}", 3), ("F26-", 3), True),
    ],
)
def test_whether_two_beginnings_can_give_one_number(one, other, meet):
    assert numbers.may_meet(*one, *other) is meet
    assert numbers.may_meet(*other, *one) is meet


PREFIXES = st.lists(st.sampled_from(["F", "1", "0", "-", "{yy}", "{month}"]), max_size=4).map(
    "".join
)


@given(PREFIXES, st.integers(1, 3), PREFIXES, st.integers(1, 3))
def test_beginnings_that_cannot_meet_never_do(one, width, other, other_width):
    def given_by(prefix, width):
        days = [date(2000 + y, m, 1) for y in (1, 10, 11) for m in (1, 10, 11)]
        values = [1, 9, 10, 11, 100, 101, 110, 1001, 1010, 11011, 110110]
        return {numbers.filled(prefix, d) + f"{v:0{width}d}" for d, v in product(days, values)}

    if given_by(one, width) & given_by(other, other_width):
        assert numbers.may_meet(one, width, other, other_width)
