"""Does the log tell what happened? Issued once, and each settlement with its event."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import F, Q
from django.utils.translation import gettext as _

from invoices.accounting.broken import Broken
from invoices.models import Allocation, Client, Instalment, Invoice, InvoiceEvent, Payment

BATCH = 1_000
_EVENT_OF = {
    Allocation.Kind.PAYMENT: InvoiceEvent.Kind.PAID,
    Allocation.Kind.CREDIT: InvoiceEvent.Kind.CREDITED,
    Allocation.Kind.WRITE_OFF: InvoiceEvent.Kind.WRITTEN_OFF,
}


def check() -> Iterator[Broken]:
    issued = Invoice.objects.issued().order_by("pk").defer("paper", "note")
    last = 0
    while batch := list(issued.filter(pk__gt=last)[:BATCH]):
        last = batch[-1].pk
        ids = [invoice.pk for invoice in batch]
        events = _events(ids)
        settled, in_parts = _settled(ids), _settled_in_parts(ids)
        for invoice in batch:
            told = events[invoice.pk]
            # Rows of a benchmark have no log at all.
            if invoice.imported and not told:
                continue
            yield from _issue(invoice, told)
            if invoice.pk in in_parts:
                yield from _settlements_in_parts(invoice, told, in_parts[invoice.pk])
            else:
                yield from _settlements(invoice, told, settled[invoice.pk])
        yield from _payments(batch, events)


def _events(ids: list[int]) -> dict[int, list[InvoiceEvent]]:
    found: dict[int, list[InvoiceEvent]] = defaultdict(list)
    for event in InvoiceEvent.objects.filter(invoice__in=ids).order_by("pk"):
        found[event.invoice_id].append(event)
    return found


def _settled(ids: list[int]) -> dict[int, Counter[tuple[str, int]]]:
    """(kind of event, amount) → how many allocations ask for it."""
    found: dict[int, Counter[tuple[str, int]]] = defaultdict(Counter)
    rows = Allocation.objects.filter(Q(invoice__in=ids), amount_minor__gt=0)
    for invoice_id, kind, amount in rows.values_list("invoice_id", "kind", "amount_minor"):
        if kind in _EVENT_OF:
            found[invoice_id or 0][_EVENT_OF[Allocation.Kind(kind)], amount] += 1
    return found


# Kind of event, and the payment or credit note that it names.
Source = tuple[str, int | None]


def _settled_in_parts(ids: list[int]) -> dict[int, Counter[Source]]:
    """Of invoices in instalments: what each source settled. One act, which is one entry of the
    log, settles several of them, by a row for each."""
    planned = set(Instalment.objects.filter(invoice__in=ids).values_list("invoice_id", flat=True))
    found: dict[int, Counter[Source]] = {pk: Counter() for pk in planned}
    rows = Allocation.objects.filter(invoice__in=planned, amount_minor__gt=0)
    columns = ("invoice_id", "kind", "payment_id", "credit_note_id", "amount_minor")
    for pk, kind, payment, note, amount in rows.values_list(*columns):
        if kind in _EVENT_OF:
            found[pk or 0][_EVENT_OF[Allocation.Kind(kind)], payment or note] += amount
    return found


def _settlements_in_parts(
    invoice: Invoice, told: list[InvoiceEvent], wanted: Counter[Source]
) -> Iterator[Broken]:
    said: Counter[Source] = Counter()
    for event in told:
        if event.kind in _EVENT_OF.values() and (minor := event.data.get("amount_minor")):
            source = event.data.get("payment_id", event.data.get("credit_note_id"))
            said[event.kind, source] += minor
    if said != wanted:
        yield Broken(str(invoice), _("what settled it and what its log says differ."))


def _issue(invoice: Invoice, told: list[InvoiceEvent]) -> Iterator[Broken]:
    if invoice.imported:
        return
    issued = [event for event in told if event.kind == InvoiceEvent.Kind.ISSUED]
    if len(issued) != 1:
        yield Broken(str(invoice), _("its log does not say once that it was issued."))
        return
    event = issued[0]
    said = {name: event.data.get(name) for name in ("number", "total_minor", "currency")}
    stored = {
        "number": invoice.number,
        "total_minor": invoice.total_minor,
        "currency": invoice.currency,
    }
    if said != stored or event.by_id != invoice.issued_by_id:
        yield Broken(str(invoice), _("its log says otherwise how it was issued."))
    if invoice.issued_at is None or abs((event.at - invoice.issued_at).total_seconds()) > 120:
        yield Broken(str(invoice), _("its log has another moment for its issue."))
    was_sent = any(event.kind == InvoiceEvent.Kind.SENT for event in told)
    if (invoice.sent_at is not None) != was_sent:
        yield Broken(str(invoice), _("its log and its row differ on whether it was sent."))


def _payments(batch: list[Invoice], events: dict[int, list[InvoiceEvent]]) -> Iterator[Broken]:
    """Each payment has the day and the account that the log of its invoices knows it by."""
    invoices = {invoice.pk: invoice for invoice in batch}
    paid = [
        (pk, number, event.on)
        for pk, told in events.items()
        for event in told
        if event.kind == InvoiceEvent.Kind.PAID
        and (number := event.data.get("payment_id", event.data.get("payment")))
    ]
    accounts = dict(Client.objects.values_list("pk", "merged_into_id"))
    found = Payment.objects.in_bulk([number for _pk, number, _on in paid])
    for pk, number, on in paid:
        payment = found.get(number)
        if payment is None or payment.received_on != on:
            yield Broken(str(invoices[pk]), _("its log has another day for a payment."))
        elif _account(payment.client_id, accounts) != _account(invoices[pk].client_id, accounts):
            yield Broken(str(invoices[pk]), _("was settled with the money of another client."))
    early = Allocation.objects.filter(
        invoice__in=list(invoices), kind=Allocation.Kind.PAYMENT, takes_back__isnull=True
    ).filter(
        Q(applied_on__lt=F("payment__received_on")) | Q(applied_on__lt=F("invoice__issue_date"))
    )
    for row in early:
        yield Broken(
            str(invoices[row.invoice_id or 0]), _("a payment took effect before it was received.")
        )


def _account(client_id: int, accounts: Mapping[int, int | None]) -> int:
    return accounts.get(client_id) or client_id


def _settlements(
    invoice: Invoice, told: list[InvoiceEvent], wanted: Counter[tuple[str, int]]
) -> Iterator[Broken]:
    if invoice.is_credit_note:
        return
    said: Counter[tuple[Any, Any]] = Counter(
        (event.kind, event.data.get("amount_minor"))
        for event in told
        if event.kind in _EVENT_OF.values() and event.data.get("amount_minor")
    )
    if said != wanted:
        yield Broken(str(invoice), _("what settled it and what its log says differ."))
