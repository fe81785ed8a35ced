"""What people note down on an invoice; a note is never changed, another one is added."""

from __future__ import annotations

from datetime import date

from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from invoices.models import Invoice, InvoiceEvent

LONGEST = 1_000


class NoteRefused(Exception):
    """Nothing was noted; the message is written for staff."""


def add_note(*, invoice_id: int, text: str, by: User, on: date) -> InvoiceEvent:
    """Raises NoteRefused."""
    text = text.strip()
    if not text:
        raise NoteRefused(_("Write the note first."))
    if len(text) > LONGEST:
        raise NoteRefused(_("At most %(limit)s characters.") % {"limit": LONGEST})
    if not Invoice.objects.filter(pk=invoice_id).exists():
        raise NoteRefused(_("This invoice is no longer here."))
    return InvoiceEvent.objects.create(
        invoice_id=invoice_id, kind=InvoiceEvent.Kind.NOTE, on=on, by=by, data={"text": text}
    )
