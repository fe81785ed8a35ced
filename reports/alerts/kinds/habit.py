"""A client pays later than its own habit.

Subject: a client, with those merged into it. Its habit for an invoice is the measure of days late
of its other invoices issued within `window_days` before that invoice fell due, as known on that due
date (so a client that slips does not drag its own habit along), at least `min_payments` of them
paid, early counted as on time. Holds while an invoice is open for more than habit + `days` after
its due date. No habit, nothing said. Open items of a go-live day are at risk from that day on, as
in the delay report.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing_portal.money import formatted_minor
from invoices.selections.filters import InvoiceFilter
from reports.alerts.kinds.amounts import OwnMoney
from reports.alerts.kinds.base import Episode, Kind, Subjects, Words, days_text
from reports.alerts.kinds.measures import value_of
from reports.alerts.reading import (
    LateInvoices,
    count_late,
    first_seen_late,
    invoices_of_instalments,
    invoices_of_types,
    late_invoices,
    merged_clients,
    numbered_days,
    owed_on,
    past_settlements,
    settled_at,
    settling_steps,
    totals_of,
)
from reports.delays.tally import Tally
from reports.links import invoice_list
from reports.models import Alert, AlertRule


class Habit(Kind):
    key = "habit"
    icon = "building"
    place = 3
    subject = "client"
    defaults = {
        "days": 10,
        "window_days": 730,
        "min_payments": 5,
        "measure": AlertRule.Measure.P75,
        "cooldown_days": 30,
    }

    @property
    def label(self) -> str:
        return _("A client pays later than its own habit")

    @property
    def hint(self) -> str:
        return _("An open invoice waits longer than this client is used to.")

    @property
    def watches(self) -> str:
        return _(
            "each client’s own habit: {measure} over its invoices of the last {window_days} days, "
            "with at least {min_payments} payments behind it"
        )

    @property
    def when(self) -> str:
        return _("an open invoice waits more than {days} days longer than that")

    def episodes(
        self, rule: AlertRule, since: date, until: date, only: Subjects = None
    ) -> list[Episode]:
        return _episodes(rule, [rule.days], since, until, only)[rule.days]

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
        return _episodes(rule, list(thresholds), since, until, only)

    def words(self, alert: Alert) -> Words:
        data, client = alert.data, alert.client
        assert client is not None
        words = {
            "client": client.name,
            "days": days_text(data["days"]),
            "habit": days_text(data["habit"]),
            "owed": " · ".join(
                formatted_minor(each["minor"], each["currency"]) for each in data["owed"]
            ),
            "n": data["invoices"],
        }
        title = _("%(client)s is %(days)s late, later than its habit") % words
        usual = {
            AlertRule.Measure.P50: _(
                "It pays half of its invoices within %(habit)s of the due date."
            ),
            AlertRule.Measure.P75: _("It pays three in four within %(habit)s of the due date."),
            AlertRule.Measure.MEAN: _("It pays %(habit)s late on average."),
        }[AlertRule.Measure(data["measure"])] % words
        more = (
            ngettext(
                "%(n)s invoice waits longer than that: %(owed)s.",
                "%(n)s invoices wait longer than that: %(owed)s.",
                data["invoices"],
            )
            % words
        )
        wanted = InvoiceFilter(
            state="overdue", client=client.pk, late_min=data["least_days"], as_of=alert.fired_on
        )
        return Words(title, f"{usual} {more}", invoice_list(wanted), "")

    def in_words(self, rule: AlertRule, currency: str) -> str:
        return _("A client pays more than %(days)s later than its own habit.") % {
            "days": days_text(rule.days)
        }

    def name(self, rule: AlertRule, currency: str) -> str:
        return _("More than %(days)s later than its own habit") % {"days": days_text(rule.days)}

    def formula(self, rule: AlertRule) -> str:
        return _(
            "Days late of an open invoice > habit + %(days)s. Habit: the measure of the client’s "
            "other invoices issued in the %(window)s days before this one fell due, as known that "
            "day, at least %(least)s of them paid; early counts as on time."
        ) % {"days": rule.days, "window": rule.window_days, "least": rule.min_payments}


# Days are whole numbers here, counted from this one: they are read by the thousand.
_ZERO = date(1970, 1, 1)


def _number(day: date) -> int:
    return (day - _ZERO).days


def _day(number: int) -> date:
    return _ZERO + timedelta(days=number)


_FOREVER = _number(date.max)


# Issue date, id (of an instalment negative), due date, settled, paid: in the order of issue dates.
EarlierInvoice = tuple[int, int, int, int | None, int | None]


class Books:
    """What habits are read from, read once; each invoice's habit is reckoned once."""

    def __init__(self, rule: AlertRule) -> None:
        self._rule = rule
        rows = invoices_of_types(None, None, None)
        self.past, self._seen = past_settlements(rows), first_seen_late()
        self.by_client: dict[int, list[EarlierInvoice]] = defaultdict(list)
        accounts = merged_clients()
        for client, *invoice in numbered_days(rows, _ZERO):
            self.by_client[accounts.get(client, client)].append((*invoice,))
        for invoices in self.by_client.values():
            invoices.sort()
        self._apart = {*self.past, *self._seen}
        self._habits: dict[int, int | None] = {}

    def open_spans(self, invoice: EarlierInvoice) -> Iterator[tuple[int, int | None]]:
        """From which day until before which it was open, as often as it was."""
        opened, pk, _due, settled, _paid = invoice
        for before in self.past.get(pk, ()):
            yield opened, _number(before.on)
            opened = _number(before.reopened)
        yield opened, settled

    def waiting_since(self, client: int, days: int, first: int) -> int:
        """The day on which an episode began that held on the day `first`.

        An invoice that was settled before may have begun what another one carried on: from the
        last one settled backwards, as far as one waits for the other.
        """
        spans = [
            (_FOREVER if closed is None else closed, opened, invoice)
            for invoice in self.by_client[client]
            if invoice[2] + days < first
            for opened, closed in self.open_spans(invoice)
        ]
        for closed, opened, invoice in sorted(spans, reverse=True):
            if closed < first:
                break
            # A habit is never below 0: what starts later than this needs none.
            if max(opened, invoice[2] + days + 1) >= first:
                continue
            habit = self.habit(client, invoice)
            if habit is not None:
                start = max(opened, invoice[2] + habit + days + 1)
                first = start if start < min(first, closed) else first
        return first

    def habit(self, client: int, invoice: EarlierInvoice) -> int | None:
        pk = invoice[1]
        if pk not in self._habits:
            self._habits[pk] = self._habit_before(self.by_client[client], pk, invoice[2])
        return self._habits[pk]

    def _habit_before(self, history: list[EarlierInvoice], pk: int, due: int) -> int | None:
        """Only the rule's window of the history is looked at."""
        first = bisect_left(history, (due - self._rule.window_days,))
        end = bisect_left(history, (due,), lo=first)
        apart = self._apart
        paid: dict[int, int] = defaultdict(int)
        censored: dict[int, int] = defaultdict(int)
        tally = Tally(paid, censored)
        for invoice in history[first:end]:
            _issued, other, other_due, settled, paid_on = invoice
            if other == pk:
                continue
            if other in apart:
                self._count_apart(tally, invoice, due)
            elif settled is None or settled > due:
                censored[due - other_due] += 1
            elif paid_on is None:
                censored[settled - other_due] += 1
            else:
                paid[paid_on - other_due] += 1
        # No more than these stand behind it, and the curve is what costs.
        if tally.n_paid < self._rule.min_payments:
            return None
        value, behind = value_of(self._rule.measure, tally)
        if behind < self._rule.min_payments or value is None:
            return None
        return max(0, round(value))

    def _count_apart(self, tally: Tally, invoice: EarlierInvoice, due: int) -> None:
        """One of the few that were settled and opened again, or first seen when they had an age."""
        _issued, pk, other_due, settled, paid_on = invoice
        state = settled_at(
            _day(due),
            None if settled is None else _day(settled),
            None if paid_on is None else _day(paid_on),
            self.past.get(pk, ()),
        )
        # What was seen from its due date on is as if it had been seen all the time.
        seen = self._seen.get(pk)
        if seen is not None:
            count_late(tally, state, _day(other_due), seen, _day(due))
            return
        counts = tally.unfinished if state[1] is None else tally.paid
        counts[_number(state[1] or state[0] or _day(due)) - other_due] += 1


