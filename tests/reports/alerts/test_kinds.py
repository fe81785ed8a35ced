"""A kind of alert is one file: what it brings is all that the run, the pages and the mails need."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.urls import reverse

from billing_portal.idempotency import new_key
from invoices.models import Client, Message
from invoices.outbox import kinds
from reports.alerts import running
from reports.alerts.backtest import backtest
from reports.alerts.kinds.base import Episode, Kind, Words
from reports.alerts.kinds.registry import KINDS
from reports.alerts.words import words_of
from reports.models import Alert, AlertRule
from tests.factories import make_client, make_company, make_rule

ON = date(2026, 11, 24)


class Quiet(Kind):
    """A client to whom nothing was invoiced for some days."""

    key = "quiet"
    icon = "building"
    place = 9
    subject = "client"
    defaults = {"days": 90, "cooldown_days": 30}
    label = "A client has gone quiet"
    hint = "Nothing was invoiced to it for some days."
    watches = "every client"
    when = "nothing was invoiced to it for {days} days"

    def episodes(self, rule, since, until, only=None):
        found = []
        for client in Client.objects.prefetch_related("invoices"):
            days = [invoice.issue_date for invoice in client.invoices.all()]
            start = max(days, default=date(2026, 1, 1)) + timedelta(days=rule.days)
            if start <= until:
                found.append(Episode(client.pk, start, None, lambda on: {"since": 1}))
        return found

    def words(self, alert):
        return Words(f"{alert.client} has gone quiet", "Nothing new.", "/clients/")

    def in_words(self, rule, currency):
        return f"Nothing is invoiced for {rule.days} days."

    def name(self, rule, currency):
        return "Gone quiet"

    def formula(self, rule):
        return "Day − last issue day ≥ days."


@pytest.fixture
def fifth_kind(monkeypatch, db):
    make_company(language="en")
    monkeypatch.setitem(KINDS, "quiet", Quiet())


def test_a_fifth_kind_runs_is_mailed_and_tried_without_another_line(fifth_kind):
    client = make_client(name="Vignobles Aubert")
    rule = make_rule(kind="quiet", days=30, recipients={"emails": ["a@b.example"]})
    (fired,) = running.run(on=ON)
    assert [alert.client_id for alert in fired.alerts] == [client.pk]
    assert words_of(Alert.objects.get(), "EUR").title == "Vignobles Aubert has gone quiet"
    assert "Vignobles Aubert has gone quiet" in kinds.words_of(Message.objects.get()).text
    assert len(backtest(rule, ON).fired) > 1


def test_a_fifth_kind_is_offered_typed_and_saved_with_its_own_sentence(fifth_kind, clerk_client):
    url = reverse("reports:rule-new")
    assert "A client has gone quiet" in clerk_client.get(url).text
    page = clerk_client.get(url, {"kind": "quiet"}).text
    assert "nothing was invoiced to it for" in page
    assert 'name="days"' in page
    assert 'name="amount"' not in page
    fields = {"kind": "quiet", "name": "Quiet ones", "days": "45", "cooldown_days": "30"}
    clerk_client.post(url, {**fields, "emails": "", "switch": "on", "once": new_key()})
    rule = AlertRule.objects.get()
    assert (rule.kind, rule.days, rule.active) == ("quiet", 45, True)
    assert "Nothing is invoiced for 45 days." in clerk_client.get(reverse("reports:rules")).text


def test_every_kind_tells_and_names_itself(db):
    for kind in KINDS.values():
        assert kind.label and kind.hint
        assert kind.fields
        assert set(kind.fields) <= {field.name for field in AlertRule._meta.fields} | {"amount"}
