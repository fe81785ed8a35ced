"""When a rule speaks about a subject: one answer for the daily run and for the back-test.

A reason is a subject and an episode. A new episode is told of at once, however short the silence
was; within an episode the rule speaks at most every `cooldown_days`, with 0 once.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from invoices.models import Invoice
from reports.alerts.kinds.base import Episode, Subjects
from reports.alerts.kinds.registry import kind_of
from reports.models import AlertRule

_DAY = timedelta(days=1)


def speaks(rule: AlertRule, began: date, told_on: date | None, on: date) -> bool:
    """Whether the rule speaks on a day of an episode; `told_on` is when it spoke of the subject."""
    if told_on is None or began > told_on:
        return True
    return rule.cooldown_days > 0 and told_on + timedelta(days=rule.cooldown_days) <= on


def days_told(rule: AlertRule, episode: Episode, since: date, until: date) -> list[date]:
    """The days of an episode in the span on which a rule that was on all the time speaks."""
    last = min(until, episode.end - _DAY) if episode.end else until
    if not rule.cooldown_days:
        return [episode.start] if since <= episode.start <= last else []
    # Rounded up: the first day of the span that is a whole number of silences after the start.
    first = max(0, -((episode.start - since).days // rule.cooldown_days))
    number = (last - episode.start).days // rule.cooldown_days + 1
    silence = timedelta(days=rule.cooldown_days)
    return [episode.start + n * silence for n in range(first, number)]


def whole_episodes(
    rule: AlertRule, thresholds: list[int], since: date, until: date, books: Any = None
) -> dict[int, list[Episode]]:
    """By threshold, the episodes that touch the span, each with the day on which it began.

    With a cool-down the day on which an episode began decides on which of its days the rule speaks,
    so those that held before the span are read again from further back, to where they began or to
    the first day of the books.
    """
    kind = kind_of(rule)
    begin = since - _DAY
    books = books or kind.open_books(rule)
    found = kind.episodes_by_threshold(rule, thresholds, begin, until, books=books)
    if kind.starts_are_exact or not rule.cooldown_days:
        return found
    cut = {
        (days, each.subject): each.start
        for days, episodes in found.items()
        for each in episodes
        if each.start <= begin
    }
    if not cut:
        return found
    # Of one kind: the index that has them in this order begins with it.
    issued = Invoice.objects.issued().invoices().order_by("issue_date")
    beginning = issued.values_list("issue_date", flat=True).first() or begin
    began, step = dict(cut), timedelta(days=90)
    # Each stretch of days is read once, for the subjects that held on its last day.
    while cut and begin > beginning:
        before = max(beginning, begin - step)
        subjects = {subject for _days, subject in cut}
        earlier = kind.episodes_by_threshold(rule, thresholds, before, begin, subjects, books)
        for days, episodes in earlier.items():
            for each in episodes:
                if (days, each.subject) in cut and each.holds(begin):
                    began[days, each.subject] = each.start
        cut = {key: began[key] for key in cut if began[key] <= before}
        begin, step = before, step * 2
    return {
        days: [
            replace(each, start=min(each.start, began.get((days, each.subject), each.start)))
            if each.start < since
            else each
            for each in episodes
        ]
        for days, episodes in found.items()
    }


def began_after(rule: AlertRule, told_on: dict[int, date], on: date) -> dict[int, date]:
    """For subjects that were told of before and for which the rule holds today: when it began.

    Only right where it lies after the day on which the subject was told of; that is what counts.
    """
    if not told_on or kind_of(rule).starts_are_exact:
        return {}
    only: Subjects = list(told_on)
    # SQLite takes a bounded number of parameters: of many subjects all are read.
    only = None if len(told_on) > 500 else only
    episodes = kind_of(rule).episodes(rule, min(*told_on.values(), on), on, only)
    return {
        episode.subject: episode.start
        for episode in episodes
        if episode.subject in told_on and episode.holds(on)
    }
