"""Another form of the numbers: what a change would do, said before it is done, and the change.

A series that has begun keeps its form. A new pattern holds from the next period on; at once only
when somebody agrees that the series of today ends. Nothing is numbered again: a pattern that comes
back goes on with its series where that stopped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from billing_portal.confirming import Shown
from invoices.company.closing import LONGEST_REASON
from invoices.company.first_numbers import ReasonMissing, year_of
from invoices.company.numbering import (
    NumberRefused,
    beginning,
    locked_pattern,
    open_series,
    series_for,
)
from invoices.company.patterns import meeting, pattern_problem
from invoices.documents import numbers
from invoices.documents.numbers import Pattern
from invoices.models import BooksDecision, NumberPattern, NumberSeries


class PatternRefused(NumberRefused):
    """The pattern of `kind` cannot be taken; the message is written for staff."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class HasNoNextPeriod(PatternRefused):
    """A series without end only gives way when it is ended."""


class EndsSeries(NumberRefused):
    """Series that have begun would end before their time: somebody has to agree to that.

    `token` names the very numbers at which they would end.
    """

    def __init__(self, changes: list[Change]) -> None:
        self.changes = changes
        self.token = " ".join(
            f"{row.kind} {row.prefix} {row.next_value}" for each in changes for row in each.ends
        )
        super().__init__(_("Say first that the series is to end. Nothing was changed."))


@dataclass(frozen=True)
class Change:
    """What a pattern would do to the series of its kind, from `effective` on."""

    kind: str
    form: Pattern
    on: date
    effective: date
    # Begun, and would give no number any more.
    ends: list[NumberSeries] = field(default_factory=list)
    # Ended once, and would go on.
    resumed: list[NumberSeries] = field(default_factory=list)
    # Without a document yet: they take the new form where their period is the same, or end.
    unused: list[NumberSeries] = field(default_factory=list)

    @property
    def is_one(self) -> bool:
        anything = self.ends or self.resumed or self.unused
        return bool(anything) or self.form != pattern_of(self.kind)

    def series_for(self, day: date) -> NumberSeries:
        """That which would number a document of this day; not saved where it is yet to begin."""
        if day < self.effective:
            return series_for(self.kind, day)
        periods = numbers.periods_of(day)
        gone = {row.pk for row in [*self.ends, *self.unused]}
        rows = [row for row in open_series(self.kind) if row.pk not in gone]
        rows = [row for row in [*rows, *self.resumed] if row.period in periods]
        if rows:
            return min(rows, key=lambda row: periods.index(row.period))
        new = beginning(self.kind, self.form, day)
        for row in self.unused:
            if row.period == new.period:
                # A first number that was set stays: only its form is another.
                new.next_value = max(new.next_value, row.next_value)
        return new


def pattern_of(kind: str) -> Pattern:
    return NumberPattern.of(kind).form


def foresee(kind: str, form: Pattern, *, at_once: bool, on: date) -> Change:
    """What would happen. Raises PatternRefused where it cannot: numbers would repeat or not change.

    `on` is today. Without `at_once` the series of today goes on to the end of its period.
    """
    if text := pattern_problem(form):
        raise PatternRefused(kind, text)
    _refuse_numbers_of_others(kind, form)
    rows = list(NumberSeries.objects.filter(kind=kind).order_by("pk"))
    others = [row for row in rows if row.ended_on is None and not _is_of(row, form, on)]
    current = series_for(kind, on)
    in_the_way = [
        row
        for row in others
        if row.has_begun and (row.pk == current.pk or numbers.first_day(row.period) > on)
        if numbers.last_day(row.period) >= on
    ]
    effective = on
    if in_the_way and not at_once:
        effective = _after(in_the_way, kind)
    _refuse_what_changes_nothing(kind, form, current, on)
    # Below the day on which it holds nothing changes: last month's series stays as it is.
    touched = [row for row in others if numbers.last_day(row.period) >= effective]
    change = Change(
        kind,
        form,
        on,
        effective,
        ends=[row for row in touched if row.has_begun],
        resumed=[
            row
            for row in rows
            if row.ended_on is not None
            and _is_of(row, form, on)
            and numbers.last_day(row.period) >= effective
        ],
        unused=[row for row in touched if not row.has_begun],
    )
    _refuse_a_prefix_in_use(change, rows)
    return change


def foresee_all(forms: Mapping[str, Pattern], *, at_once: bool, on: date) -> list[Change]:
    """For each kind. What is to happen at once is what was changed; where nothing was, what waits
    for its next period. Raises PatternRefused.
    """
    if other := meeting(forms):
        raise PatternRefused(
            other,
            _(
                "Two kinds of documents could get the same number: give each a beginning of its "
                "own, such as F-, A- and D-."
            ),
        )
    changed = {kind for kind, form in forms.items() if form != pattern_of(kind)}
    return [
        foresee(kind, form, at_once=at_once and (kind in changed or not changed), on=on)
        for kind, form in forms.items()
    ]


def _is_of(row: NumberSeries, form: Pattern, on: date) -> bool:
    """Whether the pattern itself would have begun this series."""
    day = numbers.first_day(row.period) if row.period else on
    return row.period == form.period(day) and row.prefix == form.prefix_in(day)


