"""The back-test is the daily run, day by day since the first day of the books."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from reports.alerts import running
from reports.alerts.backtest import backtest, try_thresholds
from reports.alerts.kinds.base import Episode
from reports.alerts.kinds.registry import kind_of
from reports.alerts.subjects import subject_column
from reports.alerts.telling import days_told, whole_episodes
from tests.factories import (
    make_client,
    make_client_type,
    make_company,
    make_deal,
    make_invoice,
    make_rule,
    settle,
)
from tests.reports.golden import pay
from tests.reports.test_past_days import bounce

ON = date(2026, 11, 24)
DAY = timedelta(days=1)
FIRST = ON - 210 * DAY
KINDS = {
    "overdue": {"days": 12, "amount_minor": 30_00},
    "type_delay": {"days": 6, "min_payments": 5, "window_days": 60},
    "habit": {"days": 4, "min_payments": 5, "window_days": 200, "measure": "p75"},
    "not_invoiced": {"days": 5},
}


@pytest.fixture(autouse=True)
def company(db):
    return make_company(currency="EUR", language="en")


def random_books(seed):
    """Clients of two types whose manners change with the season, part payments, deals."""
    chance = random.Random(seed)
    clients = [make_client(client_type=make_client_type(f"Type {n % 2}")) for n in range(4)]
    for _n in range(60):
        issued = FIRST + chance.randrange(200) * DAY
        client = chance.choice(clients)
        total = chance.randrange(10_00, 200_00)
        invoice = make_invoice(
            client=client, issue_date=issued, due_date=issued + 15 * DAY, total_minor=total
        )
        slow = 25 if (issued - FIRST).days % 90 > 45 else 3
        paid_on = issued + (15 + chance.randrange(-5, slow)) * DAY
        if chance.random() < 0.15:
            pay(invoice, total // 2, paid_on)
            paid_on += chance.randrange(40) * DAY
            if paid_on < ON:
                pay(invoice, total - total // 2, paid_on)
        elif paid_on < ON - 30 * DAY and chance.random() < 0.1:
            day = max(paid_on, issued)
            bounce(pay(invoice, total, day), day + chance.randrange(1, 30) * DAY)
        elif paid_on < ON and chance.random() < 0.93:
            settle(invoice, paid_on, by="payment" if chance.random() < 0.9 else "credit")
    for _n in range(6):
        deal = make_deal(won_on=FIRST + chance.randrange(200) * DAY)
        if chance.random() < 0.6:
            make_invoice(
                deal=deal, client=deal.client, issue_date=deal.won_on + chance.randrange(20) * DAY
            )


@pytest.mark.parametrize(("seed", "quiet"), [(1, 0), (2, 9)])
def test_the_preview_says_what_the_run_said_day_by_day(seed, quiet):
    random_books(seed)
    rules = [
        make_rule(name=kind, kind=kind, cooldown_days=quiet, **fields)
        for kind, fields in KINDS.items()
    ]
    day = FIRST
    while day <= ON:
        running.run(on=day)
        day += DAY
    for rule in rules:
        tried = backtest(rule, ON, months=3)
        said = rule.alerts.filter(fired_on__gte=tried.since)
        expected = sorted(said.values_list("fired_on", subject_column(rule)))
        assert sorted((firing.on, firing.subject) for firing in tried.fired) == expected, rule.name
        assert expected or rule.alerts.exists(), rule.name


@pytest.mark.parametrize("kind", ["habit", "type_delay"])
@pytest.mark.parametrize("seed", [3, 4])
def test_an_episode_that_held_before_the_span_has_the_day_on_which_it_began(kind, seed):
    random_books(seed)
    rule = make_rule(kind=kind, cooldown_days=9, **KINDS[kind])
    thresholds, since = [0, 2, rule.days, 12], ON - 50 * DAY
    everything = kind_of(rule).episodes_by_threshold(rule, thresholds, FIRST - 400 * DAY, ON)
    found = whole_episodes(rule, thresholds, since, ON)
    began_before = 0
    for days in thresholds:
        expected = {
            (each.subject, each.start, each.end): each.figures(max(each.start, since))
            for each in everything[days]
            if each.end is None or each.end > since
        }
        told = {
            (each.subject, each.start, each.end): each.figures(max(each.start, since))
            for each in found[days]
            if each.end is None or each.end > since
        }
        assert told == expected, days
        began_before += sum(start < since - DAY for _subject, start, _end in told)
    assert began_before or kind == "type_delay"


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads the plan as SQLite writes it")
@pytest.mark.parametrize("kind", ["habit", "type_delay"])
def test_a_back_test_walks_through_no_wide_rows_of_invoices(kind):
    random_books(3)
    rule = make_rule(kind=kind, cooldown_days=9, **KINDS[kind])
    with CaptureQueriesContext(connection) as asked:
        whole_episodes(rule, [0, rule.days], ON - 50 * DAY, ON)
    read = []
    with connection.cursor() as cursor:
        for sql in [query["sql"] for query in asked]:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
            read += [told for *_ids, told in cursor if "invoices_invoice " in told]
    assert read
    # The few that were opened again are picked from the report's own index.
    assert [told for told in read if "COVERING" not in told and "report_cover" not in told] == []


@pytest.mark.parametrize("quiet", [0, 1, 7, 30])
def test_a_rule_speaks_in_a_span_on_the_days_that_the_whole_episode_gives(quiet):
    rule = make_rule(cooldown_days=quiet)
    episode = Episode(1, FIRST, ON - 3 * DAY, lambda on: {})
    whole = days_told(rule, episode, FIRST, ON)
    assert whole[0] == FIRST
    for n in range(35):
        since = FIRST + n * DAY
        assert days_told(rule, episode, since, ON) == [day for day in whole if day >= since]


def test_the_phase_of_the_cool_down_counts_from_the_day_on_which_it_began():
    rule = make_rule(days=30, cooldown_days=50)
    due = ON - 631 * DAY
    make_invoice(issue_date=due - 30 * DAY, due_date=due)
    tried = backtest(rule, ON)
    assert {(firing.on - due - 31 * DAY).days % 50 for firing in tried.fired} == {0}
    assert len(tried.fired) == 8


def test_what_spoke_before_the_window_is_not_told_again_without_a_cool_down():
    rule = make_rule(days=30, cooldown_days=0)
    due = ON - 500 * DAY
    make_invoice(issue_date=due - 30 * DAY, due_date=due)
    tried = backtest(rule, ON)
    assert tried.fired == []
    assert len(tried.now) == 1


def test_the_back_test_counts_by_month_and_knows_today():
    rule = make_rule(days=30, cooldown_days=0)
    for days_ago in (40, 200):
        due = ON - days_ago * DAY
        invoice = make_invoice(issue_date=due - 30 * DAY, due_date=due)
    settle(invoice, ON - 100 * DAY)
    tried = backtest(rule, ON)
    assert len(tried.fired) == 2
    assert sum(number for _, number in tried.by_month) == 2
    assert len(tried.by_month) in (12, 13)
    assert len(tried.now) == 1
    trials = try_thresholds(rule, ON, [10, 30, 500])
    assert [len(trial.fired) for trial in trials.values()] == [2, 2, 0]


def test_the_first_invoice_of_a_deal_ends_its_waiting_however_many_follow():
    rule = make_rule(kind="not_invoiced", cooldown_days=0, days=5)
    deal = make_deal(won_on=ON - 100 * DAY)
    for step, issued in ((1, ON - 60 * DAY), (2, ON - 10 * DAY)):
        make_invoice(deal=deal, client=deal.client, plan_step=step, issue_date=issued)
    (episode,) = kind_of(rule).episodes(rule, ON - 99 * DAY, ON)
    assert (episode.start, episode.end) == (ON - 94 * DAY, ON - 60 * DAY)
