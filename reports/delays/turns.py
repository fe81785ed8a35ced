"""Who gets worse or better, and whether large invoices wait longer: every sentence that says so.

Each asks what changed beyond chance (changes.py), and names the two spans that it compares.
"""

from __future__ import annotations

from django.utils.translation import gettext as _

from billing_portal.figures import grouped
from reports.cells import Kpi, days_text, days_unit, signed
from reports.delays.changes import Changes
from reports.delays.comparing import Comparison
from reports.delays.rows import Groups, Row
from reports.links import invoice_list


class Turns:
    def __init__(self, groups: Groups, changes: Changes) -> None:
        self.groups, self.changes = groups, changes

    @property
    def tile(self) -> Kpi:
        label, spans = (
            _("Getting worse"),
            {
                "now": self.groups.year_words(0),
                "before": self.groups.year_words(1),
            },
        )
        if not self.groups.has_year_before:
            text = _("the period begins too late to compare it with %(before)s") % spans
            return Kpi(label, "–", "", text)
        if not self.changes.any_known:
            return Kpi(
                label, "–", "", _("too few payments to compare %(now)s with %(before)s") % spans
            )
        worst = self.changes.worst
        if worst is None:
            return Kpi(label, _("none"), "", _("beyond chance, %(now)s against %(before)s") % spans)
        row, change = worst
        words = self._years_of(row, change) | {"group": whose(self.groups, row)}
        return Kpi(
            label,
            signed(change.change),
            days_unit(change.change),
            _("%(group)s: from %(before)s (%(before_span)s) to %(now)s (%(now_span)s)") % words,
            invoice_list(self.groups.year_filter(row.wanted, 0)),
        )

    @property
    def trend_title(self) -> str:
        changes = self.changes
        if not self.groups.has_year_before:
            return _("The period is too short to tell a change")
        if not changes.any_known:
            return _("Too few payments to tell a change")
        found = changes.worst or changes.best
        if not found:
            return _("No change beyond chance from one year to the next")
        row, change = found
        words = self._years_of(row, change)
        later = change.change > 0
        if self.groups.by == "owner":
            return (
                _("The clients of %(group)s pay later: half within %(now)s days, before %(before)s")
                if later
                else _(
                    "The clients of %(group)s pay sooner: half within %(now)s days, before "
                    "%(before)s"
                )
            ) % words
        return (
            _("%(group)s pays later: half within %(now)s days, before %(before)s")
            if later
            else _("%(group)s pays sooner: half within %(now)s days, before %(before)s")
        ) % words

    @property
    def trend_why(self) -> str:
        """What the title of the trend compares, which the first and last quarter drawn do not."""
        return _(
            "A change is told only beyond chance, of invoices issued %(now)s against %(before)s."
        ) % {"now": self.groups.year_words(0), "before": self.groups.year_words(1)}

    def _years_of(self, row: Row, change: Comparison) -> dict[str, str]:
        return {
            "group": row.label,
            "now": days_text(change.now.curve.p50 or 0),
            "now_span": self.groups.year_words(0),
            "before": days_text(change.before.curve.p50 or 0),
            "before_span": self.groups.year_words(1),
        }

    @property
    def size_words(self) -> str:
        if self.groups.total.mean is None:
            return _("nothing is paid yet")
        if not self.changes.size_told:
            return _("large or small: no difference beyond chance")
        large_are_later = self.changes.by_size[1].change > 0
        return _("large invoices are later") if large_are_later else _("small invoices are later")

    @property
    def size_title(self) -> str:
        """The same answer as below the weighted average: by one test."""
        amount, halves = self.changes.by_size
        if not self.changes.size_told:
            return _("Whether an invoice is large or small makes no difference beyond chance")
        words = {
            "amount": f"{grouped(amount)} {self.groups.reading.own}",
            "large": days_text(halves.now.curve.p50 or 0),
            "small": days_text(halves.before.curve.p50 or 0),
        }
        if self.groups.late:
            return (
                _(
                    "Half of the invoices of %(amount)s and over are paid within %(large)s days of "
                    "the due date, of the smaller ones within %(small)s"
                )
                % words
            )
        return (
            _(
                "Half of the invoices of %(amount)s and over are paid within %(large)s days of "
                "issue, of the smaller ones within %(small)s"
            )
            % words
        )


def whose(groups: Groups, row: Row) -> str:
    """Who pays so: of a salesperson, who does not, the clients."""
    if groups.by == "owner" and row.key != "":
        return _("Clients of %(name)s") % {"name": row.label}
    return row.label
