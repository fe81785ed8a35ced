"""The files of a document: its page, and its e-invoice in both syntaxes."""

from __future__ import annotations

import hashlib

from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpResponse, HttpResponseNotModified
from django.shortcuts import get_object_or_404
from django.utils.http import parse_etags
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET

from billing_portal.htmx import StaffRequest
from invoices.invoicing.einvoices import ubl_of
from invoices.models import Document, Invoice

_TYPES = {"pdf": "application/pdf", "xml": "application/xml"}


@require_GET
@xframe_options_sameorigin
@permission_required("invoices.view_invoice", raise_exception=True)
def document(request: StaffRequest, pk: int, kind: str) -> HttpResponse:
    """The very bytes that were kept when it was issued; `kind` as in Document."""
    invoice = get_object_or_404(Invoice.objects.visible_to(request.user), pk=pk)
    kept = Document.objects.filter(invoice=invoice, kind=kind).defer("content").first()
    if kept is None:
        raise Http404
    etag = f'"{kept.sha256}"'
    if _has_it(request, etag):
        return _headed(HttpResponseNotModified(), etag)
    answer = HttpResponse(bytes(kept.content), content_type=_TYPES[kind])
    # XML of ours is read by programs: in a window it would only be looked at.
    how = "attachment" if kind != "pdf" or "download" in request.GET else "inline"
    answer["Content-Disposition"] = f'{how}; filename="{kept.filename}"'
    return _headed(answer, etag)


@require_GET
@permission_required("invoices.view_invoice", raise_exception=True)
def ubl(request: StaffRequest, pk: int) -> HttpResponse:
    """Made of the frozen content when it is asked for: the same bytes each time."""
    invoice = get_object_or_404(Invoice.objects.visible_to(request.user), pk=pk)
    made = ubl_of(invoice)
    if made is None:
        raise Http404
    filename, content = made
    etag = f'"{hashlib.sha256(content).hexdigest()}"'
    if _has_it(request, etag):
        return _headed(HttpResponseNotModified(), etag)
    answer = HttpResponse(content, content_type=_TYPES["xml"])
    answer["Content-Disposition"] = f'attachment; filename="{filename}"'
    return _headed(answer, etag)


def _has_it(request: StaffRequest, etag: str) -> bool:
    return etag in parse_etags(request.headers.get("If-None-Match", ""))


def _headed(answer: HttpResponse, etag: str) -> HttpResponse:
    answer["ETag"] = etag
    # No copy is used without asking: rights may have changed.
    answer["Cache-Control"] = "private, no-cache"
    return answer
