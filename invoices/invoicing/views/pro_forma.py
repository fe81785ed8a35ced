"""A draft as a pro forma: to be handed out before anything is billed."""

from __future__ import annotations

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET

from billing_portal.htmx import StaffRequest
from invoices.documents.pdf.render import PdfRefused
from invoices.invoicing.freezing import IssueRefused
from invoices.invoicing.issuing import preview_paper, pro_forma
from invoices.models import Invoice


@require_GET
@xframe_options_sameorigin
@permission_required("invoices.view_invoice", raise_exception=True)
def document(request: StaffRequest, pk: int) -> HttpResponse:
    """Of the draft as it is saved; it takes no number and is kept nowhere."""
    drafts = Invoice.objects.visible_to(request.user).select_related("client", "replaces")
    invoice = get_object_or_404(drafts, pk=pk)
    if not invoice.is_draft:
        return redirect("invoices:detail", pk=pk)
    try:
        content = pro_forma(preview_paper(invoice, timezone.localdate()))
    except (IssueRefused, PdfRefused) as refusal:
        return render(
            request,
            "invoices/invoicing/no_preview.html",
            {"invoice": invoice, "text": str(refusal)},
            status=422,
        )
    answer = HttpResponse(content, content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="pro-forma-{pk}.pdf"'
    answer["Cache-Control"] = "private, no-store"
    return answer
