"""Payments: the list and its exports."""

from __future__ import annotations

from django import forms
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.db.models import BigIntegerField, ExpressionWrapper, F, Q
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy
from django.views.decorators.http import require_GET

from billing_portal.htmx import StaffRequest
from billing_portal.keys import contains, contains_number
from billing_portal.lists.columns import Column
from billing_portal.lists.filters import left_out, periods
from billing_portal.lists.page import Listing, export, show
from billing_portal.money import is_currency
from billing_portal.typed.addresses import typed_filters
from billing_portal.typed.fields import DayField, LineField
from invoices.clients.forms.filters import OfAClientForm
from invoices.models import Allocation, Client, Payment
from invoices.models.payments import PaymentQuerySet


def _method(payment: Payment) -> str:
    """A reversal bears the method of what it takes back, and is none of its payments."""
    return _("Reversal") if payment.reverses_id else payment.get_method_display()


COLUMNS = (
    Column(
        "received",
        gettext_lazy("Value date"),
        order="received_on",
        falling=True,
        value=lambda row: row.received_on,
    ),
    Column(
        "client",
        gettext_lazy("Client"),
        order="client__name_key",
        value=lambda row: row.client.name,
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
        value=_method,
    ),
    Column("reversed", gettext_lazy("Reversed on"), value=lambda row: row.taken_back_on),
    Column("currency", gettext_lazy("Currency"), value=lambda row: row.currency),
    Column(
        "amount",
        gettext_lazy("Amount"),
        order="amount_minor",
        falling=True,
        value=lambda row: row.amount,
    ),
    Column(
        "charges",
        gettext_lazy("Bank charges"),
        value=lambda row: row.charges,
    ),
    Column(
        "free",
        gettext_lazy("Unapplied"),
        order="free_minor",
        falling=True,
        value=lambda row: row.unapplied,
    ),
)


class FilterForm(OfAClientForm):
    received_from = DayField(label=gettext_lazy("Received from"), required=False)
    received_to = DayField(label=gettext_lazy("Received until"), required=False)
    currency = LineField(label=gettext_lazy("Currency"), required=False, max_length=3)
    method = forms.ChoiceField(
        label=gettext_lazy("Method"), required=False, choices=[("", "–"), *Payment.Method.choices]
    )
    unapplied = forms.BooleanField(label=gettext_lazy("With unapplied cash"), required=False)

    def clean_currency(self) -> str:
        code = str(self.cleaned_data["currency"]).upper()
        if code and not is_currency(code):
            raise ValidationError(
                _("“%(code)s” is no currency: write its three letters.") % {"code": code}
            )
        return code


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
            contains("reference_key", q)
            | contains("client__name_key", q)
            # No join: a payment over three invoices would stand, and be added up, three times.
            | Q(pk__in=Allocation.objects.filter(contains_number(q, "invoice__")).values("payment"))
        )
    named = {
        "client__in": (chosen := wanted.get("client")) and Client.objects.account_of(chosen.pk),
        "received_on__gte": wanted.get("received_from"),
        "received_on__lte": wanted.get("received_to"),
        "currency": wanted.get("currency"),
        "method": wanted.get("method"),
    }
    found = found.filter(**{name: value for name, value in named.items() if value})
    if wanted.get("unapplied"):
        found = found.unapplied()
    return found, form


LISTING = Listing(
    name="payments",
    title=gettext_lazy("Payments"),
    columns=COLUMNS,
    default="-received",
    words=ngettext_lazy("%(n)s payment", "%(n)s payments", "count"),
    page="invoices/payments/payments.html",
    partial="invoices/payments/partials/payment_list.html",
    panel="invoices/payments/partials/payment_filter.html",
    sums=("amount_minor", "free_minor", "charges_minor"),
)


@require_GET
@permission_required("invoices.view_payment", raise_exception=True)
@typed_filters(FilterForm)
def payment_list(request: StaffRequest) -> HttpResponse:
    rows, form = selected(request.GET)
    usual = periods(request.GET, "received_from", "received_to", timezone.localdate())
    return show(
        request,
        LISTING,
        rows.select_related("client__client_type", "reversed_by"),
        form=form,
        # Few banks keep something of a payment: the column is there where one did.
        context={"periods": usual, "with_charges": rows.exclude(charges_minor=0).exists()},
    )


@require_GET
@permission_required("invoices.export", raise_exception=True)
def export_payments(request: StaffRequest, kind: str) -> HttpResponseBase:
    rows, form = selected(request.GET)
    ordered = LISTING.in_order(rows.select_related("client", "reversed_by"), request.GET)
    return export(LISTING, kind, ordered.iterator(chunk_size=2000), left_out=left_out(form))
