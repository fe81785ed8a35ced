"""Numbers: every one there, in its place, once, and dated in order; a series ends by decision."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext as _

from invoices.accounting.broken import Broken
from invoices.documents import numbers
from invoices.models import BooksDecision, Invoice, NumberSeries

BATCH = 2_000


def check() -> Iterator[Broken]:
    yield from _series()
    yield from _ended()
    yield from _doubles()


def _unexplained(
    series: NumberSeries, start: int, end: int, left_out: list[tuple[int, int]]
) -> Iterator[Broken]:
    """The numbers from `start` to before `end` that nobody decided to leave out."""
    missing = start
    while missing < end:
        after = max((last for first, last in left_out if first <= missing < last), default=0)
        if after:
            missing = after
            continue
        yield Broken(series.number(missing), _("this number is missing."))
        missing += 1


def _left_out(series: NumberSeries) -> list[tuple[int, int]]:
    """The numbers that were left out by decision, from … to before …, as it stands in the end."""
    rows = series.decisions.filter(kind=BooksDecision.Kind.FIRST_NUMBER).order_by("pk")
    found: list[tuple[int, int]] = []
    for before, after in rows.values_list("next_value_before", "next_value"):
        first, last = before or 1, after or 1
        # Set back while nothing was numbered: what is above was not left out after all.
        found = [(start, min(end, last)) for start, end in found]
        found.append((first, last))
    return [(start, end) for start, end in found if start < end]


def _series() -> Iterator[Broken]:
    # A gap among quotes is no fault of the books.
    documents = NumberSeries.objects.filter(kind__in=Invoice.Kind.values)
    for series in documents.order_by("kind", "period", "pk"):
        expected, previous_hash, last_date = series.first_value, "", date.min
        left_out = _left_out(series)
        rows = series.invoices.order_by("sequence").values(
            "sequence",
            "number",
            "issue_date",
            "date_exception",
            "content_hash",
            "previous_hash",
        )
        row: dict[str, Any]
        for row in rows.iterator(chunk_size=BATCH):  # type: ignore[assignment]
            yield from _unexplained(series, expected, row["sequence"], left_out)
            expected = row["sequence"] + 1
            if row["number"] != series.number(row["sequence"], row["issue_date"]):
                yield Broken(row["number"], _("is not the number of its place in the series."))
            if series.period not in numbers.periods_of(row["issue_date"]):
                yield Broken(row["number"], _("is dated outside the period of its series."))
            if row["issue_date"] < last_date and row["date_exception"] is None:
                yield Broken(row["number"], _("is dated before the number before it."))
            last_date = max(last_date, row["issue_date"])
            if row["previous_hash"] != previous_hash:
                yield Broken(row["number"], _("is not chained to the document before it."))
            previous_hash = row["content_hash"]
        yield from _unexplained(series, expected, series.next_value, left_out)
        if expected > series.next_value:
            yield Broken(str(series), _("the series would give a number again."))
        if expected > series.first_value and series.last_hash != previous_hash:
            yield Broken(str(series), _("the chain does not end with the last document."))


def _ended() -> Iterator[Broken]:
    """A series ends, and goes on, by a decision only; between the two it numbers nothing."""
    Kind = BooksDecision.Kind
    for series in NumberSeries.objects.order_by("kind", "period", "pk"):
        last = series.decisions.filter(kind__in=[Kind.SERIES_ENDED, Kind.SERIES_RESUMED]).first()
        is_ended = last is not None and last.kind == Kind.SERIES_ENDED
        if is_ended != (series.ended_on is not None):
            yield Broken(series.prefix, _("the log does not say that this series ended so."))
        elif last is not None and is_ended and series.next_value != last.next_value:
            yield Broken(series.prefix, _("this series gave numbers after it was ended."))


def _doubles() -> Iterator[Broken]:
    doubles = (
        Invoice.objects.exclude(number="").values("number").annotate(n=Count("pk")).filter(n__gt=1)
    )
    for number in doubles.order_by("number").values_list("number", flat=True):
        yield Broken(number, _("this number names two documents."))
