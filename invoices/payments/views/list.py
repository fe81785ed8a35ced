"""Payments: the list and its exports."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.decorators import permission_required
from django.db.models import BigIntegerField, ExpressionWrapper, F, Q
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET

from billing_portal.figures import grouped
from billing_portal.forms import row_id
from billing_portal.htmx import StaffRequest, render_page, wants_partial
from billing_portal.lists.columns import Column
from billing_portal.lists.exports import stream_csv, stream_xlsx
from billing_portal.lists.filters import chips
from billing_portal.lists.paging import ordered, paginate
from billing_portal.lists.totals import joined, totals_per_currency
from billing_portal.toasts import announce
from billing_portal.typed.fields import DayField
from invoices.models import Client, Payment
from invoices.models.payments import PaymentQuerySet

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
    received_from = DayField(label=gettext_lazy("Received from"), required=False)
    received_to = DayField(label=gettext_lazy("Received until"), required=False)
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
