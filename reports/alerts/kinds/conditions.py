"""What each kind of alert rule watches: spells, the days on which it holds, for each subject.

One definition serves the daily run (`since == until == today`) and the back-test (twelve months):
both ask what was true on a day, by effective dates alone. What was typed in later with an earlier
value date counts as known on its value date, since an imported history bears the day of the import.

overdue       subject: an invoice. Holds while days past the due date > `days` and the outstanding
              balance of that day > `amount_minor` in the company's currency (rate of the issue
              date; without one, the last known rate; without any, one for one, and the alert says
              so: a large debt must not hide behind a missing rate).
type_delay    subject: a client type (each of them when the rule names none). Invoices issued from
              `window_days` before the day up to it; holds while the measure of their days late is
              above `days`, with at least `min_payments` paid. P50 and P75 are Kaplan–Meier with
              open invoices as unfinished observations; a percentile that is not reached is known
              to be above `days` when something was watched for longer than that. The mean is of
              paid ones.
habit         subject: a client. Its habit for an invoice is the measure of days late of its other
              invoices issued within `window_days` before that invoice fell due, as known on that
              due date (so a client that slips does not drag its own habit along), at least
              `min_payments` of them paid, early counted as on time. Holds while an invoice is open
              for more than habit + `days` after its due date. No habit, nothing said.
not_invoiced  subject: a won deal of the billing queue. Holds while more than `days` have passed
              since it was won, its value is above `amount_minor`, and no draft, no invoice and no
              decision to set it aside was made.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from operator import itemgetter
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from billing_portal.money import digits
from invoices.company.rates import Rates
from invoices.deals.queue import first_billing_day
from invoices.models import Allocation, Deal, Invoice
from invoices.selections.filters import company_currency
from reports.delays.estimator import Curve
from reports.models import AlertRule

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Spell:
    """The rule holds for `subject` from `start` until the day before `end` (None: still)."""

    subject: int
    start: date
    end: date | None
    # The figures on a day of the spell, for the sentence.
    tell: Callable[[date], dict[str, Any]] = field(compare=False, repr=False)

    def holds(self, on: date) -> bool:
        return self.start <= on and (self.end is None or on < self.end)


def spells(rule: AlertRule, since: date, until: date) -> list[Spell]:
    """All spells of the rule that touch the days from `since` to `until`."""
    watch = {
        AlertRule.Kind.OVERDUE: _overdue,
        AlertRule.Kind.TYPE_DELAY: _type_delay,
        AlertRule.Kind.HABIT: _habit,
        AlertRule.Kind.NOT_INVOICED: _not_invoiced,
    }[AlertRule.Kind(rule.kind)]
    return watch(rule, since, until)


def spells_by_threshold(
    rule: AlertRule, thresholds: Iterable[int], since: date, until: date
) -> dict[int, list[Spell]]:
    """The spells of the same rule with other numbers of days, one reading of the books for all."""
    wanted = list(thresholds)
    if rule.kind == AlertRule.Kind.TYPE_DELAY:
        delays = delays_by_day(rule, since, until)
        return {days: _type_spells(rule, days, delays) for days in wanted}
    if rule.kind == AlertRule.Kind.HABIT:
        return _habit_spells(rule, wanted, since, until)
    found = {}
    for days in wanted:
        other = copy(rule)
        other.days = days
        found[days] = spells(other, since, until)
    return found


# ─ Amounts in the company's currency ────────────────────────────────────────────────────────────


class OwnMoney:
    """Amounts of documents in the company's currency."""

    def __init__(self) -> None:
        self.currency = company_currency()
        self._rates = Rates(self.currency)

    def rate(self, currency: str, stored: Decimal | None, on: date | None) -> Decimal | None:
        """None when no rate is known at all."""
        if currency == self.currency:
            return Decimal(1)
        return stored or self._rates.nearest(currency, on)

    def minor(self, amount_minor: int, currency: str, rate: Decimal | None) -> int:
        """In minor units of the company's currency; one for one without a rate."""
        if currency == self.currency:
            return amount_minor
        shift = Decimal(10) ** (digits(self.currency) - digits(currency))
        return int(amount_minor * shift * (rate or 1))


# ─ Overdue ──────────────────────────────────────────────────────────────────────────────────────


def _late(since: date, until: date, days: int) -> QuerySet[Invoice]:
    """Invoices open more than `days` past their due date on some day of the span."""
    return (
        Invoice.objects.issued()
        .invoices()
        .filter(due_date__lt=until - timedelta(days=days))
        .filter(
            Q(settled_on__isnull=True) | (Q(settled_on__gt=since) & Q(settled_on__gt=F("due_date")))
        )
        .order_by()
    )


