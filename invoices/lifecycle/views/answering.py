"""Answer a client who disputes or suspends an invoice, with words and a file."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from billing_portal.acts import carry_out, into, said
from billing_portal.htmx import StaffRequest, go_to, render_dialog
from invoices.einvoicing import answering
from invoices.einvoicing.answering import AnswerRefused
from invoices.lifecycle.forms import AnswerForm
from invoices.lifecycle.views.showing import transmission_or_404


@require_http_methods(["GET", "POST"])
@permission_required("invoices.send_invoice", raise_exception=True)
def answer(request: StaffRequest, pk: int) -> HttpResponse:
    found = transmission_or_404(request, pk)
    back = f"{reverse('invoices:detail', args=[found.invoice_id])}?tab=einvoice"
    if request.method == "GET" and found.status_code not in answering.ANSWERABLE:
        messages.warning(request, _("There is nothing to answer: the client has the word."))
        return go_to(request, back)
    posted = request.method == "POST"
    form = AnswerForm(request.POST if posted else None, request.FILES if posted else None)
    if getattr(request, "upload_too_large", False):
        form.add_error("file", _("The file is larger than 5 MB."))
    if posted and form.is_valid():
        done = carry_out(
            request,
            action="answer a dispute",
            act=lambda: answering.answer(transmission_id=pk, by=request.user, **form.cleaned_data),
            refused={AnswerRefused: into(form)},
            done=lambda _row: said(
                request, _("Your answer is on its way to the client’s platform."), back
            ),
            url=back,
        )
        if done is not None:
            return done
    return render_dialog(
        request,
        "invoices/lifecycle/answer.html",
        {"invoice": found.invoice, "transmission": found, "form": form},
        back=back,
        status=422 if form.errors else 200,
    )
