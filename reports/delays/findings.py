"""What a delay report found, in sentences: titles of the charts, and the strip on top."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from django.db.models import Count, Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing_portal.figures import grouped
from billing_portal.money import formatted_minor
from invoices.models import Invoice
from invoices.selections.as_of import with_open_amount
from invoices.selections.filters import (
    filter_invoices,
)
from reports.cells import Kpi, days_text, one_place, percent_text, signed
from reports.delays.estimator import TOO_FEW
from reports.delays.figures import MARKS, Figures
from reports.delays.rows import WORSE, Groups, Row, rank, reached
from reports.delays.trends import Trends
from reports.links import invoice_list


def _half_paid(groups: Groups, url: str) -> Kpi:
    curve, p50 = groups.total.curve, groups.total.curve.p50
    label, value, unit = _("Half paid within"), reached(curve, 1, 2), ""
    if p50 is not None and groups.total.n_paid >= TOO_FEW:
        unit = _("days of the due date") if groups.late else _("days of issue")
        if p50 < 0:
            label, value, unit = _("Half paid"), days_text(-p50), _("days before the due date")
    sub = _("three in four within %(days)s") % {"days": reached(curve, 3, 4)}
    return Kpi(label, value, unit, sub, url)


class Findings:
    def __init__(self, groups: Groups, figures: Figures, trends: Trends) -> None:
        self.groups, self.figures, self.trends = groups, figures, trends

    @property
    def title(self) -> str:
        ranked = self.groups.ranked
        p50 = self.groups.total.curve.p50
        if self.groups.by != "month" and len(ranked) > 1 and rank(ranked[0]) > rank(ranked[-1]):
            return _("%(last)s pays last, %(first)s first") % {
                "last": ranked[0].label,
                "first": ranked[-1].label,
            }
        if self.groups.by == "month" and len(ranked) > 1:
            return self._month_title(ranked)
        if self.groups.total.n_paid < TOO_FEW:
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
        if not self.groups.late:
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
        rows = self.groups.drawn_lines
        if not rows:
            return _("Too few payments for a curve")
        mark = MARKS[self.groups.measure][1]
        last = max(rows, key=lambda row: row.tally.curve.unpaid(mark))
        words = {
            "percent": f"{last.tally.curve.unpaid(mark) * 100:.0f}",
            "group": last.label,
            "days": mark,
        }
        if last.key == "":
            if self.groups.late:
                return _("%(days)s days after the due date, %(percent)s%% are still unpaid") % words
            return _("%(days)s days after issue, %(percent)s%% are still unpaid") % words
        if self.groups.late:
            return (
                _("%(group)s: %(days)s days after the due date, %(percent)s%% are still unpaid")
                % words
            )
        return _("%(group)s: %(days)s days after issue, %(percent)s%% are still unpaid") % words

    @property
    def distribution_title(self) -> str:
        counts = self.figures.class_counts(self.groups.total)
        fallen = sum(counts)
        if not fallen:
            return _("Nothing has fallen due yet")
        words = {"percent": percent_text(Fraction(counts[0], fallen))}
        if self.groups.late:
            return _("%(percent)s of what fell due was paid on time") % words
        return _("%(percent)s of what fell due was paid within 30 days of issue") % words

    @property
    def trend_title(self) -> str:
        found = [
            (change, trend)
            for row, trend in self.trends.panels
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
    def kpis(self) -> list[Kpi]:
        tally = self.groups.total
        unit = _("days late") if self.groups.late else _("days to pay")
        everything = invoice_list(self.groups.scope.wanted)
        found = [
            _half_paid(self.groups, everything),
            Kpi(
                _("Weighted average"),
                one_place(tally.weighted_mean),
                unit if tally.weight_minor else "",
                self._weight_words(),
                invoice_list(self.groups.scope.wanted.but(state="paid")),
            ),
        ]
        ranked = self.groups.ranked
        if ranked:
            last = ranked[0]
            found.append(
                Kpi(
                    _("Slowest payers") if self.groups.by != "month" else _("Latest month"),
                    reached(last.tally.curve, 1, 2),
                    _("days") if last.tally.curve.p50 is not None else "",
                    self._last_words(last),
                    last.url,
                )
            )
        found.append(self._worse())
        found.append(self._overdue())
        return found

    def _weight_words(self) -> str:
        mean, weighted = self.groups.total.mean, self.groups.total.weighted_mean
        if mean is None or weighted is None:
            return _("nothing is paid yet")
        if weighted - mean > 1:
            return _("large invoices are later")
        if mean - weighted > 1:
            return _("small invoices are later")
        return _("large and small alike")

    def _last_words(self, row: Row) -> str:
        if self.groups.by == "month" or row.recent.n_paid < TOO_FEW or row.recent.curve.p50 is None:
            return row.label
        return _("%(group)s; the last year %(days)s") % {
            "group": row.label,
            "days": days_text(row.recent.curve.p50),
        }

    def _worse(self) -> Kpi:
        changed = [
            row for row in self.groups.rows if row.key is not None and row.change is not None
        ]
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
            invoice_list(self.groups.year_filter(worst.wanted, 0)),
        )

    def _overdue(self) -> Kpi:
        wanted = self.groups.scope.wanted.but(state="overdue")
        rows = filter_invoices(Invoice.objects.all(), wanted, self.groups.scope.as_of)
        amounts = (
            with_open_amount(rows, self.groups.scope.as_of)
            .order_by()
            .values("currency")
            .annotate(n=Count("pk"), minor=Sum("open_minor"))
            .values_list("minor", "currency")
        )
        told = sorted(amounts, reverse=True)
        return Kpi(
            _("Overdue today") if self.groups.is_today else _("Overdue on that day"),
            grouped(self.groups.total.overdue),
            ngettext("invoice", "invoices", self.groups.total.overdue),
            " · ".join(formatted_minor(minor, currency) for minor, currency in told) or "–",
            invoice_list(wanted),
        )


def _first_to_last(values: Iterable[int | None]) -> tuple[int, int] | None:
    known = [value for value in values if value is not None]
    return (known[0], known[-1]) if len(known) > 1 else None
