"""Does each kept e-invoice say what its page says, and does the PDF carry that very file?"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from io import BytesIO

import pikepdf
from django.utils.translation import gettext as _

from invoices.accounting.broken import Broken
from invoices.documents.facturx.agreement import disagreements
from invoices.documents.facturx.writing import FILENAME
from invoices.documents.paper import Paper, PaperMalformed
from invoices.models import Document, Invoice

MOST = 500


def check(document: Document, page: bytes | None) -> Iterator[Broken]:
    """Of one XML: against the frozen content, and against what is attached to its PDF, `page`."""
    invoice, content = document.invoice, bytes(document.content)
    try:
        paper = Paper.from_json(invoice.paper or {})
        differs = bool(disagreements(content, paper))
    except (PaperMalformed, ValueError, SyntaxError):
        # Not XML any more, or a page that pages.py names.
        differs = True
    if differs:
        yield Broken(str(invoice), _("its e-invoice does not say what the page says."))
    if page is None or attached_in(page) != content:
        yield Broken(str(invoice), _("its PDF does not carry the e-invoice that was kept."))


def check_all(only: Collection[int] | None = None) -> Iterator[Broken]:
    """Of all documents, or of those with these ids: costs some hundredths of a second each."""
    # The page of an invoice before its e-invoice, which is compared with it.
    documents = Document.objects.select_related("invoice").order_by("invoice_id", "kind", "pk")
    if only is not None:
        documents = documents.filter(invoice__in=sorted(only)[:MOST])
    page: tuple[int, bytes] = (0, b"")
    for document in documents.iterator(chunk_size=50):
        if document.kind == "pdf":
            page = (document.invoice_id, bytes(document.content))
        elif document.kind == "xml":
            of, printed = page
            yield from check(document, printed if of == document.invoice_id else None)


def missing() -> Iterator[Broken]:
    """Where the frozen content was made for an e-invoice, one was kept."""
    without = (
        Invoice.objects.issued()
        .filter(imported=False, paper__has_key="billing_mode")
        .exclude(documents__kind="xml")
        .order_by("pk")
    )
    for number in without.values_list("number", flat=True):
        yield Broken(number, _("has no stored e-invoice."))


def attached_in(page: bytes) -> bytes | None:
    """The XML inside a PDF; None without one, or when it cannot be read."""
    try:
        with pikepdf.open(BytesIO(page)) as pdf:
            attached = pdf.attachments.get(FILENAME)
            return attached.get_file().read_bytes() if attached else None
    except pikepdf.PdfError:
        return None