@dataclass(frozen=True, slots=True)
class WaitedFor:
    """An open invoice beyond its client's habit, from `start` until it is settled."""

    pk: int
    due: int
    start: int
    end: int | None
    habit: int


def _episodes(
    rule: AlertRule,
    thresholds: list[int],
    since: date,
    until: date,
    only: Subjects,
) -> dict[int, list[Episode]]:
    """The episodes by number of days beyond the habit, which itself depends on none of them."""
    late = late_invoices(since, until, min(thresholds))
    books, amounts = Books(rule), Amounts(late)
    waited = _waited_for(books, thresholds, _number(since), _number(until), only)
    found: dict[int, list[Episode]] = {days: [] for days in thresholds}
    for days, by_client in waited.items():
        for client, rows in by_client.items():

            def figures(on: date, rows: list[WaitedFor] = rows) -> dict[str, Any]:
                return _figures(rule, amounts, rows, on)

            spans = _spans(rows)
            # What held on the first day may have begun with an invoice that is settled since.
            first, end = spans[0]
            if first <= _number(since):
                spans[0] = books.waiting_since(client, days, first), end
            found[days] += [
                Episode(client, _day(first), None if end is None else _day(end), figures)
                for first, end in spans
            ]
    return found


def _waited_for(
    books: Books, thresholds: list[int], since: int, until: int, only: Subjects
) -> dict[int, dict[int, list[WaitedFor]]]:
    """By threshold and client, what was waited for on some day of the span."""
    waited: dict[int, dict[int, list[WaitedFor]]] = {days: defaultdict(list) for days in thresholds}
    least = min(thresholds) + 1
    wanted = books.by_client if only is None else set(only) & books.by_client.keys()
    for client in wanted:
        for invoice in books.by_client[client]:
            _issued, pk, due, settled, _paid = invoice
            # A habit is never below 0: most are settled before any threshold, and need none.
            begin = due + least
            if begin > until or (
                settled is not None and settled <= max(begin, since) and pk not in books.past
            ):
                continue
            habit = books.habit(client, invoice)
            if habit is None:
                continue
            for days, by_client in waited.items():
                start = due + habit + days + 1
                for opened, closed in books.open_spans(invoice):
                    first = max(start, opened)
                    if first <= until and (closed is None or closed > max(first, since)):
                        by_client[client].append(WaitedFor(pk, due, first, closed, habit))
    return waited


