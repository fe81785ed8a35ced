"""Correct an issued invoice: what will happen, then the draft that will stand in its place."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from billing_portal.acts import carry_out
from billing_portal.confirming import ChangedMeanwhile
from billing_portal.htmx import StaffRequest, go_to, render_dialog
from billing_portal.money import formatted_minor
from invoices.invoicing import correcting, replacing
from invoices.invoicing.confirming import credit_shown, under_lock
from invoices.invoicing.creditable import left_to_credit
from invoices.invoicing.drafting import DraftRefused
from invoices.invoicing.forms.acts import CorrectForm
from invoices.models import Invoice


@require_http_methods(["GET", "POST"])
@permission_required("invoices.add_creditnote", raise_exception=True)
def correct(request: StaffRequest, pk: int) -> HttpResponse:
    invoice = get_object_or_404(Invoice.objects.select_related("client"), pk=pk)
    form = CorrectForm(request.POST or None, initial={"move_payments": True})
    if request.method == "POST" and form.is_valid():
        answer = carry_out(
            request,
            action="correct an invoice",
            act=lambda: correcting.draft_correction(
                invoice_id=pk,
                move_payments=form.cleaned_data["move_payments"],
                by=request.user,
                on=timezone.localdate(),
            ),
            confirmed=under_lock(pk, credit_shown),
            refused={
                ChangedMeanwhile: lambda refusal: _dialog(
                    request, invoice, form, changed=str(refusal)
                ),
                DraftRefused: lambda refusal: _refused(request, invoice, form, refusal),
            },
            done=lambda draft: _done(request, draft),
            url=lambda draft: reverse("invoices:edit", args=[draft.pk]),
        )
        if answer is not None:
            return answer
    return _dialog(request, invoice, form)


def _done(request: StaffRequest, draft: Invoice) -> HttpResponse:
    messages.success(request, _("Change what was wrong, then issue it: the old one is credited."))
    return go_to(request, reverse("invoices:edit", args=[draft.pk]))


def _refused(
    request: StaffRequest, invoice: Invoice, form: CorrectForm, refusal: DraftRefused
) -> HttpResponse | None:
    if refusal.existing_id is None:
        form.add_error(None, str(refusal))
        return None
    messages.warning(request, str(refusal))
    return go_to(request, reverse("invoices:detail", args=[refusal.existing_id]))


def _dialog(
    request: StaffRequest, invoice: Invoice, form: CorrectForm, *, changed: str = ""
) -> HttpResponse:
    code = invoice.currency
    left = left_to_credit(invoice)
    context: dict[str, Any] = {
        "invoice": invoice,
        "form": form,
        "changed": changed,
        "refusal": replacing.refusal(invoice),
        "standing": invoice.replaced_by.exclude(status=Invoice.Status.VOID).first(),
        "left": formatted_minor(left, code),
        "paid": formatted_minor(invoice.paid_minor, code) if invoice.paid_minor else "",
        "confirmed": credit_shown(invoice).token,
    }
    return render_dialog(
        request,
        "invoices/invoicing/correct.html",
        context,
        back=reverse("invoices:detail", args=[invoice.pk]),
        status=422 if form.errors or changed else 200,
    )
