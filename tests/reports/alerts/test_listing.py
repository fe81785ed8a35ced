"""Whose an alert is, what of it has changed since, and what the desk leaves out."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from billing_portal.accounts.models import User
from invoices.deals.drafting import draft_from_deal
from invoices.invoicing.issuing import issue
from reports.alerts import running
from reports.alerts.inbox import inbox
from reports.alerts.listing import latest_waiting, with_words
from reports.models import Alert
from reports.tasks import end_alerts
from tests.factories import (
    make_client,
    make_client_type,
    make_company,
    make_deal,
    make_invoice,
    make_rule,
    make_user,
)
from tests.reports.alerts.doing import paid_late

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def company(db):
    return make_company(language="en")


def late(**fields):
    due = timezone.localdate() - 45 * DAY
    return make_invoice(issue_date=due - 30 * DAY, due_date=due, **fields)


def test_an_alert_says_whose_it_is_and_who_may_act(manager_client, clerk_client):
    make_rule(recipients={"roles": ["finance"], "owner": True})
    late(owner=make_user(name="Yann Le Goff"))
    running.run(on=timezone.localdate())
    for name in ("reports:alerts", "reports:desk"):
        page = manager_client.get(reverse(name)).text
        assert "For the finance team, Yann Le Goff as owner" in page
        assert "the finance team and administrators acknowledge" in page
        assert "administrators acknowledge" not in clerk_client.get(reverse(name)).text


def test_a_changed_threshold_is_told_beside_the_rule_of_today(clerk):
    rule = make_rule(days=30)
    late()
    running.run(on=timezone.localdate())
    told = with_words(Alert.objects.all(), clerk)[0][1]
    assert "changed since" not in told.note
    rule.days = 60
    rule.save()
    # Seconds later the task has seen whether it holds all the same.
    assert "changed since" not in with_words(Alert.objects.all(), clerk)[0][1].note
    end_alerts(rule.pk)
    told = with_words(Alert.objects.all(), clerk)[0][1]
    assert "when it fired it said “More than 30 days late”" in told.note


def test_a_list_that_has_grown_since_the_alert_fired_is_told_with_both_numbers(clerk, clerk_client):
    kind = make_client_type("SME")
    client = make_client(client_type=kind)
    on = timezone.localdate()
    issued = on - 60 * DAY
    paid_late(client, 20, 20, 20, 20, 20, issued=issued)
    make_rule(kind="type_delay", client_type=kind, days=10)
    running.run(on=on)
    ((_alert, told),) = with_words(Alert.objects.all(), clerk)
    assert told.note == ""
    make_invoice(client=client, issue_date=issued, due_date=issued + 30 * DAY)
    ((_alert, told),) = with_words(Alert.objects.all(), clerk)
    assert told.note == "5 invoices when it fired, 6 today."
    listed = clerk_client.get(told.url).context
    assert listed["page"].count == 6


def test_the_desk_says_of_which_rules_more_alerts_wait(clerk_client):
    many = make_rule(name="Late")
    for _n in range(7):
        late()
    running.run(on=timezone.localdate())
    listed = latest_waiting(User.objects.get(role="finance"), timezone.localdate())
    assert (listed.count, listed.more, listed.text) == (7, 2, "Late: 7")
    assert listed.hidden == [("Late", 2, f"{reverse('reports:alerts')}?rule={many.pk}")]
    assert "Late (2)</a>" in clerk_client.get(reverse("reports:desk")).text


def test_a_deal_that_was_billed_since_says_by_which_document(clerk):
    today = timezone.localdate()
    rule = make_rule(kind="not_invoiced", days=14, client_type=None)
    deal = make_deal(client=make_client(), won_on=today - 30 * DAY)
    running.run(on=today)

    def note():
        alerts = list(inbox().filter(rule=rule, deal=deal))
        ((_alert, words),) = with_words(alerts, clerk)
        return words.note

    assert note() == ""
    draft = draft_from_deal(deal_id=deal.pk, by=clerk, on=today)
    assert note() == "Drafted since: the draft waits to be issued."
    invoice = issue(invoice_id=draft.pk, by=clerk, on=today)
    assert note() == f"Invoiced since: {invoice.number}."
