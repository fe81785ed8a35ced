"""A deal changed after its draft or its invoice was made: what changed, and what becomes of it."""

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
from billing_portal.htmx import StaffRequest, render_dialog
from billing_portal.money import from_minor
from invoices.deals.changes import (
    ChangeRefused,
    can_take_over,
    change_shown,
    confirm_change,
    take_over,
)
from invoices.deals.forms import DealChangeForm
from invoices.invoicing.confirming import under_lock
from invoices.invoicing.deal_basis import changed_of
from invoices.models import Invoice


@require_http_methods(["GET", "POST"])
@permission_required("invoices.issue_invoice", raise_exception=True)
def deal_change(request: StaffRequest, pk: int) -> HttpResponse:
    is_draft = Invoice.objects.drafts().filter(pk=pk).exists()
    form = DealChangeForm(request.POST or None, is_draft=is_draft)
    back = reverse("invoices:detail", args=[pk])
    if request.method == "POST" and form.is_valid():
        on = timezone.localdate()
        take = request.POST.get("act") == "take"
        word = form.cleaned_data["word"]
        answer = carry_out(
            request,
            action="decide on a changed deal",
            act=lambda: (
                take_over(invoice_id=pk, by=request.user, on=on)
                if take
                else confirm_change(invoice_id=pk, by=request.user, on=on, word=word)
            ),
            confirmed=under_lock(pk, change_shown),
            refused={
                ChangeRefused: into(form),
                ChangedMeanwhile: lambda refusal: _dialog(request, pk, form, changed=str(refusal)),
            },
            done=lambda _invoice: said(
                request,
                _("The draft took what changed in the deal.") if take else _("It is confirmed."),
                back,
            ),
            url=back,
        )
        if answer is not None:
            return answer
    return _dialog(request, pk, form)


def _dialog(
    request: StaffRequest, pk: int, form: DealChangeForm, *, changed: str = ""
) -> HttpResponse:
    invoice = get_object_or_404(Invoice.objects.select_related("client"), pk=pk)
    change = changed_of(invoice)
    return render_dialog(
        request,
        "invoices/deals/deal_change.html",
        {
            "invoice": invoice,
            "form": form,
            "change": change,
            "changed": changed,
            "stands": from_minor(invoice.total_minor - invoice.credited_minor, invoice.currency),
            "can_take": change is not None and can_take_over(invoice, change.basis),
            "confirmed": change_shown(invoice).token,
        },
        url=reverse("invoices:deal-change", args=[pk]),
        back=reverse("invoices:detail", args=[pk]),
        status=422 if form.errors or changed else 200,
    )
