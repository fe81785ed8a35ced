"""The number that comes next, set by hand: as when a company moves in from another system."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing_portal.accounts.models import User
from billing_portal.confirming import Shown
from billing_portal.figures import grouped
from invoices.company.numbering import (
    NumberRefused,
    given_by_us,
    highest,
    locked_series,
    series_for,
)
from invoices.documents import numbers
from invoices.documents.numbers import MOST
from invoices.models import BooksDecision, Company, Invoice, NumberPattern, NumberSeries

_DAY = timedelta(days=1)
# Whose numbers have series of a pattern.
NUMBERED = (*Invoice.Kind.values, NumberPattern.QUOTE)


class ReasonMissing(NumberRefused):
    """Numbers are left out on purpose, and nobody says why."""


class LeavesOut(NumberRefused):
    """Numbers of a series that has begun would never be given: somebody has to agree to that.

    `token` names the very numbers that were asked about; `question` says them in words.
    """

    def __init__(self, series: NumberSeries, value: int, on: date) -> None:
        count = value - series.next_value
        self.token = f"{series.kind} {series.prefix} {series.next_value}-{value - 1}"
        self.question = ngettext(
            "%(first)s will never be given: %(next)s comes next. "
            "This cannot be taken back: a series that has begun only goes on upwards.",
            "%(count)s numbers, %(first)s to %(last)s, will never be given: %(next)s comes next. "
            "This cannot be taken back: a series that has begun only goes on upwards.",
            count,
        ) % {
            "count": grouped(count),
            "first": series.next_number(on),
            "last": series.number(value - 1, on),
            "next": series.number(value, on),
        }
        super().__init__(_("Say first that these numbers are to be left out. No number was set."))


def settable(kind: str, on: date) -> dict[str, date]:
    """The periods whose next number may be set, each with a day in it.

    That of today, the one before it and the one after it; for a series without end it alone.
    """
    found: dict[str, date] = {}
    for each in _days_around(series_for(kind, on).period, on):
        found.setdefault(series_for(kind, each).period, each)
    return found


def _days_around(period: str, on: date) -> Iterator[date]:
    if period:
        yield numbers.first_day(period) - _DAY
    yield on
    if period:
        yield numbers.last_day(period) + _DAY


def after_the_old_system(series: NumberSeries) -> int:
    """The number after the highest that came in with this beginning; 1 when none did.

    Of quotes none comes in.
    """
    if series.kind == NumberPattern.QUOTE:
        return 1
    found = highest(series, Invoice.objects.filter(imported=True))
    return (found[1] if found else 0) + 1


def set_next(
    *,
    kind: str,
    period: str,
    value: int,
    reason: str,
    by: User | None,
    on: date,
    agreed: str = "",
) -> BooksDecision:
    """The number that comes next in the series of this period (`settable`).

    A series that has begun goes upwards only, for a reason, and only when `agreed` is the token of
    the numbers that are left out: nobody can give them later. Kept in the log, by which the books
    explain the gap. Raises NumberRefused, and LeavesOut when the gap was not agreed to.
    """
    if Company.ours() is None:
        raise NumberRefused(_("First say who the company is."))
    if kind not in NUMBERED:
        raise NumberRefused(_("Choose invoices, credit notes or quotes."))
    if (day := settable(kind, on).get(period)) is None:
        raise NumberRefused(
            _("Only the series of now, of the period before and of the one after can be set.")
        )
    if not 1 <= value < MOST:
        raise NumberRefused(
            _("A number lies between 1 and %(most)s.") % {"most": grouped(MOST - 1)}
        )
    with transaction.atomic():
        series = locked_series(kind, day)
        before = series.next_value
        if value == before:
            raise NumberRefused(
                _("%(number)s comes next already.") % {"number": series.next_number(day)}
            )
        if series.has_begun:
            _require_agreed_gap(series, value, reason, agreed, day)
        elif text := _too_low(series, value):
            raise NumberRefused(text)
        series.next_value = value
        series.save(update_fields=["next_value"])
        return BooksDecision.objects.create(
            kind=BooksDecision.Kind.FIRST_NUMBER,
            document_kind=kind,
            series=series,
            year=year_of(series),
            next_value=value,
            next_value_before=before,
            reason=reason.strip()[:300],
            by=by,
            on=on,
        )


def year_of(series: NumberSeries) -> int | None:
    return int(series.period[:4]) if series.period else None


def _too_low(series: NumberSeries, value: int) -> str:
    """Numbers follow the calendar, so none comes below one that exists, whoever gave it."""
    of_quotes = series.kind == NumberPattern.QUOTE
    found = highest(series, given_by_us(series.kind) if of_quotes else Invoice.objects.all())
    if found is None or value > found[1]:
        return ""
    return _("%(number)s exists already: set %(value)s or a higher number.") % {
        "number": found[0],
        "value": grouped(found[1] + 1),
    }


def _require_agreed_gap(
    series: NumberSeries, value: int, reason: str, agreed: str, on: date
) -> None:
    if value < series.next_value:
        raise NumberRefused(
            _("%(number)s comes next: a series that has begun only goes on upwards.")
            % {"number": series.next_number(on)}
        )
    asked = LeavesOut(series, value, on)
    # The number itself first: nobody should agree to a gap that is refused afterwards.
    if text := _too_low(series, value):
        raise NumberRefused(text)
    if agreed != asked.token:
        raise asked
    if not reason.strip():
        raise ReasonMissing(
            _("Say why these numbers are left out: whoever checks the books will ask.")
        )


def numbers_shown(on: date) -> Shown:
    """What comes next in each series that may be set, begun or not."""
    return Shown(
        {
            f"{kind} {period}": series_for(kind, day).next_number(day)
            for kind in NUMBERED
            for period, day in settable(kind, on).items()
        }
    )


def numbers_under_lock(kind: str, period: str, on: date) -> Shown:
    """The series is made when it is not there: of two who begin it, one waits for the other."""
    day = settable(kind, on).get(period)
    if day is not None:
        locked_series(kind, day)
    return numbers_shown(on)
