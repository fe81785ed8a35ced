"""Refunds, and what is taken back: a refund, a write-off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from billing_portal.acts import already, carry_out, into, said
from billing_portal.confirming import ChangedMeanwhile, Shown
from billing_portal.htmx import StaffRequest, render_page
from billing_portal.money import formatted, formatted_minor, from_minor, is_currency
from billing_portal.typed.numbers import as_typed
from invoices.clients.forms.clients import chosen_client
from invoices.models import Allocation, Client, Invoice, Payment, Refund
from invoices.payments.applying import PaymentRefused, take_back_write_off
from invoices.payments.confirming import (
    refund_shown,
    refund_under_lock,
    sources_shown,
    write_off_shown,
    write_off_under_lock,
)
from invoices.payments.forms import RefundForm, TakeBackForm
from invoices.payments.refunding import refund_client, refundable, take_back_refund


@require_http_methods(["GET", "POST"])
@permission_required("invoices.add_refund", raise_exception=True)
def refund_new(request: StaffRequest) -> HttpResponse:
    """Pay a client back: what can go back, and how much of it does."""
    on = timezone.localdate()
    given = request.POST if request.method == "POST" else request.GET
    client = chosen_client(given.get("client", ""))
    if client is None:
        messages.error(request, _("Choose the client first. Nothing was recorded."))
        return redirect("invoices:payments")
    currencies = _currencies(client)
    currency = given.get("currency", "").upper()
    if not is_currency(currency):
        currency = currencies[0] if currencies else client.currency
    sources = refundable(client.pk, currency)
    free = from_minor(sum(source.free_minor for source in sources), currency)
    form = RefundForm(
        request.POST or None,
        currency=currency,
        today=on,
        initial={"amount": as_typed(free.amount), "refunded_on": on, "method": "transfer"},
    )
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        answer = carry_out(
            request,
            action="refund",
            act=lambda: refund_client(client_id=client.pk, by=request.user, on=on, **data),
            confirmed=lambda: sources_shown(refundable(client.pk, currency, lock=True)),
            refused={PaymentRefused: into(form), ChangedMeanwhile: into(form)},
            done=lambda refund: said(
                request,
                _("%(amount)s to %(client)s is recorded as refunded.")
                % {"amount": formatted(refund.amount), "client": client.name},
                reverse("invoices:refund", args=[refund.pk]),
            ),
            again=already(request),
            url=lambda refund: reverse("invoices:refund", args=[refund.pk]),
        )
        if answer is not None:
            return answer
    return render_page(
        request,
        page="invoices/payments/refund_new.html",
        partial="invoices/payments/refund_new.html",
        context={
            "form": form,
            "client": client,
            "currency": currency,
            "currencies": currencies,
            "sources": sources,
            # A form that was sent is given back as it was typed.
            "nothing": not sources and not form.is_bound,
            "free": free,
            "confirmed": sources_shown(sources).token,
        },
        status=422 if form.errors else 200,
    )


def _currencies(client: Client) -> list[str]:
    """Those in which something can go back, the client's own first."""
    account = Client.objects.account_of(client.pk)
    cash = Payment.objects.unapplied_of(account).order_by()
    notes = Invoice.objects.credit_notes().filter(client__in=account, status=Invoice.Status.ISSUED)
    codes = {
        *cash.values_list("currency", flat=True),
        *notes.order_by().values_list("currency", flat=True),
    }
    return sorted(codes, key=lambda code: (code != client.currency, code))


@require_GET
@permission_required("invoices.view_payment", raise_exception=True)
def refund(request: StaffRequest, pk: int) -> HttpResponse:
    """The refund's own page, to be printed as its receipt."""
    found = get_object_or_404(
        Refund.objects.select_related("client__client_type", "recorded_by", "reverses"), pk=pk
    )
    taken_back = Refund.objects.filter(reverses=found).select_related("recorded_by").first()
    parts = Allocation.objects.filter(refund=found).select_related("payment", "credit_note")
    return render(
        request,
        "invoices/payments/refund.html",
        {
            "refund": found,
            "taken_back": taken_back,
            "parts": [
                (part, formatted_minor(abs(part.amount_minor), found.currency))
                for part in parts.order_by("pk")
            ],
            "amount": formatted_minor(abs(found.amount_minor), found.currency),
            "may_take_back": found.reverses_id is None
            and taken_back is None
            and request.user.has_perm("invoices.add_refund"),
        },
    )


@require_http_methods(["GET", "POST"])
@permission_required("invoices.add_refund", raise_exception=True)
def refund_take_back(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Refund.objects.select_related("client"), pk=pk)
    on = timezone.localdate()
    url = reverse("invoices:refund", args=[pk])
    return _take_back(
        request,
        act=lambda reason: take_back_refund(refund_id=pk, reason=reason, by=request.user, on=on),
        shown=lambda: refund_shown(found),
        under_lock=refund_under_lock(pk),
        action="refund back",
        title=_("Take back the refund of %(amount)s?") % {"amount": formatted(found.amount)},
        text=_("The money is the client’s unapplied cash or unused credit again, from today."),
        done=_("The refund is taken back."),
        url=url,
        crumb=str(found),
    )


@require_http_methods(["GET", "POST"])
@permission_required("invoices.add_creditnote", raise_exception=True)
def write_off_take_back(request: StaffRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(
        Allocation.objects.select_related("invoice"),
        pk=pk,
        kind=Allocation.Kind.WRITE_OFF,
        amount_minor__gt=0,
    )
    assert row.invoice is not None
    on = timezone.localdate()
    amount = formatted_minor(row.amount_minor, row.invoice.currency)
    return _take_back(
        request,
        act=lambda reason: take_back_write_off(
            allocation_id=pk, reason=reason, by=request.user, on=on
        ),
        shown=lambda: write_off_shown(row),
        under_lock=write_off_under_lock(pk),
        action="write-off back",
        title=_("Take back the write-off of %(amount)s?") % {"amount": amount},
        text=_("%(number)s is owed again from today; reports of earlier days stay as they are.")
        % {"number": row.invoice},
        done=_("The write-off is taken back."),
        url=reverse("invoices:detail", args=[row.invoice_id]),
        crumb=str(row.invoice),
    )


def _take_back(
    request: StaffRequest, *, act: Any, shown: Callable[[], Shown],
    under_lock: Callable[[], Shown], action: str, title: str, text: str, done: str, url: str,
    crumb: str,
) -> HttpResponse:  # fmt: skip
    form = TakeBackForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        answer = carry_out(
            request,
            action=action,
            act=lambda: act(form.cleaned_data["reason"]),
            confirmed=under_lock,
            refused={PaymentRefused: into(form), ChangedMeanwhile: into(form)},
            done=lambda _row: said(request, done, url),
            again=already(request),
            url=url,
        )
        if answer is not None:
            return answer
    return render_page(
        request,
        page="invoices/payments/take_back.html",
        partial="invoices/payments/take_back.html",
        context={
            "form": form,
            "title": title,
            "text": text,
            "back": url,
            "crumb": crumb,
            "confirmed": shown().token,
        },
        status=422 if form.errors else 200,
    )
