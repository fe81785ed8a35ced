"""What alerts are about: the rows that their sentences name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from invoices.models import Client, ClientType, Deal, Invoice
from reports.alerts.kinds.registry import kind_of, subject_of
from reports.models import Alert, AlertRule


def subject_column(rule: AlertRule) -> str:
    return f"{kind_of(rule).subject}_id"


def with_subjects(alerts: Sequence[Alert]) -> Sequence[Alert]:
    """Give unsaved alerts the rows that their sentences name, in a few queries."""
    invoices = Invoice.objects.select_related("client").defer("paper")
    deals = Deal.objects.select_related("client")
    clients = Client.objects.all()
    for name, rows in (("invoice", invoices), ("deal", deals), ("client", clients)):
        keys = {getattr(a, f"{name}_id") for a in alerts} - {None}
        found = rows.in_bulk(keys) if keys else {}
        for alert in alerts:
            if (key := getattr(alert, f"{name}_id")) is not None:
                setattr(alert, name, found[key])
    keys = {alert.client_type_id for alert in alerts} - {None}
    types = ClientType.objects.in_bulk(keys) if keys else {}
    for alert in alerts:
        if alert.client_type_id is not None:
            alert.client_type = types[alert.client_type_id]
    return alerts


def unsaved_alert(rule: AlertRule, subject: int, on: date, data: dict[str, Any]) -> Alert:
    """For a sentence about what would have been said."""
    return Alert(rule=rule, fired_on=on, data=data, **{subject_column(rule): subject})


def name_clients(rule: AlertRule, alerts: Sequence[Alert]) -> None:
    """An alert on an invoice or a deal belongs to its client's page too."""
    clients = kind_of(rule).clients({subject_of(alert) for alert in alerts})
    for alert in alerts:
        if (client := clients.get(subject_of(alert))) is not None:
            alert.client_id = client
