"""A rejected or refused document is put right: a credit note, a new number, and sent again.

All of it in one transaction, or nothing: kill the process in between, and the invoice stands as it
stood. Its number is never used again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from invoices.clients.routes import RouteRefused, address_in_use, use_address
from invoices.company import numbering
from invoices.documents.totals import compute
from invoices.einvoicing.folding import fold
from invoices.einvoicing.locking import locked
from invoices.einvoicing.statuses import REFUSED, label_of
from invoices.einvoicing.transmitting import TransmitRefused, transmit
from invoices.invoicing import drafting
from invoices.invoicing.crediting import issue_credit_note
from invoices.invoicing.draft_lines import DraftLine
from invoices.invoicing.issuing import issue
from invoices.models import ClientRoute, Invoice, InvoiceLine, Transmission
from invoices.models.einvoicing import Group
from invoices.models.supplied import SUPPLIED
from invoices.models.terms import due_date


class ReplaceRefused(Exception):
    """Nothing was credited, issued or sent; the message is written for staff."""


@dataclass(frozen=True)
class Plan:
    """What putting it right would do, for the page that asks."""

    transmission: Transmission
    note_number: str
    new_number: str
    due_date: date
    lines: int
    # The credit note goes to the client too: he had the invoice.
    note_is_sent: bool
    address: str
    # Addresses that the directory names instead.
    addresses: tuple[str, ...]


def plan(transmission: Transmission, on: date) -> Plan:
    """Raises ReplaceRefused."""
    _refuse_unless_failed(transmission)
    invoice = transmission.invoice
    route = ClientRoute.objects.filter(client=invoice.client_id).first()
    address = address_in_use(invoice.client)
    others = tuple(route.offered) if route and route.siren == invoice.client.siren else ()
    return Plan(
        transmission=transmission,
        note_number=numbering.next_number(Invoice.Kind.CREDIT_NOTE, on),
        new_number=numbering.next_number(Invoice.Kind.INVOICE, on),
        due_date=_due(invoice, on),
        lines=invoice.lines.count(),
        note_is_sent=transmission.status_code == REFUSED,
        address=address,
        addresses=tuple(each for each in others if each != transmission.address),
    )


def replace(
    *, transmission_id: int, by: User | None, on: date, address: str = "", send: bool = True
) -> Invoice:
    """The new invoice, or with `send` false its draft, to be changed first.

    `address` is one that the directory names, "" leaves it. Raises ReplaceRefused, IssueRefused.
    """
    with transaction.atomic():
        found = locked(Q(pk=transmission_id))
        if found is None:
            raise ReplaceRefused(_("This invoice is no longer here."))
        _refuse_unless_failed(found)
        invoice = found.invoice
        if address and address != address_in_use(invoice.client):
            _take_address(invoice.client_id, address, by)
        issue_credit_note(invoice_id=invoice.pk, reason=_reason(found), by=by, on=on)
        draft = _copied(invoice, by=by, on=on)
        new = issue(invoice_id=draft.pk, by=by, on=on) if send else draft
        try:
            if send:
                transmit(invoice_id=new.pk, by=by, on=on)
        except TransmitRefused as refusal:
            raise ReplaceRefused(str(refusal)) from refusal
        found.replaced_by = new
        found.save(update_fields=["replaced_by"])
        fold(found)
        return new


def _refuse_unless_failed(transmission: Transmission) -> None:
    if transmission.replaced_by_id is not None:
        raise ReplaceRefused(
            _("%(number)s was put right already.") % {"number": transmission.invoice.number}
        )
    if transmission.group != Group.FAILED:
        raise ReplaceRefused(_("The platform has neither rejected nor refused it."))
    if transmission.invoice.is_credit_note:
        raise ReplaceRefused(
            _(
                "A credit note cannot be credited: correct what the platform names, and make "
                "another one."
            )
        )


def _take_address(client_id: int, address: str, by: User | None) -> None:
    assert by is not None
    try:
        use_address(client_id=client_id, address=address, by=by)
    except RouteRefused as refusal:
        raise ReplaceRefused(str(refusal)) from refusal


def _reason(found: Transmission) -> str:
    """Printed on the credit note, in the language of the document."""
    words = {
        "fr": "Annule et remplace : facture {0} par la plateforme ({1}).",
        "en": "Cancelled and replaced: {0} on the platform ({1}).",
    }["fr" if found.invoice.language == "fr" else "en"]
    said = {"fr": {"210": "refusée", "213": "rejetée"}, "en": {"210": "refused", "213": "rejected"}}
    language = "fr" if found.invoice.language == "fr" else "en"
    word = said[language].get(found.status_code, label_of(found.status_code) or "213")
    return words.format(word, found.reason_code or found.status_code or "-")


def _due(invoice: Invoice, on: date) -> date:
    """By its terms from the new date; dues and days that were typed move with it."""
    assert invoice.issue_date is not None and invoice.due_date is not None
    if invoice.due_date_typed:
        return on + (invoice.due_date - invoice.issue_date)
    return due_date(on, invoice.terms_kind, invoice.terms_days)


def _copied(invoice: Invoice, *, by: User | None, on: date) -> Invoice:
    """A draft of the same lines for the same client: its name and address are those of today."""
    lines = [_line(row) for row in invoice.typed_lines]
    header: dict[str, Any] = {
        name: getattr(invoice, name)
        for name in (
            *("owner_id", "currency", "language", "terms_kind", "terms_days", "terms_id", "title"),
            *("deal_id", "plan_step", "service_from", "service_until", "purchase_order", "note"),
            *("recipients", "adjustments", "retention_percent", "retention_on", *SUPPLIED),
        )
    }
    if invoice.due_date_typed:
        header |= {"due_date": _due(invoice, on), "due_date_typed": True}
    return drafting.draft(
        client=invoice.client,
        lines=lines,
        totals=compute([line.amounts for line in lines], currency=invoice.currency),
        by=by,
        on=on,
        told={"replaces": invoice.number, "replaces_id": invoice.pk},
        **header,
    )


def _line(row: InvoiceLine) -> DraftLine:
    return DraftLine(
        description=row.description,
        unit=row.unit,
        amounts=drafting.input_of(row),
        exemption_id=row.exemption_id,
        nature=row.nature or "services",
        item_id=row.item_id,
    )
