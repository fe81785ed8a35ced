"""E-invoices of what is issued: the kept XML, and UBL of the same frozen content."""

from __future__ import annotations

from invoices.documents.facturx import judging, writing
from invoices.documents.paper import Paper
from invoices.invoicing.freezing import filename_of
from invoices.models import Invoice


def ubl_of(invoice: Invoice) -> tuple[str, bytes] | None:
    """File name and bytes; None of a document that has no e-invoice: a draft, one brought in, one
    of a seller outside France, one issued before there were e-invoices."""
    if not isinstance(invoice.paper, dict):
        return None
    paper = Paper.from_json(invoice.paper)
    if not judging.is_for(paper):
        return None
    name = filename_of(paper, invoice, "xml").removesuffix(".xml")
    return f"{name}-ubl.xml", writing.ubl(paper)
