"""A transmission under its lock, in the order of all acts: the invoice first, then its rows here.

An entry in an invoice's history waits for whoever holds the invoice. So what locked only the
transmission, and then wrote history, could meet a credit note that holds the invoice half-way.
"""

from __future__ import annotations

from django.db.models import Q

from invoices.models import Invoice, Transmission


def locked(which: Q) -> Transmission | None:
    """The first that fits, with its invoice and flow as they stand under the lock."""
    found = Transmission.objects.filter(which).order_by("pk").values_list("pk", "invoice_id")
    row = found.first()
    if row is None:
        return None
    list(Invoice.objects.select_for_update().filter(pk=row[1]).values_list("pk", flat=True))
    rows = Transmission.objects.select_for_update(of=("self",)).select_related("invoice", "flow")
    # What made it fit may have changed while we waited.
    return rows.filter(which, pk=row[0]).first()
