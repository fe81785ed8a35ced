"""A document is copied into a new draft; nothing is asked, for a draft can be discarded."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from billing_portal.acts import carry_out, said
from billing_portal.htmx import StaffRequest, go_to
from invoices.invoicing.copying import copy
from invoices.invoicing.drafting import DraftRefused
from invoices.models import Invoice


@require_POST
@permission_required("invoices.change_invoice", raise_exception=True)
def copy_invoice(request: StaffRequest, pk: int) -> HttpResponse:
    source = get_object_or_404(Invoice.objects.visible_to(request.user), pk=pk)

    def refused(refusal: DraftRefused) -> HttpResponse:
        messages.error(request, str(refusal))
        return go_to(request, reverse("invoices:detail", args=[pk]))

    def edit_url(made: Invoice) -> str:
        return reverse("invoices:edit", args=[made.pk])

    words = _("This is a copy of %(source)s: look at its days and amounts, then issue it.")
    answer = carry_out(
        request,
        action="copy an invoice",
        act=lambda: copy(invoice_id=pk, by=request.user, on=timezone.localdate()),
        refused={DraftRefused: refused},
        done=lambda made: said(
            request, words % {"source": source.number or _("the draft")}, edit_url(made)
        ),
        url=edit_url,
    )
    assert answer is not None
    return answer
