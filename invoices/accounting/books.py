"""Do the books hold? Numbers, hashes, balances, stored documents, against the rows beneath them."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from typing import Any

from django.db.models import Count, F, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from invoices.accounting import (
    closed,
    deposits,
    einvoices,
    guards,
    instalments,
    log,
    pages,
    search_keys,
)
from invoices.accounting.broken import Broken
from invoices.documents import numbers
from invoices.invoicing import snapshot
from invoices.models import (
    Allocation,
    BooksDecision,
    Document,
    Invoice,
    NumberSeries,
    PastSettlement,
    Payment,
)
from invoices.payments import settling

BATCH = 2_000


def verify() -> list[Broken]:
    """Everything that is broken; empty when all holds."""
    return [
        *guards.check(),
        *_series(),
        *_ended(),
        *_doubles(),
        *closed.check(),
        *pages.check(),
        *deposits.check(),
        *_balances(),
        *_payments(),
        *log.check(),
        *_breakdowns(),
        *_documents(),
        *search_keys.check(),
    ]


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
            "paper",
            "content_hash",
            "sealed_with",
            "previous_hash",
            "net_minor",
            "vat_minor",
            "total_minor",
            "currency",
            "kind",
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
            yield from _paper(row, previous_hash)
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


def _paper(row: dict[str, Any], previous_hash: str) -> Iterator[Broken]:
    number, paper = row["number"], row["paper"]
    if not isinstance(paper, dict):
        yield Broken(number, _("has no frozen content."))
        return
    if row["previous_hash"] != previous_hash:
        yield Broken(number, _("is not chained to the document before it."))
    # A younger seal covers more than the row has here: pages.py looks at it.
    plain = row["sealed_with"] == 1
    if plain and row["content_hash"] != snapshot.chained_hash(row["previous_hash"], paper):
        yield Broken(number, _("its content was changed after it was issued."))
    said = {
        "number": paper.get("number", ""),
        "issue_date": paper.get("issue_date"),
        "currency": paper.get("currency"),
        "net_minor": paper.get("net_minor"),
        "vat_minor": paper.get("vat_minor"),
        "total_minor": paper.get("total_minor"),
        "kind": paper.get("kind", "invoice"),
    }
    for field, value in said.items():
        stored = row[field].isoformat() if field == "issue_date" else row[field]
        if stored != value:
            yield Broken(
                number,
                _("the page says %(said)s where the row has %(stored)s (%(field)s).")
                % {"said": value, "stored": stored, "field": field},
            )


def _balances() -> Iterator[Broken]:
    issued = Invoice.objects.issued().order_by("pk")
    last = 0
    while batch := list(issued.filter(pk__gt=last).defer("paper", "note")[:BATCH]):
        last = batch[-1].pk
        steps, past = _steps(batch), _past(batch)
        for invoice in batch:
            yield from _balance(invoice, steps[invoice.pk], past[invoice.pk])
        yield from instalments.check(batch)


def _steps(batch: list[Invoice]) -> dict[int, list[settling.Settled]]:
    found: dict[int, list[settling.Settled]] = defaultdict(list)
    ids = {invoice.pk: invoice.is_credit_note for invoice in batch}
    for side in ("invoice_id", "credit_note_id"):
        wanted = [pk for pk, is_note in ids.items() if is_note == (side == "credit_note_id")]
        rows = Allocation.objects.filter(**{f"{side}__in": wanted})
        for owner, *step in rows.values_list(side, *settling.STEP_COLUMNS):
            found[owner].append(settling.Settled(*step))
    return found


def _past(batch: list[Invoice]) -> dict[int, set[settling.Past]]:
    found: dict[int, set[settling.Past]] = defaultdict(set)
    rows = PastSettlement.objects.filter(
        invoice__in=[invoice.pk for invoice in batch], instalment__isnull=True
    )
    for row in rows:
        found[row.invoice_id].add(settling.Past(row.settled_on, row.paid_on, row.reopened_on))
    return found


def _balance(
    invoice: Invoice, steps: list[settling.Settled], past: set[settling.Past]
) -> Iterator[Broken]:
    assert invoice.issue_date is not None
    try:
        found = settling.settlement(invoice.total_minor, invoice.issue_date, steps)
    except settling.BalanceRefused:
        yield Broken(str(invoice), _("more was settled than it comes to."))
        return
    for field in (
        "paid_minor",
        "credited_minor",
        "written_off_minor",
        "outstanding_minor",
        "settled_on",
        "paid_on",
    ):
        stored, right = getattr(invoice, field), getattr(found, field)
        if stored != right:
            yield Broken(
                str(invoice),
                _("%(field)s is %(stored)s; its allocations make %(right)s.")
                % {"field": field, "stored": stored, "right": right},
            )
    if past != set(found.past):
        yield Broken(
            str(invoice), _("the times in which it was settled are not what its allocations make.")
        )


def _payments() -> Iterator[Broken]:
    sums = Payment.objects.annotate(found=Sum("allocations__amount_minor")).exclude(
        allocated_minor=0, found__isnull=True
    )
    wrong: Any = sums.exclude(allocated_minor=F("found")).order_by("pk")
    for payment in wrong[:BATCH]:
        yield Broken(
            _("payment %(pk)s") % {"pk": payment.pk},
            _("%(stored)s are allocated; its allocations make %(right)s.")
            % {"stored": payment.allocated_minor, "right": payment.found or 0},
        )
    mirrors = Payment.objects.filter(reverses__isnull=False).exclude(
        amount_minor=-F("reverses__amount_minor"), charges_minor=-F("reverses__charges_minor")
    )
    for mirror in mirrors.order_by("pk")[:BATCH]:
        yield Broken(
            _("payment %(pk)s") % {"pk": mirror.pk}, _("does not mirror what it reverses.")
        )
    foreign = Allocation.objects.filter(payment__isnull=False, invoice__isnull=False).exclude(
        invoice__currency=F("payment__currency")
    )
    for row in foreign.select_related("invoice")[:BATCH]:
        yield Broken(str(row.invoice), _("was settled in another currency."))


def _breakdowns() -> Iterator[Broken]:
    rows = (
        Invoice.objects.issued()
        .filter(imported=False)
        # No row at all is a sum of nothing, which a comparison in SQL would pass over.
        .annotate(
            basis=Coalesce(Sum("vat_breakdown__basis_minor"), 0),
            vat_sum=Coalesce(Sum("vat_breakdown__vat_minor"), 0),
        )
        .exclude(basis=F("net_minor"), vat_sum=F("vat_minor"))
        .order_by("pk")
    )
    for invoice in rows[:BATCH]:
        yield Broken(str(invoice), _("its VAT rows do not make its totals."))
    over = (
        Invoice.objects.invoices()
        .issued()
        .filter(credit_notes__status__in=["issued", "settled"])
        .annotate(credit=Sum("credit_notes__total_minor"))
        .filter(credit__gt=F("total_minor"))
    )
    for invoice in over[:BATCH]:
        yield Broken(str(invoice), _("its credit notes exceed it."))


def _documents() -> Iterator[Broken]:
    # The page of an invoice before its e-invoice, which is compared with it.
    documents = Document.objects.select_related("invoice").order_by("invoice_id", "kind", "pk")
    with_document: set[int] = set()
    page: tuple[int, bytes] = (0, b"")
    for document in documents.iterator(chunk_size=50):
        content = bytes(document.content)
        if document.kind == "pdf":
            with_document.add(document.invoice_id)
            page = (document.invoice_id, content)
        if document.kind == "xml":
            of, printed = page
            yield from einvoices.check(document, printed if of == document.invoice_id else None)
        if len(content) != document.size or (
            hashlib.sha256(content).hexdigest() != document.sha256
        ):
            yield Broken(str(document.invoice), _("its stored document is not what was stored."))
    ours = Invoice.objects.issued().filter(imported=False).order_by("pk")
    for pk, number in ours.values_list("pk", "number").iterator(chunk_size=BATCH):
        if pk not in with_document:
            yield Broken(number, _("has no stored document."))
    yield from einvoices.missing()
