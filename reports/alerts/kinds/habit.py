"""A client pays later than its own habit.

Subject: a client. Its habit for an invoice is the measure of days late of its other invoices issued
within `window_days` before that invoice fell due, as known on that due date (so a client that slips
does not drag its own habit along), at least `min_payments` of them paid, early counted as on time.
Holds while an invoice is open for more than habit + `days` after its due date. No habit, nothing
said. Open items of a go-live day are at risk from that day on, as in the delay report.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from operator import itemgetter
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing_portal.money import formatted_minor
from invoices.models import Invoice
from invoices.selections.filters import InvoiceFilter
from reports.alerts.kinds.amounts import OwnMoney
from reports.alerts.kinds.base import Episode, Kind, Subjects, Words, days_text
from reports.alerts.kinds.measures import measured
from reports.alerts.kinds.open_invoices import (
    PastSettled,
    count_late,
    late_invoices,
    owed_on,
    past_settlements,
    settled_at,
    settling_steps,
)
from reports.delays.tally import Tally
from reports.links import invoice_list
from reports.models import Alert, AlertRule


class Habit(Kind):
    key = "habit"
    icon = "building"
    place = 3
    subject = "client"
    # An invoice that was settled before the span may have begun what another one carried on.
    starts_are_exact = False
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
        return _("Later than its own habit")

    def formula(self, rule: AlertRule) -> str:
        return _(
            "Days late of an open invoice > habit + %(days)s. Habit: the measure of the client’s "
            "other invoices issued in the %(window)s days before this one fell due, as known that "
            "day, at least %(least)s of them paid; early counts as on time."
        ) % {"days": rule.days, "window": rule.window_days, "least": rule.min_payments}


@dataclass(frozen=True, slots=True)
class WaitedFor:
    """An open invoice beyond its client's habit, from `start` until it is settled."""

    pk: int
    due: date
    start: date
    end: date | None
    habit: int
    currency: str
    total: int
    rate: Decimal | None


def _episodes(
    rule: AlertRule, thresholds: list[int], since: date, until: date, only: Subjects
) -> dict[int, list[Episode]]:
    """The episodes by number of days beyond the habit, which itself depends on none of them."""
    own = OwnMoney()
    late = late_invoices(since, until, min(thresholds))
    if only is not None:
        late = late.filter(client__in=only)
    candidates: list[tuple[Any, ...]] = list(
        late.values_list(
            "pk",
            "client_id",
            "due_date",
            "settled_on",
            "currency",
            "total_minor",
            "exchange_rate",
            "issue_date",
        )
    )
    if not candidates:
        return {days: [] for days in thresholds}
    clients = {row[1] for row in candidates}
    history, earlier = _history(rule, clients, min(row[2] for row in candidates))
    seen = {
        pk: day
        for pk, day in Invoice.objects.seen_late().values_list("pk", "observed_from")
        if day is not None
    }
    steps, past = settling_steps(late), past_settlements(late)
    waited: dict[int, dict[int, list[WaitedFor]]] = {days: defaultdict(list) for days in thresholds}
    for pk, client, due, settled, currency, total, stored, issued in candidates:
        habit = _habit_before(rule, history[client], earlier, seen, pk, due)
        if habit is None:
            continue
        rate = own.rate(currency, stored, issued)
        for days, by_client in waited.items():
            start = due + timedelta(days=habit + days + 1)
            for opened, closed in _open_spans(issued, settled, past[pk]):
                first = max(start, opened)
                if first <= until and (closed is None or closed > max(first, since)):
                    by_client[client].append(
                        WaitedFor(pk, due, first, closed, habit, currency, total, rate)
                    )
    found: dict[int, list[Episode]] = {days: [] for days in thresholds}
    for days, by_client in waited.items():
        for client, rows in by_client.items():

            def figures(on: date, rows: list[WaitedFor] = rows) -> dict[str, Any]:
                return _figures(rule, own, rows, steps, on)

            found[days] += [Episode(client, first, end, figures) for first, end in _spans(rows)]
    return found


