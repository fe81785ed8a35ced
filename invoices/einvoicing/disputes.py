"""A dispute: what the client contests, since when and by whose word; small, for lists to ask."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from invoices.einvoicing.transmitting import tell
from invoices.models import Dispute, Invoice, LifecycleStatus, Transmission


class DisputeRefused(Exception):
    """Nothing was changed; the message is written for staff."""


def open_by_client(invoice: Invoice, status: LifecycleStatus) -> Dispute:
    """The client's platform says so. One that is open already is that one."""
    first = (status.reasons or [{}])[0]
    found, _made = Dispute.objects.get_or_create(
        invoice=invoice,
        closed_at=None,
        defaults={
            "opened_at": status.at or status.kept_at,
            "reason_code": first.get("code", ""),
            "reason": (first.get("text") or first.get("note") or "")[:1000],
            "status": status,
        },
    )
    return found


def close_by_client(transmission: Transmission) -> None:
    """A later word of the client's ends the dispute that an earlier one opened."""
    found = Dispute.objects.filter(
        invoice=transmission.invoice_id, closed_at=None, status__isnull=False
    ).first()
    if found is None or transmission.status_at is None:
        return
    if transmission.status_at >= found.opened_at:
        found.closed_at = timezone.now()
        found.outcome = transmission.status_code
        found.save(update_fields=["closed_at", "outcome"])


def open_by_staff(*, invoice_id: int, reason: str, by: User, now: datetime) -> Dispute:
    """Raises DisputeRefused."""
    with transaction.atomic():
        invoice = Invoice.objects.select_for_update(of=("self",)).get(pk=invoice_id)
        if not invoice.is_outstanding:
            raise DisputeRefused(_("Nothing is owed on it any more."))
        if Dispute.objects.filter(invoice=invoice, closed_at=None).exists():
            raise DisputeRefused(_("It is in dispute already."))
        tell(invoice, "dispute_opened", by=by, reason=reason[:300])
        return Dispute.objects.create(
            invoice=invoice, opened_at=now, reason=reason[:1000], opened_by=by
        )


def close(*, dispute_id: int, outcome: str, by: User) -> Dispute:
    """It is settled between the parties, whatever the platform last said. Raises DisputeRefused."""
    with transaction.atomic():
        found = (
            Dispute.objects.select_for_update(of=("self",))
            .select_related("invoice")
            .filter(pk=dispute_id)
            .first()
        )
        if found is None or found.closed_at is not None:
            raise DisputeRefused(_("This dispute is closed already."))
        found.closed_at, found.closed_by = timezone.now(), by
        found.outcome = outcome[:300]
        found.save(update_fields=["closed_at", "closed_by", "outcome"])
        tell(found.invoice, "dispute_closed", by=by, reason=outcome[:300])
        return found
