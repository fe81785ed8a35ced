"""Rules read a book whose open items were brought in on a go-live day as the delay report does."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest

from invoices.models import Invoice
from reports.alerts.evaluating import evaluate
from reports.alerts.kinds import habit, type_delay
from reports.delays.estimator import Curve
from reports.delays.measuring import Scope
from reports.delays.reading import tallies
from tests.factories import (
    make_client,
    make_client_type,
    make_company,
    make_invoice,
    make_rule,
    settle,
)
from tests.reports.test_past_days import bounce

pytestmark = pytest.mark.django_db
GO_LIVE, UNTIL = date(2026, 3, 1), date(2026, 11, 24)
DAY = timedelta(days=1)


@pytest.fixture
def books():
    """Two types; paid, credited, open, bounced; of what came before go-live only what was open."""
    make_company()
    chance = random.Random(7)
    clients = [make_client(client_type=make_client_type(name)) for name in ("A", "B")]
    for n in range(160):
        issued = date(2025, 9, 1) + timedelta(days=chance.randrange(400))
        ended = issued + timedelta(days=chance.randrange(5, 140))
        brought_in = issued < GO_LIVE
        if brought_in and ended <= GO_LIVE:
            continue
        invoice = make_invoice(
            client=clients[n % 2],
            issue_date=issued,
            due_date=issued + 30 * DAY,
            observed_from=GO_LIVE if brought_in else None,
        )
        fate = chance.random()
        if fate < 0.75:
            settle(invoice, ended)
            if fate < 0.15:
                bounce(invoice.allocations.get().payment, ended + 12 * DAY)
        elif fate < 0.85:
            settle(invoice, ended, by="credit")
    return clients


def of_the_report(rule, client_type, on):
    scope = Scope(
        on, issued_from=on - timedelta(days=rule.window_days), client_types=(client_type.pk,)
    )
    return tallies(scope, "late", "client_type").get((client_type.pk,))


def value_of(measure, tally):
    if measure == "mean":
        return None if tally.mean is None else float(tally.mean)
    return tally.curve.percentile(*{"p50": (1, 2), "p75": (3, 4)}[measure])


@pytest.mark.parametrize("measure", ["p50", "p75", "mean"])
def test_a_rule_on_a_type_has_the_figure_of_the_report_on_every_day(books, measure):
    rule = make_rule(kind="type_delay", measure=measure, window_days=200, min_payments=5)
    since = date(2026, 1, 15)
    by_day = type_delay.delays_by_day(rule, since, UNTIL)
    compared = differs = 0
    for client in books:
        for day, found in by_day[client.client_type_id][::9]:
            tally = of_the_report(rule, client.client_type, day)
            if tally is None:
                assert (found.paid, found.open) == (0, 0)
                continue
            expected = value_of(measure, tally)
            value = float(found.value) if measure == "mean" and found.value else found.value
            assert value == pytest.approx(expected, abs=0.051 if measure == "mean" else 0), day
            assert (found.paid, found.open) == (tally.n_paid, tally.n - tally.n_paid)
            assert found.longest == tally.curve.longest
            compared += 1
            differs += Curve(tally.paid, tally.unfinished).p50 != tally.curve.p50
    # Without the day of first sight the survivors would make everybody slow.
    assert compared > 50 and differs > 5


@pytest.mark.parametrize("measure", ["p50", "p75", "mean"])
def test_books_asked_for_one_stretch_after_another_say_what_each_says_alone(books, measure):
    rule = make_rule(kind="type_delay", measure=measure, window_days=90, min_payments=5)
    shared = type_delay.Books(rule)
    june, first = date(2026, 6, 1), date(2025, 12, 1)
    for since, until in ((june, UNTIL), (june + DAY, UNTIL), (first, june), (first, UNTIL)):
        alone = type_delay.delays_by_day(rule, since, until)
        assert shared.by_day(since, until) == alone
        assert alone.keys() == {client.client_type_id for client in books}
    only = [books[0].client_type_id]
    assert shared.by_day(first, june, only).keys() == set(only)


def test_what_was_paid_before_its_first_sight_is_no_payment_behind_a_percentile(books):
    client = make_client(client_type=make_client_type("C"))
    for n in range(6):
        invoice = make_invoice(
            client=client,
            issue_date=date(2026, 6, 1),
            due_date=date(2026, 6, 10),
            observed_from=date(2026, 10, 1) if n else None,
        )
        settle(invoice, date(2026, 8, 1))
    rule = make_rule(
        kind="type_delay", client_type=client.client_type, days=5, window_days=300, min_payments=2
    )
    assert evaluate(rule, UNTIL) == []
    rule.min_payments = 1
    (found,) = evaluate(rule, UNTIL)
    assert (found.data["value"], found.data["paid"]) == ("52", 6)


@pytest.mark.parametrize("measure", ["p50", "p75", "mean"])
def test_a_habit_is_the_figure_of_the_report_on_the_clients_other_invoices(books, measure):
    rule = make_rule(kind="habit", days=0, window_days=365, min_payments=5, measure=measure)
    found = habit.KIND.episodes_by_threshold(rule, [0], date(2026, 6, 1), UNTIL)[0]
    assert found
    compared = 0
    for episode in found:
        last = (episode.end or UNTIL) - DAY
        for on in (episode.start + n * DAY for n in range(0, (last - episode.start).days + 1, 4)):
            data = episode.figures(on)
            invoice = Invoice.objects.get(pk=data["invoice"])
            due = invoice.due_date
            scope = Scope(
                due,
                issued_from=due - timedelta(days=365),
                issued_to=due - DAY,
                client=episode.subject,
            )
            rows = scope.rows().exclude(pk=invoice.pk)
            (tally,) = tallies(scope, "late", "client", rows=rows).values()
            assert data["habit"] == max(0, round(value_of(measure, tally)))
            compared += 1
    assert compared > 20
