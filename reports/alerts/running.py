"""Alert rules: what fires on a day, what would have fired, and what staff do with an alert.

A rule speaks about a subject (an invoice, a client, a client type, a deal) when its condition holds
(reports/watching.py), then is silent about that subject for `cooldown_days`; when the condition
still holds after them, it speaks again. With 0 it speaks once. Snoozing is silence until a day.

Nothing twice: the n-th alert of a rule about a subject has one reason key, unique in the database,
and alerts and the mails about them are written in one transaction under the lock of the rule. A
worker that is killed leaves both or neither; two workers queue, and the second one finds the
silence of the first. Days without a worker are caught up with one alert: only the day of the run
counts.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Max, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from billing_portal.accounts.roles import sees_everything
from invoices.models import Client, ClientType, Deal, Invoice
from reports.alerts import digests
from reports.alerts.kinds.conditions import Spell, spells, spells_by_threshold
from reports.models import Alert, AlertRule

logger = logging.getLogger(__name__)

SUBJECT = {
    AlertRule.Kind.OVERDUE: "invoice_id",
    AlertRule.Kind.TYPE_DELAY: "client_type_id",
    AlertRule.Kind.HABIT: "client_id",
    AlertRule.Kind.NOT_INVOICED: "deal_id",
}


class AlertRefused(Exception):
    """The alert cannot be handled so; the message is written for staff."""


@dataclass(frozen=True)
class Finding:
    """The rule holds for a subject on a day; `data` are the figures, `weight` orders them."""

    subject: int
    since: date
    data: dict[str, Any]

    @property
    def weight(self) -> int:
        return int(self.data.get("weight", 0))


@dataclass
class Fired:
    """What a run of one rule wrote, or would write."""

    rule: AlertRule
    alerts: list[Alert] = field(default_factory=list)
    mails: int = 0


class SomeRulesFailed(Exception):
    """The other rules were carried out; the log has the reasons."""


# ─ What holds ───────────────────────────────────────────────────────────────────────────────────


def evaluate(rule: AlertRule, on: date) -> list[Finding]:
    """Everything for which the rule holds on a day, the weightiest first; writes nothing."""
    return _holding(spells(rule, on, on), on)


def _holding(found: Iterable[Spell], on: date) -> list[Finding]:
    holding = [
        Finding(spell.subject, spell.start, spell.tell(on)) for spell in found if spell.holds(on)
    ]
    return sorted(holding, key=lambda finding: (-finding.weight, finding.subject))


@dataclass(frozen=True)
class Would:
    """An alert that the rule would have written."""

    on: date
    subject: int
    spell: Spell = field(compare=False, repr=False)

    @property
    def data(self) -> dict[str, Any]:
        return self.spell.tell(self.on)


@dataclass(frozen=True)
class Backtest:
    since: date
    until: date
    # Newest first.
    fired: list[Would]
    holding: list[Spell] = field(repr=False)

    @property
    def now(self) -> list[Finding]:
        """All for which the rule holds on the last day, the weightiest first."""
        return _holding(self.holding, self.until)

    @property
    def by_month(self) -> list[tuple[date, int]]:
        counted = Counter(would.on.replace(day=1) for would in self.fired)
        months, month = [], self.since.replace(day=1)
        while month <= self.until:
            months.append((month, counted[month]))
            month = (month + timedelta(days=32)).replace(day=1)
        return months


def backtest(rule: AlertRule, until: date, months: int = 12) -> Backtest:
    """What the rule would have fired on, had it been on all the time, silences included."""
    return try_thresholds(rule, until, [rule.days], months)[rule.days]


def try_thresholds(
    rule: AlertRule, until: date, thresholds: Sequence[int], months: int = 12
) -> dict[int, Backtest]:
    """The back-test with several numbers of days."""
    since = _months_before(until, months)
    return {
        days: _tried(rule, found, since, until)
        for days, found in spells_by_threshold(rule, thresholds, since, until).items()
    }


def _tried(rule: AlertRule, found: list[Spell], since: date, until: date) -> Backtest:
    by_subject: dict[int, list[Spell]] = {}
    for spell in found:
        by_subject.setdefault(spell.subject, []).append(spell)
    fired = [
        would
        for subject, rows in by_subject.items()
        for would in _fires(subject, rows, rule.cooldown_days, since, until)
    ]
    fired.sort(key=lambda would: (would.on, would.subject), reverse=True)
    return Backtest(since, until, fired, [spell for spell in found if spell.holds(until)])


def _months_before(day: date, months: int) -> date:
    month = day.year * 12 + day.month - 1 - months
    first = date(month // 12, month % 12 + 1, 1)
    last = ((first + timedelta(days=32)).replace(day=1) - timedelta(days=1)).day
    return first.replace(day=min(day.day, last)) + timedelta(days=1)


def _fires(
    subject: int, found: Iterable[Spell], cooldown: int, since: date, until: date
) -> list[Would]:
    """The days on which the rule speaks about one subject."""
    fires: list[Would] = []
    silent_until: date | None = None
    for spell in sorted(found, key=lambda spell: spell.start):
        last = min(until, spell.end - timedelta(days=1)) if spell.end else until
        day = spell.start if silent_until is None else max(spell.start, silent_until)
        while day <= last:
            if day >= since:
                fires.append(Would(day, subject, spell))
            if not cooldown:
                return fires
            silent_until = day + timedelta(days=cooldown)
            day = silent_until
    return fires


# ─ The run ──────────────────────────────────────────────────────────────────────────────────────


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


def wake_up(*, on: date) -> int:
    """Alerts whose snooze is over are new again."""
    return Alert.objects.filter(state=Alert.State.SNOOZED, snoozed_until__lte=on).update(
        state=Alert.State.NEW, snoozed_until=None
    )


def would_fire(rule: AlertRule, on: date) -> Fired:
    return Fired(rule, _speak(rule, evaluate(rule, on), on))


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
        fired = Fired(rule, _speak(rule, findings, on))
        if fired.alerts:
            _supersede(rule, fired.alerts)
            # The weightiest last: the newest stands on top of the inbox.
            Alert.objects.bulk_create(fired.alerts[::-1], batch_size=500)
            fired.mails = digests.queue_digests(rule=rule, alerts=fired.alerts, on=on)
    logger.info("alert rule %s: %s alerts, %s mails", rule.pk, len(fired.alerts), fired.mails)
    return fired


def _speak(rule: AlertRule, findings: Sequence[Finding], on: date) -> list[Alert]:
    """The alerts for the subjects about which the rule is not silent, unsaved, weightiest first."""
    column = SUBJECT[AlertRule.Kind(rule.kind)]
    before = {
        row[column]: row
        for row in Alert.objects.filter(rule=rule)
        .order_by()
        .values(column)
        .annotate(number=Count("pk"), last=Max("fired_on"), snoozed=Max("snoozed_until"))
    }
    spoken: list[tuple[Finding, int]] = []
    for finding in findings:
        earlier = before.get(finding.subject)
        if earlier is None:
            spoken.append((finding, 1))
        elif not _silent(rule, earlier["last"], earlier["snoozed"], on):
            spoken.append((finding, earlier["number"] + 1))
    alerts = [
        Alert(
            rule=rule,
            reason_key=f"{rule.kind}:{rule.pk}:{finding.subject}:{number}",
            fired_on=on,
            data={**finding.data, "since": str(finding.since)},
            **{column: finding.subject},
        )
        for finding, number in spoken
    ]
    _name_clients(rule, alerts)
    return alerts


def _silent(rule: AlertRule, last: date, snoozed_until: date | None, on: date) -> bool:
    if snoozed_until is not None and snoozed_until > on:
        return True
    return not rule.cooldown_days or last + timedelta(days=rule.cooldown_days) > on


def _name_clients(rule: AlertRule, alerts: Sequence[Alert]) -> None:
    """An alert on an invoice or a deal belongs to its client's page too."""
    subjects = {alert.invoice_id or alert.deal_id for alert in alerts}
    if rule.kind == AlertRule.Kind.OVERDUE:
        clients = dict(_in_parts(Invoice.objects, subjects, "pk", "client_id"))
    elif rule.kind == AlertRule.Kind.NOT_INVOICED:
        clients = dict(_in_parts(Deal.objects, subjects, "pk", "client_id"))
    else:
        return
    for alert in alerts:
        alert.client_id = clients.get(alert.invoice_id or alert.deal_id)


