"""The entries of a period: sales and credit notes, receipts and refunds, and what settling them
comes to, in the order of their days.

The rows are read in batches as the entries are asked for: memory does not grow with the period.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import islice
from typing import Any, TypeVar

from django.db.models import Q

from invoices.accounting.journal.documents import (
    Doc,
    booked,
    document_entry,
    documents,
)
from invoices.accounting.journal.entries import Entry
from invoices.accounting.journal.making import Making
from invoices.accounting.journal.money import (
    Paid,
    Refunded,
    payment_entry,
    payments,
    refund_entry,
    refund_worths,
    refunds,
)
from invoices.accounting.journal.settlements import docs_of, settlement_entries
from invoices.accounting.journal.steps import in_order, lettered, steps, worths
from invoices.models import Allocation, Invoice, Payment, Refund

BATCH = 1_000
T = TypeVar("T")


def entries(making: Making) -> Iterator[Entry]:
    """Each fact of the period once, by day; what cannot be written is in `making.problems`."""
    return merge(
        _documents(making),
        _payments(making),
        _refunds(making),
        _settlements(making),
        key=lambda entry: entry.day,
    )


def batches(rows: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    left = iter(rows)
    while batch := list(islice(left, size)):
        yield batch


def _documents(making: Making) -> Iterator[Entry]:
    span = making.span
    rows = Invoice.objects.issued().filter(issue_date__range=(span.starts_on, span.ends_on))
    if not span.with_history:
        rows = rows.filter(imported=False)
    if span.since is not None:
        late = Q(issued_at__gt=span.since) | Q(issued_at=None, created_at__gt=span.since)
        rows = rows.filter(late)
    found = documents(rows.order_by("issue_date", "pk")).iterator(chunk_size=BATCH)
    for batch in batches(Doc(*row) for row in found):
        making.meet_clients({doc.account for doc in batch})
        books = booked(making, batch)
        notes = [doc.pk for doc in batch if doc.is_note]
        taken = steps(credit_note=notes) if notes else {}
        for doc in batch:
            book = books.get(doc.pk)
            if book is None:
                making.problems.without_rate.add(doc.number, doc.shown_at)
                continue
            mine = taken.get(doc.pk, [])
            letters = lettered(mine, worths(doc.total, mine, book.worth), span.ends_on)
            entry = document_entry(making, book, letters)
            if entry is not None:
                yield entry


def _payments(making: Making) -> Iterator[Entry]:
    span = making.span
    rows = Payment.objects.filter(received_on__range=(span.starts_on, span.ends_on))
    if not span.with_history:
        rows = rows.filter(imported=False)
    found = payments(_since(rows, making).order_by("received_on", "pk"))
    for batch in batches(Paid(*row) for row in found.iterator(chunk_size=BATCH)):
        making.meet_clients({paid.account for paid in batch})
        taken = steps(payment=[paid.pk for paid in batch])
        for paid in batch:
            entry = payment_entry(making, paid, taken.get(paid.pk, []))
            if entry is not None:
                yield entry


def _refunds(making: Making) -> Iterator[Entry]:
    span = making.span
    rows = Refund.objects.filter(refunded_on__range=(span.starts_on, span.ends_on))
    found = refunds(_since(rows, making).order_by("refunded_on", "pk"))
    for batch in batches(Refunded(*row) for row in found.iterator(chunk_size=BATCH)):
        making.meet_clients({refund.account for refund in batch})
        given = steps(refund=[refund.pk for refund in batch])
        note_ids = {s.note for parts in given.values() for s in parts if s.note is not None}
        notes = booked(making, list(docs_of(note_ids).values()))
        worth_of = refund_worths(making, given, notes)
        for refund in batch:
            entry = refund_entry(making, refund, given.get(refund.pk, []), worth_of)
            if entry is not None:
                yield entry


def _settlements(making: Making) -> Iterator[Entry]:
    span = making.span
    rows = Allocation.objects.filter(applied_on__range=(span.starts_on, span.ends_on))
    # Cash that goes back settles nothing: the refund's own entry says it all.
    rows = rows.exclude(kind=Allocation.Kind.REFUND, payment__isnull=False)
    if not span.with_history:
        rows = rows.filter(
            Q(kind=Allocation.Kind.WRITE_OFF)
            | Q(payment__imported=False)
            | Q(credit_note__imported=False)
        )
    for batch in batches(in_order(_since(rows, making))):
        yield from settlement_entries(making, batch)


def _since(rows: Any, making: Making) -> Any:
    since = making.span.since
    return rows if since is None else rows.filter(recorded_at__gt=since)