def _open_spans(
    issued: date, settled: date | None, past: Iterable[PastSettled]
) -> Iterator[tuple[date, date | None]]:
    for before in past:
        yield issued, before.on
        issued = before.reopened
    yield issued, settled


def _figures(
    rule: AlertRule,
    own: OwnMoney,
    rows: list[WaitedFor],
    steps: Mapping[int, list[tuple[date, int]]],
    on: date,
) -> dict[str, Any]:
    now = [row for row in rows if row.start <= on and (row.end is None or on < row.end)]
    worst = max(now, key=lambda row: ((on - row.due).days - row.habit, row.pk))
    owed = {row.pk: owed_on(row.total, steps.get(row.pk, ()), on) for row in now}
    sums: Counter[str] = Counter()
    for row in now:
        sums[row.currency] += owed[row.pk]
    return {
        "days": (on - worst.due).days,
        "habit": worst.habit,
        "measure": rule.measure,
        "invoice": worst.pk,
        "invoices": len(now),
        "least_days": min((on - row.due).days for row in now),
        "owed": [{"minor": minor, "currency": code} for code, minor in sums.most_common()],
        "weight": sum(own.minor(owed[row.pk], row.currency, row.rate) for row in now),
    }


# Client, id, issue date, due date, settled, paid: read by the thousand, so left as they come.
EarlierInvoice = tuple[int, int, date, date, date | None, date | None]
_issued_on = itemgetter(2)


def _history(
    rule: AlertRule, clients: set[int], first_due: date
) -> tuple[Mapping[int, list[EarlierInvoice]], Mapping[int, tuple[PastSettled, ...]]]:
    """The invoices of each client by issue date, and those that were settled and opened again."""
    found: dict[int, list[EarlierInvoice]] = defaultdict(list)
    rows = (
        Invoice.objects.issued()
        .invoices()
        .filter(issue_date__gte=first_due - timedelta(days=rule.window_days))
        .order_by()
    )
    past = past_settlements(rows)
    columns = ("client_id", "pk", "issue_date", "due_date", "settled_on", "paid_on")
    for row in rows.values_list(*columns).iterator(chunk_size=5000):
        if row[0] in clients:
            found[row[0]].append(row)
    for invoices in found.values():
        invoices.sort(key=_issued_on)
    return found, past


def _habit_before(
    rule: AlertRule,
    history: list[EarlierInvoice],
    past: Mapping[int, tuple[PastSettled, ...]],
    seen: Mapping[int, date],
    pk: int,
    due: date,
) -> int | None:
    """`history` is in the order of issue dates: only the rule's window of it is looked at."""
    first = bisect_left(history, due - timedelta(days=rule.window_days), key=_issued_on)
    end = bisect_left(history, due, lo=first, key=_issued_on)
    paid: Counter[int] = Counter()
    censored: Counter[int] = Counter()
    tally = Tally(paid, censored)
    for _client, other, _issued, other_due, settled, paid_on in history[first:end]:
        if other == pk:
            continue
        if settled is None or settled > due:
            settled = paid_on = None
            if other in past:
                settled, paid_on = settled_at(due, None, None, past[other])
        if other in seen:
            count_late(tally, (settled, paid_on), other_due, seen[other], due)
        elif settled is None:
            censored[(due - other_due).days] += 1
        elif paid_on is None:
            censored[(settled - other_due).days] += 1
        else:
            paid[(paid_on - other_due).days] += 1
    found = measured(rule.measure, tally)
    if found.behind < rule.min_payments or found.value is None:
        return None
    return max(0, round(found.value))


def _spans(rows: list[WaitedFor]) -> list[tuple[date, date | None]]:
    """The days on which at least one of them is waited for, as spans."""
    found: list[tuple[date, date | None]] = []
    for row in sorted(rows, key=lambda row: row.start):
        if found and (found[-1][1] is None or row.start <= found[-1][1]):
            last = found[-1][1]
            end = None if last is None or row.end is None else max(last, row.end)
            found[-1] = (found[-1][0], end)
        else:
            found.append((row.start, row.end))
    return found


KIND = Habit()
