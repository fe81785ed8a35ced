"""The table of the delay report as CSV and XLSX: nothing that the page warns of is left out.

A percentile has a column for its days and one that says why there are none, with the number of
invoices and of payments behind it.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext as _

from billing_portal.lists.columns import Column
from reports.cells import rounded
from reports.delays.plain import id_of
from reports.delays.report import DelayReport
from reports.delays.rows import Row, note_of, reached
from reports.delays.tally import Tally

PickTally = Callable[[Row], Tally]


def export_rows(report: DelayReport) -> list[Row]:
    return [*report.groups.rows, report.groups.everybody]


def export_columns(report: DelayReport, group_label: Any, measure: str) -> list[Column]:
    """`measure` is what the days are counted of: every heading of days says it."""
    by = report.groups.by
    whole: PickTally = lambda row: row.tally  # noqa: E731
    columns = [
        Column("id", _("Id"), value=lambda row: id_of(row.key, by)),
        Column("group", group_label, value=lambda row: row.label),
        Column("n", _("Invoices"), value=lambda row: row.tally.n),
        Column("paid", _("Paid"), value=lambda row: row.tally.n_paid),
        Column("open", _("Open"), value=lambda row: row.tally.open),
        Column("overdue", _("Overdue"), value=lambda row: row.tally.overdue),
        *_percentile("p50", _of(_("Half paid"), measure), _("Half paid"), 1, 2, whole),
        *_percentile("p75", _of(_("3 in 4"), measure), _("3 in 4"), 3, 4, whole),
        *_percentile("p90", _of(_("9 in 10"), measure), _("9 in 10"), 9, 10, whole),
        Column("low", _of(_("Half: from"), measure), value=lambda row: _interval(row.tally, 0)),
        Column("high", _of(_("Half: to"), measure), value=lambda row: _interval(row.tally, 1)),
        Column("note", _("Note"), value=lambda row: note_of(row.tally.curve)),
        Column("mean", _of(_("Mean of paid"), measure), value=_number(lambda row: row.tally.mean)),
        Column(
            "weighted",
            _of(_("Weighted average"), measure),
            value=_number(lambda row: row.tally.weighted_mean),
        ),
        Column(
            "unrated",
            _("Paid, without an exchange rate: not in the weighted average"),
            value=lambda row: row.tally.unrated,
        ),
        Column("late", _("Paid late (share)"), value=_number(lambda row: row.tally.late_share)),
    ]
    if by != "month":
        columns += [
            *_year("before", _("Half, 12 months before"), measure, lambda row: row.before),
            *_year("recent", _("Half, last 12 months"), measure, lambda row: row.recent),
        ]
    return columns


def _percentile(
    key: str, days: Any, name: Any, above: int, below: int, of: PickTally
) -> list[Column]:
    return [
        Column(key, days, value=lambda row: of(row).curve.estimate(above, below).value),
        Column(
            f"{key}-why",
            _("%(percentile)s: in words") % {"percentile": name},
            value=lambda row: reached(of(row).curve, above, below),
        ),
    ]


def _of(figure: str, measure: str) -> str:
    return _("%(figure)s (%(measure)s)") % {"figure": figure, "measure": measure.lower()}


def _year(key: str, days: str, measure: str, of: PickTally) -> list[Column]:
    return [
        *_percentile(key, _of(days, measure), days, 1, 2, of),
        Column(
            f"{key}-n",
            _("%(percentile)s: invoices") % {"percentile": days},
            value=lambda row: of(row).n,
        ),
        Column(
            f"{key}-paid",
            _("%(percentile)s: paid") % {"percentile": days},
            value=lambda row: of(row).n_paid,
        ),
        Column(
            f"{key}-note",
            _("%(percentile)s: note") % {"percentile": days},
            value=lambda row: note_of(of(row).curve),
        ),
    ]


def _interval(tally: Tally, end: int) -> int | None:
    if tally.curve.certainty == "too_few":
        return None
    return tally.curve.median_interval()[end]


def _number(pick: Callable[[Row], Fraction | None]) -> Callable[[Row], Decimal | None]:
    def value(row: Row) -> Decimal | None:
        found = rounded(pick(row))
        return None if found is None else Decimal(str(found))

    return value
