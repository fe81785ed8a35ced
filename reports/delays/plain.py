"""Both measures of delay for every group, without words: what the command prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from reports.cells import rounded
from reports.delays.measuring import MEASURES, By, Scope, Tally, labels, tallies, total


@dataclass(frozen=True)
class Group:
    """One row of the report. `key` is an id, a month index, or None for nobody."""

    key: Any
    label: str
    late: Tally
    to_pay: Tally


@dataclass(frozen=True)
class Report:
    scope: Scope
    by: By
    groups: list[Group]
    total: Group


def measure(scope: Scope, by: By) -> Report:
    """Both measures for every group, in the order in which they are named. Five queries."""
    late, to_pay = (tallies(scope, measure, by) for measure in MEASURES)
    names = labels(by, [key for (key,) in late])
    groups = [Group(key, names[key], late[(key,)], to_pay[(key,)]) for key in names]
    return Report(
        scope,
        by,
        groups,
        Group("total", _("All"), total(late.values()), total(to_pay.values())),
    )


def as_json(report: Report) -> dict[str, Any]:
    """What `payment_delays --format json` prints; null percentiles are not reached."""
    return {
        "as_of": report.scope.as_of.isoformat(),
        "by": report.by,
        "groups": [{"group": group.label, **_figures(group)} for group in report.groups],
        "total": _figures(report.total),
    }


def _figures(group: Group) -> dict[str, Any]:
    return {
        "n": group.late.n,
        "paid": group.late.n_paid,
        "open": group.late.open,
        "days_late": _days(group.late),
        "days_to_pay": _days(group.to_pay),
    }


def _days(tally: Tally) -> dict[str, Any]:
    return {
        "mean_paid": rounded(tally.mean),
        "weighted_mean_paid": rounded(tally.weighted_mean),
        "p50": tally.curve.p50,
        "p75": tally.curve.p75,
        "p90": tally.curve.p90,
    }