def _after(rows: list[NumberSeries], kind: str) -> date:
    last = max(numbers.last_day(row.period) for row in rows)
    if last == date.max:
        (endless, *_rest) = [row for row in rows if not row.period]
        raise HasNoNextPeriod(
            kind,
            _(
                "The series %(prefix)s has no end of its own: choose that it ends with the next "
                "document, or leave its numbers as they are."
            )
            % {"prefix": endless.prefix},
        )
    return last + timedelta(days=1)


def _refuse_what_changes_nothing(kind: str, form: Pattern, current: NumberSeries, on: date) -> None:
    if not current.has_begun or current.period or not _is_of(current, form, on):
        return
    if current.width != form.width:
        raise PatternRefused(
            kind,
            _(
                "A series without end keeps its digits, and %(number)s comes next in it: give it "
                "another beginning too, or leave its digits."
            )
            % {"number": current.next_number(on)},
        )


def _refuse_numbers_of_others(kind: str, form: Pattern) -> None:
    """What another kind gave or may still give under a former pattern."""
    for row in NumberSeries.objects.exclude(kind=kind):
        if numbers.may_meet(form.prefix, form.width, row.prefix, row.width):
            raise PatternRefused(
                kind,
                _("Numbers of %(prefix)s name other documents already: take another beginning.")
                % {"prefix": row.prefix},
            )


def _refuse_a_prefix_in_use(change: Change, rows: list[NumberSeries]) -> None:
    new = change.series_for(change.effective)
    if new.pk is None and any(row.prefix == new.prefix for row in rows if row not in change.unused):
        raise PatternRefused(
            change.kind,
            _(
                "%(prefix)s begins the numbers of another series already, which counts otherwise: "
                "take another beginning."
            )
            % {"prefix": new.prefix},
        )


def patterns_shown() -> Shown:
    """What the page of the numbers shows as being so, for its token."""
    return Shown({kind: _told(pattern_of(kind)) for kind in NumberPattern.KINDS})


def patterns_under_lock() -> Shown:
    for kind in NumberPattern.KINDS:
        locked_pattern(kind)
    return patterns_shown()


def change_patterns(
    forms: Mapping[str, Pattern],
    *,
    at_once: bool,
    reason: str,
    by: User | None,
    on: date,
    agreed: str = "",
) -> list[BooksDecision]:
    """Number the documents of each kind by its pattern from now on; what was decided, for the log.

    Raises PatternRefused; EndsSeries when a series would end and `agreed` is not the token of just
    that; ReasonMissing when nobody says why. Nothing is changed then.
    """
    reason = reason.strip()[:LONGEST_REASON]
    with transaction.atomic():
        for kind in sorted(forms):
            locked_pattern(kind)
        changes = [each for each in foresee_all(forms, at_once=at_once, on=on) if each.is_one]
        if any(each.ends for each in changes):
            asked = EndsSeries(changes)
            if agreed != asked.token:
                raise asked
            if not reason:
                raise ReasonMissing(
                    _("Say why the series ends: whoever checks the books will ask.")
                )
        found: list[BooksDecision] = []
        for each in changes:
            found += _carry_out(each, reason, by)
        return found


def _carry_out(change: Change, reason: str, by: User | None) -> list[BooksDecision]:
    Kind = BooksDecision.Kind
    of_all = {"document_kind": change.kind, "reason": reason, "by": by, "on": change.on}
    row = NumberPattern.objects.get(kind=change.kind)
    pattern = {"before": _told(row.form), "after": _told(change.form)}
    decisions = [BooksDecision(kind=Kind.PATTERN, pattern=pattern, **of_all)]
    row.prefix, row.width = change.form.prefix, change.form.width
    row.restart = change.form.restart
    row.save()
    kept = _reform(change)
    for series in [*change.ends, *(each for each in change.unused if each not in kept)]:
        series.ended_on = change.on
        series.save(update_fields=["ended_on"])
        decisions.append(_of_series(Kind.SERIES_ENDED, series, of_all))
    for series in change.resumed:
        series.ended_on = None
        series.save(update_fields=["ended_on"])
        decisions.append(_of_series(Kind.SERIES_RESUMED, series, of_all))
    for decision in decisions:
        decision.save()
    return decisions


def _reform(change: Change) -> list[NumberSeries]:
    """Series without a document take the new form, and keep the first number that was set."""
    kept: list[NumberSeries] = []
    for row in change.unused:
        day = max(change.effective, numbers.first_day(row.period))
        new = change.series_for(day)
        if new.pk is None and new.period == row.period:
            row.prefix, row.width = new.prefix, new.width
            row.first_value, row.next_value = new.first_value, new.next_value
            row.save(update_fields=["prefix", "width", "next_value", "first_value"])
            kept.append(row)
    return kept


def _of_series(kind: str, series: NumberSeries, of_all: Mapping[str, object]) -> BooksDecision:
    return BooksDecision(
        kind=kind,
        series=series,
        year=year_of(series),
        next_value=series.next_value,
        **of_all,
    )


def _told(form: Pattern) -> list[str | int]:
    return [form.prefix, form.width, form.restart]
