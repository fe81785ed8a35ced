"""Alert rules: what fires on a day, what would have fired, and what staff do with an alert.

A rule speaks about a subject (an invoice, a client, a client type, a deal) when its condition
begins to hold (reports/alerts/kinds), and then as telling.py says. Snoozing is silence until a day.
What no longer holds leaves the new ones (ending.py).

Nothing twice: rule, subject, episode and day are one reason key, unique in the database, and alerts
and the mails about them are written in one transaction under the lock of the rule. A
worker that is killed leaves both or neither; two workers queue, and the second one finds the
silence of the first. Days without a worker are caught up with one alert: only the day of the run
counts.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from reports.alerts import digests
from reports.alerts.ending import mark_ended
from reports.alerts.evaluating import Finding, evaluate
from reports.alerts.inbox import wake_up
from reports.alerts.subjects import name_clients, subject_column
from reports.alerts.telling import began_after, speaks
from reports.models import Alert, AlertRule

logger = logging.getLogger(__name__)


@dataclass
class Fired:
    """What a run of one rule wrote, or would write."""

    rule: AlertRule
    alerts: list[Alert] = field(default_factory=list)
    mails: int = 0


class SomeRulesFailed(Exception):
    """The other rules were carried out; the log has the reasons."""


def run(*, on: date, dry_run: bool = False) -> list[Fired]:
    """Evaluate every rule that is on. Raises SomeRulesFailed after the others were carried out."""
    if not dry_run:
        wake_up(on=on)
    done: list[Fired] = []
    failed = 0
    for rule in AlertRule.objects.filter(active=True).order_by("pk"):
        try:
            done.append(would_fire(rule, on) if dry_run else run_rule(rule_id=rule.pk, on=on))
        except Exception:
            logger.exception("alert rule %s failed", rule.pk)
            failed += 1
    if failed:
        raise SomeRulesFailed(
            _("%(failed)s of %(all)s rules could not be evaluated; the others were.")
            % {"failed": failed, "all": failed + len(done)}
        )
    return done


def would_fire(rule: AlertRule, on: date) -> Fired:
    return Fired(rule, new_alerts(rule, evaluate(rule, on), on))


def run_rule(*, rule_id: int, on: date) -> Fired:
    """Write the alerts of one rule and queue the mails about them, once."""
    rule = AlertRule.objects.get(pk=rule_id)
    # Reading takes seconds on large books: not under a lock that other writers wait for.
    findings = evaluate(rule, on)
    with transaction.atomic():
        # Two workers must queue here: the second one then finds the silence of the first.
        locked = AlertRule.objects.select_for_update().filter(pk=rule_id, active=True).first()
        if locked is None:
            return Fired(rule)
        if locked.updated_at != rule.updated_at:
            rule, findings = locked, evaluate(locked, on)
        mark_ended(rule, findings, on)
        fired = Fired(rule, new_alerts(rule, findings, on))
        if fired.alerts:
            _supersede(rule, fired.alerts)
            # The weightiest last: the newest stands on top of the inbox.
            Alert.objects.bulk_create(fired.alerts[::-1], batch_size=500)
            fired.mails = digests.queue_digests(rule=rule, alerts=fired.alerts, on=on)
    logger.info("alert rule %s: %s alerts, %s mails", rule.pk, len(fired.alerts), fired.mails)
    return fired


def new_alerts(rule: AlertRule, findings: Sequence[Finding], on: date) -> list[Alert]:
    """The alerts that are due, unsaved, weightiest first."""
    column = subject_column(rule)
    before = {
        row[column]: row
        # A rule that is only tried has said nothing.
        for row in Alert.objects.filter(rule=rule.pk)
        .order_by()
        .values(column)
        .annotate(
            told=Max("fired_on"), episode=Max("episode_started_on"), snoozed=Max("snoozed_until")
        )
    }
    waiting = [finding for finding in findings if not _is_snoozed(before.get(finding.subject), on)]
    told_on = {
        finding.subject: before[finding.subject]["told"]
        for finding in waiting
        if finding.subject in before
    }
    began = began_after(rule, told_on, on)
    alerts: list[Alert] = []
    for finding in waiting:
        told = told_on.get(finding.subject)
        start = began.get(finding.subject, finding.since)
        if not speaks(rule, start, told, on):
            continue
        if told is not None and start <= told:
            # Still the episode that was told of: what began it is known from then.
            start = before[finding.subject]["episode"]
        alerts.append(
            Alert(
                rule=rule,
                reason_key=f"{rule.kind}:{rule.pk}:{finding.subject}:{start}:{on}",
                episode_started_on=start,
                fired_on=on,
                data={
                    "threshold": rule.days,
                    "amount_minor": rule.amount_minor,
                    **finding.data,
                    "since": str(start),
                },
                **{column: finding.subject},
            )
        )
    name_clients(rule, alerts)
    return alerts


def _is_snoozed(before: dict[str, Any] | None, on: date) -> bool:
    return bool(before and before["snoozed"] and before["snoozed"] > on)


def _supersede(rule: AlertRule, alerts: Sequence[Alert]) -> None:
    """An older alert about the same subject that nobody handled gives way to the new one."""
    column = subject_column(rule)
    subjects = [getattr(alert, column) for alert in alerts]
    for start in range(0, len(subjects), 500):
        Alert.objects.filter(
            rule=rule,
            state__in=[Alert.State.NEW, Alert.State.SNOOZED],
            **{f"{column}__in": subjects[start : start + 500]},
        ).update(state=Alert.State.ACKNOWLEDGED, snoozed_until=None, handled_at=timezone.now())
