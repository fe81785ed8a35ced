"""Acts on one document of the platform: hand over, put right, settle a dispute."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from billing_portal.acts import carry_out, into, said
from billing_portal.htmx import StaffRequest, go_to, render_dialog
from invoices.einvoicing import disputes
from invoices.einvoicing.disputes import DisputeRefused
from invoices.einvoicing.transmitting import TransmitRefused, send_again, transmit
from invoices.invoicing.by_platform import duty_of
from invoices.invoicing.confirming import balance_shown, under_lock
from invoices.invoicing.freezing import IssueRefused
from invoices.lifecycle import replacing
from invoices.lifecycle.forms import DisputeForm, OutcomeForm, ReplaceForm
from invoices.lifecycle.replacing import ReplaceRefused
from invoices.lifecycle.views.showing import transmission_or_404
from invoices.models import Dispute, Invoice, Transmission


def _tab(invoice_id: int) -> str:
    return f"{reverse('invoices:detail', args=[invoice_id])}?tab=einvoice"


@require_http_methods(["GET", "POST"])
@permission_required("invoices.send_invoice", raise_exception=True)
def hand_over(request: StaffRequest, pk: int) -> HttpResponse:
    """An issued document goes to the platform."""
    invoice = get_object_or_404(
        Invoice.objects.visible_to(request.user).select_related("client"), pk=pk
    )
    refusal = ""
    if request.method == "POST":

        def refused(error: TransmitRefused) -> None:
            nonlocal refusal
            refusal = str(error)

        answer = carry_out(
            request,
            action="hand an invoice to the platform",
            act=lambda: transmit(invoice_id=pk, by=request.user, on=timezone.localdate()),
            confirmed=under_lock(pk, balance_shown),
            refused={TransmitRefused: refused},
            done=lambda _made: said(
                request,
                _("%(number)s is on its way to the platform.") % {"number": invoice.number},
                _tab(pk),
            ),
            url=_tab(pk),
        )
        if answer is not None:
            return answer
    duty = duty_of(invoice, timezone.localdate())
    return render_dialog(
        request,
        "invoices/lifecycle/hand_over.html",
        {
            "invoice": invoice,
            "duty": duty,
            "refusal": refusal or duty.refusal,
            "confirmed": balance_shown(invoice).token,
        },
        back=reverse("invoices:detail", args=[pk]),
        status=422 if refusal else 200,
    )


@require_http_methods(["GET", "POST"])
@permission_required("invoices.add_creditnote", raise_exception=True)
def put_right(request: StaffRequest, pk: int) -> HttpResponse:
    """A credit note, a new number, and sent again, in one go."""
    found = transmission_or_404(request, pk)
    on = timezone.localdate()
    try:
        plan = replacing.plan(found, on)
    except ReplaceRefused as refusal:
        messages.warning(request, str(refusal))
        return go_to(request, _tab(found.invoice_id))
    posted = request.POST if request.method == "POST" else None
    form = ReplaceForm(posted, in_use=plan.address, others=plan.addresses)
    if posted is not None and form.is_valid():
        answer = carry_out(
            request,
            action="put a rejected invoice right",
            act=lambda: replacing.replace(
                transmission_id=pk,
                by=request.user,
                on=on,
                address=form.cleaned_data["address"],
                send="draft" not in request.POST,
            ),
            confirmed=under_lock(found.invoice_id, balance_shown),
            refused={ReplaceRefused: into(form), IssueRefused: into(form)},
            done=lambda new: said(request, _replaced(found, new), _after(new)),
            url=_after,
        )
        if answer is not None:
            return answer
    return render_dialog(
        request,
        "invoices/lifecycle/put_right.html",
        {
            "invoice": found.invoice,
            "plan": plan,
            "form": form,
            "confirmed": balance_shown(found.invoice).token,
        },
        back=_tab(found.invoice_id),
        status=422 if form.errors else 200,
    )


def _after(new: Invoice) -> str:
    if new.is_draft:
        return reverse("invoices:edit", args=[new.pk])
    return _tab(new.pk)


def _replaced(found: Transmission, new: Invoice) -> str:
    values = {"old": found.invoice.number, "new": new.number}
    if new.is_draft:
        return _("%(old)s is cancelled; its lines wait in this draft.") % values
    return _("%(old)s is cancelled; %(new)s takes its place and is on its way.") % values


@require_POST
@permission_required("invoices.send_invoice", raise_exception=True)
def again(request: StaffRequest, pk: int) -> HttpResponse:
    """What the platform's door turned away, once more."""
    found = transmission_or_404(request, pk)
    back = _tab(found.invoice_id)

    def refused(refusal: TransmitRefused) -> HttpResponse:
        messages.warning(request, str(refusal))
        return go_to(request, back)

    answer = carry_out(
        request,
        action="send to the platform again",
        act=lambda: send_again(transmission_id=pk, by=request.user, on=timezone.localdate()),
        refused={TransmitRefused: refused},
        done=lambda _none: said(request, _("It is on its way to the platform again."), back),
        url=back,
    )
    assert answer is not None
    return answer


# ─ Disputes ─────────────────────────────────────────────────────────────────────────────────────
@require_http_methods(["GET", "POST"])
@permission_required("invoices.change_invoice", raise_exception=True)
def open_dispute(request: StaffRequest, pk: int) -> HttpResponse:
    """A client contests it by telephone or mail."""
    invoice = get_object_or_404(Invoice.objects.visible_to(request.user), pk=pk)
    back = reverse("invoices:detail", args=[pk])
    form = DisputeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        answer = carry_out(
            request,
            action="open a dispute",
            act=lambda: disputes.open_by_staff(
                invoice_id=pk,
                reason=form.cleaned_data["reason"],
                by=request.user,
                now=timezone.now(),
            ),
            refused={DisputeRefused: into(form, "reason")},
            done=lambda _row: said(
                request, _("%(number)s is in dispute.") % {"number": invoice.number}, back
            ),
            url=back,
        )
        if answer is not None:
            return answer
    return render_dialog(
        request,
        "invoices/lifecycle/dispute.html",
        {"invoice": invoice, "form": form},
        back=back,
        status=422 if form.errors else 200,
    )


@require_http_methods(["GET", "POST"])
@permission_required("invoices.change_invoice", raise_exception=True)
def close_dispute(request: StaffRequest, pk: int) -> HttpResponse:
    mine = Invoice.objects.visible_to(request.user)
    dispute = get_object_or_404(
        Dispute.objects.filter(invoice__in=mine).select_related("invoice"), pk=pk
    )
    back = reverse("invoices:detail", args=[dispute.invoice_id])
    form = OutcomeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        answer = carry_out(
            request,
            action="close a dispute",
            act=lambda: disputes.close(
                dispute_id=pk, outcome=form.cleaned_data["outcome"], by=request.user
            ),
            refused={DisputeRefused: into(form, "outcome")},
            done=lambda _row: said(
                request,
                _("The dispute about %(number)s is closed.") % {"number": dispute.invoice.number},
                back,
            ),
            url=back,
        )
        if answer is not None:
            return answer
    return render_dialog(
        request,
        "invoices/lifecycle/close_dispute.html",
        {"invoice": dispute.invoice, "dispute": dispute, "form": form},
        back=back,
        status=422 if form.errors else 200,
    )
