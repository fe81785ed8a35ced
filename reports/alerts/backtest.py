"""What a rule would have said, had it been on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from reports.alerts.evaluating import Finding, holding
from reports.alerts.kinds.base import Episode
from reports.alerts.kinds.registry import kind_of
from reports.models import AlertRule


@dataclass(frozen=True)
class Firing:
    """An alert that the rule would have written."""

    on: date
    subject: int
    episode: Episode = field(compare=False, repr=False)

    @property
    def data(self) -> dict[str, Any]:
        return self.episode.figures(self.on)


@dataclass(frozen=True)
class Backtest:
    since: date
    until: date
    # Newest first.
    fired: list[Firing]
    standing: list[Episode] = field(repr=False)

    @property
    def now(self) -> list[Finding]:
        """All for which the rule holds on the last day, the weightiest first."""
        return holding(self.standing, self.until)

    @property
    def by_month(self) -> list[tuple[date, int]]:
        counted = Counter(firing.on.replace(day=1) for firing in self.fired)
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
        for days, found in kind_of(rule)
        .episodes_by_threshold(rule, thresholds, since, until)
        .items()
    }


def _tried(rule: AlertRule, found: list[Episode], since: date, until: date) -> Backtest:
    by_subject: dict[int, list[Episode]] = {}
    for episode in found:
        by_subject.setdefault(episode.subject, []).append(episode)
    fired = [
        firing
        for subject, rows in by_subject.items()
        for firing in _firings(subject, rows, rule.cooldown_days, since, until)
    ]
    fired.sort(key=lambda firing: (firing.on, firing.subject), reverse=True)
    return Backtest(since, until, fired, [episode for episode in found if episode.holds(until)])


def _months_before(day: date, months: int) -> date:
    month = day.year * 12 + day.month - 1 - months
    first = date(month // 12, month % 12 + 1, 1)
    last = ((first + timedelta(days=32)).replace(day=1) - timedelta(days=1)).day
    return first.replace(day=min(day.day, last)) + timedelta(days=1)


def _firings(
    subject: int, found: Iterable[Episode], cooldown: int, since: date, until: date
) -> list[Firing]:
    """The days on which the rule speaks about one subject."""
    firings: list[Firing] = []
    silent_until: date | None = None
    for episode in sorted(found, key=lambda episode: episode.start):
        last = min(until, episode.end - timedelta(days=1)) if episode.end else until
        day = episode.start if silent_until is None else max(episode.start, silent_until)
        while day <= last:
            if day >= since:
                firings.append(Firing(day, subject, episode))
            if not cooldown:
                return firings
            silent_until = day + timedelta(days=cooldown)
            day = silent_until
    return firings