class Amounts:
    """What is owed on late invoices, on any day; read when the first figure is asked for."""

    def __init__(self, late: LateInvoices) -> None:
        self._late = late
        self.own = OwnMoney()

    @cached_property
    def _totals(self) -> dict[int, tuple[str, int, Decimal | None]]:
        return {
            key: (currency, total, self.own.rate(currency, stored, issued))
            for key, currency, total, stored, issued in totals_of(self._late)
        }

    @cached_property
    def _steps(self) -> Mapping[int, list[tuple[date, int]]]:
        return settling_steps(self._late)

    def invoice_of(self, key: int) -> int:
        return self._of_parts[key] if key < 0 else key

    @cached_property
    def _of_parts(self) -> Mapping[int, int]:
        return invoices_of_instalments()

    def owed(self, pk: int, on: date) -> tuple[str, int, int]:
        """Currency, what is owed in its minor units, and that in the company's currency."""
        currency, total, rate = self._totals[pk]
        owed = owed_on(total, self._steps.get(pk, ()), on)
        return currency, owed, self.own.minor(owed, currency, rate)


def _figures(rule: AlertRule, amounts: Amounts, rows: list[WaitedFor], on: date) -> dict[str, Any]:
    day = _number(on)
    now = [row for row in rows if row.start <= day and (row.end is None or day < row.end)]
    worst = max(now, key=lambda row: (day - row.due - row.habit, row.pk))
    sums: Counter[str] = Counter()
    weight = 0
    for row in now:
        currency, owed, own = amounts.owed(row.pk, on)
        sums[currency] += owed
        weight += own
    return {
        "days": day - worst.due,
        "habit": worst.habit,
        "measure": rule.measure,
        "invoice": amounts.invoice_of(worst.pk),
        "invoices": len(now),
        "least_days": min(day - row.due for row in now),
        "owed": [{"minor": minor, "currency": code} for code, minor in sums.most_common()],
        "weight": weight,
    }


def _spans(rows: list[WaitedFor]) -> list[tuple[int, int | None]]:
    """The days on which at least one of them is waited for, as spans."""
    found: list[tuple[int, int | None]] = []
    for row in sorted(rows, key=lambda row: row.start):
        if found and (found[-1][1] is None or row.start <= found[-1][1]):
            last = found[-1][1]
            end = None if last is None or row.end is None else max(last, row.end)
            found[-1] = (found[-1][0], end)
        else:
            found.append((row.start, row.end))
    return found


KIND = Habit()
