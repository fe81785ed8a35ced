"""Payments: the list, typing one in, what it settled, taking it back."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import BigIntegerField, ExpressionWrapper, F, Q
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods

from billing_portal.acts import already, carry_out, into, said
from billing_portal.dates import DateTextField
from billing_portal.figures import grouped
from billing_portal.forms import row_id
from billing_portal.htmx import StaffRequest, render_page, wants_partial
from billing_portal.idempotency import carried_out, key_of
from billing_portal.lists.columns import Column
from billing_portal.lists.exports import stream_csv, stream_xlsx
from billing_portal.lists.filters import chips, searched
from billing_portal.lists.paging import ordered, paginate
from billing_portal.lists.totals import joined, totals_per_currency
from billing_portal.money import formatted, is_currency
from billing_portal.toasts import announce
from invoices.clients.views.clients import chosen_client
from invoices.models import Client, Invoice, Payment
from invoices.models.payments import PaymentQuerySet
from invoices.payments.applying import PaymentRefused
from invoices.payments.forms import (
    MOST_SHOWN,
    AllocationForm,
    PaymentForm,
    ReversalForm,
    part_name,
    plain_amount,
)
from invoices.payments.recording import (
    allocate_unapplied,
    is_before_issue,
    propose_allocations,
    record_payment,
    reverse_payment,
)

COLUMNS = (
    Column(
        "received",
        gettext_lazy("Value date"),
        order="received_on",
        falling=True,
        value=lambda row: row.received_on,
    ),
    Column(
        "client", gettext_lazy("Client"), order="client__name", value=lambda row: row.client.name
    ),
    Column(
        "reference",
        gettext_lazy("Reference"),
        order="reference",
        value=lambda row: row.reference,
    ),
    Column(
        "method",
        gettext_lazy("Method"),
        order="method",
        value=lambda row: row.get_method_display(),
    ),
    Column("currency", gettext_lazy("Currency"), value=lambda row: row.currency),
    Column(
        "amount",
        gettext_lazy("Amount"),
        order="amount_minor",
        falling=True,
        value=lambda row: row.amount,
    ),
    Column(
        "free",
        gettext_lazy("Unapplied"),
        order="free_minor",
        falling=True,
        value=lambda row: row.unapplied,
    ),
)


class FilterForm(forms.Form):
    q = forms.CharField(label=gettext_lazy("Contains"), required=False, max_length=200)
    client = forms.ModelChoiceField(
        Client.objects.none(), label=gettext_lazy("Client"), required=False
    )
    received_from = DateTextField(label=gettext_lazy("Received from"), required=False)
    received_to = DateTextField(label=gettext_lazy("Received until"), required=False)
    currency = forms.CharField(label=gettext_lazy("Currency"), required=False, max_length=3)
    method = forms.ChoiceField(
        label=gettext_lazy("Method"), required=False, choices=[("", "–"), *Payment.Method.choices]
    )
    unapplied = forms.BooleanField(label=gettext_lazy("With unapplied cash"), required=False)

    def __init__(self, params: QueryDict) -> None:
        super().__init__(params)
        chosen = params.get("client", "")
        if (client_id := row_id(chosen)) is not None:
            field: Any = self.fields["client"]
            field.queryset = Client.objects.filter(pk=client_id)


def selected(params: QueryDict) -> tuple[PaymentQuerySet, FilterForm]:
    form = FilterForm(params)
    form.is_valid()
    wanted = form.cleaned_data
    found = Payment.objects.annotate(
        free_minor=ExpressionWrapper(
            F("amount_minor") - F("allocated_minor"), output_field=BigIntegerField()
        )
    )
    if q := wanted.get("q"):
        found = found.filter(
            Q(reference__icontains=q)
            | Q(client__name__icontains=q)
            | Q(allocations__invoice__number__icontains=q)
        ).distinct()
    named = {
        "client": wanted.get("client"),
        "received_on__gte": wanted.get("received_from"),
        "received_on__lte": wanted.get("received_to"),
        "currency": (wanted.get("currency") or "").upper(),
        "method": wanted.get("method"),
    }
    found = found.filter(**{name: value for name, value in named.items() if value})
    if wanted.get("unapplied"):
        found = found.unapplied()
    return found, form


@require_GET
@permission_required("invoices.view_payment", raise_exception=True)
def payment_list(request: StaffRequest) -> HttpResponse:
    rows, form = selected(request.GET)
    totals = totals_per_currency(rows, "amount_minor", "free_minor")
    count = sum(total.count for total in totals)
    page = paginate(
        rows.select_related("client__client_type"),
        request.GET,
        COLUMNS,
        default="-received",
        size=50,
        count=count,
    )
    found = ngettext("%(n)s payment", "%(n)s payments", count) % {"n": grouped(count)}
    answer = render_page(
        request,
        page="invoices/payments/payments.html",
        partial="invoices/payments/partials/payment_list.html",
        context={
            "page": page,
            "rows": page.rows,
            "totals": [
                (total.currency, total.count, total.text("amount_minor"), total.text("free_minor"))
                for total in totals
            ],
            "found": found,
            "found_total": joined(totals, "amount_minor"),
            "form": form,
            "chips": chips(form, request.GET),
            "clear_url": "?",
            "filtered": bool(request.GET),
            "kept": [("sort", value) for value in request.GET.getlist("sort")],
        },
    )
    return announce(answer, found) if wants_partial(request) else answer


def _exported(request: StaffRequest) -> Any:
    rows, _form = selected(request.GET)
    rows = rows.select_related("client")
    return ordered(rows, request.GET, COLUMNS, default="-received").iterator(chunk_size=2000)


@require_GET
@permission_required("invoices.export", raise_exception=True)
def export_payments_csv(request: StaffRequest) -> HttpResponseBase:
    return stream_csv(_exported(request), COLUMNS, f"payments-{timezone.localdate()}.csv")


@require_GET
@permission_required("invoices.export", raise_exception=True)
def export_payments_xlsx(request: StaffRequest) -> HttpResponseBase:
    name = f"payments-{timezone.localdate()}.xlsx"
    return stream_xlsx(_exported(request), COLUMNS, name, _("Payments"))


# ─ Typing one in ────────────────────────────────────────────────────────────────────────────────
@require_GET
@permission_required("invoices.view_client", raise_exception=True)
def client_choices(request: StaffRequest) -> HttpResponse:
    """Clients whose name contains what was typed: for choosing one, here and for a new invoice."""
    text = searched(request.GET)
    target = request.GET.get("then", "")
    if target not in ("invoices:payment-new", "invoices:new"):
        target = "invoices:payment-new"
    found = Client.objects.filter(merged_into__isnull=True)
    if text:
        found = found.filter(name__icontains=text)
        if not wants_partial(request) and len(only := list(found[:2])) == 1:
            # Typed and Enter: nothing is left to choose.
            return redirect(f"{reverse(target)}?client={only[0].pk}")
    return render_page(
        request,
        page="invoices/clients/choose_client.html",
        partial="invoices/clients/partials/client_choices.html",
        context={
            "clients": found.select_related("client_type").order_by("name")[:20],
            "q": text,
            "then": target,
            "then_url": reverse(target),
            "nav_section": "invoices" if target == "invoices:new" else "payments",
        },
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


# ─ One payment ──────────────────────────────────────────────────────────────────────────────────
@require_GET
@permission_required("invoices.view_payment", raise_exception=True)
def payment(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(
        Payment.objects.select_related("client__client_type", "recorded_by", "reverses"), pk=pk
    )
    reversed_by = Payment.objects.filter(reverses=found).select_related("recorded_by").first()
    is_open = found.reverses_id is None and reversed_by is None
    return render(
        request,
        "invoices/payments/payment.html",
        {
            "payment": found,
            "allocations": found.allocations.select_related("invoice").order_by("pk"),
            "reversed_by": reversed_by,
            "may_reverse": is_open and request.user.has_perm("invoices.reverse_payment"),
            "may_apply": is_open
            and found.unapplied.amount > 0
            and request.user.has_perm("invoices.add_payment"),
        },
    )


@require_http_methods(["GET", "POST"])
@permission_required("invoices.add_payment", raise_exception=True)
def payment_allocate(request: StaffRequest, pk: int) -> HttpResponse:
    """Settle invoices with what is left of a payment."""
    on = timezone.localdate()
    found = get_object_or_404(Payment.objects.select_related("client"), pk=pk)
    owed = list(
        Invoice.objects.outstanding()
        .filter(client=found.client_id, currency=found.currency)
        .order_by("due_date", "issue_date", "pk")[:MOST_SHOWN]
    )
    options: dict[str, Any] = {
        "currency": found.currency,
        "client": found.client,
        "today": on,
        "invoices": owed,
    }
    proposed = {
        part_name(i): plain_amount(part)
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
            refused={PaymentRefused: into(form)},
            done=lambda _paid: said(request, _("The cash is applied."), url),
            again=already(request),
            url=url,
        )
        if answer is not None:
            return answer
    return render_page(
        request,
        page="invoices/payments/payment_allocate.html",
        partial="invoices/payments/payment_allocate.html",
        context={"form": form, "payment": found, "parts": form.parts(), "on": on},
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
            refused={PaymentRefused: into(form)},
            done=lambda _reversal: said(request, text, url),
            again=already(request),
            url=url,
        )
        if answer is not None:
            return answer
    return render_page(
        request,
        page="invoices/payments/payment_reverse.html",
        partial="invoices/payments/payment_reverse.html",
        context={
            "form": form,
            "payment": found,
            "allocations": found.allocations.select_related("invoice").order_by("pk"),
        },
        status=422 if form.errors else 200,
    )
