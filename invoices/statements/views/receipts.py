"""The receipt of a payment, to look at and to send."""

from __future__ import annotations

from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET, require_http_methods

from billing_portal.acts import already, carry_out, into, said
from billing_portal.confirming import ChangedMeanwhile
from billing_portal.htmx import StaffRequest, render_dialog
from invoices.clients.recipients import client_recipients
from invoices.documents.pdf.render import PdfRefused
from invoices.models import Payment
from invoices.outbox.queueing import MailRefused
from invoices.payments.confirming import payment_shown, payment_under_lock
from invoices.statements.forms import SendForm
from invoices.statements.keeping import LetterRefused
from invoices.statements.receipts import print_receipt, send_receipt
from invoices.statements.views.statement import Changed, pdf_answer


def _payment(pk: int) -> Payment:
    """One that came in: a reversal has no receipt."""
    found = get_object_or_404(
        Payment.objects.select_related("client__merged_into", "reversed_by"), pk=pk
    )
    if found.reverses_id is not None:
        raise Http404
    return found


@require_GET
@xframe_options_sameorigin
@permission_required("invoices.view_payment", raise_exception=True)
def receipt(request: StaffRequest, pk: int) -> HttpResponse:
    found, on = _payment(pk), timezone.localdate()
    try:
        content = print_receipt(found, on)
    except (LetterRefused, PdfRefused) as refusal:
        context = {"changed": str(refusal), "back": reverse("invoices:payment", args=[pk])}
        return render(request, "changed_meanwhile.html", context, status=422)
    return pdf_answer(content, f"receipt-{pk}-{on}.pdf")


@require_http_methods(["GET", "POST"])
@permission_required("invoices.send_invoice", raise_exception=True)
def receipt_send(request: StaffRequest, pk: int) -> HttpResponse:
    found = _payment(pk)
    url = reverse("invoices:payment", args=[pk])
    form = SendForm(request.POST or None, initial={"recipients": client_recipients(found.client)})
    changed = Changed()
    if request.method == "POST" and form.is_valid():
        answer = carry_out(
            request,
            action="send a receipt",
            act=lambda: send_receipt(
                found,
                recipients=form.cleaned_data["recipients"],
                by=request.user,
                on=timezone.localdate(),
            ),
            refused={
                LetterRefused: into(form),
                PdfRefused: into(form),
                MailRefused: into(form, "recipients"),
                ChangedMeanwhile: changed.take,
            },
            confirmed=payment_under_lock(pk),
            done=lambda _kept: said(request, _("The receipt is on its way."), url),
            again=already(request),
            url=url,
        )
        if answer is not None:
            return answer
    return render_dialog(
        request,
        "invoices/statements/receipt_send.html",
        {
            "payment": found,
            "form": form,
            "changed": changed.text,
            "confirmed": payment_shown(found).token,
        },
        back=url,
        status=422 if form.errors or changed.text else 200,
    )
