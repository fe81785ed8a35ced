"""What a delay report found, in sentences: titles of the charts, and the strip on top."""

from __future__ import annotations

from fractions import Fraction

from django.db.models import Count, Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing_portal.figures import grouped
from billing_portal.money import formatted_minor
from invoices.models import Invoice
from invoices.selections.as_of import with_open_amount
from invoices.selections.filters import (
    select,
)
from reports.cells import Kpi, days_text, days_unit, one_place, percent_text, plural_of
from reports.delays.changes import Changes
from reports.delays.estimator import TOO_FEW
from reports.delays.figures import MARKS, Figures
from reports.delays.rows import Groups, Row, rank, reached
from reports.delays.turns import Turns, whose
from reports.links import invoice_list


def _half_paid(groups: Groups, url: str) -> Kpi:
    curve, p50 = groups.total.curve, groups.total.curve.p50
    label, value, unit = _("Half paid within"), reached(curve, 1, 2), ""
    if p50 is not None and groups.total.n_paid >= TOO_FEW:
        unit = (
            ngettext("day of the due date", "days of the due date", p50)
            if groups.late
            else ngettext("day of issue", "days of issue", p50)
        )
        if p50 < 0:
            label, value = _("Half paid"), days_text(-p50)
            unit = ngettext("day before the due date", "days before the due date", -p50)
    sub = _("three in four within %(days)s") % {"days": reached(curve, 3, 4)}
    return Kpi(label, value, unit, sub, url)


class Findings:
    def __init__(self, groups: Groups, figures: Figures, changes: Changes) -> None:
        self.groups, self.figures, self.turns = groups, figures, Turns(groups, changes)

    @property
    def title(self) -> str:
        ranked = self.groups.ranked
        p50 = self.groups.total.curve.p50
        if self.groups.by != "month" and len(ranked) > 1 and rank(ranked[0]) > rank(ranked[-1]):
            words = {"last": ranked[0].label, "first": ranked[-1].label}
            if self.groups.by == "owner":
                return _("The clients of %(last)s pay last, those of %(first)s first") % words
            return _("%(last)s pays last, %(first)s first") % words
        if self.groups.total.n_paid < TOO_FEW:
            return _("Too few payments to tell")
        if p50 is None:
            return _("Fewer than half of the invoices are paid so far")
        return self.half_sentence(p50)

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
            "group": whose(self.groups, last),
            "days": mark,
        }
        if last.key == "":
            if self.groups.late:
                return (
                    _("%(days)s days after the due date, an estimated %(percent)s%% are unpaid")
                    % words
                )
            return _("%(days)s days after issue, an estimated %(percent)s%% are unpaid") % words
        if self.groups.late:
            return (
                _(
                    "%(group)s: %(days)s days after the due date, an estimated %(percent)s%% are "
                    "unpaid"
                )
                % words
            )
        return (
            _("%(group)s: %(days)s days after issue, an estimated %(percent)s%% are unpaid") % words
        )

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
    def kpis(self) -> list[Kpi]:
        tally = self.groups.total
        number = plural_of(tally.weighted_mean)
        unit = (
            ngettext("day late", "days late", number)
            if self.groups.late
            else ngettext("day to pay", "days to pay", number)
        )
        everything = invoice_list(self.groups.scope.wanted)
        found = [
            _half_paid(self.groups, everything),
            Kpi(
                _("Weighted average"),
                one_place(tally.weighted_mean),
                unit if tally.weight_minor else "",
                self.turns.size_words,
                invoice_list(self.groups.scope.wanted.but(state="paid")),
            ),
        ]
        ranked = self.groups.ranked
        if ranked:
            last = ranked[0]
            found.append(
                Kpi(
                    self._slowest_label(),
                    reached(last.tally.curve, 1, 2),
                    days_unit(last.tally.curve.p50) if last.tally.curve.p50 is not None else "",
                    self._last_words(last),
                    last.url,
                )
            )
        found.append(self.turns.tile)
        found.append(self._overdue())
        return found

    def _slowest_label(self) -> str:
        if self.groups.by == "month":
            return _("Slowest month")
        return _("Slowest clients") if self.groups.by == "owner" else _("Slowest payers")

    def _last_words(self, row: Row) -> str:
        recent, known = row.recent, row.recent.n_paid >= TOO_FEW
        if self.groups.by == "month" or not known or recent.curve.p50 is None:
            return whose(self.groups, row)
        return _("%(group)s; the last year %(days)s") % {
            "group": whose(self.groups, row),
            "days": days_text(recent.curve.p50),
        }

    def _overdue(self) -> Kpi:
        wanted = self.groups.scope.wanted.but(state="overdue")
        rows, columns = select(Invoice.objects.all(), wanted, self.groups.scope.as_of)
        amounts = (
            with_open_amount(rows, self.groups.scope.as_of, columns=columns)
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
