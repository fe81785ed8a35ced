"""Typing a payment in: for one client, on one invoice or over several."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from billing_portal import dates
from billing_portal.acts import already, carry_out, into, said
from billing_portal.forms import row_id
from billing_portal.htmx import StaffRequest, render_page
from billing_portal.idempotency import carried_out, key_of
from billing_portal.money import formatted, formatted_minor, is_currency
from invoices.clients.forms.clients import chosen_client
from invoices.models import Client, Invoice, Payment
from invoices.payments.applying import PaymentRefused
from invoices.payments.forms import (
    MOST_SHOWN,
    PaymentForm,
    part_name,
    read_minor,
    typed_minor,
)
from invoices.payments.recording import LooksAlike, is_before_issue, owed_by, record_payment
from invoices.payments.spreading import Part, spread


@require_http_methods(["GET", "POST"])
@permission_required("invoices.add_payment", raise_exception=True)
def payment_new(request: StaffRequest) -> HttpResponse:
    """The bank's line, and what it settles; `?invoice=` puts one first.

    The amount leads: with each change of it the parts are proposed anew, by htmx as it is typed and
    without script when it is recorded; a part that was typed stays.
    """
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
    owed = list(owed_by(client.pk, currency)[:MOST_SHOWN])
    if first and first.pk not in {invoice.pk for invoice in owed}:
        owed = [first, *owed]
    data = request.POST.copy() if request.method == "POST" else _first_figures(first, on)
    amount = read_minor(data.get("amount", ""), currency)
    recording = request.method == "POST" and not {"spread", "oldest", "rest"} & set(request.POST)
    if recording:
        # An invoice that the page did not show yet is not settled unseen.
        for invoice in owed:
            data.setdefault(part_name(invoice), "0")
    parts = _parts(data, owed, amount or 0, currency, first)
    form = PaymentForm(data, currency=currency, client=client, today=on, invoices=owed)
    alike: list[Payment] = []
    if recording and form.is_valid():
        if request.POST.get("same") == "same" and (answer := _the_same(request, client)):
            return answer
        if answer := _record(request, form, client, on, alike):
            return answer
    elif recording and (done := carried_out(key_of(request))):
        messages.info(request, str(done))
        return redirect(done.result_url or "invoices:payments")
    refused = recording and bool(form.errors or alike)
    return render_page(
        request,
        page="invoices/payments/payment_new.html",
        partial="invoices/payments/payment_new.html",
        context={
            "form": form if refused else form.unjudged(),
            "client": client,
            "currency": currency,
            "currencies": _currencies(client, currency),
            "on": on,
            "invoice": first,
            "rows": [_row(form, part, currency) for part in parts],
            "alike": alike,
            "asked": ",".join(str(payment.pk) for payment in alike),
            **_sums(parts, amount, currency),
        },
        status=422 if refused else 200,
    )


def _parts(
    data: Any, owed: list[Invoice], amount: int, currency: str, first: Invoice | None
) -> list[Part]:
    """The spread, written into `data` as it stands in the fields."""
    by_hand: dict[int, int | None] = {}
    if "oldest" not in data:
        for invoice in owed:
            name = part_name(invoice)
            text = data.get(name, "").strip()
            if data.get(f"hand-{name}") or text != data.get(f"was-{name}", "").strip():
                by_hand[invoice.pk] = read_minor(text, currency) if text else 0
    label = "" if "oldest" in data else data.get("reference", "")
    leading = first.pk if first else None
    parts = spread(amount, owed, by_hand=by_hand, label=label, first=leading)
    left = amount - sum(part.minor or 0 for part in parts)
    rest = next((part for part in parts if str(part.invoice.pk) == data.get("rest")), None)
    if rest is not None and left > 0:
        invoice = rest.invoice
        by_hand[invoice.pk] = min(invoice.outstanding_minor, (rest.minor or 0) + left)
        data[part_name(invoice)] = typed_minor(by_hand[invoice.pk], currency)
        parts = spread(amount, owed, by_hand=by_hand, label=label, first=leading)
    for part in parts:
        if not part.by_hand:
            data[part_name(part.invoice)] = typed_minor(part.minor, currency)
    return parts


def _row(form: PaymentForm, part: Part, currency: str) -> dict[str, Any]:
    return {
        "invoice": part.invoice,
        "field": form[part_name(part.invoice)],
        "name": part_name(part.invoice),
        "was": "" if part.by_hand else typed_minor(part.minor, currency),
        "by_hand": part.by_hand,
        "in_label": part.in_label,
        "out": not part.minor,
        "settled": part.left_minor == 0,
        "left": formatted_minor(part.left_minor, currency),
    }


def _sums(parts: list[Part], amount: int | None, currency: str) -> dict[str, Any]:
    """The running figures beside the parts."""
    given = sum(part.minor or 0 for part in parts)
    left = (amount or 0) - given
    open_left = [part for part in parts if part.left_minor > 0]
    return {
        "amount": formatted_minor(amount, currency) if amount else "",
        "amount_minor": amount or 0,
        "given": formatted_minor(given, currency),
        "given_minor": min(given, amount or 0),
        "left": formatted_minor(abs(left), currency),
        "left_minor": left,
        "outstanding": formatted_minor(
            sum(part.invoice.outstanding_minor for part in parts), currency
        ),
        "still_open": formatted_minor(sum(part.left_minor for part in parts), currency),
        "settling": [
            (part.invoice, formatted_minor(-part.minor, currency), part.left_minor == 0)
            for part in parts
            if part.minor
        ],
        "rest_on": open_left[0].invoice if left > 0 and open_left else None,
    }


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
    """What the page begins with; from an invoice's page its open amount, to be typed over."""
    found = {"received_on": dates.as_typed(on), "method": Payment.Method.TRANSFER.value}
    if first:
        found["amount"] = typed_minor(first.outstanding_minor, first.currency)
    return found


def _the_same(request: StaffRequest, client: Client) -> HttpResponse | None:
    """It is money that is here already: nothing is recorded, that payment opens."""
    account = Client.objects.account_of(client.pk)
    found = Payment.objects.filter(pk__in=_asked(request), client__in=account).first()
    if found is None:
        return None
    return said(
        request,
        _("Nothing was recorded: it is this payment."),
        reverse("invoices:payment", args=[found.pk]),
    )


def _asked(request: StaffRequest) -> list[int]:
    """The payments that the page asked about."""
    texts = request.POST.get("asked", "").split(",")
    return [pk for text in texts if (pk := row_id(text)) is not None]


def _record(
    request: StaffRequest, form: PaymentForm, client: Client, on: date, alike: list[Payment]
) -> HttpResponse | None:
    """Record it; None when it was refused, which the form then says, or when `alike` asks."""
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
            other_than=_asked(request) if request.POST.get("same") == "other" else [],
        )

    return carry_out(
        request,
        action="payment",
        act=act,
        refused={
            LooksAlike: lambda question: alike.extend(question.payments),
            PaymentRefused: into(form),
        },
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
