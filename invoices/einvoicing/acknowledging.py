"""What became of a file that we handed over, written into the invoice it belongs to."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from billing_portal.notices import Notice
from invoices.einvoicing.folding import fold
from invoices.einvoicing.locking import locked
from invoices.einvoicing.statuses import COMPLETED
from invoices.einvoicing.transmitting import tell
from invoices.models import PlatformFlow, Transmission


def note_sent(flow_pk: int) -> None:
    """Of an invoice: it is with the platform. Inside the transaction that marks the row."""
    found = _transmission_of(flow_pk)
    if found is not None:
        tell(found.invoice, "sent", tracking_id=found.flow.tracking_id)


def note_refusal(flow_pk: int) -> None:
    """The platform's door turned it away. Inside the transaction that marks the row."""
    found = _transmission_of(flow_pk)
    if found is not None:
        fold(found)
        tell(found.invoice, "refused", notice=found.flow.trouble)
    _note_unsaid(flow_pk)


def acknowledge(
    platform_id: str, status: str, details: list[dict[str, str]], at: datetime | None
) -> bool:
    """What the platform's checks say of a file of ours; False when nothing was new.

    “Pending” says nothing after “Ok” or “Error”: answers may come out of order.
    """
    with transaction.atomic():
        flow = PlatformFlow.objects.select_for_update().filter(platform_id=platform_id).first()
        if (
            flow is None
            or flow.acknowledged == status
            or (flow.acknowledged and status == "Pending")
        ):
            return False
        flow.acknowledged, flow.details = status, details
        flow.acknowledged_at = at or timezone.now()
        if status == "Error":
            said = next(
                (each.get("reasonMessage") or each.get("reasonCode") for each in details), ""
            )
            flow.trouble = Notice("platform.checks_failed", said=said or "?").kept()
        flow.save(update_fields=["acknowledged", "acknowledged_at", "details", "trouble"])
        found = _transmission_of(flow.pk)
        if found is not None:
            fold(found)
            if status == "Error":
                tell(found.invoice, "refused", notice=flow.trouble)
        elif status == "Error":
            _note_unsaid(flow.pk)
        return True


def _note_unsaid(flow_pk: int) -> None:
    """An answer of ours that the platform turned away: the client waits for it as before."""
    found = locked(Q(statuses__flow=flow_pk, statuses__code=COMPLETED))
    if found is not None:
        fold(found)
        flow = PlatformFlow.objects.get(pk=flow_pk)
        tell(found.invoice, "answer_refused", notice=flow.trouble)


def _transmission_of(flow_pk: int) -> Transmission | None:
    return locked(Q(flow=flow_pk))
