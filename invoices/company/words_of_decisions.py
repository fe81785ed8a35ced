"""A decision about the books as a sentence of the reader's language."""

from __future__ import annotations

from datetime import date

from django.utils.translation import gettext as _

from billing_portal.dates import day
from invoices.documents import numbers
from invoices.documents.numbers import Pattern
from invoices.models import BooksDecision, Invoice, NumberPattern


def told(row: BooksDecision) -> str:
    kind = _("invoices")
    if row.document_kind == Invoice.Kind.CREDIT_NOTE:
        kind = _("credit notes")
    elif row.document_kind == NumberPattern.QUOTE:
        kind = _("quotes")
    if row.kind == BooksDecision.Kind.CLOSED:
        return _("The books are closed until %(day)s.") % {"day": day(row.closed_until)}
    if row.kind == BooksDecision.Kind.REOPENED:
        before = {"before": day(row.closed_until_before), "day": day(row.closed_until)}
        if row.closed_until is None:
            return _("The books, closed until %(before)s, are open again.") % before
        return (
            _("The books, closed until %(before)s, are open again from the day after %(day)s.")
            % before
        )
    if row.kind == BooksDecision.Kind.PATTERN:
        assert row.pattern is not None
        return _("The numbers of %(kind)s: %(after)s instead of %(before)s.") % {
            "kind": kind,
            "before": in_words(Pattern(*row.pattern["before"]), row.on),
            "after": in_words(Pattern(*row.pattern["after"]), row.on),
        }
    if row.series is not None:
        return _of_series(row, kind)
    return _("Until %(until)s, %(kind)s may be dated from %(earliest)s on.") % {
        "until": day(row.granted_until),
        "kind": kind,
        "earliest": day(row.earliest),
    }


def _of_series(row: BooksDecision, kind: str) -> str:
    series = row.series
    assert series is not None and row.next_value is not None
    on = _day_in(series.period, row.on)
    if row.kind == BooksDecision.Kind.FIRST_NUMBER:
        assert row.next_value_before is not None
        return _("The next number of %(kind)s is %(value)s instead of %(before)s.") % {
            "kind": kind,
            "value": series.number(row.next_value, on),
            "before": series.number(row.next_value_before, on),
        }
    if row.kind == BooksDecision.Kind.SERIES_RESUMED:
        return _("A series of %(kind)s goes on: %(number)s comes next.") % {
            "kind": kind,
            "number": series.number(row.next_value, on),
        }
    if row.next_value == series.first_value:
        return _("A series of %(kind)s ended before it began: %(number)s is not given.") % {
            "kind": kind,
            "number": series.number(row.next_value, on),
        }
    return _("A series of %(kind)s ended: %(number)s was its last.") % {
        "kind": kind,
        "number": series.number(row.next_value - 1, on),
    }


def _day_in(period: str, on: date) -> date:
    """That of the decision, or where the period is another the first of it."""
    return on if period in numbers.periods_of(on) else numbers.first_day(period)


def in_words(form: Pattern, on: date) -> str:
    """Like “F-2026-0001 (At 1 each year)”."""
    return f"{form.prefix}{1:0{form.width}d} ({NumberPattern.Restart(form.restart).label})"
