"""An issued document goes into the platform's outbox, once."""

from __future__ import annotations

import hashlib
import uuid
from datetime import date
from typing import Any, Final

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from invoices.einvoicing.folding import fold
from invoices.einvoicing.locking import locked
from invoices.einvoicing.platforms import hurry
from invoices.models import Document, Invoice, InvoiceEvent, PlatformFlow, Transmission

# What a document says of its own treatment (BR-FR-20) → the norm's word for the rule.
_RULES: Final = {"B2B": "B2B", "B2BINT": "B2BInt", "B2C": "B2C"}


class TransmitRefused(Exception):
    """It does not go to the platform; the message says why, and is written for staff."""


def transmit(*, invoice_id: int, by: User | None, on: date | None = None) -> Transmission:
    """Put it into the outbox; one that is there already is that one. Raises TransmitRefused.

    The bytes are those kept at issue, never printed again.
    """
    with transaction.atomic():
        invoice = Invoice.objects.select_for_update(of=("self",)).filter(pk=invoice_id).first()
        if invoice is None or not invoice.is_issued:
            raise TransmitRefused(_("Only an issued invoice is sent: issue it first."))
        before = Transmission.objects.filter(invoice=invoice).first()
        if before is not None:
            return before
        pdf = _sendable(invoice)
        flow = PlatformFlow.objects.create(
            reason_key=f"invoice:{invoice.pk}",
            tracking_id=str(uuid.uuid4()),
            syntax="Factur-X",
            processing_rule=_RULES.get(_said(invoice, "treatment"), ""),
            filename=pdf.filename,
            document=pdf,
            sha256=hashlib.sha256(bytes(pdf.content)).hexdigest(),
        )
        found = Transmission.objects.create(
            invoice=invoice,
            flow=flow,
            address=_said(invoice, "electronic_address"),
            asked_by=by,
        )
        tell(invoice, "asked", on=on, by=by)
        hurry()
        return found


def why_not(invoice: Invoice) -> str:
    """Why this document cannot go through a platform; "" when it can."""
    try:
        _sendable(invoice)
    except TransmitRefused as refusal:
        return str(refusal)
    return ""


def send_again(*, transmission_id: int, by: User | None, on: date | None = None) -> None:
    """What the platform's door turned away is tried once more. Raises TransmitRefused.

    It never was at the platform, so its number and its key stay good.
    """
    with transaction.atomic():
        found = locked(Q(pk=transmission_id))
        if found is None:
            raise TransmitRefused(_("This invoice is no longer here."))
        flow = PlatformFlow.objects.select_for_update().get(pk=found.flow_id)
        if flow.state != PlatformFlow.State.REFUSED:
            raise TransmitRefused(_("It is on its way already, or was taken."))
        flow.state, flow.next_attempt_at, flow.trouble = PlatformFlow.State.WAITING, None, None
        flow.details = []
        flow.save(update_fields=["state", "next_attempt_at", "trouble", "details"])
        found.flow = flow
        fold(found)
        tell(found.invoice, "asked", on=on, by=by)
        hurry()


def tell(
    invoice: Invoice, what: str, *, on: date | None = None, by: User | None = None, **data: Any
) -> None:
    """Into its history; `what` is asked, sent, refused, status or declared."""
    InvoiceEvent.objects.create(
        invoice=invoice,
        kind=InvoiceEvent.Kind.PLATFORM,
        on=on or timezone.localdate(),
        by=by,
        data={"what": what, **data},
    )


def _sendable(invoice: Invoice) -> Document:
    files = {row.kind: row for row in invoice.documents.defer("content")}
    if "pdf" not in files or "xml" not in files:
        raise TransmitRefused(
            _(
                "%(number)s has no e-invoice here: it comes from an older system, or was issued "
                "before there were e-invoices."
            )
            % {"number": invoice.number}
        )
    if not _said(invoice, "electronic_address"):
        raise TransmitRefused(
            _("%(number)s names no electronic address of the client.") % {"number": invoice.number}
        )
    return files["pdf"]


def _said(invoice: Invoice, name: str) -> str:
    return str(invoice.paper.get(name) or "") if isinstance(invoice.paper, dict) else ""
