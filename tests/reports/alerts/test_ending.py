"""An alert leaves the new ones when what it says is over."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from billing_portal.money import from_minor
from invoices.deals.drafting import draft_from_deal
from invoices.models import Payment
from invoices.payments.recording import record_payment
from invoices.payments.reversing import reverse_payment
from reports.alerts import rules, running
from reports.alerts.inbox import acknowledge, ended, inbox, reopen, snooze, snoozed, waiting
from reports.alerts.listing import latest_waiting, with_words
from reports.models import Alert
from reports.tasks import end_alerts
from tests.factories import make_company, make_deal, make_invoice, make_rule, settle
from tests.reports.alerts.doing import paid_late

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def company(db):
    return make_company(language="en")


@pytest.fixture
def on():
    return timezone.localdate()


def late(days, **fields):
    due = timezone.localdate() - days * DAY
    return make_invoice(issue_date=due - 30 * DAY, due_date=due, **fields)


def states(on):
    """Numbers of the tabs; together they are all alerts."""
    numbers = [
        Alert.objects.filter(q).count()
        for q in (waiting(on), snoozed(on), ended(), _acknowledged())
    ]
    assert sum(numbers) == Alert.objects.count()
    return numbers


def _acknowledged():
    from django.db.models import Q

    return Q(state=Alert.State.ACKNOWLEDGED)


def test_a_settled_invoice_takes_its_alert_along_at_once_and_brings_it_back(on, clerk):
    make_rule()
    invoice = late(45)
    late(50)
    running.run(on=on)
    assert states(on) == [2, 0, 0, 0]
    settle(invoice, on)
    assert states(on) == [1, 0, 1, 0]
    assert latest_waiting(clerk, on).count == 1
    # Also after a run in between it is back at once when the payment bounces.
    running.run(on=on)
    assert states(on) == [1, 0, 1, 0]
    reverse_payment(payment_id=Payment.objects.get().pk, on=on, reason="bounced", by=clerk)
    assert states(on) == [2, 0, 0, 0]
    running.run(on=on)
    assert states(on) == [2, 0, 0, 0]


def test_a_deal_that_is_billed_or_set_aside_is_no_longer_new(on, clerk):
    make_rule(kind="not_invoiced", days=7)
    billed, aside, open_one = (make_deal(won_on=on - 20 * DAY) for _ in range(3))
    running.run(on=on)
    assert states(on) == [3, 0, 0, 0]
    draft_from_deal(deal_id=billed.pk, by=clerk, on=on)
    aside.set_aside_at = timezone.now()
    aside.save()
    assert states(on) == [1, 0, 2, 0]
    running.run(on=on)
    assert states(on) == [1, 0, 2, 0]
    assert Alert.objects.get(waiting(on)).deal == open_one


def test_a_higher_threshold_leaves_only_what_holds_under_it(on, clerk, clerk_client):
    rule = make_rule(name="", days=30)
    late(45)
    late(100)
    running.run(on=on)
    assert latest_waiting(clerk, on).text == "More than 30 days late: 2"
    values = {"days": 60}
    rules.save_rule(rule_id=rule.pk, values=values, active=None, by=clerk)
    # The task that the worker will do: nothing waits for the hourly run.
    (task,) = OrmQ.objects.all()
    assert (task.func(), task.args()) == ("reports.tasks.end_alerts", (rule.pk,))
    end_alerts(rule.pk)
    assert latest_waiting(clerk, on).text == "More than 60 days late: 1"
    assert states(on) == [1, 0, 1, 0]
    listed = clerk_client.get(reverse("reports:rules")).context["rows"]
    assert [row[-1] for row in listed] == [1]
    rules.save_rule(rule_id=rule.pk, values={"days": 30}, active=None, by=clerk)
    end_alerts(rule.pk)
    assert states(on) == [2, 0, 0, 0]
    assert Alert.objects.count() == 2


def test_a_rule_that_is_off_ends_nothing(on, clerk):
    rule = make_rule()
    late(45)
    running.run(on=on)
    rules.save_rule(rule_id=rule.pk, values={"days": 90}, active=False, by=clerk)
    end_alerts(rule.pk)
    assert not OrmQ.objects.exists()
    assert states(on) == [1, 0, 0, 0]


def test_what_is_snoozed_ends_too_and_what_was_acknowledged_stays_so(on, clerk):
    make_rule()
    first, second = late(45), late(50)
    running.run(on=on)
    snooze(alert_id=Alert.objects.get(invoice=first).pk, until=on + 9 * DAY, by=clerk, on=on)
    acknowledge(alert_id=Alert.objects.get(invoice=second).pk, by=clerk)
    assert states(on) == [0, 1, 0, 1]
    settle(first, on)
    settle(second, on)
    assert states(on) == [0, 0, 1, 1]
    running.run(on=on)
    assert states(on) == [0, 0, 1, 1]
    reopen(alert_id=Alert.objects.get(invoice=second).pk, by=clerk)
    assert states(on) == [0, 0, 2, 0]


def test_a_client_type_that_pays_in_time_again_ends_its_alert(on, clerk):
    from tests.factories import make_client, make_client_type

    kind = make_client_type("SME")
    client = make_client(client_type=kind)
    paid_late(client, 20, 20, 20, 20, 20, issued=on - 60 * DAY)
    rule = make_rule(kind="type_delay", client_type=kind, days=10)
    running.run(on=on)
    assert states(on) == [1, 0, 0, 0]
    rules.save_rule(rule_id=rule.pk, values={"days": 40}, active=None, by=clerk)
    end_alerts(rule.pk)
    assert states(on) == [0, 0, 1, 0]


def test_the_tab_says_what_it_is_and_asks_nothing(on, clerk, clerk_client):
    make_rule()
    invoice = late(45)
    running.run(on=on)
    url = reverse("reports:alerts") + "?state=ended"
    assert "comes here by itself" in clerk_client.get(url).text
    settle(invoice, on)
    page = clerk_client.get(url)
    assert [n for _key, _label, n in page.context["tabs"]] == [0, 0, 1, 0]
    assert "or their rule was changed" in page.text
    assert "acknowledge-" not in page.text
    alert = acknowledge(alert_id=Alert.objects.get().pk, by=clerk)
    said = clerk_client.post(reverse("reports:reopen", args=[alert.pk]), follow=True).text
    assert "Not acknowledged any more, but no longer so" in said


def test_the_rule_page_says_for_how_many_it_holds_and_how_many_were_not_told_of(on, clerk_client):
    rule = make_rule(days=30)
    late(45)
    late(50)
    running.run(on=on)
    late(60)
    page = clerk_client.get(reverse("reports:rule", args=[rule.pk])).text
    assert "Today it holds for 3, one of which was not told of yet." in page
    late(70)
    page = clerk_client.get(reverse("reports:rule", args=[rule.pk])).text
    assert "Today it holds for 4, 2 of which were not told of yet." in page


def test_acknowledging_on_the_desk_counts_its_tile_anew(on, clerk_client):
    make_rule()
    late(45)
    late(50)
    running.run(on=on)
    url = reverse("reports:acknowledge", args=[Alert.objects.first().pk])
    answer = clerk_client.post(url, {"from": "desk"}, headers={"HX-Request": "true"}).text
    tile = answer[answer.index('id="tile-alerts"') :]
    assert tile.startswith('id="tile-alerts" hx-swap-oob="true">1 <small>new</small>')
    assert 'id="tile-alerts"' in clerk_client.get(reverse("reports:desk")).text


def test_a_raised_amount_is_named_and_not_the_days(on, clerk):
    rule = make_rule(days=30, amount_minor=10_000_00)
    late(100, total_minor=15_000_00)
    running.run(on=on)
    rules.save_rule(rule_id=rule.pk, values={"amount_minor": 20_000_00}, active=None, by=clerk)
    end_alerts(rule.pk)
    ((_alert, words),) = with_words(inbox(Alert.objects.filter(ended())), clerk)
    assert words.note == (
        "The rule was changed since: when it fired it said “More than 30 days late and above "
        "€10,000.00”."
    )


def test_a_part_payment_is_told_beside_what_was_owed_when_it_fired(on, clerk):
    make_rule(days=30, amount_minor=10_000_00)
    invoice = late(100, total_minor=15_000_00)
    running.run(on=on)
    ((_alert, words),) = with_words(inbox(Alert.objects.filter(waiting(on))), clerk)
    assert words.note == ""
    record_payment(
        client_id=invoice.client_id,
        amount=from_minor(9_000_00, "EUR"),
        received_on=on,
        reference="",
        method="transfer",
        allocations=[(invoice.pk, from_minor(9_000_00, "EUR"))],
        by=clerk,
        on=on,
    )
    for state in (waiting(on), ended()):
        ((_alert, words),) = with_words(inbox(Alert.objects.filter(state)), clerk)
        assert "owes €15,000.00" in words.title
        assert words.note == "Today €6,000.00 of it is open."
        running.run(on=on)
