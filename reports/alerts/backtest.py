"""What a rule would have said in twelve months, had it been on since the first day of the books.

It is the daily run replayed day by day: both ask telling.py on which days of an episode to speak.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from reports.alerts.evaluating import Finding, holding
from reports.alerts.kinds.base import Episode
from reports.alerts.telling import days_told, whole_episodes
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
    rule: AlertRule,
    until: date,
    thresholds: Sequence[int],
    months: int = 12,
    books: Any = None,
) -> dict[int, Backtest]:
    """The back-test with several numbers of days; `books` are what the kind's `open_books` gave."""
    since = _months_before(until, months)
    return {
        days: _tried(rule, episodes, since, until)
        for days, episodes in whole_episodes(rule, list(thresholds), since, until, books).items()
    }


def _tried(rule: AlertRule, episodes: list[Episode], since: date, until: date) -> Backtest:
    fired = [
        Firing(day, episode.subject, episode)
        for episode in episodes
        for day in days_told(rule, episode, since, until)
    ]
    fired.sort(key=lambda firing: (firing.on, firing.subject), reverse=True)
    standing = [episode for episode in episodes if episode.holds(until)]
    return Backtest(since, until, fired, standing)


def _months_before(day: date, months: int) -> date:
    month = day.year * 12 + day.month - 1 - months
    first = date(month // 12, month % 12 + 1, 1)
    last = ((first + timedelta(days=32)).replace(day=1) - timedelta(days=1)).day
    return first.replace(day=min(day.day, last)) + timedelta(days=1)
