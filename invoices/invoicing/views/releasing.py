"""The release of a retention is moved to another day."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from billing_portal import dates
from billing_portal.acts import carry_out, into, said
from billing_portal.confirming import ChangedMeanwhile
from billing_portal.htmx import StaffRequest, go_to, render_dialog
from invoices.invoicing import releasing
from invoices.invoicing.confirming import release_shown, under_lock
from invoices.invoicing.forms.acts import ReleaseForm
from invoices.invoicing.releasing import ReleaseRefused
from invoices.invoicing.views.invoice import visible
from invoices.models import Invoice


@require_http_methods(["GET", "POST"])
@permission_required("invoices.change_invoice", raise_exception=True)
def move_release(request: StaffRequest, pk: int) -> HttpResponse:
    invoice = visible(request, pk)
    detail = reverse("invoices:detail", args=[pk])
    if releasing.held(invoice) is None:
        messages.warning(request, _("No retention is held back of it any more."))
        return go_to(request, detail)
    on = timezone.localdate()
    form = ReleaseForm(request.POST or None, today=on)
    if request.method == "POST" and form.is_valid():
        text = _("The retention of %(number)s is released on %(day)s.") % {
            "number": invoice.number,
            "day": dates.day(form.cleaned_data["to"]),
        }
        answer = carry_out(
            request,
            action="move a release",
            act=lambda: releasing.move_release(
                invoice_id=pk,
                to=form.cleaned_data["to"],
                reason=form.cleaned_data["reason"],
                by=request.user,
                on=on,
            ),
            confirmed=under_lock(pk, release_shown),
            refused={
                ReleaseRefused: into(form, "to"),
                ChangedMeanwhile: lambda refusal: _dialog(
                    request, visible(request, pk), ReleaseForm(today=on), changed=str(refusal)
                ),
            },
            done=lambda _event: said(request, text, detail),
            url=detail,
        )
        if answer is not None:
            return answer
    return _dialog(request, invoice, form)


def _dialog(
    request: StaffRequest, invoice: Invoice, form: ReleaseForm, *, changed: str = ""
) -> HttpResponse:
    return render_dialog(
        request,
        "invoices/invoicing/release.html",
        {
            "invoice": invoice,
            "part": releasing.held(invoice),
            "form": form,
            "changed": changed,
            "confirmed": release_shown(invoice).token,
        },
        back=reverse("invoices:detail", args=[invoice.pk]),
        status=422 if form.errors or changed else 200,
    )
