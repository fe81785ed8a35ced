"""What a kind of alert rule is. Each kind is a file of this package, and nothing else knows it.

A kind says what it watches (`episodes`), what is said of it (`words`), which fields of a rule its
sentence has (`watches`, `when`), and about what it speaks (`subject`). The registry finds the file
by its `KIND`; pages, mails, the run and the back-test ask the registry.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from string import Formatter
from typing import Any, ClassVar, Literal

from django.utils.translation import ngettext

from reports.alerts.reading import Condition, no_alert
from reports.models import Alert, AlertRule

# The columns of an alert that may be its subject.
Subject = Literal["invoice", "client", "client_type", "deal"]
# Ids of subjects; None: all of them.
Subjects = Collection[int] | None


@dataclass(frozen=True)
class Episode:
    """The rule holds for `subject` from `start` until the day before `end` (None: still).

    What ends and begins again is another episode, and a reason to speak again.
    """

    subject: int
    start: date
    end: date | None
    # The figures on a day of the episode, for the sentence.
    figures: Callable[[date], dict[str, Any]] = field(compare=False, repr=False)

    def holds(self, on: date) -> bool:
        return self.start <= on and (self.end is None or on < self.end)


@dataclass(frozen=True)
class Words:
    """`title` is the finding, `detail` the figures behind it, `url` the rows that they count."""

    title: str
    detail: str
    url: str
    # What became of it since, when that is known.
    note: str = ""


class Kind(ABC):
    key: ClassVar[str]
    icon: ClassVar[str]
    # Where the kind stands in the choice of a new rule.
    place: ClassVar[int]
    subject: ClassVar[Subject]
    # Whether a subject has an owner who can be told of what is theirs.
    has_owner: ClassVar[bool] = True
    # False: an episode that held on the first day asked for may have begun before its `start`.
    starts_are_exact: ClassVar[bool] = True
    # What a new rule of the kind begins with, by field.
    defaults: ClassVar[Mapping[str, Any]]

    @property
    @abstractmethod
    def label(self) -> str:
        """What it watches, as a short sentence."""

    @property
    @abstractmethod
    def hint(self) -> str:
        """What can be chosen about it."""

    @property
    @abstractmethod
    def watches(self) -> str:
        """“Watch …”, with a {field} in braces wherever something is typed."""

    @property
    @abstractmethod
    def when(self) -> str:
        """“Tell when …”, with fields in braces; {currency} is the company's."""

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """The columns of a rule that its sentence has, in order of appearance."""
        names = [
            name
            for text in (self.watches, self.when)
            for _text, name, _format, _conversion in Formatter().parse(text)
        ]
        return tuple(name for name in dict.fromkeys(names) if name and name != "currency")

    @abstractmethod
    def episodes(
        self, rule: AlertRule, since: date, until: date, only: Subjects = None
    ) -> list[Episode]:
        """All episodes that touch the days from `since` to `until`; `only` of some subjects."""

    def episodes_by_threshold(
        self,
        rule: AlertRule,
        thresholds: Iterable[int],
        since: date,
        until: date,
        only: Subjects = None,
        books: Any = None,
    ) -> dict[int, list[Episode]]:
        """Those of the same rule with other numbers of days; `books` are what `open_books` gave."""
        found = {}
        for days in thresholds:
            other = copy(rule)
            other.days = days
            found[days] = self.episodes(other, since, until, only)
        return found

    def open_books(self, rule: AlertRule) -> Any:
        """What may be read once where several spans are asked for; None: nothing."""
        return None

    def values_by_day(
        self, rule: AlertRule, since: date, until: date, books: Any = None
    ) -> dict[date, float]:
        """What the threshold is compared with, day by day, if one line can show it."""
        return {}

    @abstractmethod
    def words(self, alert: Alert) -> Words:
        """What an alert says, in the reader's language; it comes with its subject row."""

    def over(self) -> Condition:
        """Alerts of the kind whose matter is seen to be over before the next run of the rule finds
        that it no longer holds; none by default."""
        return no_alert()

    def rows_then_and_now(self, alerts: Sequence[Alert]) -> Mapping[int, tuple[int, int]]:
        """By alert, how many rows it counted when it fired and how many its link opens today; only
        of kinds whose link opens a list that may have grown since."""
        return {}

    @abstractmethod
    def in_words(self, rule: AlertRule, currency: str) -> str:
        """What a rule watches and when it speaks, in one sentence."""

    @abstractmethod
    def name(self, rule: AlertRule, currency: str) -> str:
        """What a rule is called that was given no name."""

    @abstractmethod
    def formula(self, rule: AlertRule) -> str:
        """How it is reckoned, under the figure."""

    def clients(self, subjects: Collection[int]) -> Mapping[int, int | None]:
        """The client on whose page an alert stands, by subject, where that is another row."""
        return {}


def days_text(number: int) -> str:
    return ngettext("%(n)s day", "%(n)s days", number) % {"n": number}


def in_parts(manager: Any, keys: Iterable[Any], *columns: str) -> list[tuple[Any, ...]]:
    """Rows by primary key, in parts: SQLite takes a bounded number of parameters."""
    wanted, rows = list(keys), []
    for start in range(0, len(wanted), 500):
        part = wanted[start : start + 500]
        rows += manager.filter(pk__in=part).order_by().values_list(*columns)
    return rows
