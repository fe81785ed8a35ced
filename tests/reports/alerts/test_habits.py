"""A client that pays later than its own habit."""

from __future__ import annotations

from datetime import date

import pytest
from django.utils import timezone, translation

from invoices.clients.merging import merge_clients
from reports.alerts import inbox, running
from reports.alerts.evaluating import evaluate
from tests.factories import make_client, make_company, make_rule
from tests.reports.alerts.doing import DAY, ON, due, paid_late, subjects, words


@pytest.fixture(autouse=True)
def company(db):
    return make_company(currency="EUR", language="en")


def test_a_client_is_told_of_when_an_invoice_waits_longer_than_its_habit():
    client = make_client()
    paid_late(client, 0, 2, 4, 6, 8, issued=date(2026, 1, 10))
    rule = make_rule(kind="habit", days=10, measure="p75", window_days=730, min_payments=5)
    late = due(16, client=client, total_minor=500_00)
    assert subjects(rule) == []
    (found,) = evaluate(rule, ON + DAY)
    assert found.subject == client.pk
    assert (found.data["habit"], found.data["days"]) == (6, 17)
    assert found.data["invoice"] == late.pk


def test_a_client_that_is_always_late_is_within_its_habit():
    client = make_client()
    paid_late(client, 40, 42, 44, 46, 48, issued=date(2026, 1, 10))
    due(50, client=client)
    rule = make_rule(kind="habit", days=10, measure="p75", window_days=730, min_payments=5)
    assert subjects(rule) == []


def test_paying_early_is_no_reason_to_be_called_late_sooner():
    client = make_client()
    paid_late(client, -20, -20, -20, -20, -20, issued=date(2026, 1, 10))
    rule = make_rule(kind="habit", days=10, window_days=730, min_payments=5)
    due(10, client=client)
    assert subjects(rule) == []
    assert subjects(rule, ON + DAY) == [client.pk]


def test_a_new_client_has_no_habit():
    client = make_client()
    paid_late(client, 0, 0, 0, 0, issued=date(2026, 1, 10))
    due(200, client=client)
    rule = make_rule(kind="habit", days=10, window_days=730, min_payments=5)
    assert subjects(rule) == []


def test_several_late_invoices_of_a_client_are_one_alert_with_their_sum():
    client = make_client()
    paid_late(client, 0, 0, 0, 0, 0, issued=date(2026, 1, 10))
    due(30, client=client, total_minor=100_00)
    due(40, client=client, total_minor=200_00)
    rule = make_rule(kind="habit", days=10, window_days=730, min_payments=5)
    (fired,) = running.run(on=ON)
    (alert,) = fired.alerts
    assert alert.data["invoices"] == 2
    assert alert.data["owed"] == [{"minor": 300_00, "currency": "EUR"}]
    with translation.override("en-gb"):
        said = words(inbox.inbox().get())
    assert "40 days late" in said.title
    assert "2 invoices wait longer than that: €300.00." in said.detail
    assert rule.alerts.get().client == client


def test_merged_clients_have_one_habit_and_one_alert():
    """Neither has five payments behind it alone; both owe."""
    account, merged = make_client(), make_client()
    paid_late(account, 0, 2, 4, issued=date(2026, 1, 10))
    paid_late(merged, 6, 8, issued=date(2026, 1, 10))
    due(30, client=account, total_minor=100_00)
    due(40, client=merged, total_minor=200_00)
    rule = make_rule(kind="habit", days=10, measure="p75", window_days=730, min_payments=5)
    assert subjects(rule) == []
    merge_clients(loser_id=merged.pk, winner_id=account.pk, at=timezone.now())
    (found,) = evaluate(rule, ON)
    assert (found.subject, found.data["habit"]) == (account.pk, 6)
    assert found.data["owed"] == [{"minor": 300_00, "currency": "EUR"}]


def test_an_alert_says_since_when_although_what_began_it_is_paid():
    """One invoice was waited for from the 11th day on; it was paid when another was waited for."""
    client = make_client()
    paid_late(client, 0, 0, 0, 0, 0, issued=date(2026, 1, 10))
    (first,) = paid_late(client, 40, issued=ON - 80 * DAY)
    due(15, client=client)
    rule = make_rule(kind="habit", days=10, measure="p50", window_days=730, min_payments=5)
    (found,) = evaluate(rule, ON)
    assert first.settled_on == ON - 10 * DAY
    assert found.since == ON - 4 * DAY
    due(30, client=client)
    (found,) = evaluate(rule, ON)
    assert found.since == first.due_date + 11 * DAY
