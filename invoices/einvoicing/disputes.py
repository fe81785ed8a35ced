"""A dispute: what the client contests, since when and by whose word; small, for lists to ask."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from invoices.einvoicing.folding import fold
from invoices.einvoicing.locking import locked
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
        invoice_id = Dispute.objects.filter(pk=dispute_id).values_list("invoice", flat=True).first()
        transmission = locked(Q(invoice=invoice_id))
        found = _open_one(Q(pk=dispute_id))
        if found is None:
            raise DisputeRefused(_("This dispute is closed already."))
        _close(found, transmission, outcome=outcome, by=by)
        return found


def settle(invoice: Invoice, *, outcome: str, by: User | None) -> None:
    """Nothing is left to contest: it is credited whole. Inside the transaction that does it."""
    transmission = locked(Q(invoice=invoice.pk))
    found = _open_one(Q(invoice=invoice.pk))
    if found is not None:
        _close(found, transmission, outcome=outcome, by=by)


def _open_one(which: Q) -> Dispute | None:
    rows = Dispute.objects.select_for_update(of=("self",)).select_related("invoice")
    return rows.filter(which, closed_at=None).first()


def _close(
    dispute: Dispute, transmission: Transmission | None, *, outcome: str, by: User | None
) -> None:
    dispute.closed_at, dispute.closed_by = timezone.now(), by
    dispute.outcome = outcome[:300]
    dispute.save(update_fields=["closed_at", "closed_by", "outcome"])
    tell(dispute.invoice, "dispute_closed", by=by, reason=outcome[:300])
    if transmission is not None:
        # What needed somebody does no longer.
        fold(transmission)