def _in_parts(manager: Any, keys: Iterable[Any], *columns: str) -> list[tuple[Any, ...]]:
    """Rows by primary key, in parts: SQLite takes a bounded number of parameters."""
    wanted, rows = list(keys), []
    for start in range(0, len(wanted), 500):
        part = wanted[start : start + 500]
        rows += manager.filter(pk__in=part).order_by().values_list(*columns)
    return rows


def _supersede(rule: AlertRule, alerts: Sequence[Alert]) -> None:
    """An older alert about the same subject that nobody handled gives way to the new one."""
    column = SUBJECT[AlertRule.Kind(rule.kind)]
    again = [getattr(a, column) for a in alerts if not a.reason_key.endswith(":1")]
    for start in range(0, len(again), 500):
        Alert.objects.filter(
            rule=rule,
            state__in=[Alert.State.NEW, Alert.State.SNOOZED],
            **{f"{column}__in": again[start : start + 500]},
        ).update(state=Alert.State.ACKNOWLEDGED, snoozed_until=None, handled_at=timezone.now())


# ─ The inbox ────────────────────────────────────────────────────────────────────────────────────


def waiting(on: date) -> Q:
    """New, or snoozed until a day that has come."""
    return Q(state=Alert.State.NEW) | Q(state=Alert.State.SNOOZED, snoozed_until__lte=on)


