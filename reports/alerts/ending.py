"""An alert ends when its rule, as the rule is now, no longer holds for what the alert is about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from django.db import transaction

from reports.alerts.evaluating import Finding, evaluate
from reports.alerts.kinds.registry import kind_of
from reports.alerts.subjects import subject_column
from reports.models import Alert, AlertRule


def end_what_no_longer_holds(*, rule_id: int, on: date) -> int:
    """For a rule that has just been changed; says nothing new. How many ended or hold again."""
    rule = AlertRule.objects.get(pk=rule_id)
    findings = evaluate(rule, on)
    with transaction.atomic():
        locked = AlertRule.objects.select_for_update().filter(pk=rule_id, active=True).first()
        if locked is None:
            return 0
        if locked.updated_at != rule.updated_at:
            rule, findings = locked, evaluate(locked, on)
        return mark_ended(rule, findings, on)


def mark_ended(rule: AlertRule, findings: Iterable[Finding], on: date) -> int:
    """Under the lock of the rule. One that ended and holds again is as new as it was: no second
    alert is written for it.

    Nothing is written of one that is seen to be over anyway (Kind.over), or a payment that is taken
    back would bring its alert back only with the next run.
    """
    column = subject_column(rule)
    held = {finding.subject for finding in findings}
    open_ones = Alert.objects.filter(rule=rule, state__in=[Alert.State.NEW, Alert.State.SNOOZED])
    seen = set(open_ones.filter(kind_of(rule).over()).values_list("pk", flat=True))
    rows = list(open_ones.values_list("pk", column, "ended_on"))
    over = [pk for pk, subject, end in rows if end is None and not (subject in held or pk in seen)]
    again = [pk for pk, subject, end in rows if end is not None and subject in held]
    return _written(over, on) + _written(again, None)


def _written(pks: Sequence[int], day: date | None) -> int:
    # SQLite takes a bounded number of parameters.
    return sum(
        Alert.objects.filter(pk__in=pks[start : start + 500]).update(ended_on=day)
        for start in range(0, len(pks), 500)
    )
