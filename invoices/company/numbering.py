"""The next number of a series, without gaps."""

from __future__ import annotations

import re
from datetime import date

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing_portal.accounts.models import User
from billing_portal.confirming import Shown
from billing_portal.figures import grouped
from invoices.models import BooksDecision, Company, Invoice, NumberSeries

# BR-FR-01 and -02: at most 35 characters, of these.
MOST = 1_000_000_000
_LAWFUL = re.compile(r"[A-Za-z0-9+\-_/]{1,35}")


class NumberRefused(Exception):
    """No number can be given; the message is written for staff."""


class ReasonMissing(NumberRefused):
    """Numbers are left out on purpose, and nobody says why."""


class LeavesOut(NumberRefused):
    """Numbers of a series that has begun would never be given: somebody has to agree to that.

    `token` names the very numbers that were asked about; `question` says them in words.
    """

    def __init__(self, series: NumberSeries, value: int) -> None:
        count = value - series.next_value
        self.token = f"{series.kind} {series.year} {series.next_value}-{value - 1}"
        self.question = ngettext(
            "%(first)s will never be given: %(next)s comes next. "
            "This cannot be taken back: a series that has begun only goes on upwards.",
            "%(count)s numbers, %(first)s to %(last)s, will never be given: %(next)s comes next. "
            "This cannot be taken back: a series that has begun only goes on upwards.",
            count,
        ) % {
            "count": grouped(count),
            "first": series.number(series.next_value),
            "last": series.number(value - 1),
            "next": series.number(value),
        }
        super().__init__(_("Say first that these numbers are to be left out. No number was set."))


def prefix_for(kind: str, year: int, company: Company) -> str:
    pattern = (
        company.credit_note_prefix if kind == Invoice.Kind.CREDIT_NOTE else company.invoice_prefix
    )
    return pattern.replace("{year}", str(year))


def series_of(kind: str, year: int) -> NumberSeries | None:
    return NumberSeries.objects.filter(kind=kind, year=year).first()


def next_number(kind: str, year: int, company: Company) -> str:
    """The number that would be given now; only the locked row makes it certain."""
    series = series_of(kind, year)
    if series is not None:
        return series.number(series.next_value)
    prefix = prefix_for(kind, year, company)
    return NumberSeries(prefix=prefix, width=company.number_width).number(1)


def locked_series(kind: str, year: int, company: Company) -> NumberSeries:
    """The series row, locked until the transaction ends; made when the year begins.

    All series of the kind are locked with it: dates go forward over all of them.
    """
    held = NumberSeries.objects.select_for_update().filter(kind=kind).order_by("year")
    series = next((each for each in held if each.year == year), None)
    if series is not None:
        return series
    prefix = prefix_for(kind, year, company)
    if not _LAWFUL.fullmatch(prefix + "0" * company.number_width):
        raise NumberRefused(
            _(
                "Numbers like %(prefix)s… are not allowed: use letters, digits and + - _ / only, "
                "35 characters at most. Change the prefix in Settings."
            )
            % {"prefix": prefix}
        )
    try:
        with transaction.atomic():
            NumberSeries.objects.create(
                kind=kind, year=year, prefix=prefix, width=company.number_width
            )
    except IntegrityError:
        # Another transaction began the year, or another series has this prefix already.
        if not NumberSeries.objects.filter(kind=kind, year=year).exists():
            raise NumberRefused(
                _(
                    "The prefix %(prefix)s belongs to another series already: put {year} into it, "
                    "and a letter of its own for credit notes, in Settings."
                )
                % {"prefix": prefix}
            ) from None
    return NumberSeries.objects.select_for_update().get(kind=kind, year=year)


def taken_reason(number: str) -> str:
    """Why a number cannot be given: the old system gave it. Empty when it is free.

    Of our own, the row of the series gives each once.
    """
    if not Invoice.objects.filter(number=number, imported=True).exists():
        return ""
    return _(
        "The number %(number)s exists already, from the old system: set the number that comes next "
        "(Settings, Books)."
    ) % {"number": number}


def after_the_old_system(prefix: str) -> int:
    """The number after the highest that came in with this prefix; 1 when none did."""
    figures = (
        number.removeprefix(prefix)
        for number in Invoice.objects.filter(imported=True, number__startswith=prefix)
        .values_list("number", flat=True)
        .iterator(chunk_size=2_000)
    )
    found = (int(each) for each in figures if each.isascii() and each.isdigit())
    return max((value for value in found if value < MOST), default=0) + 1


def set_next(
    *,
    kind: str,
    year: int,
    value: int,
    reason: str,
    by: User | None,
    on: date,
    agreed: str = "",
) -> BooksDecision:
    """The number that comes next in a series, as when a company moves in from another system.

    A series that has begun goes upwards only, for a reason, and only when `agreed` is the token of
    the numbers that are left out: nobody can give them later. Kept in the log, by which the books
    explain the gap. Raises NumberRefused, and LeavesOut when the gap was not agreed to.
    """
    company = Company.ours()
    if company is None:
        raise NumberRefused(_("First say who the company is."))
    if kind not in Invoice.Kind.values:
        raise NumberRefused(_("Choose invoices or credit notes."))
    if not on.year - 1 <= year <= on.year + 1:
        raise NumberRefused(_("Only series of last year, this year and next year can be set."))
    if not 1 <= value < MOST:
        raise NumberRefused(
            _("A number lies between 1 and %(most)s.") % {"most": grouped(MOST - 1)}
        )
    with transaction.atomic():
        series = locked_series(kind, year, company)
        before = series.next_value
        if value == before:
            raise NumberRefused(_("%(number)s comes next already.") % {"number": series})
        if series.invoices.exists():
            _require_agreed_gap(series, value, reason, agreed)
        series.next_value = value
        if text := taken_reason(str(series)):
            raise NumberRefused(text)
        series.save(update_fields=["next_value"])
        return BooksDecision.objects.create(
            kind=BooksDecision.Kind.FIRST_NUMBER,
            document_kind=kind,
            year=year,
            next_value=value,
            next_value_before=before,
            reason=reason.strip()[:300],
            by=by,
            on=on,
        )


def _require_agreed_gap(series: NumberSeries, value: int, reason: str, agreed: str) -> None:
    if value < series.next_value:
        raise NumberRefused(
            _("%(number)s comes next: a series that has begun only goes on upwards.")
            % {"number": series}
        )
    asked = LeavesOut(series, value)
    # The number itself first: nobody should agree to a gap that is refused afterwards.
    if text := taken_reason(series.number(value)):
        raise NumberRefused(text)
    if agreed != asked.token:
        raise asked
    if not reason.strip():
        raise ReasonMissing(
            _("Say why these numbers are left out: whoever checks the books will ask.")
        )


def numbers_shown(company: Company, on: date) -> Shown:
    """What comes next in each series that may be set, begun or not."""
    years = range(on.year - 1, on.year + 2)
    return Shown(
        {
            f"{kind} {year}": next_number(kind, year, company)
            for kind in Invoice.Kind.values
            for year in years
        }
    )


def numbers_under_lock(kind: str, year: int, company: Company, on: date) -> Shown:
    """The series is made when it is not there: of two who begin it, one waits for the other."""
    locked_series(kind, year, company)
    return numbers_shown(company, on)


def take(series: NumberSeries) -> int:
    """The next sequence of a locked series; the caller saves the series in its transaction."""
    value = series.next_value
    series.next_value += 1
    return value
