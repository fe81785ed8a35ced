"""The newest alerts that wait, for the desk."""

from __future__ import annotations

from datetime import date

from django.urls import reverse

from invoices.company.currencies import company_currency
from reports.alerts.inbox import inbox, waiting
from reports.alerts.words import name_of, words_of
from reports.cells import Worklist
from reports.models import Alert, AlertRule

SHOWN = 5


def latest_waiting(on: date) -> Worklist:
    """Newest first, each with its words."""
    alerts, currency = Alert.objects.filter(waiting(on)), company_currency()
    rows = [(alert, words_of(alert, currency)) for alert in inbox(alerts)[:SHOWN]]
    return Worklist(rows, alerts.count(), reverse("reports:alerts"))


def latest_rules(on: date) -> str:
    """The rules that spoke last: “Big and late · SMEs pay late”."""
    latest = Alert.objects.filter(waiting(on)).select_related("rule__client_type")[:SHOWN]
    rules: dict[int, AlertRule] = {alert.rule_id: alert.rule for alert in latest}
    currency = company_currency()
    return " · ".join(name_of(rule, currency) for rule in list(rules.values())[:2])
