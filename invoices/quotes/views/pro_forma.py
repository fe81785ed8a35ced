"""A quote as a pro forma: for customs, a bank, or whoever pays before the invoice."""

from __future__ import annotations

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET

from billing_portal.htmx import StaffRequest
from invoices.documents.pdf.render import PdfRefused
from invoices.documents.totals import TotalsRefused
from invoices.invoicing.issuing import pro_forma
from invoices.quotes import printing
from invoices.quotes.choices import proposed
from invoices.quotes.refusals import QuoteRefused
from invoices.quotes.views.drafts import visible


@require_GET
@xframe_options_sameorigin
@permission_required("invoices.view_quote", raise_exception=True)
def document(request: StaffRequest, pk: int) -> HttpResponse:
    """What was accepted; before that, what is ticked at first. Nothing is kept."""
    quote = visible(request, pk)
    version = quote.version
    assert version is not None
    lines = list(version.lines.all())
    acceptance = getattr(quote, "acceptance", None)
    chosen = set(acceptance.lines.values_list("pk", flat=True)) if acceptance else proposed(lines)
    try:
        paper = printing.paper_of(
            version, lines, chosen, on=timezone.localdate(), number=quote.number
        )
        content = pro_forma(paper)
    except (QuoteRefused, PdfRefused, TotalsRefused) as refusal:
        context = {"quote": quote, "text": str(refusal)}
        return render(request, "invoices/quotes/no_preview.html", context, status=422)
    answer = HttpResponse(content, content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="pro-forma-{quote.number or pk}.pdf"'
    answer["Cache-Control"] = "private, no-store"
    return answer
