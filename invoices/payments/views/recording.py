"""Typing a payment in: for one client, on one invoice or over several."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from billing_portal.acts import already, carry_out, into
from billing_portal.forms import row_id
from billing_portal.htmx import StaffRequest, render_page
from billing_portal.idempotency import carried_out, key_of
from billing_portal.money import formatted, is_currency
from invoices.clients.forms import chosen_client
from invoices.models import Client, Invoice, Payment
from invoices.payments.applying import PaymentRefused
from invoices.payments.forms import (
    MOST_SHOWN,
    PaymentForm,
    part_name,
    plain_amount,
)
from invoices.payments.recording import (
    is_before_issue,
    propose_allocations,
    record_payment,
)


@require_http_methods(["GET", "POST"])
@permission_required("invoices.add_payment", raise_exception=True)
def payment_new(request: StaffRequest) -> HttpResponse:
    """For one client: the amount, and which invoices it settles; `?invoice=` begins with one."""
    on = timezone.localdate()
    given = request.POST if request.method == "POST" else request.GET
    first = _chosen_invoice(given.get("invoice", ""))
    client = first.client if first else chosen_client(given.get("client", ""))
    if client is None:
        if request.method == "POST":
            messages.error(request, _("Choose the client first. Nothing was recorded."))
        return redirect(f"{reverse('invoices:client-choices')}?then=invoices:payment-new")
    currency = first.currency if first else given.get("currency", client.currency).upper()
    if not is_currency(currency):
        currency = client.currency
    owed = list(
        Invoice.objects.outstanding()
        .filter(client=client, currency=currency)
        .order_by("due_date", "issue_date", "pk")[:MOST_SHOWN]
    )
    if first and first.pk not in {invoice.pk for invoice in owed}:
        owed = [first, *owed]
    options: dict[str, Any] = {
        "currency": currency,
        "client": client,
        "today": on,
        "invoices": owed,
    }
    if request.method == "GET":
        form = PaymentForm(initial=_first_figures(first, on), **options)
    elif "spread" in request.POST:
        form = _spread_oldest_first(request.POST, client, options)
    else:
        form = PaymentForm(request.POST, **options)
        if form.is_valid():
            answer = _record(request, form, client, on)
            if answer is not None:
                return answer
        elif done := carried_out(key_of(request)):
            messages.info(request, str(done))
            return redirect(done.result_url or "invoices:payments")
    return render_page(
        request,
        page="invoices/payments/payment_new.html",
        partial="invoices/payments/payment_new.html",
        context={
            "form": form,
            "client": client,
            "currency": currency,
            "currencies": _currencies(client, currency),
            "on": on,
            "invoice": first,
            "parts": form.parts(),
        },
        status=422 if form.is_bound and form.errors else 200,
    )


def _chosen_invoice(text: str) -> Invoice | None:
    if (invoice_id := row_id(text)) is None:
        return None
    found = Invoice.objects.outstanding().filter(pk=invoice_id)
    return found.select_related("client").first()


def _currencies(client: Client, chosen: str) -> list[str]:
    owed = Invoice.objects.outstanding().filter(client=client).order_by()
    codes = set(owed.values_list("currency", flat=True).distinct())
    return sorted({*codes, client.currency, chosen})


def _first_figures(first: Invoice | None, on: date) -> dict[str, Any]:
    found: dict[str, Any] = {"received_on": on, "method": Payment.Method.TRANSFER}
    if first:
        owed = plain_amount(first.outstanding_balance)
        found |= {"amount": owed, part_name(first): owed}
    return found


def _spread_oldest_first(given: QueryDict, client: Client, options: dict[str, Any]) -> PaymentForm:
    """The same form with the amount put on the oldest invoices: proposed, not recorded."""
    amount_field = PaymentForm(**options).fields["amount"]
    try:
        amount = amount_field.clean(given.get("amount", ""))
    except forms.ValidationError:
        form = PaymentForm(given, **options)
        form.is_valid()
        return form
    proposed = {part_name(i): plain_amount(part) for i, part in propose_allocations(client, amount)}
    kept = {
        name: given.get(name, "")
        for name in ("amount", "received_on", "reference", "method", "note")
    }
    return PaymentForm(initial={**kept, **proposed}, **options)


def _record(
    request: StaffRequest, form: PaymentForm, client: Client, on: date
) -> HttpResponse | None:
    """Record it; None when it was refused, which the form then says."""
    data = form.cleaned_data

    def act() -> Payment:
        return record_payment(
            client_id=client.pk,
            amount=data["amount"],
            received_on=data["received_on"],
            reference=data["reference"],
            method=data["method"],
            note=data["note"],
            by=request.user,
            allocations=form.allocations(),
            on=on,
        )

    return carry_out(
        request,
        action="payment",
        act=act,
        refused={PaymentRefused: into(form)},
        done=lambda paid: _recorded(request, form, client, paid),
        again=already(request),
        url=lambda paid: reverse("invoices:payment", args=[paid.pk]),
    )


def _recorded(
    request: StaffRequest, form: PaymentForm, client: Client, payment: Payment
) -> HttpResponse:
    text = _("%(amount)s from %(client)s is recorded.") % {
        "amount": formatted(payment.amount),
        "client": client.name,
    }
    if payment.unapplied.amount:
        text += " " + _("%(rest)s stay unapplied cash.") % {"rest": formatted(payment.unapplied)}
    messages.success(request, text)
    early = is_before_issue(
        payment.received_on,
        [invoice for invoice in form.invoices if invoice.pk in dict(form.allocations())],
    )
    if early:
        messages.warning(
            request,
            _("The value date is before %(numbers)s was issued: check the date.")
            % {"numbers": ", ".join(str(invoice) for invoice in early[:3])},
        )
    if (invoice_id := row_id(request.POST.get("invoice", ""))) is not None:
        return redirect("invoices:detail", pk=invoice_id)
    return redirect("invoices:payment", pk=payment.pk)
