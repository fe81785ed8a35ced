"""The next number of a series, without gaps."""

from __future__ import annotations

import re

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from invoices.models import Company, Invoice, NumberSeries

# BR-FR-01 and -02: at most 35 characters, of these.
_LAWFUL = re.compile(r"[A-Za-z0-9+\-_/]{1,35}")


class NumberRefused(Exception):
    """No number can be given; the message is written for staff."""


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
    """The series row, locked until the transaction ends; made when the year begins."""
    series = NumberSeries.objects.select_for_update().filter(kind=kind, year=year).first()
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


def take(series: NumberSeries) -> int:
    """The next sequence of a locked series; the caller saves the series in its transaction."""
    value = series.next_value
    series.next_value += 1
    return value
