"""The last closed day of the books: nothing is dated on it or before it.

Whoever writes a dated row (a document, a payment, a write-off, a reversal) calls `refuse_closed`
in its transaction. The company's row is locked while the day moves, not while it is read: what was
dated in that very moment is found by `verify_books`.
"""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from billing_portal.dates import day as written
from invoices.models import BooksDecision, Company

LONGEST_REASON = 300


class PeriodClosed(Exception):
    """The day lies in a closed period; the message is written for staff."""


class ClosingRefused(Exception):
    """The closed day stays where it is; the message is written for staff."""


def closed_until() -> date | None:
    return Company.objects.filter(pk=1).values_list("closed_until", flat=True).first()


def closed_reason(day: date) -> str:
    """Why nothing may be dated on `day`; empty when it may."""
    last = closed_until()
    if last is None or day > last:
        return ""
    return _("The books are closed until %(day)s: take a later day.") % {"day": written(last)}


def refuse_closed(day: date) -> None:
    """Raises PeriodClosed when the books are closed on `day`."""
    if text := closed_reason(day):
        raise PeriodClosed(text)


def close_books(
    *, until: date | None, seen: date | None, reason: str, by: User | None, on: date
) -> BooksDecision:
    """Move the closed day, and keep who did it. Back, or away, only with a reason.

    `seen` is the day that the person saw closed: moved meanwhile, it is refused. Raises
    ClosingRefused.
    """
    reason = reason.strip()
    if len(reason) > LONGEST_REASON:
        raise ClosingRefused(_("At most %(limit)s characters.") % {"limit": LONGEST_REASON})
    with transaction.atomic():
        company = Company.objects.select_for_update().filter(pk=1).first()
        if company is None:
            raise ClosingRefused(_("First say who the company is."))
        before = company.closed_until
        if before != seen and before is None:
            raise ClosingRefused(
                _("Somebody opened the books meanwhile: nothing is closed now. Look again.")
            )
        if before != seen:
            raise ClosingRefused(
                _("Somebody moved the closed day meanwhile: it is %(day)s now. Look again.")
                % {"day": written(before)}
            )
        if until is None and before is None:
            raise ClosingRefused(_("Nothing is closed yet: give the last day to close."))
        if until == before:
            raise ClosingRefused(_("The books are closed until that day already."))
        if until is not None and until >= on:
            raise ClosingRefused(_("Only a day that is over can be closed."))
        back = before is not None and (until is None or until < before)
        if back and not reason:
            raise ClosingRefused(_("Say why the books are opened again: it stays in the log."))
        company.closed_until = until
        company.save(update_fields=["closed_until"])
        return BooksDecision.objects.create(
            kind=BooksDecision.Kind.REOPENED if back else BooksDecision.Kind.CLOSED,
            closed_until=until,
            closed_until_before=before,
            reason=reason,
            by=by,
            on=on,
        )