def _steps(invoices: QuerySet[Invoice]) -> Mapping[int, list[tuple[date, int]]]:
    """What settled a part of each invoice before it was settled: (day, amount), in order."""
    found: dict[int, list[tuple[date, int]]] = defaultdict(list)
    rows = (
        Allocation.objects.filter(invoice__in=invoices.values("pk"))
        .filter(Q(invoice__settled_on__isnull=True) | Q(applied_on__lt=F("invoice__settled_on")))
        .order_by("applied_on", "pk")
        .values_list("invoice_id", "applied_on", "amount_minor")
    )
    for pk, day, amount in rows.iterator():
        found[pk].append((day, amount))
    return found


def owed_on(total_minor: int, steps: Iterable[tuple[date, int]], on: date) -> int:
    return total_minor - sum(amount for day, amount in steps if day <= on)


def _overdue(rule: AlertRule, since: date, until: date) -> list[Spell]:
    own = OwnMoney()
    late = _late(since, until, rule.days).filter(
        # A foreign amount is compared in Python, with its own rate.
        Q(currency=own.currency, total_minor__gt=rule.amount_minor) | ~Q(currency=own.currency)
    )
    steps = _steps(late)
    found: list[Spell] = []
    rows = late.values_list(
        "pk", "due_date", "settled_on", "currency", "total_minor", "exchange_rate", "issue_date"
    )
    for pk, due, settled, currency, total, stored, issued in rows.iterator():
        assert due is not None
        rate = own.rate(currency, stored, issued)
        start = due + timedelta(days=rule.days + 1)
        parts = steps.get(pk, [])

        def tell(
            on: date,
            due: date = due,
            total: int = total,
            parts: list[tuple[date, int]] = parts,
            currency: str = currency,
            rate: Decimal | None = rate,
        ) -> dict[str, Any]:
            owed = owed_on(total, parts, on)
            return {
                "days": (on - due).days,
                "owed_minor": owed,
                "currency": currency,
                "weight": own.minor(owed, currency, rate),
                **({} if rate else {"no_rate": True}),
            }

        def worth(owed: int, currency: str = currency, rate: Decimal | None = rate) -> int:
            return own.minor(owed, currency, rate)

        for first, end in _above(total, parts, start, settled, worth, rule.amount_minor):
            if first <= until and (end is None or end > since):
                found.append(Spell(pk, first, end, tell))
    return found


def _above(
    total: int,
    parts: list[tuple[date, int]],
    start: date,
    settled: date | None,
    worth: Callable[[int], int],
    threshold: int,
) -> list[tuple[date, date | None]]:
    """Spans from `start` in which what is owed is worth more than the threshold."""
    found: list[tuple[date, date | None]] = []
    since: date | None = None
    for day in [start, *sorted({day for day, _ in parts if day > start})]:
        if settled is not None and day >= settled:
            break
        if worth(owed_on(total, parts, day)) > threshold:
            since = since or day
        elif since is not None:
            found.append((since, day))
            since = None
    if since is not None:
        found.append((since, settled))
    return found


# ─ Delay of a client type ───────────────────────────────────────────────────────────────────────

_SHARE = {AlertRule.Measure.P50: (1, 2), AlertRule.Measure.P75: (3, 4)}


@dataclass(frozen=True)
class Measured:
    """`value` is None when not reached, or without payments; `longest` is the longest seen."""

    value: int | Decimal | None
    longest: int | None
    paid: int
    open: int

    def above(self, days: int) -> bool:
        if self.value is not None:
            return self.value > days
        return self.paid > 0 and self.longest is not None and self.longest > days


def measured(measure: str, paid: Mapping[int, int], unfinished: Mapping[int, int]) -> Measured:
    """P50, P75 (Kaplan–Meier) or mean of days late; both maps are days → number of invoices."""
    curve = Curve(paid, unfinished)
    value: int | Decimal | None = None
    if not curve.events:
        pass
    elif measure == AlertRule.Measure.MEAN:
        mean = Decimal(sum(t * m for t, m in paid.items())) / curve.events
        value = mean.quantize(Decimal("0.1"), ROUND_HALF_UP)
    else:
        value = curve.percentile(*_SHARE[AlertRule.Measure(measure)])
    return Measured(value, curve.longest, curve.events, sum(unfinished.values()))


class _Window:
    """Invoices of one type in a moving window, as counts: a day costs what changed in it."""

    def __init__(self) -> None:
        self.paid: Counter[int] = Counter()
        self.stopped: Counter[int] = Counter()
        self.open: Counter[date] = Counter()

    def change(self, row: _Row, number: int, on: date) -> None:
        """Count the row `number` times in the place where it stands on the day."""
        if row.settled is None or row.settled > on:
            self._add(self.open, row.due, number)
        elif row.paid is not None:
            self._add(self.paid, (row.paid - row.due).days, number)
        else:
            # Settled by credit note or write-off alone: watched until then, never paid.
            self._add(self.stopped, (row.settled - row.due).days, number)

    @staticmethod
    def _add(counts: Counter[Any], key: Any, number: int) -> None:
        counts[key] += number
        if not counts[key]:
            del counts[key]

    def measured(self, measure: str, on: date) -> Measured:
        unfinished = Counter(self.stopped)
        for due, number in self.open.items():
            unfinished[(on - due).days] += number
        return measured(measure, self.paid, unfinished)


