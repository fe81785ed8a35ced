from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.delays.estimator import Curve, Estimate

days = st.dictionaries(st.integers(-40, 200), st.integers(1, 9), max_size=25)


@given(days, days)
def test_the_curve_equals_the_product_limit_counted_by_hand(paid, unfinished):
    share, expected = Fraction(1), []
    for day in sorted(paid):
        at_risk = sum(n for d, n in (*paid.items(), *unfinished.items()) if d >= day)
        share *= 1 - Fraction(paid[day], at_risk)
        expected.append((day, share))
    curve = Curve(paid, unfinished)
    assert [(step.day, step.share) for step in curve.steps] == expected
    for above, below in ((1, 2), (3, 4), (9, 10)):
        left = 1 - Fraction(above, below)
        first = next((day for day, share in expected if share <= left), None)
        assert curve.percentile(above, below) == first


@given(days, days, days)
def test_a_percentile_is_the_first_day_on_which_the_exact_curve_is_low_enough(
    paid, unfinished, entries
):
    curve = Curve(paid, unfinished, entries)
    for above, below in ((1, 10), (1, 2), (3, 4), (9, 10)):
        left = 1 - Fraction(above, below)
        first = next((step.day for step in curve.steps if step.share <= left), None)
        assert curve.percentile(above, below) == first


@given(days)
def test_without_open_invoices_the_median_is_the_plain_one(paid):
    ordered = sorted(day for day, number in paid.items() for _ in range(number))
    expected = ordered[math.ceil(len(ordered) / 2) - 1] if ordered else None
    assert Curve(paid, {}).p50 == expected


@given(days, days)
def test_the_interval_holds_the_median(paid, unfinished):
    curve = Curve(paid, unfinished)
    low, high = curve.median_interval()
    if curve.p50 is not None:
        assert low is None or low <= curve.p50
        assert high is None or high >= curve.p50


def test_a_threshold_met_exactly_counts_as_reached():
    # Ten paid one by one: after nine S is exactly one tenth, which floats miss.
    assert Curve(dict.fromkeys(range(1, 11), 1), {}).p90 == 9


def test_nothing_paid_is_not_reached_and_never_zero():
    curve = Curve({}, {30: 4})
    assert (curve.p50, curve.p75, curve.p90) == (None, None, None)
    assert curve.longest == 30
    assert curve.median_interval() == (None, None)
    assert Curve({}, {}).longest is None


def test_paid_comes_before_unfinished_on_the_same_day():
    (step,) = Curve({10: 1}, {10: 1}).steps
    assert (step.at_risk, step.share) == (2, Fraction(1, 2))


def test_rows_seen_late_are_at_risk_only_from_then_on():
    # Of two rows one was first seen on day 15: on day 10 only the other one was at risk.
    plain = Curve({10: 1, 20: 1}, {}, entries={0: 1, 15: 1})
    assert [step.at_risk for step in plain.steps] == [1, 1]
    late = Curve({10: 1, 20: 1}, {5: 1}, entries={0: 2, 15: 1})
    assert [step.at_risk for step in late.steps] == [1, 1]


def test_greenwood_on_a_known_example():
    # 6-MP arm of Freireich's trial (weeks of remission): median 23, interval from 13 on.
    relapsed = {6: 3, 7: 1, 10: 1, 13: 1, 16: 1, 22: 1, 23: 1}
    censored = {6: 1, 9: 1, 10: 1, 11: 1, 17: 1, 19: 1, 20: 1, 25: 1, 32: 2, 34: 1, 35: 1}
    curve = Curve(relapsed, censored)
    assert curve.p50 == 23
    assert curve.unpaid(10) == pytest.approx(0.7529, abs=1e-4)
    assert curve.median_interval() == (13, None)


def test_not_reached_speaks_of_the_last_day_with_five_at_risk():
    forgotten = Curve({1: 6}, {10: 8, 30: 4, 7300: 1})
    assert forgotten.estimate(1, 2) == Estimate("not_reached", None, 30)
    few = Curve({}, {3: 1, 9: 1})
    assert few.watched_until == 9
    assert few.estimate(1, 2) == Estimate("too_few", None)
    assert Curve({4: 5}, {}).estimate(1, 2) == Estimate("reached", 4)


@pytest.mark.parametrize(("paid", "certainty"), [(4, "too_few"), (5, "few"), (19, "few"), (20, "")])
def test_a_percentile_of_few_payments_carries_its_warning(paid, certainty):
    assert Curve({3: paid}, {1: 50}).certainty == certainty
