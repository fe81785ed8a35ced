"""The release of a retention is moved: the work proved good earlier or later than was foreseen.

The document says the day that it was issued with, and goes on saying it; the day that counts moves,
by an act with a reason that stands in the history. What is due by then, late, and in reports
follows it.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from billing_portal import dates
from billing_portal.accounts.models import User
from invoices.invoicing.drafting import LATEST
from invoices.models import Instalment, Invoice, InvoiceEvent
from invoices.payments import settling

MAX_REASON = 300


class ReleaseRefused(Exception):
    """The day stays; the message is written for staff."""


def held(invoice: Invoice) -> Instalment | None:
    """The retention of an issued invoice, while something of it is owed."""
    if not invoice.is_issued:
        return None
    return invoice.instalments.filter(is_retention=True, outstanding_minor__gt=0).first()


def move_release(
    *, invoice_id: int, to: date, reason: str, by: User | None, on: date
) -> InvoiceEvent:
    """The retention is due on `to` from now on. Raises ReleaseRefused."""
    reason = reason.strip()[:MAX_REASON]
    with transaction.atomic():
        invoice = Invoice.objects.select_for_update().filter(pk=invoice_id).first()
        part = held(invoice) if invoice is not None else None
        if invoice is None or part is None:
            raise ReleaseRefused(_("No retention is held back of it any more."))
        if not reason:
            raise ReleaseRefused(_("Say why: it is kept with the invoice."))
        if text := _problem(invoice, part, to):
            raise ReleaseRefused(text)
        before, part.due_date = part.due_date, to
        part.save(update_fields=["due_date"])
        settling.refresh(invoice)
        return InvoiceEvent.objects.create(
            invoice=invoice,
            kind=InvoiceEvent.Kind.RELEASE_MOVED,
            on=on,
            by=by,
            data={
                "instalment_id": part.pk,
                "from": before.isoformat(),
                "to": to.isoformat(),
                "reason": reason,
                "amount_minor": part.outstanding_minor,
                "currency": invoice.currency,
            },
        )


def _problem(invoice: Invoice, part: Instalment, to: date) -> str:
    if to == part.due_date:
        return _("It is released on this day already.")
    rest = invoice.instalments.filter(is_retention=False).values_list("due_date", flat=True)
    last = max([*rest, invoice.issue_date or to])
    if to <= last:
        return _(
            "The retention is released on %(day)s: that has to be after the day on which the rest "
            "is due."
        ) % {"day": dates.day(to)}
    return _("This day is out of range.") if to > LATEST else ""


def moves(events: Any) -> dict[int, date]:
    """By instalment, the day to which the last of these events moved it; in the order of time."""
    found: dict[int, date] = {}
    for data in events.filter(kind=InvoiceEvent.Kind.RELEASE_MOVED).values_list("data", flat=True):
        try:
            found[int(data["instalment_id"])] = date.fromisoformat(data["to"])
        except (KeyError, TypeError, ValueError):
            # Somebody changed it: its seal says so.
            continue
    return found
