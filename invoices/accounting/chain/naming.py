"""What a row of the books is called where something is wrong with it."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from invoices.models import Allocation, Invoice, InvoiceEvent, NumberSeries


def name_of(kind: str, pk: int) -> str:
    words = {
        "event": _("entry %(pk)s of the history"),
        "payment": _("payment %(pk)s"),
        "allocation": _("allocation %(pk)s"),
        "refund": _("refund %(pk)s"),
        "decision": _("decision %(pk)s on the books"),
        "series": _("series %(pk)s"),
        "document": _("document %(pk)s"),
    }
    name = words[kind] % {"pk": pk}
    document = _document_of(kind, pk)
    if kind == "series":
        row = NumberSeries.objects.filter(pk=pk).first()
        return row.prefix if row is not None and row.prefix else name
    if kind == "document":
        return document or name
    return f"{document}, {name}" if document else name


def _document_of(kind: str, pk: int) -> str:
    rows: dict[str, Any] = {"event": InvoiceEvent, "allocation": Allocation}
    if kind == "document":
        return Invoice.objects.filter(pk=pk).values_list("number", flat=True).first() or ""
    if kind not in rows:
        return ""
    found = rows[kind].objects.filter(pk=pk).values_list("invoice_id", "invoice__number").first()
    if found is None or found[0] is None:
        return ""
    return found[1] or f"#{found[0]}"
