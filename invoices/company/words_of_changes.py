"""What another form of the numbers would do, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.utils.translation import gettext as _

from billing_portal.dates import day
from invoices.company.changing_numbers import Change
from invoices.company.numbering import number_reason
from invoices.documents import numbers
from invoices.models import Invoice, NumberPattern, NumberSeries


@dataclass(frozen=True)
class Told:
    kind: str
    # The next two of today, then the first of the periods that follow: (day, number).
    next: list[str]
    later: list[tuple[date, str]]
    sentences: list[str] = field(default_factory=list)
    # Why the next number could not be given; an administrator sets another.
    taken: str = ""


def told(change: Change, on: date) -> Told:
    series = change.series_for(on)
    return Told(
        kind=_("Quote") if is_quote(change) else str(Invoice.Kind(change.kind).label),
        next=[series.next_number(on), series.number(series.next_value + 1, on)],
        later=[(first, change.series_for(first).next_number(first)) for first in _later(change)],
        sentences=_sentences(change, series),
        taken=number_reason(series, on),
    )


def is_quote(change: Change) -> bool:
    return change.kind == NumberPattern.QUOTE


def _later(change: Change) -> Iterator[date]:
    """The first days of the two periods that follow today's, by the form that holds then."""
    first = change.on
    for _each in range(2):
        period = change.series_for(first).period
        if not period:
            return
        first = numbers.last_day(period) + timedelta(days=1)
        yield first


def _sentences(change: Change, series: NumberSeries) -> list[str]:
    values = {"next": series.next_number(change.on), "day": day(change.effective)}
    if change.effective > change.on:
        later = change.series_for(change.effective)
        values["later"] = later.next_number(change.effective)
        if is_quote(change):
            text = _("The next quote is still %(next)s; from %(day)s on it is %(later)s.")
        elif change.kind == Invoice.Kind.CREDIT_NOTE:
            text = _("The next credit note is still %(next)s; from %(day)s on it is %(later)s.")
        else:
            text = _("The next invoice is still %(next)s; from %(day)s on it is %(later)s.")
        found = [text % values]
    else:
        if is_quote(change):
            text = _("The next quote will be %(next)s.")
        elif change.kind == Invoice.Kind.CREDIT_NOTE:
            text = _("The next credit note will be %(next)s.")
        else:
            text = _("The next invoice will be %(next)s.")
        found = [text % values]
    for row in change.ends:
        found.append(
            _("The series %(prefix)s ends at %(last)s.")
            % {"prefix": row.prefix, "last": last_of(row)}
        )
    for row in change.resumed:
        found.append(
            _("The series %(prefix)s gave numbers before: it goes on, and does not begin again.")
            % {"prefix": row.prefix}
        )
    return found


def ends_in_words(changes: Sequence[Change]) -> str:
    """The question before series end."""
    found = []
    for change in changes:
        if change.ends:
            found += _sentences(change, change.series_for(change.on))
    return " ".join(found)


def last_of(series: NumberSeries) -> str:
    return series.number(series.next_value - 1, series.last_issue_date)
