"""What staff do with an alert: acknowledge, snooze, take back into the inbox."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from reports.alerts.kinds.registry import KINDS
from reports.models import Alert


class AlertRefused(Exception):
    """The alert cannot be handled so; the message is written for staff."""


def waiting(on: date) -> Q:
    """New, or snoozed until a day that has come; what ended asks nothing of anybody."""
    new = Q(state=Alert.State.NEW) | Q(state=Alert.State.SNOOZED, snoozed_until__lte=on)
    return new & ~_over()


def snoozed(on: date) -> Q:
    return Q(state=Alert.State.SNOOZED, snoozed_until__gt=on) & ~_over()


def ended() -> Q:
    """Nobody acknowledged it, and its rule no longer holds for what it is about."""
    return Q(state__in=[Alert.State.NEW, Alert.State.SNOOZED]) & _over()


def is_over(*, alert_id: int) -> bool:
    return Alert.objects.filter(_over(), pk=alert_id).exists()


def _over() -> Q:
    """By the last run of the rule, or as is seen at once; never null, so that it can be negated."""
    found = Q(ended_on__isnull=False)
    for kind in KINDS.values():
        found |= Q(rule__kind=kind.key) & kind.over()
    return found


def inbox(alerts: QuerySet[Alert] | None = None) -> QuerySet[Alert]:
    """Alerts with all that their sentences name."""
    rows = Alert.objects.all() if alerts is None else alerts
    # Not the clients' types: those are of today, and no alert was raised for them.
    return rows.select_related(
        "rule__client_type", "invoice__client", "client", "client_type", "deal__client",
        "handled_by", "invoice__owner", "client__owner", "deal__owner",
    ).defer("invoice__paper")  # fmt: skip


def acknowledge(*, alert_id: int, by: User) -> Alert:
    """Somebody has seen to it. Done twice, the first one stands."""
    with transaction.atomic():
        alert = Alert.objects.select_for_update().get(pk=alert_id)
        if alert.state != Alert.State.ACKNOWLEDGED:
            _handle(alert, Alert.State.ACKNOWLEDGED, None, by, timezone.now())
        return alert


def acknowledge_all(*, rule_id: int, up_to: int, by: User, on: date) -> int:
    """All that wait of one rule, up to the newest alert that the person has seen; their number."""
    return Alert.objects.filter(waiting(on), rule=rule_id, pk__lte=up_to).update(
        state=Alert.State.ACKNOWLEDGED,
        snoozed_until=None,
        handled_by=by,
        handled_at=timezone.now(),
    )


def snooze(*, alert_id: int, until: date, by: User, on: date) -> Alert:
    """Out of the inbox until a day; the rule is silent about the subject until then."""
    if until <= on:
        raise AlertRefused(_("An alert is snoozed until a day after today."))
    if until > on + timedelta(days=366):
        raise AlertRefused(_("An alert is snoozed for a year at most."))
    with transaction.atomic():
        alert = Alert.objects.select_for_update().get(pk=alert_id)
        if alert.state == Alert.State.ACKNOWLEDGED:
            raise AlertRefused(_("This alert was acknowledged before: there is nothing to snooze."))
        _handle(alert, Alert.State.SNOOZED, until, by, timezone.now())
        return alert


def reopen(*, alert_id: int, by: User) -> Alert:
    """Back into the inbox."""
    with transaction.atomic():
        alert = Alert.objects.select_for_update().get(pk=alert_id)
        _handle(alert, Alert.State.NEW, None, by, timezone.now())
        return alert


def _handle(alert: Alert, state: Alert.State, until: date | None, by: User, at: datetime) -> None:
    alert.state, alert.snoozed_until = state, until
    alert.handled_by, alert.handled_at = by, at
    alert.save(update_fields=["state", "snoozed_until", "handled_by", "handled_at"])


def wake_up(*, on: date) -> int:
    """Alerts whose snooze is over are new again."""
    return Alert.objects.filter(state=Alert.State.SNOOZED, snoozed_until__lte=on).update(
        state=Alert.State.NEW, snoozed_until=None
    )