@dataclass(frozen=True, slots=True)
class _Row:
    issued: date
    due: date
    settled: date | None
    paid: date | None
    number: int


def delays_by_day(
    rule: AlertRule, since: date, until: date
) -> dict[int, list[tuple[date, Measured]]]:
    """For each client type that the rule watches, its measure on every day of the span."""
    window = timedelta(days=rule.window_days)
    rows = (
        Invoice.objects.issued()
        .invoices()
        .filter(issue_date__gte=since - window, issue_date__lte=until)
        .order_by()
    )
    if rule.client_type_id:
        rows = rows.filter(client__client_type=rule.client_type_id)
    grouped = rows.values_list(
        "client__client_type_id", "issue_date", "due_date", "settled_on", "paid_on"
    ).annotate(number=Count("pk"))
    by_type: dict[int, list[_Row]] = defaultdict(list)
    for client_type, issued, due, settled, paid, number in grouped.iterator():
        assert issued is not None and due is not None
        by_type[client_type].append(_Row(issued, due, settled, paid, number))
    return {
        client_type: _sweep(rule, found, since, until) for client_type, found in by_type.items()
    }


def _sweep(
    rule: AlertRule, rows: list[_Row], since: date, until: date
) -> list[tuple[date, Measured]]:
    window = timedelta(days=rule.window_days)
    enters: dict[date, list[_Row]] = defaultdict(list)
    settles: dict[date, list[_Row]] = defaultdict(list)
    leaves: dict[date, list[_Row]] = defaultdict(list)
    counts = _Window()
    for row in rows:
        if row.issued <= since:
            counts.change(row, row.number, since)
        else:
            enters[row.issued].append(row)
        leaves[row.issued + window + _DAY].append(row)
        if row.settled and row.settled > max(since, row.issued):
            settles[row.settled].append(row)
    found: list[tuple[date, Measured]] = []
    day = since
    while day <= until:
        if day > since:
            for row in enters.get(day, ()):
                counts.change(row, row.number, day)
            for row in settles.get(day, ()):
                if row.issued + window >= day - _DAY:
                    counts.change(row, -row.number, day - _DAY)
                    counts.change(row, row.number, day)
            for row in leaves.get(day, ()):
                counts.change(row, -row.number, day)
        found.append((day, counts.measured(rule.measure, day)))
        day += _DAY
    return found


def _type_delay(rule: AlertRule, since: date, until: date) -> list[Spell]:
    return _type_spells(rule, rule.days, delays_by_day(rule, since, until))


def _type_spells(
    rule: AlertRule, threshold: int, delays: Mapping[int, list[tuple[date, Measured]]]
) -> list[Spell]:
    found: list[Spell] = []
    for client_type, days in delays.items():
        known = dict(days)

        def tell(on: date, known: dict[date, Measured] = known) -> dict[str, Any]:
            return type_delay_data(rule, known[on], on)

        start: date | None = None
        for day, now in days:
            if now.paid >= rule.min_payments and now.above(threshold):
                start = start or day
            elif start is not None:
                found.append(Spell(client_type, start, day, tell))
                start = None
        if start is not None:
            found.append(Spell(client_type, start, None, tell))
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


# ─ Later than its own habit ─────────────────────────────────────────────────────────────────────


# Of a row of a client's history.
_issued_on = itemgetter(1)


@dataclass(frozen=True, slots=True)
class _Waited:
    """An open invoice beyond its client's habit, from `start` until it is settled."""

    pk: int
    due: date
    start: date
    end: date | None
    habit: int
    currency: str
    total: int
    rate: Decimal | None


def _habit(rule: AlertRule, since: date, until: date) -> list[Spell]:
    return _habit_spells(rule, [rule.days], since, until)[rule.days]


