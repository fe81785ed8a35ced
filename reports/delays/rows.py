"""The groups of a delay report: each one's tallies, its filter, and the order of the rows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _

from billing_portal import dates
from invoices.models import ClientType
from invoices.selections.filters import NOBODY, InvoiceFilter
from invoices.selections.sql import first_day, month_index
from reports import charts
from reports.cells import Cell, days_text
from reports.delays.estimator import FEW, TOO_FEW, Curve
from reports.delays.measuring import (
    By,
    Measure,
    Scope,
    labels,
)
from reports.delays.reading import Reading
from reports.delays.tally import Key, Tally, fold, total
from reports.links import invoice_list

MOST_BARS = 12
_DIMENSIONS: dict[By, tuple[str, ...]] = {
    "client_type": ("client_type", "quarter", "amount"),
    "owner": ("owner", "quarter", "amount"),
    "client": ("client", "year"),
    "month": ("month",),
}


@dataclass
class Row:
    key: Any
    label: str
    client_type: ClientType | None
    tally: Tally
    recent: Tally
    before: Tally
    wanted: InvoiceFilter
    style: charts.Style = charts.PLAIN
    cells: list[Cell] = field(default_factory=list)

    @property
    def url(self) -> str:
        return invoice_list(self.wanted)

    @property
    def known(self) -> bool:
        return self.tally.n_paid >= TOO_FEW

    @cached_property
    def change(self) -> int | None:
        """Days by which the median of the last twelve months is above the twelve before."""
        if min(self.recent.n_paid, self.before.n_paid) < TOO_FEW:
            return None
        now, then = self.recent.curve.p50, self.before.curve.p50
        return None if now is None or then is None else now - then


class Groups:
    """The tallies of a report, read once, and its rows. Findings, figures and heat map are handed
    this; none of them reads the invoices again."""

    def __init__(self, scope: Scope, by: By, measure: Measure, sort: str, today: date) -> None:
        self.scope, self.by, self.measure, self.today = scope, by, measure, today
        self.late = measure == "late"
        self.by_amount = by in ("client_type", "owner")
        self.reading = Reading(scope, measure, by)
        self.cells: dict[Key, Tally] = self.reading.tallies(*_DIMENSIONS[by])
        self.end = month_index(scope.until)
        self.whole = fold(self.cells, lambda key: key[:1])
        self.total = total(self.whole.values())
        self.sort = sort if sort.lstrip("-") in SORTS else ("group" if by == "month" else "-p50")
        self.rows = self._sorted(self._rows())

    @property
    def classes(self) -> tuple[int, ...]:
        return self.reading.classes

    def _rows(self) -> list[Row]:
        names = labels(self.by, [key for (key,) in self.whole])
        types = (
            {t.pk: t for t in ClientType.objects.filter(pk__in=names)}
            if self.by == "client_type"
            else {}
        )
        recent, before = self._year(0), self._year(1)
        self.recent, self.before = recent.pop(("",)), before.pop(("",))
        rows = []
        for key, name in names.items():
            kind = types.get(key)
            rows.append(
                Row(
                    key=key,
                    label=month_label(key) if self.by == "month" else name,
                    client_type=kind,
                    tally=self.whole[(key,)],
                    recent=recent.get((key,), Tally()),
                    before=before.get((key,), Tally()),
                    wanted=self.wanted_of(key),
                    style=charts.STYLES.get(kind.mark, charts.PLAIN) if kind else charts.EVERYBODY,
                )
            )
        return rows

    def _year(self, back: int) -> dict[Any, Tally]:
        """Tallies of the last twelve months, or of those before, by group; "" sums them all."""
        if self.by == "month":
            inside = range(self.end - 12 * back - 11, self.end - 12 * back + 1)
            found = fold(self.cells, lambda key: key[:1] if key[0] in inside else None)
        elif self.by == "client":
            found = fold(self.cells, lambda key: key[:1] if key[1] == back else None)
        else:
            quarters = range(4 * back, 4 * back + 4)
            found = fold(self.cells, lambda key: key[:1] if key[1] in quarters else None)
        found[("",)] = total(found.values())
        return found

    def _sorted(self, rows: list[Row]) -> list[Row]:
        name = self.sort.lstrip("-")
        if name == "group":
            return rows[::-1] if self.sort.startswith("-") else rows
        value = SORTS[name]
        # A percentile that is not reached is above every other; without a value a row comes last.
        valued = [(value(row), row) for row in rows]
        known = [pair for pair in valued if pair[0] is not None]
        known.sort(key=lambda pair: pair[0], reverse=self.sort.startswith("-"))
        return [row for _value, row in known] + [row for found, row in valued if found is None]

    def wanted_of(self, key: Any) -> InvoiceFilter:
        wanted = self.scope.wanted
        if self.by == "client_type":
            return wanted.but(type=(key,))
        if self.by == "client":
            return wanted.but(client=key)
        if self.by == "owner":
            return wanted.but(owner=NOBODY if key is None else key)
        return self.between(wanted, first_day(key), first_day(key + 1) - timedelta(days=1))

    def between(self, wanted: InvoiceFilter, first: date, last: date) -> InvoiceFilter:
        """Narrowed to issue days of a part of the period."""
        start = max(first, self.scope.issued_from) if self.scope.issued_from else first
        return wanted.but(issued_from=start, issued_to=min(last, self.scope.until))

    def year_filter(self, wanted: InvoiceFilter, back: int) -> InvoiceFilter:
        last = first_day(self.end - 12 * back + 1) - timedelta(days=1)
        return self.between(wanted, first_day(self.end - 12 * back - 11), last)

    def year_words(self, back: int) -> str:
        """The months of issue of the last twelve months, or of those before, as far as the period
        has them: “Dec 2025 – Nov 2026”."""
        first, last = self.end - 12 * back - 11, self.end - 12 * back
        start = self.scope.issued_from
        if start and first < month_index(start) <= last:
            first = month_index(start)
        return months_label(first, last)

    @property
    def has_year_before(self) -> bool:
        """Whether the period reaches back into the twelve months before the last twelve."""
        start = self.scope.issued_from
        return start is None or month_index(start) <= self.end - 12

    @property
    def is_today(self) -> bool:
        return self.scope.as_of == self.today

    @property
    def everybody(self) -> Row:
        return Row(
            key="",
            label=_("All"),
            client_type=None,
            tally=self.total,
            recent=self.recent,
            before=self.before,
            wanted=self.scope.wanted,
            style=charts.EVERYBODY,
        )

    @property
    def ranked(self) -> list[Row]:
        """Slowest payers first; rows with few payments only where no others can be compared."""
        rows = [row for row in self.rows if row.tally.n_paid >= FEW]
        if len(rows) < 2:
            rows = [row for row in self.rows if row.known]
        rows = [row for row in rows if row.key is not None]
        if self.by == "month":
            # The youngest months have not had the time: they would always come first.
            rows = [row for row in rows if row.tally.curve.p50 is not None]
        return sorted(rows, key=lambda row: -rank(row))

    @cached_property
    def drawn_lines(self) -> list[Row]:
        """Client types: each one's curve. Otherwise all invoices against the latest group."""
        ranked = self.ranked
        if self.by == "client_type":
            return ranked[:6]
        if self.total.n_paid < TOO_FEW:
            return []
        if not ranked or self.by == "month":
            return [self.everybody]
        latest = ranked[0]
        ink = charts.Style("var(--pt-ink-2)", "diamond")
        return [self.everybody, replace(latest, style=ink)]

    @property
    def bars(self) -> list[Row]:
        """The rows that are drawn: all types, the first of many clients, every month."""
        return self.rows[: 24 if self.by == "month" else MOST_BARS]


