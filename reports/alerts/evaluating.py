"""For what a rule holds on a day; writes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from reports.alerts.kinds.base import Episode
from reports.alerts.kinds.registry import kind_of
from reports.models import AlertRule


@dataclass(frozen=True)
class Finding:
    """The rule holds for a subject on a day; `data` are the figures, `weight` orders them."""

    subject: int
    since: date
    data: dict[str, Any]

    @property
    def weight(self) -> int:
        return int(self.data.get("weight", 0))


def evaluate(rule: AlertRule, on: date) -> list[Finding]:
    """Everything for which the rule holds on a day, the weightiest first; writes nothing."""
    return holding(kind_of(rule).episodes(rule, on, on), on)


def holding(found: Iterable[Episode], on: date) -> list[Finding]:
    holding = [
        Finding(episode.subject, episode.start, episode.figures(on))
        for episode in found
        if episode.holds(on)
    ]
    return sorted(holding, key=lambda finding: (-finding.weight, finding.subject))
