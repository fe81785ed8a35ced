"""The table of a delay report: its heads, and what each cell of a row says."""

from __future__ import annotations

from django.utils.translation import gettext as _

from billing_portal.figures import EMPTY, grouped
from reports.cells import Cell, Head, one_place, percent_text, signed
from reports.delays.changes import Changes
from reports.delays.rows import Groups, Row, interval_text, reached
from reports.links import invoice_list

# So many rows are shown; exports have all.
MOST_ROWS = 50


class Table:
    def __init__(self, groups: Groups, changes: Changes) -> None:
        self.groups, self.changes = groups, changes

    @property
    def shown(self) -> list[Row]:
        rows = self.groups.rows[:MOST_ROWS]
        for row in rows:
            row.cells = self.cells_of(row)
        return rows

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
        if self.groups.by != "month":
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
        grey = "muted" if curve.certainty else ""
        paid = invoice_list(wanted.but(state="paid"))
        late = invoice_list(wanted.but(state="paid", late_min=1))
        found = [
            Cell(reached(curve, 1, 2), row.url, grey, strong=not grey),
            Cell(interval_text(curve), "", f"muted {wide}"),
            Cell(reached(curve, 3, 4), row.url, grey),
            Cell(reached(curve, 9, 10), row.url, grey),
            Cell(one_place(tally.mean), paid, f"{grey} {wider}"),
            Cell(one_place(tally.weighted_mean), paid, f"{grey} {wide}"),
            Cell(percent_text(tally.late_share), late, f"{grey} {wider}"),
        ]
        if self.groups.by != "month":
            now = reached(row.recent.curve, 1, 2)
            if row.change is not None:
                now = f"{now} ({signed(row.change)})"
            faint = "muted" if row.recent.curve.certainty else ""
            told = row.key in self.changes.told
            worse = "late" if told and self.changes.compared[row.key].change > 0 else ""
            found += [
                # A period that does not reach so far back has nothing to say of it, nor to open.
                Cell(
                    reached(row.before.curve, 1, 2),
                    invoice_list(self.groups.year_filter(wanted, 1)),
                    f"muted {wider}",
                )
                if self.groups.has_year_before
                else Cell(EMPTY, "", f"muted {wider}"),
                Cell(
                    now,
                    invoice_list(self.groups.year_filter(wanted, 0)),
                    f"{worse or faint} {wider}",
                ),
            ]
        return [
            *found,
            Cell(grouped(tally.n), row.url, wide),
            Cell(grouped(tally.open), invoice_list(wanted.but(state="open")), wide),
            Cell(grouped(tally.overdue), invoice_list(wanted.but(state="overdue")), wide),
        ]

    @property
    def foot(self) -> list[Cell]:
        return self.cells_of(self.groups.everybody)

    @property
    def hidden_rows(self) -> str:
        hidden = len(self.groups.rows) - MOST_ROWS
        if hidden <= 0:
            return ""
        return _("The first %(shown)s of %(all)s in this order; the exports have every one.") % {
            "shown": MOST_ROWS,
            "all": grouped(len(self.groups.rows)),
        }
