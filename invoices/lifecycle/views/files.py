"""Files as they came: lifecycle messages, and suppliers' invoices."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET

from billing_portal.htmx import StaffRequest
from invoices.lifecycle.worklist import visible
from invoices.models import IncomingInvoice, LifecycleStatus

SHOWN: Final = 100


@require_GET
@permission_required("invoices.view_invoice", raise_exception=True)
def message(request: StaffRequest, pk: int) -> HttpResponse:
    """Of an invoice that the person may see; of one that we do not know, for who sees all."""
    rows = LifecycleStatus.objects.filter(transmission__in=visible(request.user))
    if request.user.has_perm("invoices.view_client"):
        rows = LifecycleStatus.objects.all()
    row = get_object_or_404(rows, pk=pk)
    return _download(bytes(row.content), row.filename)


@require_GET
@permission_required("invoices.view_client", raise_exception=True)
def incoming(request: StaffRequest) -> HttpResponse:
    rows = IncomingInvoice.objects.defer("content")
    return render(
        request,
        "invoices/lifecycle/incoming.html",
        {"rows": list(rows[:SHOWN]), "count": rows.count(), "most": SHOWN},
    )


@require_GET
@permission_required("invoices.view_client", raise_exception=True)
def incoming_file(request: StaffRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(IncomingInvoice, pk=pk)
    return _download(bytes(row.content), row.filename)


def _download(content: bytes, filename: str) -> HttpResponse:
    """Never shown in a window: strangers wrote it."""
    answer = HttpResponse(content, content_type="application/octet-stream")
    answer["Content-Disposition"] = content_disposition_header(True, filename) or "attachment"
    answer["Cache-Control"] = "private, no-cache"
    return answer
