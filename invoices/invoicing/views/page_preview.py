"""The page beside the editor, while somebody types."""

from __future__ import annotations

import base64
import hashlib
import threading
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from billing_portal.htmx import StaffRequest
from invoices.documents.paper import canonical_bytes
from invoices.documents.pdf.pictures import page_pictures
from invoices.documents.pdf.render import PdfRefused
from invoices.invoicing.views.editing import DocumentEditor
from invoices.invoicing.views.editor import InvoiceEditor
from invoices.invoicing.views.keeping import PageRefused, paper_of_stored, paper_of_typed
from invoices.models import Invoice

# Twice the width of its card: sharp on dense screens.
PICTURE_WIDTH = 720
MOST_PAGES = 4
# One page is drawn at a time in a process: who types waits for nobody, and nobody for a preview.
_drawing = threading.BoundedSemaphore(1)


@require_POST
@permission_required("invoices.change_invoice", raise_exception=True)
def page_preview(request: StaffRequest, pk: int) -> HttpResponse:
    invoice = get_object_or_404(Invoice.objects.select_related("client", "corrects"), pk=pk)
    if not invoice.is_draft:
        return HttpResponse(status=204)
    return drawn(request, InvoiceEditor.typed(invoice, request.POST, timezone.localdate()))


def drawn(request: StaffRequest, editor: DocumentEditor[Any]) -> HttpResponse:
    """Pictures of what is typed; 204 where they would be those that are shown already, or where
    another page is being drawn (the browser asks again)."""
    if not _drawing.acquire(blocking=False):
        return HttpResponse(status=204, headers={"HX-Trigger": "page-busy"})
    try:
        return _drawn(request, editor)
    finally:
        _drawing.release()


def _drawn(request: StaffRequest, editor: DocumentEditor[Any]) -> HttpResponse:
    try:
        paper = paper_of_typed(editor)
        digest = hashlib.sha256(canonical_bytes(paper)).hexdigest()
        if digest == request.POST.get("page_shown"):
            return HttpResponse(status=204)
        content = editor.printed(paper)
    except (PageRefused, PdfRefused) as refusal:
        note = _("The page follows as soon as this can be read: %(why)s") % {"why": refusal}
        return _note(note)
    pictures, count = page_pictures(content, width=PICTURE_WIDTH, most=MOST_PAGES)
    return render(
        request,
        "invoices/invoicing/partials/page_pictures.html",
        {
            "pictures": [base64.b64encode(each).decode() for each in pictures],
            "more_pages": count - len(pictures),
            "page_shown": digest,
        },
    )


def _note(text: str) -> HttpResponse:
    """Under the last picture, which stays."""
    answer = HttpResponse(text, content_type="text/plain; charset=utf-8")
    answer["HX-Retarget"], answer["HX-Reswap"] = "#page-note", "textContent"
    return answer


def pdf(
    request: StaffRequest,
    kind: type[DocumentEditor[Any]],
    document: Any,
    *,
    may_change: bool,
    filename: str,
) -> HttpResponse:
    """The same as a PDF; whoever may not change it sees what is stored."""
    on = timezone.localdate()
    try:
        if request.method == "POST" and may_change:
            editor = kind.typed(document, request.POST, on)
            paper = paper_of_typed(editor)
        else:
            editor = kind.stored(document, on)
            paper = paper_of_stored(editor)
        content = editor.printed(paper)
    except (PageRefused, PdfRefused) as refusal:
        context = {"edit_url": kind.stored(document, on).address("edit"), "text": str(refusal)}
        return render(request, "invoices/invoicing/no_preview.html", context, status=422)
    answer = HttpResponse(content, content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{filename}"'
    answer["Cache-Control"] = "private, no-store"
    return answer
