"""Which day a document may bear: open, in the order of the numbers, of a year that has its numbers.

Dates go forward over all series of a kind, not only within that of a month or a year. Where that
cannot be kept (a clock was ahead once, a document of last year was forgotten), an administrator
grants an exception: for one kind, from one day on, for a few days, with a reason that stays in the
log.
"""

from __future__ import annotations

from datetime import date, timedelta

from django.db.models import Max
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from billing_portal.dates import day
from invoices.company.closing import LONGEST_REASON, closed_reason, closed_until
from invoices.models import BooksDecision, Invoice, NumberSeries

LONGEST_GRANT = timedelta(days=31)


class ExceptionRefused(Exception):
    """No exception is granted; the message is written for staff."""


def last_issue_date(kind: str) -> date | None:
    """Of the documents of this kind in all our series."""
    found = NumberSeries.objects.filter(kind=kind).aggregate(last=Max("last_issue_date"))
    last: date | None = found["last"]
    return last


def date_reason(kind: str, issue_date: date, on: date) -> str:
    """Why a document of `kind` cannot bear `issue_date` when issued on `on`; empty when it may."""
    if text := closed_reason(issue_date):
        return text
    if exception_for(kind, issue_date, on) is not None:
        return ""
    return order_reason(kind, issue_date, on)


def order_reason(kind: str, issue_date: date, on: date) -> str:
    """Why the date breaks the order of dates: only an exception helps. Empty when it does not."""
    last = last_issue_date(kind)
    if last is not None and issue_date < last:
        return _(
            "The last document of this kind bears the date %(last)s: numbers follow the calendar, "
            "so take that day or a later one. If that day is wrong or still to come, an "
            "administrator can grant an exception (Settings, Books)."
        ) % {"last": day(last)}
    # Whatever the series: a year that is over takes a document more, but none begins in it.
    if issue_date.year < on.year and (last is None or last.year < issue_date.year):
        return _(
            "Nothing was numbered here in %(year)s: this date would open the numbers of a year "
            "that is over. Only an administrator can grant it (Settings, Books)."
        ) % {"year": issue_date.year}
    return ""


def exception_for(kind: str, issue_date: date, on: date) -> BooksDecision | None:
    """The newest exception that holds on `on` for this date."""
    return BooksDecision.objects.filter(
        kind=BooksDecision.Kind.DATES,
        document_kind=kind,
        earliest__lte=issue_date,
        on__lte=on,
        granted_until__gte=on,
    ).first()


def grant_exception(
    *, kind: str, earliest: date, until: date, reason: str, by: User | None, on: date
) -> BooksDecision:
    """Let documents of `kind` bear dates from `earliest` on, issued today up to `until`.

    It does not open a closed period. Raises ExceptionRefused.
    """
    reason = reason.strip()
    if kind not in Invoice.Kind.values:
        raise ExceptionRefused(_("Choose invoices or credit notes."))
    if not reason:
        raise ExceptionRefused(_("Say why: it stays in the log."))
    if len(reason) > LONGEST_REASON:
        raise ExceptionRefused(_("At most %(limit)s characters.") % {"limit": LONGEST_REASON})
    if earliest > on:
        raise ExceptionRefused(_("The first date allowed lies in the future."))
    last_closed = closed_until()
    if last_closed is not None and earliest <= last_closed:
        raise ExceptionRefused(closed_reason(earliest))
    if not on <= until <= on + LONGEST_GRANT:
        raise ExceptionRefused(
            _("An exception holds from today, for %(n)s days at most.") % {"n": LONGEST_GRANT.days}
        )
    return BooksDecision.objects.create(
        kind=BooksDecision.Kind.DATES,
        document_kind=kind,
        earliest=earliest,
        granted_until=until,
        reason=reason,
        by=by,
        on=on,
    )
