"""The delay report: one reading of the invoices, handed to what makes rows, charts and words."""

from __future__ import annotations

from datetime import date
from functools import cached_property

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing_portal import dates
from billing_portal.figures import grouped
from reports.cells import invoices_text
from reports.delays.approvals import Approvals, approvals_of
from reports.delays.changes import Changes
from reports.delays.figures import Figures
from reports.delays.findings import Findings
from reports.delays.heat import Heat
from reports.delays.measuring import By, Measure, Scope
from reports.delays.rows import Groups
from reports.delays.table import Table
from reports.delays.trends import Trends
from reports.terms import terms_of_delays


class DelayReport:
    """Everything that the page, its figures and its exports say. One pass over the invoices."""

    def __init__(
        self, scope: Scope, by: By, measure: Measure, sort: str = "", *, today: date | None = None
    ) -> None:
        self.groups = Groups(scope, by, measure, sort, today or scope.as_of)
        self.changes = Changes(self.groups)
        self.table = Table(self.groups, self.changes)
        self.trends = Trends(self.groups)
        self.figures = Figures(self.groups, self.trends)
        self.findings = Findings(self.groups, self.figures, self.changes)
        self.heat = Heat(self.groups) if self.groups.by_amount else None
        self.today = today or scope.as_of

    @cached_property
    def approvals(self) -> Approvals | None:
        """Of the page alone, where anything was said on the platform."""
        return approvals_of(self.groups.scope, self.today)

    @property
    def filter_words(self) -> str:
        scope = self.groups.scope
        first = dates.day(scope.issued_from) if scope.issued_from else _("the beginning")
        parts = [
            _("Issued %(first)s – %(last)s") % {"first": first, "last": dates.day(scope.until)},
            _("as of %(day)s") % {"day": dates.day(scope.as_of)},
            *([_("client types of today")] if scope.type_today else []),
            scope.currency or _("every currency"),
            invoices_text(self.groups.total.n),
        ]
        return ", ".join(parts)

    @property
    def period_words(self) -> str:
        first = self.groups.scope.issued_from
        return _("%(first)s – %(last)s") % {
            "first": dates.day(first) if first else _("the beginning"),
            "last": dates.day(self.groups.scope.until),
        }

    @property
    def terms(self) -> list[tuple[str, str]]:
        return terms_of_delays()

    @property
    def period_why(self) -> str:
        """Why the period begins where it does: that of the receivables begins elsewhere."""
        return _(
            "Two years of invoices, if you do not choose another period: so the last twelve months "
            "can be compared with the twelve before."
        )

    @property
    def formula(self) -> str:
        what = (
            _("Kaplan–Meier on payment date − due date")
            if self.groups.late
            else _("Kaplan–Meier on payment date − invoice date")
        )
        return _(
            "%(what)s, one value per invoice, its last payment; open invoices are unfinished "
            "observations, and so are those that a credit note or a write-off closed, from "
            "that day on. Grey: under 20 payments. %(filter)s."
        ) % {"what": what, "filter": self.filter_words}

    @property
    def weight_words(self) -> str:
        words = _(
            "The weighted average is of paid invoices, by the amount paid in %(currency)s."
        ) % {"currency": self.groups.reading.own}
        if self.groups.total.unrated:
            words += " " + ngettext(
                "%(n)s invoice without an exchange rate is left out of it.",
                "%(n)s invoices without an exchange rate are left out of it.",
                self.groups.total.unrated,
            ) % {"n": grouped(self.groups.total.unrated)}
        return words
