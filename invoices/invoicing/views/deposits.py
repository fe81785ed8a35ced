"""Deposits of a draft: those that it deducts, and one that is billed before it."""

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

from billing_portal.acts import carry_out, into, said
from billing_portal.htmx import StaffRequest, go_to, render_dialog
from invoices.invoicing import deposits
from invoices.invoicing.drafting import DraftRefused
from invoices.invoicing.forms.deposits import DeductForm, DepositForm
from invoices.models import Invoice


def _draft(pk: int) -> Invoice:
    return get_object_or_404(Invoice.objects.select_related("client"), pk=pk)


@require_http_methods(["GET", "POST"])
@permission_required("invoices.change_invoice", raise_exception=True)
def choose(request: StaffRequest, pk: int) -> HttpResponse:
    """Which deposits of the client this draft takes off."""
    invoice = _draft(pk)
    edit = reverse("invoices:edit", args=[pk])
    if not invoice.is_draft:
        return go_to(request, edit)
    offered = deposits.to_deduct(invoice)
    form = DeductForm(request.POST or None, invoice=invoice, offered=offered)
    if request.method == "POST" and form.is_valid():
        answer = carry_out(
            request,
            action="deduct deposits",
            act=lambda: deposits.choose_deposits(
                invoice_id=pk,
                deposit_ids=form.chosen(),
                by=request.user,
                on=timezone.localdate(),
            ),
            refused={DraftRefused: into(form)},
            done=lambda made: said(
                request,
                _("The draft deducts the deposits you chose.")
                if made.is_final
                else _("The draft deducts no deposit."),
                edit,
            ),
            url=edit,
        )
        if answer is not None:
            return answer
    context: dict[str, Any] = {"invoice": invoice, "form": form, "offered": offered}
    return render_dialog(
        request,
        "invoices/invoicing/deposits.html",
        context,
        back=edit,
        status=422 if form.errors else 200,
    )


@require_http_methods(["GET", "POST"])
@permission_required("invoices.change_invoice", raise_exception=True)
def deposit_on(request: StaffRequest, pk: int) -> HttpResponse:
    """A share of what this draft bills, as a draft of its own that is issued first."""
    invoice = _draft(pk)
    edit = reverse("invoices:edit", args=[pk])
    if not invoice.is_draft or invoice.is_deposit:
        return go_to(request, edit)
    form = DepositForm(request.POST or None, currency=invoice.currency, initial={"share": "30 %"})
    if request.method == "POST" and form.is_valid():
        percent, minor = form.cleaned_data["share"]
        answer = carry_out(
            request,
            action="bill a deposit",
            act=lambda: deposits.bill_deposit_on(
                invoice_id=pk,
                percent=percent,
                amount_minor=minor,
                by=request.user,
                on=timezone.localdate(),
            ),
            refused={DraftRefused: into(form, "share")},
            done=lambda made: _made(request, made),
            url=lambda made: reverse("invoices:edit", args=[made.pk]),
        )
        if answer is not None:
            return answer
    return render_dialog(
        request,
        "invoices/invoicing/deposit_on.html",
        {"invoice": invoice, "form": form},
        back=edit,
        status=422 if form.errors else 200,
    )


def _made(request: StaffRequest, deposit: Invoice) -> HttpResponse:
    messages.success(
        request,
        _("The deposit is drafted: issue it, then let the other draft deduct it."),
    )
    return go_to(request, reverse("invoices:edit", args=[deposit.pk]))