def month_label(month: int) -> str:
    return dates.month(first_day(month))


def months_label(first: int, last: int) -> str:
    if first == last:
        return month_label(first)
    return f"{month_label(first)} – {month_label(last)}"


def rank(row: Row) -> float:
    p50 = row.tally.curve.p50
    return float("inf") if p50 is None else p50


def reached(curve: Curve, above: int, below: int) -> str:
    """The percentile in words: days, or why there are none."""
    found = curve.estimate(above, below)
    if found.state == "too_few":
        return _("too few")
    if found.value is None:
        return _("not reached (> %(days)s)") % {"days": days_text(found.beyond or 0)}
    return days_text(found.value)


def note_of(curve: Curve) -> str:
    """What a percentile of so few payments must not be without."""
    return {
        "": "",
        "few": _("under %(n)s payments: uncertain") % {"n": FEW},
        "too_few": _("under %(n)s payments: no percentile") % {"n": TOO_FEW},
    }[curve.certainty]


def interval_text(curve: Curve) -> str:
    if curve.events < TOO_FEW:
        return "–"
    low, high = curve.median_interval()
    if low is None:
        return "–"
    if high is None:
        return _("%(low)s or more") % {"low": days_text(low)}
    return _("%(low)s to %(high)s") % {"low": days_text(low), "high": days_text(high)}


def _percentile_order(name: str) -> Any:
    def value(row: Row) -> float | None:
        if not row.known:
            return None
        found = getattr(row.tally.curve, name)
        return float("inf") if found is None else found

    return value


SORTS: dict[str, Any] = {
    "group": None,
    "p50": _percentile_order("p50"),
    "p75": _percentile_order("p75"),
    "p90": _percentile_order("p90"),
    "mean": lambda row: row.tally.mean,
    "weighted": lambda row: row.tally.weighted_mean,
    "late": lambda row: row.tally.late_share,
    "before": lambda row: row.before.curve.p50 if row.before.n_paid >= TOO_FEW else None,
    "recent": lambda row: row.recent.curve.p50 if row.recent.n_paid >= TOO_FEW else None,
    "n": lambda row: row.tally.n,
    "open": lambda row: row.tally.open,
    "overdue": lambda row: row.tally.overdue,
}
