"""Started, paused, resumed, ended, raised: and what was billed keeps its price."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from invoices.models import Invoice, SubscriptionPeriod
from invoices.subscriptions import making, running
from invoices.subscriptions.standing import SubscriptionRefused
from invoices.subscriptions.upcoming import contents_of, upcoming
from tests.invoices.subscriptions.making import line, save, started, write

pytestmark = pytest.mark.django_db
JANUARY, MARCH = date(2026, 1, 1), date(2026, 3, 10)


def nets_of(subscription):
    made = Invoice.objects.filter(subscription_billing__period__subscription=subscription)
    return list(made.order_by("service_from").values_list("net_minor", flat=True))


def act(verb, subscription, on=MARCH, **more):
    verb(subscription_id=subscription.pk, by=None, on=on, **more)
    subscription.refresh_from_db()
    return subscription


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"lines": [line("0", price_missing=True)]}, "no price"),
        ({"lines": [line("0")]}, "asks for something"),
        ({"lines": [line("100", description="")]}, "says nothing"),
        ({"way": "send", "recipients": []}, "Say who receives"),
    ],
)
def test_what_could_not_be_billed_does_not_start(fields, said):
    found = write(**fields)
    with pytest.raises(SubscriptionRefused, match=said):
        act(running.start, found)
    assert making.make_due(date(2027, 1, 1)).drafted == 0


def test_nothing_is_made_while_it_is_paused_and_what_is_skipped_is_said():
    found = started(on=JANUARY)
    making.make_due(JANUARY)
    act(running.pause, found, on=date(2026, 1, 20), reason="Works")
    assert making.make_due(MARCH).drafted == 0
    choices = running.choices_of_next(found, contents_of(found), MARCH)
    assert [period.number for period in choices] == [2, 3, 4]
    act(running.resume, found, number=3)
    assert making.make_due(MARCH).drafted == 1
    states = found.periods.order_by("number").values_list("number", "state")
    assert list(states) == [(1, "drafted"), (2, "skipped"), (3, "drafted")]
    # A skipped one can be billed after all.
    skipped = found.periods.get(number=2)
    assert making.draft_again(period_id=skipped.pk, by=None, on=MARCH).net_minor == 100_00


def test_resumed_from_the_first_missed_period_all_are_billed():
    found = started(on=JANUARY)
    act(running.pause, found, on=JANUARY)
    act(running.resume, found, number=1)
    assert making.make_due(MARCH).drafted == 3


def test_a_period_that_was_dealt_with_cannot_be_resumed_from():
    found = started(on=JANUARY)
    making.make_due(MARCH)
    act(running.pause, found)
    for number in (3, 500):
        with pytest.raises(SubscriptionRefused, match="meanwhile"):
            act(running.resume, found, number=number)


def test_the_next_period_is_left_out_once():
    found = started(on=JANUARY)
    act(running.skip_next, found, on=JANUARY, number=1)
    with pytest.raises(SubscriptionRefused, match="meanwhile"):
        act(running.skip_next, found, on=JANUARY, number=1)
    assert making.make_due(date(2026, 2, 1)).drafted == 1
    assert found.periods.get(number=1).state == SubscriptionPeriod.State.SKIPPED


def test_an_end_within_a_period_bills_its_days_and_never_what_was_billed():
    found = started(on=JANUARY)
    making.make_due(JANUARY)
    with pytest.raises(SubscriptionRefused, match=r"31.Jan 2026"):
        act(running.end, found, last_day=date(2026, 1, 15))
    act(running.end, found, last_day=date(2026, 2, 7))
    assert found.status == "active"
    making.make_due(MARCH)
    found.refresh_from_db()
    assert (found.status, nets_of(found)) == ("ended", [100_00, 25_00])


def test_ended_where_it_is_billed_to_it_ends_at_once():
    found = started(on=JANUARY)
    making.make_due(JANUARY)
    act(running.end, found, last_day=date(2026, 1, 31))
    assert (found.status, found.next_due_on) == ("ended", None)
    with pytest.raises(SubscriptionRefused, match="nothing to end"):
        act(running.end, found, last_day=date(2026, 3, 1))


def test_ended_before_anything_was_billed_nothing_ever_is():
    found = started(on=date(2025, 12, 1))
    act(running.end, found, last_day=date(2025, 12, 31), on=date(2025, 12, 5))
    assert found.status == "ended"
    assert making.make_due(MARCH).drafted == 0


# ─ Prices ───────────────────────────────────────────────────────────────────────────────────────
def test_past_periods_keep_their_price_also_those_that_a_standstill_left_behind():
    found = started(on=JANUARY)
    act(
        running.raise_prices,
        found,
        on=JANUARY,
        first_day=date(2026, 3, 1),
        percent=Decimal(10),
        yearly=True,
    )
    assert making.make_due(date(2026, 4, 1)).drafted == 4
    assert nets_of(found) == [100_00, 100_00, 110_00, 110_00]
    found.refresh_from_db()
    assert (found.next_net_minor, found.yearly_minor) == (110_00, 12 * 110_00)


def test_a_rise_cannot_reach_what_is_billed():
    found = started(on=JANUARY)
    making.make_due(MARCH)
    rise = {"percent": Decimal(2), "yearly": False}
    with pytest.raises(SubscriptionRefused, match="billed already"):
        act(running.raise_prices, found, first_day=date(2026, 3, 1), **rise)
    with pytest.raises(SubscriptionRefused, match="900"):
        act(
            running.raise_prices,
            found,
            first_day=date(2026, 5, 1),
            percent=Decimal(0),
            yearly=False,
        )
    act(running.raise_prices, found, first_day=date(2026, 3, 2), **rise)


def test_a_yearly_rise_that_is_called_off_keeps_what_it_raised():
    found = started(on=JANUARY)
    rises = {"percent": Decimal(10), "yearly": True}
    act(running.raise_prices, found, on=JANUARY, first_day=date(2026, 2, 1), **rises)
    making.make_due(date(2026, 2, 1))
    rise = found.rises.get()
    running.call_off_rise(rise_id=rise.pk, by=None, on=MARCH)
    found.refresh_from_db()
    coming = upcoming(contents_of(found), found.next_number, 14)
    assert {each.totals.net_minor for each in coming} == {110_00}
    with pytest.raises(SubscriptionRefused, match="called off already"):
        running.call_off_rise(rise_id=rise.pk, by=None, on=MARCH)


def test_a_rise_that_raised_nothing_yet_goes_without_a_trace_in_prices():
    found = started(on=JANUARY)
    rises = {"percent": Decimal(10), "yearly": False}
    act(running.raise_prices, found, on=JANUARY, first_day=date(2026, 2, 1), **rises)
    running.call_off_rise(rise_id=found.rises.get().pk, by=None, on=JANUARY)
    assert not found.rises.exists()
    making.make_due(date(2026, 2, 1))
    assert nets_of(found) == [100_00, 100_00]


def test_new_lines_hold_from_the_period_that_is_chosen():
    found = started(on=JANUARY)
    making.make_due(JANUARY)
    save(found, [line("300"), line("20")], from_number=3, on=JANUARY)
    making.make_due(MARCH)
    assert nets_of(found) == [100_00, 100_00, 320_00]
    assert [version.first_day for version in found.versions.all()] == [JANUARY, date(2026, 3, 1)]


def test_the_preview_is_what_is_made():
    found = started(
        starts_on=date(2026, 1, 12),
        whole_from=date(2026, 2, 1),
        on=JANUARY,
        lines=[line("99.99", quantity="3"), line("10", discount_percent=Decimal(5), rate=10)],
        ends_on=date(2026, 5, 17),
    )
    act(
        running.raise_prices,
        found,
        on=JANUARY,
        first_day=date(2026, 3, 1),
        percent=Decimal("1.7"),
        yearly=False,
    )
    wanted = [
        (each.period.first, each.period.last, each.totals.net_minor, each.totals.total_minor)
        for each in upcoming(contents_of(found), 1, 12)
    ]
    assert len(wanted) == 5
    making.make_due(date(2026, 12, 1))
    made = Invoice.objects.order_by("service_from").values_list(
        "service_from", "service_until", "net_minor", "total_minor"
    )
    assert list(made) == wanted
