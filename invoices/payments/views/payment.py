"""One payment: what it settled, settling more with it, taking it back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing_portal.acts import already, carry_out, into, said
from billing_portal.confirming import ChangedMeanwhile
from billing_portal.htmx import StaffRequest, render_page
from billing_portal.money import formatted, from_minor
from billing_portal.typed.numbers import as_typed
from invoices.models import Payment
from invoices.payments.applying import PaymentRefused
from invoices.payments.confirming import payment_shown, payment_under_lock
from invoices.payments.entry import part_name
from invoices.payments.forms import (
    MOST_SHOWN,
    AllocationForm,
    ReversalForm,
)
from invoices.payments.recording import allocate_unapplied, owed_by, propose_allocations
from invoices.payments.reversing import reverse_payment, undo_payment


@require_GET
@permission_required("invoices.view_payment", raise_exception=True)
def payment(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(
        Payment.objects.select_related("client__client_type", "recorded_by", "reverses"), pk=pk
    )
    reversed_by = Payment.objects.filter(reverses=found).select_related("recorded_by").first()
    is_open = found.reverses_id is None and reversed_by is None
    rows = found.allocations.select_related("invoice", "refund", "taken_back_by").order_by("pk")
    refunded = [row for row in rows if row.refund_id]
    given_back = from_minor(sum(row.amount_minor for row in refunded), found.currency)
    return render(
        request,
        "invoices/payments/payment.html",
        {
            "payment": found,
            "applied": found.allocated - given_back,
            "allocations": [row for row in rows if row.invoice_id],
            "refunded": refunded,
            "others": found.other_than.order_by("received_on", "pk"),
            "reversed_by": reversed_by,
            "may_send": is_open and request.user.has_perm("invoices.send_invoice"),
            "may_reverse": is_open and request.user.has_perm("invoices.reverse_payment"),
            "may_apply": is_open
            and found.unapplied.amount > 0
            and request.user.has_perm("invoices.add_payment"),
            "may_refund": is_open
            and found.unapplied.amount > 0
            and request.user.has_perm("invoices.add_refund"),
        },
    )


@require_http_methods(["GET", "POST"])
@permission_required("invoices.add_payment", raise_exception=True)
def payment_allocate(request: StaffRequest, pk: int) -> HttpResponse:
    """Settle invoices with what is left of a payment."""
    on = timezone.localdate()
    found = get_object_or_404(Payment.objects.select_related("client"), pk=pk)
    owed = list(owed_by(found.client_id, found.currency)[:MOST_SHOWN])
    options: dict[str, Any] = {
        "currency": found.currency,
        "today": on,
        "invoices": owed,
    }
    proposed = {
        part_name(i): as_typed(part.amount)
        for i, part in propose_allocations(found.client, found.unapplied)
    }
    form = (
        AllocationForm(request.POST, **options)
        if request.method == "POST"
        else AllocationForm(initial=proposed, **options)
    )
    if request.method == "POST" and form.is_valid():
        url = reverse("invoices:payment", args=[pk])
        answer = carry_out(
            request,
            action="allocate",
            act=lambda: allocate_unapplied(
                payment_id=pk, allocations=form.allocations(), by=request.user, on=on
            ),
            confirmed=payment_under_lock(pk),
            refused={PaymentRefused: into(form), ChangedMeanwhile: into(form)},
            done=lambda _paid: said(request, _("The cash is applied."), url),
            again=already(request),
            url=url,
        )
        if answer is not None:
            return answer
        found.refresh_from_db()
    return render_page(
        request,
        page="invoices/payments/payment_allocate.html",
        partial="invoices/payments/payment_allocate.html",
        context={
            "form": form,
            "payment": found,
            "parts": form.parts() if found.unapplied.amount > 0 or form.is_bound else [],
            "on": on,
            "confirmed": payment_shown(found).token,
        },
        status=422 if form.is_bound and form.errors else 200,
    )


@require_http_methods(["GET", "POST"])
@permission_required("invoices.reverse_payment", raise_exception=True)
def payment_reverse(request: StaffRequest, pk: int) -> HttpResponse:
    """What reversing would reopen, then the reversal."""
    on = timezone.localdate()
    found = get_object_or_404(Payment.objects.select_related("client"), pk=pk)
    form = ReversalForm(request.POST or None, initial={"on": on})
    if request.method == "POST" and form.is_valid():
        url = reverse("invoices:payment", args=[pk])
        text = _("%(amount)s is reversed.") % {"amount": formatted(found.amount)}
        answer = carry_out(
            request,
            action="reverse",
            act=lambda: reverse_payment(payment_id=pk, by=request.user, **form.cleaned_data),
            confirmed=payment_under_lock(pk),
            refused={PaymentRefused: into(form), ChangedMeanwhile: into(form)},
            done=lambda _reversal: said(request, text, url),
            again=already(request),
            url=url,
        )
        if answer is not None:
            return answer
        found.refresh_from_db()
    return render_page(
        request,
        page="invoices/payments/payment_reverse.html",
        partial="invoices/payments/payment_reverse.html",
        context={
            "form": form,
            "payment": found,
            "confirmed": payment_shown(found).token,
            "allocations": found.allocations.filter(invoice__isnull=False)
            .select_related("invoice", "taken_back_by")
            .order_by("pk"),
        },
        status=422 if form.errors else 200,
    )


@require_POST
@permission_required("invoices.reverse_payment", raise_exception=True)
def payment_undo(request: StaffRequest, pk: int) -> HttpResponse:
    """From the toast after recording: taken back on its own day, and its figures in the form."""
    found = get_object_or_404(Payment.objects.select_related("client"), pk=pk)
    url = reverse("invoices:payment", args=[pk])
    text = _("%(amount)s from %(client)s is taken back. Mend it and record it again.") % {
        "amount": formatted(found.amount),
        "client": found.client.name,
    }
    again = f"{reverse('invoices:payment-new')}?again={pk}"

    def refused(problem: PaymentRefused) -> HttpResponse:
        messages.error(request, str(problem))
        return redirect(url)

    answer = carry_out(
        request,
        action="undo",
        act=lambda: undo_payment(payment_id=pk, by=request.user),
        confirmed=payment_under_lock(pk),
        refused={PaymentRefused: refused},
        done=lambda _mirror: said(request, text, again),
        again=already(request),
        url=url,
    )
    assert answer is not None
    return answer
