"""A credit note on an issued invoice: whole, by lines or by amount, seen before it is made."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from billing_portal.acts import carry_out, into, said
from billing_portal.confirming import ChangedMeanwhile
from billing_portal.htmx import StaffRequest, go_to, render_page
from billing_portal.money import formatted_minor
from invoices.company import numbering
from invoices.company.numbering import NumberRefused
from invoices.invoicing import deducting
from invoices.invoicing.confirming import credit_shown, under_lock
from invoices.invoicing.creditable import creditable
from invoices.invoicing.crediting import credit_totals, issue_credit_note
from invoices.invoicing.forms.credit_notes import WHOLE, CreditForm
from invoices.invoicing.freezing import IssueRefused
from invoices.invoicing.snapshot import buyer_differs
from invoices.models import Company, Invoice


def _invoice(pk: int) -> Invoice:
    return get_object_or_404(
        Invoice.objects.select_related("client__client_type", "client_type"), pk=pk
    )


def _form(
    request: StaffRequest, invoice: Invoice, given: QueryDict | None = None
) -> tuple[CreditForm, Any]:
    left = creditable(invoice)
    form = CreditForm(
        given or (request.POST if request.method == "POST" else None),
        invoice=invoice,
        rows=list(invoice.lines.all()),
        left=left,
        initial={"mode": WHOLE, "recipients": list(invoice.recipients)},
    )
    return form, left


@require_http_methods(["GET", "POST"])
@permission_required("invoices.add_creditnote", raise_exception=True)
def credit(request: StaffRequest, pk: int) -> HttpResponse:
    invoice = _invoice(pk)
    detail = reverse("invoices:detail", args=[pk])
    if invoice.is_credit_note or invoice.status in (Invoice.Status.DRAFT, Invoice.Status.VOID):
        messages.error(request, _("Only an issued invoice is credited; a draft is simply changed."))
        return go_to(request, detail)
    if text := deducting.reason_not_to_credit(invoice):
        messages.error(request, text)
        return go_to(request, detail)
    form, left = _form(request, invoice)
    if left.total_minor <= 0 and request.method == "GET":
        messages.warning(
            request, _("%(number)s is credited in full already.") % {"number": invoice.number}
        )
        return redirect(detail)
    if request.method == "POST" and form.is_valid():
        send = "send" in request.POST
        answer = carry_out(
            request,
            action="credit an invoice",
            act=lambda: issue_credit_note(
                invoice_id=pk,
                reason=form.cleaned_data["reason"],
                code=form.cleaned_data["code"],
                by=request.user,
                on=timezone.localdate(),
                send=send,
                recipients=form.cleaned_data["recipients"],
                to_client_of_today=form.cleaned_data["to_client_of_today"],
                **{"lines": None, **form.wanted()},
            ),
            confirmed=under_lock(pk, credit_shown),
            refused={
                ChangedMeanwhile: lambda refusal: _credit_again(request, pk, refusal),
                IssueRefused: lambda refusal: _say(form, refusal),
                NumberRefused: into(form),
            },
            done=lambda made: said(
                request,
                _("%(number)s credits %(amount)s of %(invoice)s.")
                % {
                    "number": made.number,
                    "amount": formatted_minor(made.total_minor, made.currency),
                    "invoice": invoice.number,
                },
                reverse("invoices:detail", args=[made.pk]),
            ),
            url=lambda note: reverse("invoices:detail", args=[note.pk]),
        )
        if answer is not None:
            return answer
    return _credit_page(request, invoice, form, left)


def _credit_again(request: StaffRequest, pk: int, refusal: ChangedMeanwhile) -> HttpResponse:
    """As typed, but to whom it goes and what is left are what they are now."""
    invoice = _invoice(pk)
    given = request.POST.copy()
    given["recipients"] = ", ".join(invoice.recipients)
    form, left = _form(request, invoice, given)
    form.is_valid()
    return _credit_page(request, invoice, form, left, changed=str(refusal))


def _credit_page(
    request: StaffRequest, invoice: Invoice, form: CreditForm, left: Any, *, changed: str = ""
) -> HttpResponse:
    company = Company.ours()
    today = timezone.localdate()
    return render_page(
        request,
        page="invoices/invoicing/credit.html",
        partial="invoices/invoicing/partials/credit_form.html",
        context={
            "invoice": invoice,
            "form": form,
            "changed": changed,
            "confirmed": credit_shown(invoice).token,
            "buyer_differs": buyer_differs(invoice),
            "lines": _rows(form, invoice),
            "left": formatted_minor(left.total_minor, invoice.currency),
            "number": numbering.next_number("credit_note", today) if company else "",
            **_preview(form, invoice),
        },
        status=422 if changed or (form.is_bound and form.errors) else 200,
    )


def _say(form: CreditForm, refusal: IssueRefused) -> None:
    for reason in refusal.reasons:
        if reason.field.startswith("line-"):
            pk = int(reason.field[5:])
            for line in form.lines:
                if line.pk == pk:
                    line.errors["net"] = reason.text
            form.add_error(None, reason.text)
        elif reason.field in form.fields:
            form.add_error(reason.field, reason.text)
        else:
            form.add_error(None, reason.text)


def _rows(form: CreditForm, invoice: Invoice) -> list[dict[str, Any]]:
    return [
        {
            "pk": line.pk,
            "text": line.row.description,
            "quantity": abs(line.row.quantity),
            "left": formatted_minor(line.left_minor, invoice.currency),
            "gone": line.left_minor == 0,
            "typed_quantity": line.quantity,
            "typed_net": line.net,
            "errors": line.errors,
        }
        for line in form.lines
    ]


def _preview(form: CreditForm, invoice: Invoice) -> dict[str, Any]:
    """Net, VAT and total as they would be; a sentence when nothing can be said yet."""
    wanted: dict[str, Any] = {"lines": None}
    if form.is_bound:
        form.is_valid()
        trouble = [name for name in form.errors if name in ("mode", "amount", "__all__")]
        if trouble:
            return {"preview_refusal": " ".join(str(e) for e in form.errors[trouble[0]])}
        wanted |= form.wanted()
    try:
        net, vat = credit_totals(invoice, **wanted)
    except IssueRefused as refusal:
        return {"preview_refusal": str(refusal)}
    code = invoice.currency
    applied = min(net + vat, invoice.outstanding_minor)
    return {
        "net": formatted_minor(net, code),
        "vat": formatted_minor(vat, code),
        "total": formatted_minor(net + vat, code),
        "applied": formatted_minor(applied, code),
        "after": formatted_minor(invoice.outstanding_minor - applied, code),
        "over": formatted_minor(net + vat - applied, code) if net + vat > applied else "",
    }


@require_POST
@permission_required("invoices.add_creditnote", raise_exception=True)
def credit_preview(request: StaffRequest, pk: int) -> HttpResponse:
    invoice = get_object_or_404(Invoice.objects.select_related("client"), pk=pk)
    form, _left = _form(request, invoice)
    return render(
        request,
        "invoices/invoicing/partials/credit_totals.html",
        {"invoice": invoice, **_preview(form, invoice)},
    )
