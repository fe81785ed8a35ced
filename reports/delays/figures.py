"""The figures of a delay report: percentiles, survival curves and classes of delay, as charts
and as the tables that say the same."""

from __future__ import annotations

from django.utils.translation import gettext as _

from billing_portal.figures import grouped
from invoices.selections.filters import InvoiceFilter
from reports import charts
from reports.cells import Cell
from reports.delays.estimator import TOO_FEW
from reports.delays.measuring import LATE_CLASSES, Measure
from reports.delays.rows import Groups, Row
from reports.delays.tally import Tally
from reports.delays.trends import Trends
from reports.links import invoice_list

CLASSES: dict[Measure, tuple[tuple[int | None, int | None], ...]] = {
    "late": LATE_CLASSES,
    "to_pay": ((None, 30), (31, 45), (46, 60), (61, 90), (91, None)),
}
MARKS: dict[Measure, tuple[int, int]] = {"late": (0, 30), "to_pay": (30, 60)}
SPANS: dict[Measure, tuple[int, int]] = {"late": (-25, 90), "to_pay": (0, 120)}
# Types that have no colour of their own yet.
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


class Figures:
    def __init__(self, groups: Groups, trends: Trends) -> None:
        self.groups, self.trends = groups, trends

    @property
    def dots(self) -> list[charts.Dots]:
        return [self._dots(row) for row in self.groups.bars]

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
        elif curve.certainty:
            note = _("few payments")
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

    @property
    def lines(self) -> list[charts.Line]:
        low, high = SPANS[self.groups.measure]
        found: list[charts.Line] = []
        for row in self.groups.drawn_lines:
            curve = row.tally.curve
            points: list[tuple[int, float]] = [(low, round(curve.unpaid(low) * 100, 2))]
            points += [
                (step.day, round(step.above / step.below * 100, 2))
                for step in curve.steps
                if low < step.day <= high
            ]
            points.append((high, round(curve.unpaid(high) * 100, 2)))
            # What the curve says of that day: paid later, or open for longer.
            name = "late_min" if self.groups.late else "to_pay_min"
            marks = [
                (
                    day,
                    round(curve.unpaid(day) * 100, 1),
                    invoice_list(row.wanted.but(**{name: day + 1})),
                )
                for day in MARKS[self.groups.measure]
            ]
            dash = DASHES[len(found) % len(DASHES)] if row.style is charts.PLAIN else "solid"
            found.append(charts.Line(row.label, row.style, points, marks, dash))
        return found

    def class_counts(self, tally: Tally) -> list[int]:
        """Paid ones by class, then those overdue and unpaid."""
        paid = [tally.between(*ends) for ends in CLASSES[self.groups.measure]]
        return [*paid, tally.overdue]

    def class_filters(self, wanted: InvoiceFilter) -> list[InvoiceFilter]:
        least, most = ("late_min", "late_max") if self.groups.late else ("to_pay_min", "to_pay_max")
        return [
            *(
                wanted.but(state="paid", **{least: low, most: high})
                for low, high in CLASSES[self.groups.measure]
            ),
            wanted.but(state="overdue"),
        ]

    @property
    def class_labels(self) -> list[str]:
        first = _("Early or on the day") if self.groups.late else _("Within 30 days")
        middle = [
            _("%(low)s–%(high)s days") % {"low": low, "high": high}
            for low, high in CLASSES[self.groups.measure][1:-1]
        ]
        last = _("Over %(days)s days") % {"days": (CLASSES[self.groups.measure][-1][0] or 0) - 1}
        return [first, *middle, last, _("Overdue, unpaid")]

    @property
    def bands(self) -> list[charts.Band]:
        rows = self.groups.bars
        counts = [self.class_counts(row.tally) for row in rows]
        urls = [[invoice_list(f) for f in self.class_filters(row.wanted)] for row in rows]
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
        return [(row, self._class_cells(row.tally, row.wanted)) for row in self.groups.bars]

    @property
    def distribution_foot(self) -> list[Cell]:
        return self._class_cells(self.groups.total, self.groups.scope.wanted)

    def _class_cells(self, tally: Tally, wanted: InvoiceFilter) -> list[Cell]:
        counts = self.class_counts(tally)
        found = [
            Cell(grouped(n), invoice_list(narrowed) if n else "")
            for n, narrowed in zip(counts, self.class_filters(wanted), strict=True)
        ]
        return [*found, Cell(grouped(sum(counts)), "", strong=True)]

    def drawn(self) -> dict[str, charts.Figure]:
        axis = (
            _("Days after the due date (negative = early)")
            if self.groups.late
            else _("Days after the invoice date")
        )
        short_axis = _("Days after the due date") if self.groups.late else axis
        bars = self.groups.bars
        found = {
            "survival": charts.survival(
                self.lines,
                title=short_axis,
                span=SPANS[self.groups.measure],
                from_due=self.groups.late,
            ),
            "distribution": charts.distribution([row.label for row in bars], self.bands),
        }
        if self.groups.by == "month":
            names = [row.label for row in sorted(self.groups.rows, key=lambda row: row.key)]
            found["percentiles"] = charts.months(self.trends.all, names, title=short_axis)
        else:
            found["percentiles"] = charts.percentiles(
                self.dots, title=axis, from_due=self.groups.late
            )
            found |= charts.small_multiples(self.trends.all, self.trends.quarter_labels)
        return found