def _habit_spells(
    rule: AlertRule, thresholds: list[int], since: date, until: date
) -> dict[int, list[Spell]]:
    """The spells for each number of days beyond the habit, which itself depends on none of them."""
    own = OwnMoney()
    late = _late(since, until, min(thresholds))
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
    history = _history(rule, {row[1] for row in candidates}, min(row[2] for row in candidates))
    steps = _steps(late)
    waited: dict[int, dict[int, list[_Waited]]] = {days: defaultdict(list) for days in thresholds}
    for pk, client, due, settled, currency, total, stored, issued in candidates:
        habit = _habit_before(rule, history[client], pk, due)
        if habit is None:
            continue
        rate = own.rate(currency, stored, issued)
        for days, by_client in waited.items():
            start = due + timedelta(days=habit + days + 1)
            if start <= until and (settled is None or settled > max(start, since)):
                by_client[client].append(
                    _Waited(pk, due, start, settled, habit, currency, total, rate)
                )
    found: dict[int, list[Spell]] = {days: [] for days in thresholds}
    for days, by_client in waited.items():
        for client, rows in by_client.items():

            def tell(on: date, rows: list[_Waited] = rows) -> dict[str, Any]:
                return _habit_data(rule, own, rows, steps, on)

            found[days] += [Spell(client, first, end, tell) for first, end in _union(rows)]
    return found


def _habit_data(
    rule: AlertRule,
    own: OwnMoney,
    rows: list[_Waited],
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


def _history(
    rule: AlertRule, clients: set[int], first_due: date
) -> Mapping[int, list[tuple[int, date, date, date | None, date | None]]]:
    found: dict[int, list[tuple[int, date, date, date | None, date | None]]] = defaultdict(list)
    rows = (
        Invoice.objects.issued()
        .invoices()
        .filter(issue_date__gte=first_due - timedelta(days=rule.window_days))
        .order_by()
        .values_list("client_id", "pk", "issue_date", "due_date", "settled_on", "paid_on")
    )
    for client, pk, issued, due, settled, paid in rows.iterator(chunk_size=5000):
        if client in clients:
            assert issued is not None and due is not None
            found[client].append((pk, issued, due, settled, paid))
    for invoices in found.values():
        invoices.sort(key=_issued_on)
    return found


def _habit_before(
    rule: AlertRule,
    history: list[tuple[int, date, date, date | None, date | None]],
    pk: int,
    due: date,
) -> int | None:
    """`history` is in the order of issue dates: only the rule's window of it is looked at."""
    first = bisect_left(history, due - timedelta(days=rule.window_days), key=_issued_on)
    end = bisect_left(history, due, lo=first, key=_issued_on)
    paid: Counter[int] = Counter()
    unfinished: Counter[int] = Counter()
    for other, _issued, other_due, settled, paid_on in history[first:end]:
        if other == pk:
            continue
        if settled is None or settled > due:
            unfinished[(due - other_due).days] += 1
        elif paid_on is None:
            unfinished[(settled - other_due).days] += 1
        else:
            paid[(paid_on - other_due).days] += 1
    if sum(paid.values()) < rule.min_payments:
        return None
    found = measured(rule.measure, paid, unfinished).value
    return None if found is None else max(0, round(found))


def _union(rows: list[_Waited]) -> list[tuple[date, date | None]]:
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


# ─ Won and not invoiced ─────────────────────────────────────────────────────────────────────────


def _not_invoiced(rule: AlertRule, since: date, until: date) -> list[Spell]:
    own = OwnMoney()
    billed = Invoice.objects.billing().filter(deal=OuterRef("pk"))
    deals = Deal.objects.filter(
        status=Deal.Status.WON, won_on__lt=until - timedelta(days=rule.days)
    ).filter(
        Q(currency=own.currency, value_minor__gt=rule.amount_minor) | ~Q(currency=own.currency)
    )
    if first_day := first_billing_day():
        deals = deals.filter(won_on__gte=first_day)
    # What was over before the span began need not be read.
    begin = timezone.make_aware(datetime.combine(since, time.min))
    deals = deals.filter(Q(set_aside_at__isnull=True) | Q(set_aside_at__gte=begin)).exclude(
        Exists(billed.filter(created_at__lt=begin))
    )
    rows = deals.order_by().values_list(
        "pk", "won_on", "currency", "value_minor", "set_aside_at",
        Subquery(billed.values("issue_date")[:1]), Subquery(billed.values("created_at")[:1]),
    )  # fmt: skip
    found: list[Spell] = []
    for pk, won, currency, value, set_aside, issued, drafted in rows.iterator():
        rate = own.rate(currency, None, won)
        weight = own.minor(value, currency, rate)
        if weight <= rule.amount_minor:
            continue
        ends = [timezone.localdate(moment) for moment in (set_aside, drafted) if moment]
        end = min([*ends, *([issued] if issued else [])], default=None)
        start = won + timedelta(days=rule.days + 1)
        if start > until or (end is not None and end <= max(start, since)):
            continue

        def tell(
            on: date,
            won: date = won,
            value: int = value,
            currency: str = currency,
            weight: int = weight,
            rate: Decimal | None = rate,
        ) -> dict[str, Any]:
            return {
                "days": (on - won).days,
                "value_minor": value,
                "currency": currency,
                "weight": weight,
                **({} if rate else {"no_rate": True}),
            }

        found.append(Spell(pk, start, end, tell))
    return found
