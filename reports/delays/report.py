"""The delay report as people read it: rows, findings in words, charts, each with its invoices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Any

from django.db.models import Count, Sum
from django.urls import NoReverseMatch, reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing_portal import dates
from billing_portal.figures import grouped, percent
from billing_portal.money import MINUS, formatted_minor
from invoices.models import ClientType, Invoice
from invoices.selections.filters import (
    NOBODY,
    InvoiceFilter,
    company_currency,
    filter_invoices,
    with_open_amount,
)
from invoices.selections.sql import first_day, month_index
from reports import charts
from reports.delays.estimator import FEW, TOO_FEW, Curve
from reports.delays.measuring import (
    AMOUNT_CLASSES,
    LATE_CLASSES,
    By,
    Key,
    Measure,
    Scope,
    Tally,
    amount_classes,
    fold,
    labels,
    rounded,
    tallies,
    total,
)

# So many rows are shown; exports have all.
MOST_ROWS = 50
MOST_BARS = 12
MOST_PANELS = 9
QUARTERS = 8
# A change of the median by so many days is worth a colour.
WORSE = 3
# Upper ends of the first classes of the heat map, in days.
HEAT: dict[Measure, tuple[int, ...]] = {"late": (0, 7, 14, 21, 30), "to_pay": (30, 37, 44, 51, 60)}
CLASSES: dict[Measure, tuple[tuple[int | None, int | None], ...]] = {
    "late": LATE_CLASSES,
    "to_pay": ((None, 30), (31, 45), (46, 60), (61, 90), (91, None)),
}
MARKS: dict[Measure, tuple[int, int]] = {"late": (0, 30), "to_pay": (30, 60)}
SPANS: dict[Measure, tuple[int, int]] = {"late": (-25, 90), "to_pay": (0, 120)}
_DIMENSIONS: dict[By, tuple[str, ...]] = {
    "client_type": ("client_type", "quarter", "amount"),
    "owner": ("owner", "quarter", "amount"),
    "client": ("client", "year"),
    "month": ("month",),
}


def days_text(days: int) -> str:
    return str(days).replace("-", MINUS)


def one_place(number: Any) -> str:
    found = rounded(number, 1)
    if found is None:
        return "–"
    return number_format(found, decimal_pos=1, use_l10n=True).replace("-", MINUS)


def percent_text(share: Any) -> str:
    return "–" if share is None else percent(rounded(share * 100, 0))


@dataclass(frozen=True)
class Cell:
    text: str
    url: str = ""
    classes: str = ""
    strong: bool = False


@dataclass(frozen=True)
class Head:
    key: str
    label: str
    classes: str


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
        return list_url(self.wanted)

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


@dataclass(frozen=True)
class Kpi:
    label: str
    value: str
    unit: str
    sub: str
    url: str = ""


@dataclass(frozen=True)
class HeatCell:
    text: str
    n: int
    url: str = ""
    level: int = 0

    @property
    def count(self) -> str:
        return invoices_text(self.n)


def invoices_text(n: int) -> str:
    return ngettext("%(n)s invoice", "%(n)s invoices", n) % {"n": grouped(n)}


def list_url(wanted: InvoiceFilter) -> str:
    try:
        return f"{reverse('invoices:list')}?{wanted.query()}"
    except NoReverseMatch:  # pragma: no cover - a build without the list
        return ""


class DelayReport:
    """Everything that the page, its figures and its exports say. One pass over the invoices."""

    def __init__(
        self, scope: Scope, by: By, measure: Measure, sort: str = "", *, today: date | None = None
    ) -> None:
        self.scope, self.by, self.measure = scope, by, measure
        self.today = today or scope.as_of
        self.late = measure == "late"
        self.classes = amount_classes(scope) if self.has_heat else AMOUNT_CLASSES
        self.cells: dict[Key, Tally] = tallies(
            scope, measure, *_DIMENSIONS[by], classes=self.classes
        )
        self.end = month_index(scope.until)
        self.total = total(self.cells.values())
        self.sort = sort if sort.lstrip("-") in SORTS else ("group" if by == "month" else "-p50")
        self.rows = self._sorted(self._rows())

    # ─ Rows

    def _rows(self) -> list[Row]:
        whole = fold(self.cells, lambda key: key[:1])
        names = labels(self.by, [key for (key,) in whole])
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
                    tally=whole[(key,)],
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

    @property
    def shown(self) -> list[Row]:
        rows = self.rows[:MOST_ROWS]
        for row in rows:
            row.cells = self.cells_of(row)
        return rows

    @property
    def foot(self) -> list[Cell]:
        everybody = Row(
            key="",
            label=_("All"),
            client_type=None,
            tally=self.total,
            recent=self.recent,
            before=self.before,
            wanted=self.scope.wanted,
        )
        return self.cells_of(everybody)

    @property
    def heads(self) -> list[Head]:
        wide = "d-none d-md-table-cell"
        wider = "d-none d-xl-table-cell"
        found = [
            Head("p50", _("Half paid"), ""),
            # xgettext:no-python-format
            Head("", _("95% interval"), wide),
            Head("p75", _("3 in 4"), ""),
            Head("p90", _("9 in 10"), ""),
            Head("mean", _("Mean of paid"), wider),
            Head("weighted", _("Weighted average"), wide),
            Head("late", _("Paid late"), wider),
        ]
        if self.by != "month":
            found += [
                Head("before", _("12 months before"), wider),
                Head("recent", _("Last 12 months"), wider),
            ]
        return [
            *found,
            Head("n", _("Invoices"), wide),
            Head("open", _("Open"), wide),
            Head("overdue", _("Overdue"), wide),
        ]

    def cells_of(self, row: Row) -> list[Cell]:
        tally, curve, wanted = row.tally, row.tally.curve, row.wanted
        wide, wider = "d-none d-md-table-cell", "d-none d-xl-table-cell"
        grey = "muted" if tally.n_paid < FEW else ""
        paid = list_url(wanted.but(state="paid"))
        late = list_url(wanted.but(state="paid", late_min=1))
        found = [
            Cell(reached(curve, curve.p50), row.url, grey, strong=not grey),
            Cell(interval_text(curve), "", f"muted {wide}"),
            Cell(reached(curve, curve.p75), row.url, grey),
            Cell(reached(curve, curve.p90), row.url, grey),
            Cell(one_place(tally.mean), paid, f"{grey} {wider}"),
            Cell(one_place(tally.weighted_mean), paid, f"{grey} {wide}"),
            Cell(percent_text(tally.late_share), late, f"{grey} {wider}"),
        ]
        if self.by != "month":
            now = reached(row.recent.curve, row.recent.curve.p50)
            if row.change is not None:
                now = f"{now} ({signed(row.change)})"
            worse = "late" if row.change is not None and row.change >= WORSE else ""
            found += [
                Cell(
                    reached(row.before.curve, row.before.curve.p50),
                    list_url(self.year_filter(wanted, 1)),
                    f"muted {wider}",
                ),
                Cell(now, list_url(self.year_filter(wanted, 0)), f"{worse} {wider}"),
            ]
        return [
            *found,
            Cell(grouped(tally.n), row.url, wide),
            Cell(grouped(tally.open), list_url(wanted.but(state="open")), wide),
            Cell(grouped(tally.overdue), list_url(wanted.but(state="overdue")), wide),
        ]

    # ─ Findings

    @property
    def ranked(self) -> list[Row]:
        """Latest payers first; rows with few payments only where no others can be compared."""
        rows = [row for row in self.rows if row.tally.n_paid >= FEW]
        if len(rows) < 2:
            rows = [row for row in self.rows if row.known]
        rows = [row for row in rows if row.key is not None]
        if self.by == "month":
            # The youngest months have not had the time: they would always come first.
            rows = [row for row in rows if row.tally.curve.p50 is not None]
        return sorted(rows, key=lambda row: -_rank(row))

    @property
    def title(self) -> str:
        ranked = self.ranked
        p50 = self.total.curve.p50
        if self.by != "month" and len(ranked) > 1 and _rank(ranked[0]) > _rank(ranked[-1]):
            return _("%(last)s pays last, %(first)s first") % {
                "last": ranked[0].label,
                "first": ranked[-1].label,
            }
        if self.by == "month" and len(ranked) > 1:
            return self._month_title(ranked)
        if self.total.n_paid < TOO_FEW:
            return _("Too few payments to tell")
        if p50 is None:
            return _("Fewer than half of the invoices are paid so far")
        return self.half_sentence(p50)

    def _month_title(self, ranked: list[Row]) -> str:
        first, *_between, last = sorted(ranked, key=lambda row: row.key)
        words = {
            "first": days_text(first.tally.curve.p50 or 0),
            "first_month": first.label,
            "last": days_text(last.tally.curve.p50 or 0),
            "last_month": last.label,
        }
        return (
            _("Half paid within %(first)s days in %(first_month)s, %(last)s in %(last_month)s")
            % words
        )

    def half_sentence(self, p50: int) -> str:
        if not self.late:
            return ngettext(
                "Half of the invoices are paid within %(days)s day of issue",
                "Half of the invoices are paid within %(days)s days of issue",
                p50,
            ) % {"days": p50}
        if p50 < 0:
            return ngettext(
                "Half of the invoices are paid %(days)s day before they fall due",
                "Half of the invoices are paid %(days)s days before they fall due",
                -p50,
            ) % {"days": -p50}
        return ngettext(
            "Half of the invoices are paid within %(days)s day of the due date",
            "Half of the invoices are paid within %(days)s days of the due date",
            p50,
        ) % {"days": p50}

    @property
    def survival_title(self) -> str:
        rows = self.drawn_lines
        if not rows:
            return _("Too few payments for a curve")
        mark = MARKS[self.measure][1]
        last = max(rows, key=lambda row: row.tally.curve.unpaid(mark))
        words = {
            "percent": f"{last.tally.curve.unpaid(mark) * 100:.0f}",
            "group": last.label,
            "days": mark,
        }
        if last.key == "":
            if self.late:
                return _("%(days)s days after the due date, %(percent)s%% are still unpaid") % words
            return _("%(days)s days after issue, %(percent)s%% are still unpaid") % words
        if self.late:
            return (
                _("%(group)s: %(days)s days after the due date, %(percent)s%% are still unpaid")
                % words
            )
        return _("%(group)s: %(days)s days after issue, %(percent)s%% are still unpaid") % words

    @property
    def distribution_title(self) -> str:
        counts = self.class_counts(self.total)
        fallen = sum(counts)
        if not fallen:
            return _("Nothing has fallen due yet")
        words = {"percent": percent_text(Fraction(counts[0], fallen))}
        if self.late:
            return _("%(percent)s of what fell due was paid on time") % words
        return _("%(percent)s of what fell due was paid within 30 days of issue") % words

    @property
    def trend_title(self) -> str:
        found = [
            (change, trend)
            for row, trend in self.panels
            if row.key is not None and (change := _first_to_last(trend.values)) is not None
        ]
        if not found:
            return _("Too few payments for a trend")
        (first, last), trend = max(found, key=lambda pair: abs(pair[0][1] - pair[0][0]))
        words = {"group": trend.label, "first": days_text(first), "last": days_text(last)}
        if last - first >= WORSE:
            return _("%(group)s has slipped from %(first)s days to %(last)s") % words
        if first - last >= WORSE:
            return _("%(group)s has improved from %(first)s days to %(last)s") % words
        return _("No group has changed much")

    @property
    def heat_title(self) -> str:
        per_class = fold(self.cells, lambda key: key[2:3] if key[2] is not None else None)
        medians = [
            tally.curve.p50
            for (_place,), tally in sorted(per_class.items())
            if tally.n_paid >= TOO_FEW and tally.curve.p50 is not None
        ]
        if len(medians) > 2 and medians == sorted(medians) and medians[0] < medians[-1]:
            return _("The larger the invoice, the longer it waits")
        if len(medians) > 2 and medians == sorted(medians)[::-1] and medians[0] > medians[-1]:
            return _("The smaller the invoice, the longer it waits")
        return _("The amount alone does not tell how long an invoice waits")

    # ─ The strip of figures

    @property
    def kpis(self) -> list[Kpi]:
        curve, tally = self.total.curve, self.total
        unit = _("days late") if self.late else _("days to pay")
        everything = list_url(self.scope.wanted)
        found = [
            Kpi(
                _("Half paid within"),
                reached(curve, curve.p50),
                unit if curve.p50 is not None and tally.n_paid >= TOO_FEW else "",
                _("three in four within %(days)s") % {"days": reached(curve, curve.p75)},
                everything,
            ),
            Kpi(
                _("Weighted average"),
                one_place(tally.weighted_mean),
                unit if tally.weight_minor else "",
                self._weight_words(),
                list_url(self.scope.wanted.but(state="paid")),
            ),
        ]
        ranked = self.ranked
        if ranked:
            last = ranked[0]
            found.append(
                Kpi(
                    _("Latest payers") if self.by != "month" else _("Latest month"),
                    reached(last.tally.curve, last.tally.curve.p50),
                    _("days") if last.tally.curve.p50 is not None else "",
                    self._last_words(last),
                    last.url,
                )
            )
        found.append(self._worse())
        found.append(self._overdue())
        return found

    def _weight_words(self) -> str:
        mean, weighted = self.total.mean, self.total.weighted_mean
        if mean is None or weighted is None:
            return _("nothing is paid yet")
        if weighted - mean > 1:
            return _("large invoices are later")
        if mean - weighted > 1:
            return _("small invoices are later")
        return _("large and small alike")

    def _last_words(self, row: Row) -> str:
        if self.by == "month" or row.recent.n_paid < TOO_FEW or row.recent.curve.p50 is None:
            return row.label
        return _("%(group)s; the last year %(days)s") % {
            "group": row.label,
            "days": days_text(row.recent.curve.p50),
        }

    def _worse(self) -> Kpi:
        changed = [row for row in self.rows if row.key is not None and row.change is not None]
        worst = max(changed, key=lambda row: row.change or 0, default=None)
        if worst is None or (worst.change or 0) <= 0:
            return Kpi(_("Getting worse"), _("none"), "", _("compared with the year before"))
        return Kpi(
            _("Getting worse"),
            signed(worst.change or 0),
            _("days"),
            _("%(group)s, from %(before)s to %(now)s")
            % {
                "group": worst.label,
                "before": days_text(worst.before.curve.p50 or 0),
                "now": days_text(worst.recent.curve.p50 or 0),
            },
            list_url(self.year_filter(worst.wanted, 0)),
        )

    def _overdue(self) -> Kpi:
        wanted = self.scope.wanted.but(state="overdue")
        rows = filter_invoices(Invoice.objects.all(), wanted, self.scope.as_of)
        amounts = (
            with_open_amount(rows, self.scope.as_of)
            .order_by()
            .values("currency")
            .annotate(n=Count("pk"), minor=Sum("open_minor"))
            .values_list("minor", "currency")
        )
        told = sorted(amounts, reverse=True)
        return Kpi(
            _("Overdue today") if self.scope.as_of == self.today else _("Overdue on that day"),
            grouped(self.total.overdue),
            ngettext("invoice", "invoices", self.total.overdue),
            " · ".join(formatted_minor(minor, currency) for minor, currency in told) or "–",
            list_url(wanted),
        )

    # ─ Charts and their twins

    @property
    def bars(self) -> list[Row]:
        """The rows that are drawn: all types, the first of many clients, every month."""
        return self.rows[: 24 if self.by == "month" else MOST_BARS]

    @property
    def dots(self) -> list[charts.Dots]:
        return [self._dots(row) for row in self.bars]

    def _dots(self, row: Row) -> charts.Dots:
        curve, name = row.tally.curve, charts.short(row.label)
        words = _("%(group)s<br>Half paid within %(days)s days")
        hovers = (
            words,
            _("%(group)s<br>Three in four paid within %(days)s days"),
            _("%(group)s<br>Nine in ten paid within %(days)s days"),
        )
        told = tuple(hover % {"group": name, "days": "%{x}"} for hover in hovers)
        note = ""
        if not row.known:
            note = _("too few payments")
        elif curve.p50 is None:
            note = _("half not reached")
        elif curve.p90 is None:
            note = _("9 in 10 not reached")
        return charts.Dots(
            label=row.label,
            style=row.style,
            early=curve.percentile(1, 10) if row.known else None,
            p50=curve.p50 if row.known else None,
            p75=curve.p75 if row.known else None,
            p90=curve.p90 if row.known else None,
            hovers=(told[0], told[1], told[2]),
            url=row.url,
            note=note,
        )

    @cached_property
    def drawn_lines(self) -> list[Row]:
        """Client types: each one's curve. Otherwise all invoices against the latest group."""
        ranked = self.ranked
        if self.by == "client_type":
            return ranked[:6]
        everybody = Row(
            "", _("All"), None, self.total, Tally(), Tally(), self.scope.wanted, charts.EVERYBODY
        )
        if self.total.n_paid < TOO_FEW:
            return []
        if not ranked or self.by == "month":
            return [everybody]
        latest = ranked[0]
        ink = charts.Style("var(--pt-ink-2)", "diamond")
        return [everybody, Row(**{**_shallow(latest), "style": ink})]

    @property
    def lines(self) -> list[charts.Line]:
        low, high = SPANS[self.measure]
        found: list[charts.Line] = []
        for row in self.drawn_lines:
            curve = row.tally.curve
            points: list[tuple[int, float]] = [(low, round(curve.unpaid(low) * 100, 2))]
            points += [
                (step.day, round(step.above / step.below * 100, 2))
                for step in curve.steps
                if low < step.day <= high
            ]
            points.append((high, round(curve.unpaid(high) * 100, 2)))
            # What the curve says of that day: paid later, or open for longer.
            name = "late_min" if self.late else "to_pay_min"
            marks = [
                (
                    day,
                    round(curve.unpaid(day) * 100, 1),
                    list_url(row.wanted.but(**{name: day + 1})),
                )
                for day in MARKS[self.measure]
            ]
            dash = DASHES[len(found) % len(DASHES)] if row.style is charts.PLAIN else "solid"
            found.append(charts.Line(row.label, row.style, points, marks, dash))
        return found

    def class_counts(self, tally: Tally) -> list[int]:
        """Paid ones by class, then those overdue and unpaid."""
        paid = [tally.between(*ends) for ends in CLASSES[self.measure]]
        return [*paid, tally.overdue]

    def class_filters(self, wanted: InvoiceFilter) -> list[InvoiceFilter]:
        least, most = ("late_min", "late_max") if self.late else ("to_pay_min", "to_pay_max")
        return [
            *(
                wanted.but(state="paid", **{least: low, most: high})
                for low, high in CLASSES[self.measure]
            ),
            wanted.but(state="overdue"),
        ]

    @property
    def class_labels(self) -> list[str]:
        first = _("Early or on the day") if self.late else _("Within 30 days")
        middle = [
            _("%(low)s–%(high)s days") % {"low": low, "high": high}
            for low, high in CLASSES[self.measure][1:-1]
        ]
        last = _("Over %(days)s days") % {"days": (CLASSES[self.measure][-1][0] or 0) - 1}
        return [first, *middle, last, _("Overdue, unpaid")]

    @property
    def bands(self) -> list[charts.Band]:
        rows = self.bars
        counts = [self.class_counts(row.tally) for row in rows]
        urls = [[list_url(f) for f in self.class_filters(row.wanted)] for row in rows]
        found = []
        for place, label in enumerate(self.class_labels):
            found.append(
                charts.Band(
                    label=label,
                    fill=f"var(--seq-{place + 1})",
                    ink=f"var(--seq-{place + 1}-ink)",
                    shares=[
                        round(own[place] * 100 / sum(own), 2) if sum(own) >= TOO_FEW else 0.0
                        for own in counts
                    ],
                    counts=[own[place] for own in counts],
                    urls=[own[place] for own in urls],
                    hatched=place == 5,
                )
            )
        return found

    @property
    def distribution_rows(self) -> list[tuple[Row, list[Cell]]]:
        return [(row, self._class_cells(row.tally, row.wanted)) for row in self.bars]

    @property
    def distribution_foot(self) -> list[Cell]:
        return self._class_cells(self.total, self.scope.wanted)

    def _class_cells(self, tally: Tally, wanted: InvoiceFilter) -> list[Cell]:
        counts = self.class_counts(tally)
        found = [
            Cell(grouped(n), list_url(narrowed) if n else "")
            for n, narrowed in zip(counts, self.class_filters(wanted), strict=True)
        ]
        return [*found, Cell(grouped(sum(counts)), "", strong=True)]

    # ─ Trend

    @cached_property
    def quarters(self) -> list[int]:
        """Places of the quarters counted back, oldest first."""
        first = self.scope.issued_from
        most = (self.end - month_index(first)) // 3 + 1 if first else QUARTERS
        if not first:
            known = [key[1] for key in self.cells if self.by in ("client_type", "owner")]
            most = max(known, default=0) + 1
        return list(range(min(most, QUARTERS) - 1, -1, -1))

    def quarter_days(self, back: int) -> tuple[date, date]:
        last = self.end - 3 * back
        return first_day(last - 2), first_day(last + 1) - timedelta(days=1)

    @property
    def quarter_labels(self) -> list[str]:
        return [month_label(month_index(self.quarter_days(q)[0])) for q in self.quarters]

    @property
    def quarter_names(self) -> list[str]:
        found = []
        for quarter in self.quarters:
            first, last = self.quarter_days(quarter)
            found.append(f"{month_label(month_index(first))} – {month_label(month_index(last))}")
        return found

    @cached_property
    def trends(self) -> list[charts.Trend]:
        if self.by == "month":
            return self._month_trends()
        if self.by == "client":
            return []
        per_quarter = fold(self.cells, lambda key: key[:2])
        return [
            self._trend(
                row,
                [per_quarter.get((row.key, q), Tally()) for q in self.quarters],
                str(place),
            )
            for place, row in enumerate(self.rows[:MOST_PANELS])
        ]

    def _trend(self, row: Row, parts: Sequence[Tally], key: str) -> charts.Trend:
        values = [t.curve.p50 if t.n_paid >= TOO_FEW else None for t in parts]
        hovers, urls = [], []
        for tally, quarter, name in zip(parts, self.quarters, self.quarter_names, strict=True):
            urls.append(list_url(self.between(row.wanted, *self.quarter_days(quarter))))
            hovers.append(
                _("%(group)s, issued %(period)s<br>Half paid within %(days)s days, %(invoices)s")
                % {
                    "group": charts.short(row.label),
                    "period": name,
                    "days": "%{y}",
                    "invoices": invoices_text(tally.n),
                }
            )
        last = parts[-1] if parts else Tally()
        note = _("not reached") if last.n_paid >= TOO_FEW and last.curve.p50 is None else ""
        return charts.Trend(key, row.label, row.style, values, hovers, urls, note)

    def _month_trends(self) -> list[charts.Trend]:
        rows = sorted(self.rows, key=lambda row: row.key)
        forms = (
            ("p90", _("9 in 10"), charts.Style("var(--pt-ink-3)", "circle-open", "dot"), 9, 10),
            ("p75", _("3 in 4"), charts.Style("var(--pt-ink-2)", "circle-open", "dash"), 3, 4),
            ("p50", _("half"), charts.EVERYBODY, 1, 2),
        )
        return [
            charts.Trend(
                key=key,
                label=label,
                style=style,
                values=[
                    row.tally.curve.percentile(above, below) if row.known else None for row in rows
                ],
                hovers=[
                    _("%(month)s: %(share)s paid within %(days)s days, %(invoices)s")
                    % {
                        "month": row.label,
                        "share": label,
                        "days": "%{y}",
                        "invoices": invoices_text(row.tally.n),
                    }
                    for row in rows
                ],
                urls=[row.url for row in rows],
            )
            for key, label, style, above, below in forms
        ]

    @property
    def trend_rows(self) -> list[tuple[Row, list[Cell]]]:
        per_quarter = fold(self.cells, lambda key: key[:2])
        found = []
        for row in self.rows[:MOST_PANELS]:
            cells = []
            for quarter in self.quarters:
                tally = per_quarter.get((row.key, quarter), Tally())
                url = list_url(self.between(row.wanted, *self.quarter_days(quarter)))
                text = reached(tally.curve, tally.curve.p50) if tally.n else "–"
                cells.append(Cell(text, url if tally.n else ""))
            found.append((row, cells))
        return found

    # ─ Heat map

    @property
    def heat_labels(self) -> list[str]:
        amounts = [grouped(amount) for amount in self.classes]
        middle = [
            _("%(low)s–%(high)s") % {"low": low, "high": high} for low, high in pairwise(amounts)
        ]
        return [
            _("Under %(amount)s") % {"amount": amounts[0]},
            *middle,
            _("%(amount)s and over") % {"amount": amounts[-1]},
        ]

    @property
    def heat_key(self) -> list[tuple[int, str]]:
        ends = HEAT[self.measure]
        first = _("on time") if self.late else _("up to %(days)s") % {"days": ends[0]}
        middle = [
            _("%(low)s–%(high)s days") % {"low": low + 1, "high": high}
            for low, high in pairwise(ends)
        ]
        return list(enumerate([first, *middle, _("over %(days)s") % {"days": ends[-1]}]))

    @property
    def heat_rows(self) -> list[tuple[Row, list[HeatCell]]]:
        per_class = fold(self.cells, lambda key: (key[0], key[2]))
        return [
            (
                row,
                [
                    self._heat(per_class.get((row.key, place), Tally()), row.wanted, place)
                    for place in range(len(self.classes) + 1)
                ],
            )
            for row in self.rows[:MOST_BARS]
        ]

    def _heat(self, tally: Tally, wanted: InvoiceFilter, place: int) -> HeatCell:
        if not tally.n:
            return HeatCell("", 0)
        least = self.classes[place - 1] if place else None
        # The list's upper end is included, ours is not: the smallest amount below it.
        most = self.classes[place] - SMALLEST if place < len(self.classes) else None
        url = list_url(
            wanted.but(
                converted=True,
                amount_min=None if least is None else Decimal(least),
                amount_max=most,
            )
        )
        p50 = tally.curve.p50
        if tally.n_paid < TOO_FEW:
            return HeatCell(_("too few"), tally.n, url, -1)
        if p50 is None:
            return HeatCell(_("not reached"), tally.n, url, 5)
        level = sum(p50 > end for end in HEAT[self.measure])
        return HeatCell(days_text(p50), tally.n, url, level)

    @property
    def has_heat(self) -> bool:
        return self.by in ("client_type", "owner")

    def figures(self) -> dict[str, charts.Figure]:
        axis = (
            _("Days after the due date (negative = early)")
            if self.late
            else _("Days after the invoice date")
        )
        short_axis = _("Days after the due date") if self.late else axis
        bars = self.bars
        found = {
            "survival": charts.survival(
                self.lines, title=short_axis, span=SPANS[self.measure], from_due=self.late
            ),
            "distribution": charts.distribution([row.label for row in bars], self.bands),
        }
        if self.by == "month":
            names = [row.label for row in sorted(self.rows, key=lambda row: row.key)]
            found["percentiles"] = charts.months(self.trends, names, title=short_axis)
        else:
            found["percentiles"] = charts.percentiles(self.dots, title=axis, from_due=self.late)
            found |= charts.small_multiples(self.trends, self.quarter_labels)
        return found

    # ─ Formula lines

    @property
    def filter_words(self) -> str:
        scope = self.scope
        first = dates.day(scope.issued_from) if scope.issued_from else _("the beginning")
        parts = [
            _("Issued %(first)s – %(last)s") % {"first": first, "last": dates.day(scope.until)},
            _("as of %(day)s") % {"day": dates.day(scope.as_of)},
            scope.currency or _("every currency"),
            invoices_text(self.total.n),
        ]
        return ", ".join(parts)

    @property
    def period_words(self) -> str:
        first = self.scope.issued_from
        return _("%(first)s – %(last)s") % {
            "first": dates.day(first) if first else _("the beginning"),
            "last": dates.day(self.scope.until),
        }

    @property
    def is_today(self) -> bool:
        return self.scope.as_of == self.today

    @property
    def hidden_rows(self) -> str:
        hidden = len(self.rows) - MOST_ROWS
        if hidden <= 0:
            return ""
        return _("The first %(shown)s of %(all)s in this order; the exports have every one.") % {
            "shown": MOST_ROWS,
            "all": grouped(len(self.rows)),
        }

    @property
    def panels(self) -> list[tuple[Row, charts.Trend]]:
        return list(zip(self.rows, self.trends, strict=False))

    @property
    def heat_why(self) -> str:
        words = {"currency": company_currency()}
        if self.late:
            return (
                _(
                    "Days after the due date by which half are paid, by invoice amount with VAT "
                    "in %(currency)s. Each cell opens its invoices."
                )
                % words
            )
        return (
            _(
                "Days after the invoice date by which half are paid, by invoice amount with VAT "
                "in %(currency)s. Each cell opens its invoices."
            )
            % words
        )

    @property
    def formula(self) -> str:
        what = (
            _("Kaplan–Meier on payment date − due date")
            if self.late
            else _("Kaplan–Meier on payment date − invoice date")
        )
        return _(
            "%(what)s, one value per invoice, its last payment; open invoices are unfinished "
            "observations, and so are those that a credit note or write-off settled alone, from "
            "that day on. %(filter)s."
        ) % {"what": what, "filter": self.filter_words}

    @property
    def weight_words(self) -> str:
        words = _(
            "The weighted average is of paid invoices, by the amount paid in %(currency)s."
        ) % {"currency": company_currency()}
        if self.total.unrated:
            words += " " + ngettext(
                "%(n)s invoice without an exchange rate is left out of it.",
                "%(n)s invoices without an exchange rate are left out of it.",
                self.total.unrated,
            ) % {"n": grouped(self.total.unrated)}
        return words


SMALLEST = Decimal("0.0001")
# Types that have no colour of their own yet.
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


def _shallow(row: Row) -> dict[str, Any]:
    names = ("key", "label", "client_type", "tally", "recent", "before", "wanted")
    return {name: getattr(row, name) for name in names}


def month_label(month: int) -> str:
    return dates.month(first_day(month))


def _rank(row: Row) -> float:
    p50 = row.tally.curve.p50
    return float("inf") if p50 is None else p50


def _first_to_last(values: Iterable[int | None]) -> tuple[int, int] | None:
    known = [value for value in values if value is not None]
    return (known[0], known[-1]) if len(known) > 1 else None


def signed(days: int) -> str:
    return f"+{days}" if days > 0 else days_text(days)


def reached(curve: Curve, days: int | None) -> str:
    if curve.events < TOO_FEW:
        return _("too few")
    if days is None:
        return _("not reached (> %(days)s)") % {"days": days_text(curve.longest or 0)}
    return days_text(days)


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
