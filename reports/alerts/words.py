"""What alerts and rules say, in the reader's language: worded when they are shown."""

from __future__ import annotations

from dataclasses import dataclass

from reports.alerts.kinds.base import Words
from reports.alerts.kinds.registry import kind_of
from reports.models import Alert, AlertRule


@dataclass(frozen=True)
class AlertWords(Words):
    icon: str = ""
    rule: str = ""


def words_of(alert: Alert, currency: str) -> AlertWords:
    """The alert must come with its subject rows (inbox.inbox, subjects.with_subjects)."""
    kind = kind_of(alert.rule)
    words = kind.words(alert)
    return AlertWords(
        words.title, words.detail, words.url, words.note, kind.icon, name_of(alert.rule, currency)
    )


def rule_in_words(rule: AlertRule, currency: str) -> str:
    """What the rule watches and when it speaks, in one sentence."""
    return kind_of(rule).in_words(rule, currency)


def name_of(rule: AlertRule, currency: str) -> str:
    """As somebody named it, or else by what it watches."""
    return rule.name or kind_of(rule).name(rule, currency)
