"""The next number of a series, without gaps.

A document is counted in the series of its kind that is open for its day: one that has begun for its
month, its year, or without end. Where there is none, the pattern of the kind begins one.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import BigIntegerField, QuerySet
from django.db.models.functions import Cast, Substr
from django.utils.translation import gettext as _

from invoices.company.patterns import prefix_problem
from invoices.documents import numbers
from invoices.documents.numbers import Pattern
from invoices.models import Invoice, NumberPattern, NumberSeries, Quote


class NumberRefused(Exception):
    """No number can be given; the message is written for staff."""


def open_series(kind: str) -> QuerySet[NumberSeries]:
    return NumberSeries.objects.filter(kind=kind, ended_on__isnull=True)


def series_for(kind: str, on: date) -> NumberSeries:
    """The series that numbers a document of this day; not saved where it has yet to begin."""
    periods = numbers.periods_of(on)
    # The narrowest: a year that was left for months keeps only what no month has counted.
    rows = sorted(
        open_series(kind).filter(period__in=periods), key=lambda row: periods.index(row.period)
    )
    return rows[0] if rows else beginning(kind, NumberPattern.of(kind).form, on)


def beginning(kind: str, form: Pattern, on: date) -> NumberSeries:
    """The series that this pattern begins, not saved.

    It goes on above what other series of ours gave in the same form, as when a counter that began
    again each month is to begin again each year, with the month still in its numbers.
    """
    row = NumberSeries(
        kind=kind, period=form.period(on), prefix=form.prefix_in(on), width=form.width
    )
    found = highest(row, given_by_us(kind))
    row.first_value = row.next_value = (found[1] if found else 0) + 1
    return row


def given_by_us(kind: str) -> QuerySet[Any]:
    """The documents whose numbers our own series gave."""
    if kind == NumberPattern.QUOTE:
        return Quote.objects.exclude(number="")
    return Invoice.objects.filter(imported=False)


def next_number(kind: str, on: date) -> str:
    """What a document of this day would get now; only the locked row makes it certain."""
    return series_for(kind, on).next_number(on)


def locked_pattern(kind: str) -> NumberPattern:
    """Until the transaction ends nobody else numbers documents of this kind.

    One row for all series of a kind: dates go forward over all of them.
    """
    rows = NumberPattern.objects.select_for_update().filter(kind=kind)
    found = rows.first()
    if found is None:
        NumberPattern.objects.get_or_create(
            kind=kind, defaults={"prefix": NumberPattern.usual(kind)}
        )
        found = rows.get()
    return found


def locked_series(kind: str, on: date) -> NumberSeries:
    """The series for a document of this day, locked until the transaction ends; begun when new."""
    locked_pattern(kind)
    series = series_for(kind, on)
    if series.pk is not None:
        return NumberSeries.objects.select_for_update().get(pk=series.pk)
    if text := prefix_problem(series.prefix):
        raise NumberRefused(
            _("Numbers like %(number)s are not allowed (Settings, Numbers). %(why)s")
            % {"number": series.next_number(on), "why": text}
        )
    try:
        with transaction.atomic():
            series.save(force_insert=True)
    except IntegrityError:
        raise NumberRefused(
            _(
                "The beginning %(prefix)s belongs to another series already: choose another one "
                "(Settings, Numbers)."
            )
            % {"prefix": series.prefix}
        ) from None
    return series


def number_reason(series: NumberSeries, on: date) -> str:
    """Why the next number of a series cannot be given to a document of this day; empty if it can.

    Of its own the series gives each once; the old system, or another series, may have given it.
    """
    number = series.next_number(on)
    if series.kind == NumberPattern.QUOTE:
        # Only our own series give them, each once; none came in from an old system.
        return ""
    before = Invoice.objects.filter(number=number).only("imported").first()
    if before is not None and before.imported:
        return _(
            "The number %(number)s exists already, from the old system: set the number that comes "
            "next (Settings, Books)."
        ) % {"number": number}
    if before is not None:
        # Asked before its lock is taken, the series may have given it between the two questions.
        now = series_for(series.kind, on)
        if (now.pk, now.next_value) != (series.pk, series.next_value):
            return number_reason(now, on)
        return _(
            "The number %(number)s exists already: set the number that comes next "
            "(Settings, Books)."
        ) % {"number": number}
    if series.has_begun:
        return ""
    old = highest(series, Invoice.objects.filter(imported=True))
    # Not all that the old system gave need have come in: below its last number none is surely free.
    if old is not None and old[1] >= series.next_value:
        return _(
            "The old system gave numbers up to %(number)s: set the number that comes next "
            "(Settings, Books)."
        ) % {"number": old[0]}
    return ""


def highest(series: NumberSeries, rows: QuerySet[Any]) -> tuple[str, int] | None:
    """Of these documents the number in the form of the series that counts furthest."""
    head, place = numbers.literal_head(series.prefix), numbers.length(series.prefix) + 1
    if connection.vendor == "sqlite":
        # Its LIKE uses no index, its order of texts is that of their bytes; PostgreSQL is the
        # other way round in both. A draft asks each time it is saved, until the series begins.
        rows = rows.filter(number__gte=head, number__lt=f"{head}\x7f")
    found: tuple[str, int] | None = (
        rows.filter(
            number__startswith=head,
            number__regex=numbers.regex(series.prefix),
        )
        .annotate(counter=Cast(Substr("number", place), BigIntegerField()))
        .order_by("-counter")
        .values_list("number", "counter")
        .first()
    )
    return found


def take(series: NumberSeries) -> int:
    """The next sequence of a locked series; the caller saves the series in its transaction."""
    value = series.next_value
    series.next_value += 1
    return value
