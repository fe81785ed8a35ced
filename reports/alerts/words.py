"""What alerts and rules say, in the reader's language: worded when they are shown."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

from django.utils.translation import gettext as _

from reports.alerts.kinds.base import Words
from reports.alerts.kinds.registry import kind_of
from reports.models import Alert, AlertRule


@dataclass(frozen=True)
class AlertWords(Words):
    icon: str = ""
    rule: str = ""
    # Who was told of it.
    told: str = ""


def words_of(alert: Alert, currency: str) -> AlertWords:
    """The alert must come with its subject rows (inbox.inbox, subjects.with_subjects)."""
    kind = kind_of(alert.rule)
    words = kind.words(alert)
    return AlertWords(
        words.title,
        words.detail,
        words.url,
        " ".join(part for part in (words.note, _changed_since(alert, currency)) if part),
        kind.icon,
        name_of(alert.rule, currency),
    )


def _changed_since(alert: Alert, currency: str) -> str:
    """The rule beside an alert is the one of today: said where it was another, but of one that
    holds under it all the same."""
    rule, data = alert.rule, alert.data
    holds = rule.active and alert.state != Alert.State.ACKNOWLEDGED and not alert.ended_on
    if "threshold" not in data or holds:
        return ""
    then = copy(rule)
    then.days = data["threshold"]
    # Older alerts do not have the amount.
    then.amount_minor = data.get("amount_minor", rule.amount_minor)
    kind = kind_of(rule)
    was = kind.name(then, currency)
    if was == kind.name(rule, currency):
        return ""
    return _("The rule was changed since: when it fired it said “%(then)s”.") % {"then": was}


def rule_in_words(rule: AlertRule, currency: str) -> str:
    """What the rule watches and when it speaks, in one sentence."""
    return kind_of(rule).in_words(rule, currency)


def name_of(rule: AlertRule, currency: str) -> str:
    """As somebody named it, or else by what it watches."""
    return rule.name or kind_of(rule).name(rule, currency)
