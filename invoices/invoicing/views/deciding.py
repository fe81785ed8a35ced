"""An administrator allows, for one draft, VAT that the rules refuse."""

from __future__ import annotations

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from billing_portal.acts import carry_out, into, said
from billing_portal.confirming import ChangedMeanwhile
from billing_portal.htmx import StaffRequest, go_to, render_dialog
from invoices.invoicing.confirming import draft_shown, under_lock
from invoices.invoicing.deciding_otherwise import DecisionRefused, decide_otherwise, open_questions
from invoices.invoicing.drafting import DraftRefused
from invoices.invoicing.forms.drafts import DecideForm
from invoices.models import Invoice


@require_http_methods(["GET", "POST"])
@permission_required("invoices.decide_vat", raise_exception=True)
def decide(request: StaffRequest, pk: int) -> HttpResponse:
    on = timezone.localdate()
    invoice = _draft(pk)
    edit_url = reverse("invoices:edit", args=[pk])
    form = DecideForm(request.POST or None)
    changed: list[str] = []
    if request.method == "POST" and form.is_valid():
        answer = carry_out(
            request,
            action="decide VAT otherwise",
            act=lambda: decide_otherwise(
                invoice_id=pk, reason=form.cleaned_data["reason"], by=request.user, on=on
            ),
            confirmed=under_lock(pk, lambda found: draft_shown(found, on)),
            refused={
                DecisionRefused: into(form, "reason"),
                DraftRefused: into(form),
                ChangedMeanwhile: lambda refusal: changed.append(str(refusal)),
            },
            done=lambda _event: said(
                request, _("It is decided, and kept with the draft."), edit_url
            ),
            url=edit_url,
        )
        if answer is not None:
            return answer
        invoice = _draft(pk)
    questions = open_questions(invoice, on)
    if request.method == "GET" and not questions:
        return go_to(request, edit_url)
    return render_dialog(
        request,
        "invoices/invoicing/decide.html",
        {
            "invoice": invoice,
            "form": form,
            "questions": [reason.text for reason in questions],
            "changed": changed[0] if changed else "",
            "confirmed": draft_shown(invoice, on).token,
        },
        back=edit_url,
        status=422 if form.errors or changed else 200,
    )


def _draft(pk: int) -> Invoice:
    drafts = Invoice.objects.select_related("client").prefetch_related("lines")
    return get_object_or_404(drafts, pk=pk)
