"""What pages about the platform share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone

from billing_portal import dates
from billing_portal.htmx import StaffRequest
from billing_portal.money import formatted_minor
from invoices.einvoicing.life import Life, life_of, state_of
from invoices.einvoicing.reasons import reason_in_words
from invoices.lifecycle.worklist import visible
from invoices.models import Dispute, Transmission

ROWS = ("invoice__client__client_type", "invoice__client_type", "flow", "replaced_by")


def transmission_or_404(request: StaffRequest, pk: int) -> Transmission:
    rows = visible(request.user).select_related(*ROWS)
    return get_object_or_404(rows, pk=pk)


def life_context(transmission: Transmission) -> dict[str, Any]:
    """For templates/invoices/einvoicing/life.html, on this page and on the invoice's."""
    life: Life = life_of(transmission)
    dispute = Dispute.objects.filter(invoice=transmission.invoice_id, closed_at=None).first()
    return {"life": life, "transmission": transmission, "dispute": dispute}


def row_of(transmission: Transmission) -> dict[str, Any]:
    """A row of the list."""
    now = timezone.now()
    invoice = transmission.invoice
    label, icon, colour = state_of(transmission, now)
    declared = transmission.declared_minor
    amount = formatted_minor(declared, invoice.currency) if declared else ""
    return {
        "transmission": transmission,
        "invoice": invoice,
        "label": label,
        "icon": icon,
        "colour": colour,
        "when": dates.exact_moment(transmission.status_at) if transmission.status_at else "",
        "reason": reason_in_words(transmission.reason_code, transmission.reason_text),
        "declared": amount,
        "whole": bool(declared) and abs(declared) >= invoice.total_minor,
        "url": f"{reverse('invoices:einvoicing')}?show={transmission.pk}",
    }


def rows_of(transmissions: Iterable[Transmission]) -> list[dict[str, Any]]:
    return [row_of(each) for each in transmissions]
