"""Alerts as their reader sees them, and the newest that wait, for the desk."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from django.urls import reverse

from billing_portal.accounts.models import User
from invoices.company.currencies import company_currency
from reports.alerts.inbox import inbox, waiting
from reports.alerts.permissions import openable
from reports.alerts.words import AlertWords, name_of, words_of
from reports.cells import Worklist
from reports.models import Alert, AlertRule

SHOWN = 5


def with_words(alerts: Iterable[Alert], user: User) -> list[tuple[Alert, AlertWords]]:
    """Each with its words; what the reader may not open is no link."""
    rows, currency = list(alerts), company_currency()
    opens = {alert.pk for alert in openable(rows, user)}
    told = [(alert, words_of(alert, currency)) for alert in rows]
    return [(alert, w if alert.pk in opens else replace(w, url="")) for alert, w in told]


def latest_waiting(user: User, on: date) -> Worklist:
    """Newest first, each with its words."""
    alerts = Alert.objects.visible_to(user).filter(waiting(on))
    rows = with_words(inbox(alerts)[:SHOWN], user)
    return Worklist(rows, alerts.count(), reverse("reports:alerts"))


def latest_rules(user: User, on: date) -> str:
    """The rules that spoke last: “Big and late · SMEs pay late”."""
    mine = Alert.objects.visible_to(user).filter(waiting(on))
    latest = mine.select_related("rule__client_type")[:SHOWN]
    rules: dict[int, AlertRule] = {alert.rule_id: alert.rule for alert in latest}
    currency = company_currency()
    return " · ".join(name_of(rule, currency) for rule in list(rules.values())[:2])
