"""A client type pays late.

Subject: a client type (each of them when the rule names none), as invoices keep it since their
issue. Of those issued from `window_days` before the day up to it; holds while the measure of their
days late is above `days`, with at least `min_payments` paid. P50 and P75 are Kaplan–Meier with open
invoices censored; a percentile that is not reached is known to be above `days` when something was
watched for longer than that. The mean is of paid ones. What was brought in because it was open on
some day is at risk from that day on, as in the delay report.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing_portal import dates
from billing_portal.figures import decimal
from invoices.selections.filters import InvoiceFilter
from reports.alerts.kinds.base import Episode, Kind, Subjects, Words, days_text
from reports.alerts.kinds.measures import Measured, measured
from reports.alerts.reading import (
    PastSettled,
    count_late,
    dated_by_type,
    invoices_of_types,
    issued_in,
    settled_at,
)
from reports.cells import plural_of
from reports.delays.tally import Tally
from reports.links import invoice_list
from reports.models import Alert, AlertRule

_DAY = timedelta(days=1)


class TypeDelay(Kind):
    key = "type_delay"
    icon = "chart-histogram"
    place = 2
    subject = "client_type"
    has_owner = False
    # Whether it was above the threshold is known only of the days that are swept.
    starts_are_exact = False
    defaults = {
        "days": 15,
        "window_days": 180,
        "min_payments": 20,
        "cooldown_days": 21,
        "measure": AlertRule.Measure.P50,
    }

    @property
    def label(self) -> str:
        return _("A client type pays late")

    @property
    def hint(self) -> str:
        return _("Median, third quartile or mean of days late, over a moving window.")

    @property
    def watches(self) -> str:
        return _("{measure} for {client_type} over invoices issued in the last {window_days} days")

    @property
    def when(self) -> str:
        return _("it is above {days} days, with at least {min_payments} payments behind it")

    def episodes(
        self, rule: AlertRule, since: date, until: date, only: Subjects = None
    ) -> list[Episode]:
        return _episodes(rule, rule.days, delays_by_day(rule, since, until, only))

    def episodes_by_threshold(
        self,
        rule: AlertRule,
        thresholds: Iterable[int],
        since: date,
        until: date,
        only: Subjects = None,
        books: Any = None,
    ) -> dict[int, list[Episode]]:
        """One reading of the books for all."""
        delays = delays_by_day(rule, since, until, only, books)
        return {days: _episodes(rule, days, delays) for days in thresholds}

    def open_books(self, rule: AlertRule) -> Books:
        return Books(rule)

    def values_by_day(
        self, rule: AlertRule, since: date, until: date, books: Any = None
    ) -> dict[date, float]:
        if rule.client_type_id is None:
            return {}
        delays = delays_by_day(rule, since, until, books=books)
        days = delays.get(rule.client_type_id, [])
        return {day: float(now.value) for day, now in days if now.value is not None}

    def words(self, alert: Alert) -> Words:
        data, client_type = alert.data, alert.client_type
        assert client_type is not None
        days, beyond = _value(data)
        words = {
            "type": client_type.name,
            "days": days,
            "threshold": days_text(data["threshold"]),
            "paid": data["paid"],
            "n": data["paid"] + data["open"],
            "since": dates.day(date.fromisoformat(data["from"])),
        }
        title = {
            (AlertRule.Measure.P50, False): _(
                "%(type)s: half of the invoices are paid %(days)s late or more"
            ),
            (AlertRule.Measure.P50, True): _(
                "%(type)s: after %(days)s, not even half of the invoices are paid"
            ),
            (AlertRule.Measure.P75, False): _(
                "%(type)s: one invoice in four is paid %(days)s late or more"
            ),
            (AlertRule.Measure.P75, True): _(
                "%(type)s: after %(days)s, not even three invoices in four are paid"
            ),
            (AlertRule.Measure.MEAN, False): _(
                "%(type)s: invoices are paid %(days)s late on average"
            ),
        }[(AlertRule.Measure(data["measure"]), beyond)] % words
        detail = (
            _(
                "The threshold is %(threshold)s. Of %(n)s invoices issued since %(since)s, "
                "%(paid)s are paid."
            )
            % words
        )
        wanted = InvoiceFilter(
            state="issued",
            type=(client_type.pk,),
            issued_from=date.fromisoformat(data["from"]),
            as_of=date.fromisoformat(data["on"]),
        )
        return Words(title, detail, invoice_list(wanted), "")

    def rows_then_and_now(self, alerts: Sequence[Alert]) -> Mapping[int, tuple[int, int]]:
        spans = {
            alert.pk: (alert.client_type_id or 0, alert.data["from"], alert.data["on"])
            for alert in alerts
        }
        now = issued_in(spans)
        return {a.pk: (a.data["paid"] + a.data["open"], now[a.pk]) for a in alerts}

    def in_words(self, rule: AlertRule, currency: str) -> str:
        words: dict[str, Any] = {
            "days": days_text(rule.days),
            "window": rule.window_days,
            "type": rule.client_type.name if rule.client_type else _("Each client type"),
        }
        return {
            AlertRule.Measure.P50: _(
                "%(type)s: half of the invoices of the last %(window)s days are paid more than "
                "%(days)s late."
            ),
            AlertRule.Measure.P75: _(
                "%(type)s: one in four invoices of the last %(window)s days is paid more than "
                "%(days)s late."
            ),
            AlertRule.Measure.MEAN: _(
                "%(type)s: invoices of the last %(window)s days are paid more than %(days)s late "
                "on average."
            ),
        }[AlertRule.Measure(rule.measure)] % words

    def name(self, rule: AlertRule, currency: str) -> str:
        return _("%(type)s: paid more than %(days)s days late") % {
            "type": str(rule.client_type) if rule.client_type else _("A client type"),
            "days": rule.days,
        }

    def formula(self, rule: AlertRule) -> str:
        return _(
            "Payment date − due date over the invoices issued in the %(window)s days before each "
            "day, by value dates up to it; median and third quartile count open invoices as "
            "unpaid up to their age (Kaplan–Meier), the mean only what is paid. %(type)s, every "
            "currency, at least %(least)s payments."
        ) % {
            "window": rule.window_days,
            "least": rule.min_payments,
            "type": rule.client_type.name if rule.client_type else _("Each client type"),
        }


def _value(data: dict[str, Any]) -> tuple[str, bool]:
    """The measured days as words, and whether they are only a lower bound."""
    if data["value"] is None:
        return days_text(data["longest"]), True
    value = Decimal(data["value"])
    if value == int(value):
        return days_text(int(value)), False
    number = plural_of(value)
    return ngettext("%(n)s day", "%(n)s days", number) % {"n": decimal(value)}, False


class MovingWindow:
    """Invoices of one type in a moving window, as counts: a day costs what changed in it."""

    def __init__(self) -> None:
        self.paid: Counter[int] = Counter()
        self.censored: Counter[int] = Counter()
        self.open: Counter[date] = Counter()
        # Rows that were first seen when they had an age already: few, and counted day by day.
        self.seen_late: Counter[DelayRow] = Counter()

    def change(self, row: DelayRow, number: int, on: date) -> None:
        """Count the row `number` times in the place where it stands on the day."""
        if row.seen is not None:
            self._add(self.seen_late, row, number)
            return
        settled, paid = row.at(on)
        if settled is None:
            self._add(self.open, row.due, number)
        elif paid is not None:
            self._add(self.paid, (paid - row.due).days, number)
        else:
            # Withdrawn by a credit note or a write-off: watched until then, never paid.
            self._add(self.censored, (settled - row.due).days, number)

    @staticmethod
    def _add(counts: Counter[Any], key: Any, number: int) -> None:
        counts[key] += number
        if not counts[key]:
            del counts[key]

    def measured(self, measure: str, on: date) -> Measured:
        unfinished = Counter(self.censored)
        for due, number in self.open.items():
            unfinished[(on - due).days] += number
        tally = Tally(self.paid, unfinished)
        if self.seen_late:
            tally.paid = Counter(self.paid)
            for row, number in self.seen_late.items():
                assert row.seen is not None
                count_late(tally, row.at(on), row.due, row.seen, on, number)
        return measured(measure, tally)


@dataclass(frozen=True, slots=True)
class DelayRow:
    issued: date
    due: date
    settled: date | None
    paid: date | None
    number: int
    past: tuple[PastSettled, ...] = ()
    # Brought in as an open item of this day.
    seen: date | None = None

    def at(self, on: date) -> tuple[date | None, date | None]:
        return settled_at(on, self.settled, self.paid, self.past)

    @property
    def changes(self) -> set[date]:
        """The days on which it was settled or opened again."""
        days = {day for before in self.past for day in (before.on, before.reopened)}
        return days | {self.settled} if self.settled else days


class Books:
    """What each day came to, and the rows behind it: read once, as far back as they are needed."""

    def __init__(self, rule: AlertRule, only: Subjects = None) -> None:
        """`only` of some client types."""
        self._rule, self._only = rule, only
        self._types = [rule.client_type_id] if rule.client_type_id else None
        self._by_type: dict[int, list[DelayRow]] = defaultdict(list)
        self._read_from: date | None = None
        self._known: dict[int, dict[date, Measured]] = defaultdict(dict)

    def by_day(
        self, since: date, until: date, only: Subjects = None
    ) -> dict[int, list[tuple[date, Measured]]]:
        first = since - timedelta(days=self._rule.window_days)
        if self._read_from is None or first < self._read_from:
            self._read(first)
        span = [since + timedelta(days=n) for n in range((until - since).days + 1)]
        found: dict[int, list[tuple[date, Measured]]] = {}
        for client_type, whole in self._by_type.items():
            if only is not None and client_type not in only:
                continue
            known = self._known[client_type]
            if not all(day in known for day in span):
                rows = [row for row in whole if first <= row.issued <= until]
                if not rows:
                    continue
                known.update(measured_by_day(self._rule, rows, since, until))
            found[client_type] = [(day, known[day]) for day in span]
        return found

    def _read(self, first: date) -> None:
        """Those issued from a day on that were not read yet."""
        apart, many = dated_by_type(
            invoices_of_types(first, self._types, self._only, before=self._read_from)
        )
        for kind, past, seen, issued, due, settled, paid in apart:
            self._by_type[kind].append(DelayRow(issued, due, settled, paid, 1, past, seen))
        for kind, number, issued, due, settled, paid in many:
            self._by_type[kind].append(DelayRow(issued, due, settled, paid, number))
        self._read_from = first


def delays_by_day(
    rule: AlertRule,
    since: date,
    until: date,
    only: Subjects = None,
    books: Books | None = None,
) -> dict[int, list[tuple[date, Measured]]]:
    """For each client type that the rule watches, its measure on every day of the span."""
    return (books or Books(rule, only)).by_day(since, until, only)


def measured_by_day(
    rule: AlertRule, rows: list[DelayRow], since: date, until: date
) -> list[tuple[date, Measured]]:
    window = timedelta(days=rule.window_days)
    enters: dict[date, list[DelayRow]] = defaultdict(list)
    changes: dict[date, list[DelayRow]] = defaultdict(list)
    leaves: dict[date, list[DelayRow]] = defaultdict(list)
    counts = MovingWindow()
    for row in rows:
        if row.issued <= since:
            counts.change(row, row.number, since)
        else:
            enters[row.issued].append(row)
        leaves[row.issued + window + _DAY].append(row)
        for day in row.changes:
            if day > max(since, row.issued):
                changes[day].append(row)
    found: list[tuple[date, Measured]] = []
    day = since
    while day <= until:
        if day > since:
            for row in enters.get(day, ()):
                counts.change(row, row.number, day)
            for row in changes.get(day, ()):
                if row.issued + window >= day - _DAY:
                    counts.change(row, -row.number, day - _DAY)
                    counts.change(row, row.number, day)
            for row in leaves.get(day, ()):
                counts.change(row, -row.number, day)
        found.append((day, counts.measured(rule.measure, day)))
        day += _DAY
    return found


def _episodes(
    rule: AlertRule, threshold: int, delays: Mapping[int, list[tuple[date, Measured]]]
) -> list[Episode]:
    found: list[Episode] = []
    for client_type, days in delays.items():
        known = dict(days)

        def figures(on: date, known: dict[date, Measured] = known) -> dict[str, Any]:
            return type_delay_data(rule, known[on], on)

        start: date | None = None
        for day, now in days:
            if now.behind >= rule.min_payments and now.above(threshold):
                start = start or day
            elif start is not None:
                found.append(Episode(client_type, start, day, figures))
                start = None
        if start is not None:
            found.append(Episode(client_type, start, None, figures))
    return found


def type_delay_data(rule: AlertRule, now: Measured, on: date) -> dict[str, Any]:
    return {
        "measure": rule.measure,
        "value": None if now.value is None else str(now.value),
        "longest": now.longest,
        "paid": now.paid,
        "open": now.open,
        "threshold": rule.days,
        "from": str(on - timedelta(days=rule.window_days)),
        "on": str(on),
        "weight": now.paid + now.open,
    }


KIND = TypeDelay()