def snoozed(on: date) -> Q:
    return Q(state=Alert.State.SNOOZED, snoozed_until__gt=on)


def inbox(alerts: QuerySet[Alert] | None = None) -> QuerySet[Alert]:
    """Alerts with all that their sentences name."""
    rows = Alert.objects.all() if alerts is None else alerts
    return rows.select_related(
        "rule", "invoice__client__client_type", "client__client_type", "client_type",
        "deal__client__client_type", "handled_by",
    ).defer("invoice__paper")  # fmt: skip


def with_subjects(alerts: Sequence[Alert]) -> Sequence[Alert]:
    """Give unsaved alerts the rows that their sentences name, in a few queries."""
    invoices = Invoice.objects.select_related("client__client_type", "owner").defer("paper")
    deals = Deal.objects.select_related("client__client_type", "owner")
    clients = Client.objects.select_related("client_type", "owner")
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


def would_be(rule: AlertRule, subject: int, on: date, data: dict[str, Any]) -> Alert:
    """An unsaved alert, for a sentence about what would have been said."""
    column = SUBJECT[AlertRule.Kind(rule.kind)]
    return Alert(rule=rule, fired_on=on, data=data, **{column: subject})


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


def may_see(user: User) -> bool:
    return sees_everything(user) and user.has_perm("reports.view_alert")


# ─ Rules ────────────────────────────────────────────────────────────────────────────────────────


def save_rule(
    *, rule_id: int | None, values: dict[str, Any], active: bool | None, by: User
) -> AlertRule:
    """Make or change a rule; `active` None leaves it on or off as it is. Its kind never changes."""
    with transaction.atomic():
        if rule_id is None:
            return AlertRule.objects.create(**values, active=bool(active), created_by=by)
        rule = AlertRule.objects.select_for_update().get(pk=rule_id)
        for name, value in values.items():
            if name != "kind":
                setattr(rule, name, value)
        if active is not None:
            rule.active = active
        rule.save()
        return rule


def switch_rule(*, rule_id: int, active: bool) -> AlertRule:
    with transaction.atomic():
        rule = AlertRule.objects.select_for_update().get(pk=rule_id)
        rule.active = active
        rule.save(update_fields=["active", "updated_at"])
        return rule


def delete_rule(*, rule_id: int) -> None:
    """Only a rule that never spoke; what was said is kept."""
    with transaction.atomic():
        rule = AlertRule.objects.select_for_update().get(pk=rule_id)
        if rule.alerts.exists():
            raise AlertRefused(
                _("“%(name)s” has written alerts, which are kept: switch it off instead.")
                % {"name": rule.name}
            )
        rule.delete()
