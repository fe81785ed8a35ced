"""What a person sees of an invoice when asked whether to do what cannot be undone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

from billing_portal.changes import last_change
from billing_portal.confirming import Change, Shown, locked
from invoices.clients.recipients import client_recipients
from invoices.invoicing import drafting
from invoices.models import Client, ExemptionReason, Invoice
from invoices.models.supplied import SUPPLIED

# What of a client is printed, or decides what is printed.
_PRINTED = (
    "name",
    "vat_id",
    "siren",
    "address_line1",
    "address_line2",
    "postal_code",
    "city",
    "country",
    "delivery_address",
    "delivery_postal_code",
    "delivery_city",
    "delivery_country",
    "buyer_kind",
)
_HEAD = (
    "kind",
    "purpose",
    "replaces_id",
    "moves_payments",
    "status",
    "client_id",
    "title",
    "language",
    "currency",
    "service_from",
    "service_until",
    "purchase_order",
    "note",
    "net_minor",
    "vat_minor",
    "total_minor",
    *SUPPLIED,
)
_BALANCE = (
    "kind",
    "status",
    "number",
    "client_id",
    "total_minor",
    "paid_minor",
    "credited_minor",
    "written_off_minor",
    "outstanding_minor",
)
_LINE = (
    "description",
    "quantity",
    "unit",
    "unit_price",
    "discount_percent",
    "discount_amount",
    "vat_category",
    "vat_rate",
    "exemption_id",
    "nature",
)


def draft_shown(invoice: Invoice, on: date) -> Shown:
    """For issuing and discarding: everything that the paper would say, and who would get it."""
    lines = list(invoice.lines.all())
    facts = _columns(invoice, _HEAD) | {
        "lines": [[str(getattr(line, name)) for name in _LINE] for line in lines],
        "dates": drafting.dates_of(invoice, on),
    }
    if invoice.replaces is not None:
        # Its issue credits that one and moves what was paid on it.
        facts["replaced"] = _columns(invoice.replaces, _BALANCE)
    if why := {line.exemption_id for line in lines} - {None}:
        # An administrator may change the sentence of a reason while it stands on drafts only.
        reasons = ExemptionReason.objects.in_bulk(why)
        facts["exemptions"] = [reasons[pk].sentence(invoice.language) for pk in sorted(reasons)]
    return _shown(invoice, facts | _to_whom(invoice))


def balance_shown(invoice: Invoice) -> Shown:
    """For what changes the balance: how it stands, part by part."""
    return _shown(invoice, _columns(invoice, _BALANCE))


def release_shown(invoice: Invoice) -> Shown:
    """For moving the release of a retention: how it stands, and the day that counts now."""
    rows = invoice.instalments.order_by("position").values_list("due_date", "outstanding_minor")
    return _shown(invoice, _columns(invoice, _BALANCE) | {"parts": [list(row) for row in rows]})


def credit_shown(invoice: Invoice) -> Shown:
    """For a credit note: what is left to credit, and what it would print."""
    notes = invoice.credit_notes.issued().order_by("pk").values_list("pk", flat=True)
    facts = _columns(invoice, _BALANCE) | {"credited_by": list(notes)}
    return _shown(invoice, facts | _to_whom(invoice))


def rebate_shown(client: Client, rows: Sequence[Invoice]) -> Shown:
    """For a credit note over several: the balances that were offered, and what is printed."""
    facts = {
        "rows": [[row.pk, row.outstanding_minor, row.credited_minor] for row in rows],
        "client": [getattr(client, name) for name in _PRINTED],
    }
    return Shown(facts, lambda since: last_change(client, since=since))


def rebate_under_lock(client: Client, rows: Sequence[Invoice]) -> Callable[[], Shown]:
    def read() -> Shown:
        found = Client.objects.select_for_update(no_key=True).filter(pk=client.pk).first()
        ids = [row.pk for row in rows]
        locked_rows = Invoice.objects.select_for_update().filter(pk__in=ids).order_by("pk")
        by_pk = {row.pk: row for row in locked_rows}
        if found is None or len(by_pk) != len(ids):
            return Shown({})
        return rebate_shown(found, [by_pk[pk] for pk in ids])

    return read


def mail_shown(invoice: Invoice) -> Shown:
    """For sending: a colleague's mail, a payment or another address since then is a change."""
    facts = _columns(invoice, _BALANCE) | {"mails": invoice.messages.filter(kind="invoice").count()}
    return _shown(invoice, facts | _to_whom(invoice))


def under_lock(pk: int, shown: Callable[[Invoice], Shown]) -> Callable[[], Shown]:
    """The same facts read again: the client is locked first, then the invoice, by everybody."""

    def read() -> Shown:
        # What is printed of the client may not change between this look and the paper.
        list(Client.objects.select_for_update(no_key=True).filter(invoices=pk).values_list("pk"))
        invoice = locked(Invoice.objects.all(), pk)
        return shown(invoice) if invoice is not None else Shown({})

    return read


def _columns(invoice: Invoice, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(invoice, name) for name in names}


def _to_whom(invoice: Invoice) -> dict[str, Any]:
    client = invoice.client
    return {
        "client": [getattr(client, name) for name in _PRINTED],
        "recipients": invoice.recipients,
        "client_recipients": client_recipients(client),
    }


def _shown(invoice: Invoice, facts: dict[str, Any]) -> Shown:
    def changed(since: datetime) -> Change | None:
        found = [last_change(invoice, invoice.client, since=since)]
        events = invoice.events.filter(at__gte=since, by__isnull=False)
        if (event := events.select_related("by").first()) is not None:
            found.append(Change(str(event.by), event.at))
        return max(filter(None, found), key=lambda change: change.at, default=None)

    return Shown(facts, changed)
