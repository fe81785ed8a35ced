"""The median of each group over the quarters of issue, or of all invoices month by month."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _

from invoices.selections.sql import first_day, month_index
from reports import charts
from reports.cells import Cell, invoices_text
from reports.delays.estimator import TOO_FEW
from reports.delays.rows import Groups, Row, month_label, months_label, reached
from reports.delays.tally import Tally, fold
from reports.links import invoice_list

MOST_PANELS = 9
QUARTERS = 8


class Trends:
    def __init__(self, groups: Groups) -> None:
        self.groups = groups

    @cached_property
    def quarters(self) -> list[int]:
        """Places of the quarters counted back, oldest first."""
        first = self.groups.scope.issued_from
        most = (self.groups.end - month_index(first)) // 3 + 1 if first else QUARTERS
        if not first:
            known = [key[1] for key in self.groups.cells if self.groups.by_amount]
            most = max(known, default=0) + 1
        return list(range(min(most, QUARTERS) - 1, -1, -1))

    def quarter_days(self, back: int) -> tuple[date, date]:
        last = self.groups.end - 3 * back
        return first_day(last - 2), first_day(last + 1) - timedelta(days=1)

    @property
    def quarter_labels(self) -> list[str]:
        return [month_label(month_index(self.quarter_days(q)[0])) for q in self.quarters]

    @property
    def quarter_names(self) -> list[str]:
        found = []
        for quarter in self.quarters:
            first, last = self.quarter_days(quarter)
            found.append(months_label(month_index(first), month_index(last)))
        return found

    @cached_property
    def _per_quarter(self) -> dict[Any, Tally]:
        return fold(self.groups.cells, lambda key: key[:2])

    @cached_property
    def all(self) -> list[charts.Trend]:
        if self.groups.by == "month":
            return self._month_trends()
        if self.groups.by == "client":
            return []
        return [
            self._trend(
                row,
                [self._per_quarter.get((row.key, q), Tally()) for q in self.quarters],
                str(place),
            )
            for place, row in enumerate(self.groups.rows[:MOST_PANELS])
        ]

    def _trend(self, row: Row, parts: Sequence[Tally], key: str) -> charts.Trend:
        values = [t.curve.p50 if t.n_paid >= TOO_FEW else None for t in parts]
        hovers, urls = [], []
        for tally, quarter, name in zip(parts, self.quarters, self.quarter_names, strict=True):
            urls.append(invoice_list(self.groups.between(row.wanted, *self.quarter_days(quarter))))
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
        rows = sorted(self.groups.rows, key=lambda row: row.key)
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
    def rows(self) -> list[tuple[Row, list[Cell]]]:
        found = []
        for row in self.groups.rows[:MOST_PANELS]:
            cells = []
            for quarter in self.quarters:
                tally = self._per_quarter.get((row.key, quarter), Tally())
                url = invoice_list(self.groups.between(row.wanted, *self.quarter_days(quarter)))
                text = reached(tally.curve, 1, 2) if tally.n else "–"
                grey = "muted" if tally.curve.certainty else ""
                cells.append(Cell(text, url if tally.n else "", grey))
            found.append((row, cells))
        return found

    @property
    def panels(self) -> list[tuple[Row, charts.Trend]]:
        return list(zip(self.groups.rows, self.all, strict=False))
