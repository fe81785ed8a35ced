"""Does the log tell what happened? Issued once, and each settlement with its event."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db.models import F, Q
from django.utils.translation import gettext as _

from invoices.accounting.broken import Broken
from invoices.accounting.chain.plain_rows import rows_of
from invoices.accounting.chain.reading import ISSUED
from invoices.models import Allocation, Client, Instalment, Invoice, InvoiceEvent, Payment

BATCH = 1_000
_EVENT_OF: dict[str, str] = {
    Allocation.Kind.PAYMENT.value: InvoiceEvent.Kind.PAID.value,
    Allocation.Kind.CREDIT.value: InvoiceEvent.Kind.CREDITED.value,
    Allocation.Kind.WRITE_OFF.value: InvoiceEvent.Kind.WRITTEN_OFF.value,
}
_SETTLES = frozenset(_EVENT_OF.values())


class Event(NamedTuple):
    """Days and moments as they are written: few of them are looked at."""

    invoice_id: int
    kind: str
    at: str
    on: str
    by_id: int | None
    data: Any

    def says(self, name: str, default: Any = None) -> Any:
        # Whoever changed it may have left anything there.
        return self.data.get(name, default) if isinstance(self.data, dict) else default


class Row(NamedTuple):
    """The columns of an invoice that its log tells of."""

    pk: int
    number: str
    kind: str
    imported: bool
    client_id: int
    total_minor: int
    currency: str
    issued_by_id: int | None
    issued_at: str | None
    sent_at: str | None

    def __str__(self) -> str:
        return self.number or f"#{self.pk}"


def check() -> Iterator[Broken]:
    accounts = dict(Client.objects.values_list("pk", "merged_into_id"))
    last = 0
    while batch := _issued_after(last):
        last = batch[-1].pk
        span = (batch[0].pk, last)
        events = _events(span)
        settled, in_parts = _settled(span), _settled_in_parts(span)
        for invoice in batch:
            told = events.get(invoice.pk, [])
            # Rows of a benchmark have no log at all.
            if invoice.imported and not told:
                continue
            yield from _issue(invoice, told)
            if invoice.pk in in_parts:
                yield from _settlements_in_parts(invoice, told, in_parts[invoice.pk])
            else:
                yield from _settlements(invoice, told, settled.get(invoice.pk, Counter()))
        yield from _payments(batch, events, accounts)
    yield from _too_early()


Span = tuple[int, int]


def _within(span: Span) -> dict[str, int]:
    return {"invoice__gte": span[0], "invoice__lte": span[1]}


def _issued_after(last: int) -> list[Row]:
    columns = ("id", *Row._fields[1:])
    where = f"f.id > %s AND f.{ISSUED} ORDER BY f.id LIMIT {BATCH}"
    return [Row(*row) for row in rows_of(Invoice, columns, where, [last])]


def _events(span: Span) -> dict[int, list[Event]]:
    found: dict[int, list[Event]] = defaultdict(list)
    where = "f.invoice_id BETWEEN %s AND %s ORDER BY f.id"
    for row in rows_of(InvoiceEvent, Event._fields, where, span):
        found[row[0]].append(Event(*row))
    return found


def _settled(span: Span) -> dict[int, Counter[tuple[str, int]]]:
    """(kind of event, amount) → how many allocations ask for it."""
    found: dict[int, Counter[tuple[str, int]]] = defaultdict(Counter)
    rows = Allocation.objects.filter(**_within(span), amount_minor__gt=0)
    for invoice_id, kind, amount in rows.values_list("invoice_id", "kind", "amount_minor"):
        if kind in _EVENT_OF:
            found[invoice_id or 0][_EVENT_OF[kind], amount] += 1
    return found


# Kind of event, and the payment or credit note that it names.
Source = tuple[str, int | None]


def _settled_in_parts(span: Span) -> dict[int, Counter[Source]]:
    """Of invoices in instalments: what each source settled. One act, which is one entry of the
    log, settles several of them, by a row for each."""
    planned = set(Instalment.objects.filter(**_within(span)).values_list("invoice_id", flat=True))
    if not planned:
        return {}
    found: dict[int, Counter[Source]] = {pk: Counter() for pk in planned}
    rows = Allocation.objects.filter(invoice__in=planned, amount_minor__gt=0)
    columns = ("invoice_id", "kind", "payment_id", "credit_note_id", "amount_minor")
    for pk, kind, payment, note, amount in rows.values_list(*columns):
        if kind in _EVENT_OF:
            found[pk or 0][_EVENT_OF[kind], payment or note] += amount
    return found


def _settlements_in_parts(
    invoice: Row, told: list[Event], wanted: Counter[Source]
) -> Iterator[Broken]:
    said: Counter[Source] = Counter()
    for event in told:
        if event.kind in _SETTLES and (minor := event.says("amount_minor")):
            source = event.says("payment_id", event.says("credit_note_id"))
            if not isinstance(source, int | None) or not isinstance(minor, int):
                source, minor = None, -1
            said[event.kind, source] += minor
    if said != wanted:
        yield Broken(str(invoice), _("what settled it and what its log says differ."))


def _issue(invoice: Row, told: list[Event]) -> Iterator[Broken]:
    if invoice.imported:
        return
    issued = [event for event in told if event.kind == "issued"]
    if len(issued) != 1:
        yield Broken(str(invoice), _("its log does not say once that it was issued."))
        return
    event = issued[0]
    said = {name: event.says(name) for name in ("number", "total_minor", "currency")}
    stored = {
        "number": invoice.number,
        "total_minor": invoice.total_minor,
        "currency": invoice.currency,
    }
    if said != stored or event.by_id != invoice.issued_by_id:
        yield Broken(str(invoice), _("its log says otherwise how it was issued."))
    if invoice.issued_at is None or _seconds_between(event.at, invoice.issued_at) > 120:
        yield Broken(str(invoice), _("its log has another moment for its issue."))
    sent = [event for event in told if event.kind == "sent"]
    # The first one says when; older ones say only that it was.
    moment = sent[0].says("sent_at") if sent else None
    at = _moment(invoice.sent_at).isoformat() if invoice.sent_at is not None else None
    if (at is not None) != bool(sent) or (moment is not None and moment != at):
        yield Broken(str(invoice), _("its log and its row differ on whether it was sent."))


def _moment(written: str) -> datetime:
    try:
        return datetime.fromisoformat(written).replace(tzinfo=UTC)
    except ValueError:
        # No moment any more: it is none that the portal knows.
        return datetime.min.replace(tzinfo=UTC)


def _seconds_between(one: str, other: str) -> float:
    return abs((_moment(one) - _moment(other)).total_seconds())


def _payments(
    batch: list[Row],
    events: dict[int, list[Event]],
    accounts: Mapping[int, int | None],
) -> Iterator[Broken]:
    """Each payment has the day and the account that the log of its invoices knows it by."""
    invoices = {invoice.pk: invoice for invoice in batch}
    paid = [
        (pk, number, event.on)
        for pk, told in events.items()
        if pk in invoices
        for event in told
        if event.kind == "paid"
        and isinstance(number := event.says("payment_id", event.says("payment")), int)
    ]
    found = _received([number for _pk, number, _on in paid])
    for pk, number, on in paid:
        client, received_on = found.get(number, (0, ""))
        if received_on != on:
            yield Broken(str(invoices[pk]), _("its log has another day for a payment."))
        elif _account(client, accounts) != _account(invoices[pk].client_id, accounts):
            yield Broken(str(invoices[pk]), _("was settled with the money of another client."))


def _too_early() -> Iterator[Broken]:
    early = Allocation.objects.filter(
        kind=Allocation.Kind.PAYMENT, takes_back__isnull=True, invoice__isnull=False
    ).filter(
        Q(applied_on__lt=F("payment__received_on")) | Q(applied_on__lt=F("invoice__issue_date"))
    )
    for row in early.select_related("invoice"):
        yield Broken(str(row.invoice), _("a payment took effect before it was received."))


def _received(ids: list[int]) -> dict[int, tuple[int, str]]:
    """Client and day of payments."""
    found: dict[int, tuple[int, str]] = {}
    for start in range(0, len(ids), 500):
        some = ids[start : start + 500]
        where = f"f.id IN ({', '.join(['%s'] * len(some))})"
        for pk, client, on in rows_of(Payment, ("id", "client_id", "received_on"), where, some):
            found[pk] = (client, on)
    return found


def _account(client_id: int, accounts: Mapping[int, int | None]) -> int:
    return accounts.get(client_id) or client_id


def _amount(event: Event) -> Any:
    minor = event.says("amount_minor")
    return minor if isinstance(minor, int | None) else str(minor)


def _settlements(
    invoice: Row, told: list[Event], wanted: Counter[tuple[str, int]]
) -> Iterator[Broken]:
    if invoice.kind == Invoice.Kind.CREDIT_NOTE:
        return
    said: Counter[tuple[str, Any]] = Counter(
        (event.kind, _amount(event)) for event in told if event.kind in _SETTLES and _amount(event)
    )
    if said != wanted:
        yield Broken(str(invoice), _("what settled it and what its log says differ."))
