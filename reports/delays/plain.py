"""Both measures of delay for every group, without words: what the command prints."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Min
from django.utils.translation import gettext as _

from invoices.selections.sql import first_day
from reports.cells import rounded
from reports.delays.measuring import MEASURES, By, Scope, labels
from reports.delays.reading import tallies
from reports.delays.tally import Tally, total


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
    # Where the scope names no first day, that of the first invoice; None without any.
    first: date | None


def measure(scope: Scope, by: By) -> Report:
    """Both measures for every group, in the order in which they are named. Six queries."""
    late, to_pay = (tallies(scope, measure, by) for measure in MEASURES)
    names = labels(by, [key for (key,) in late])
    groups = [Group(key, names[key], late[(key,)], to_pay[(key,)]) for key in names]
    return Report(
        scope,
        by,
        groups,
        Group("total", _("All"), total(late.values()), total(to_pay.values())),
        scope.issued_from or scope.rows().aggregate(first=Min("issue_date"))["first"],
    )


def id_of(key: Any, by: By) -> int | str | None:
    """What tells two groups of one name apart; of a month, its first day; None for nobody."""
    if by == "month" and isinstance(key, int):
        return first_day(key).isoformat()
    return None if key == "" else key


def as_json(report: Report) -> dict[str, Any]:
    """What `payment_delays --format json` prints.

    A percentile is null for a reason, which stands beside it: “not_reached”, with the day beyond
    which it lies, or “too_few” payments. `note` is “few” under twenty payments.
    """
    return {
        "as_of": report.scope.as_of.isoformat(),
        "issued_from": report.first and report.first.isoformat(),
        "issued_to": report.scope.until.isoformat(),
        "by": report.by,
        "client_types": "today" if report.scope.type_today else "at_issue",
        "groups": [
            {"id": id_of(group.key, report.by), "group": group.label, **_figures(group)}
            for group in report.groups
        ],
        "total": _figures(report.total),
    }


def _figures(group: Group) -> dict[str, Any]:
    return {
        "n": group.late.n,
        "paid": group.late.n_paid,
        "open": group.late.open,
        "closed_unpaid": group.late.n_closed_unpaid,
        "days_late": _days(group.late),
        "days_to_pay": _days(group.to_pay),
    }


def _days(tally: Tally) -> dict[str, Any]:
    curve = tally.curve
    figures: dict[str, Any] = {
        "n": tally.n,
        "events": curve.events,
        "note": curve.certainty or None,
        "mean_paid": rounded(tally.mean),
        "weighted_mean_paid": rounded(tally.weighted_mean),
        "paid_without_rate": tally.unrated,
    }
    for name, above, below in (("p50", 1, 2), ("p75", 3, 4), ("p90", 9, 10)):
        found = curve.estimate(above, below)
        figures |= {name: found.value, f"{name}_state": found.state, f"{name}_beyond": found.beyond}
    return figures
