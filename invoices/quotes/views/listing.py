"""Quotes: the list, its exports, and how many are accepted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.contrib.auth.decorators import permission_required
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy, ngettext_lazy
from django.views.decorators.http import require_GET

from billing_portal.accounts.models import User
from billing_portal.figures import EMPTY, decimal, percent
from billing_portal.htmx import StaffRequest
from billing_portal.keys import contains, contains_number
from billing_portal.lists.columns import Amount, Column
from billing_portal.lists.filters import left_out, periods, tabs_of
from billing_portal.lists.page import Listing, export, show
from billing_portal.templatetags.portal import quote_state
from billing_portal.typed.addresses import AddressForm, typed_filters
from billing_portal.typed.fields import DayField
from invoices.clients.forms.filters import OfAClientForm
from invoices.models import Client, Quote, QuoteVersion
from invoices.models.quotes import QuoteQuerySet, State
from invoices.quotes import measuring

COLUMNS = (
    Column(
        "number",
        gettext_lazy("Number"),
        classes="d-none d-md-table-cell",
        order="number_sort",
        falling=True,
        value=lambda row: row.number,
    ),
    Column(
        "client",
        gettext_lazy("Client"),
        classes="w-20p",
        order="client__name_key",
        value=lambda row: row.client.name,
    ),
    Column(
        "title",
        gettext_lazy("Title"),
        classes="d-none d-xl-table-cell w-25p",
        value=lambda row: row.version.title,
    ),
    Column(
        "begun",
        gettext_lazy("Begun"),
        order="created_at",
        falling=True,
        value=lambda row: timezone.localdate(row.created_at),
    ),
    Column(
        "sent",
        gettext_lazy("Sent on"),
        classes="d-none d-lg-table-cell",
        order="first_sent_on",
        nullable=True,
        falling=True,
        value=lambda row: row.first_sent_on,
    ),
    Column(
        "until",
        gettext_lazy("Valid until"),
        classes="d-none d-lg-table-cell",
        order="version__valid_until",
        value=lambda row: row.version.valid_until,
    ),
    Column(
        "state",
        gettext_lazy("State"),
        classes="d-none d-md-table-cell",
        value=lambda row: row.version.state(timezone.localdate()).label,
    ),
    Column(
        "owner",
        gettext_lazy("Salesperson"),
        classes="d-none d-xxl-table-cell",
        value=lambda row: row.owner or "",
    ),
    Column("currency", gettext_lazy("Currency"), value=lambda row: row.currency),
    Column(
        "net",
        gettext_lazy("Net"),
        value=lambda row: Amount(row.net_minor, row.currency),
    ),
    Column(
        "total",
        gettext_lazy("Total"),
        classes="num",
        order="total_minor",
        falling=True,
        value=lambda row: Amount(row.total_minor, row.currency),
    ),
)
# Each excludes the others; "replaced" is a state of a version, never of a quote.
TO_BILL = "to_bill"
TABS: Sequence[tuple[str, Any]] = (
    ("", gettext_lazy("All quotes")),
    (TO_BILL, gettext_lazy("To bill")),
    *((state.value, state.label) for state in State if state != State.REPLACED),
)


class FilterForm(OfAClientForm):
    owner = forms.ModelChoiceField(
        User.objects.filter(quotes__isnull=False).distinct(),
        label=gettext_lazy("Salesperson"),
        required=False,
    )
    sent_from = DayField(label=gettext_lazy("Sent from"), required=False)
    sent_to = DayField(label=gettext_lazy("Sent until"), required=False)
    until_from = DayField(label=gettext_lazy("Valid from"), required=False)
    until_to = DayField(label=gettext_lazy("Valid to"), required=False)


def selected(request: StaffRequest, on: date) -> tuple[QuoteQuerySet, FilterForm, str]:
    """The quotes that the address means, its form, and the state among the tabs."""
    params = request.GET
    form = FilterForm(params)
    form.is_valid()
    wanted = form.cleaned_data
    found = Quote.objects.visible_to(request.user).annotate(
        # What was accepted, where it was: the choices may be others than those ticked at first.
        total_minor=Coalesce("acceptance__total_minor", "version__total_minor"),
        net_minor=Coalesce("acceptance__net_minor", "version__net_minor"),
        currency=F("version__currency"),
    )
    state = params.get("state", "")
    if state in State.values and state != State.REPLACED:
        found = found.in_state(state, on)
    elif state == TO_BILL:
        found = found.to_bill()
    else:
        # A draft that was thrown away is there for whoever asks for it.
        state, found = "", found.exclude(version__status=State.DISCARDED)
    if q := wanted.get("q"):
        titled = QuoteVersion.objects.filter(contains("title_key", q)).values("quote")
        found = found.filter(
            contains("client__name_key", q) | contains_number(q) | Q(pk__in=titled)
        )
    named = {
        "client__in": (chosen := wanted.get("client")) and Client.objects.account_of(chosen.pk),
        "owner": wanted.get("owner"),
        "first_sent_on__gte": wanted.get("sent_from"),
        "first_sent_on__lte": wanted.get("sent_to"),
        "version__valid_until__gte": wanted.get("until_from"),
        "version__valid_until__lte": wanted.get("until_to"),
    }
    found = found.filter(**{name: value for name, value in named.items() if value})
    return found, form, state


LISTING = Listing(
    name="quotes",
    title=gettext_lazy("Quotes"),
    columns=COLUMNS,
    default="-begun",
    words=ngettext_lazy("%(n)s quote", "%(n)s quotes", "count"),
    page="invoices/quotes/quotes.html",
    partial="invoices/quotes/partials/quote_list.html",
    panel="invoices/quotes/partials/quote_filter.html",
    sums=("total_minor",),
)
_WITH = ("client__client_type", "version", "owner")


@require_GET
@permission_required("invoices.view_quote", raise_exception=True)
@typed_filters(FilterForm)
def quote_list(request: StaffRequest) -> HttpResponse:
    on = timezone.localdate()
    rows, form, state = selected(request, on)
    return show(
        request,
        LISTING,
        rows.select_related(*_WITH),
        form=form,
        kept=("sort", "state"),
        written=lambda page: [(row, quote_state(row.version, on)) for row in page],
        context={
            "tabs": tabs_of(request.GET, TABS, state),
            "periods": periods(request.GET, "sent_from", "sent_to", on),
            "on": on,
        },
    )


@require_GET
@permission_required("invoices.export", raise_exception=True)
def export_quotes(request: StaffRequest, kind: str) -> HttpResponseBase:
    rows, form, _state = selected(request, timezone.localdate())
    ordered = LISTING.in_order(rows.select_related(*_WITH), request.GET)
    return export(LISTING, kind, ordered.iterator(chunk_size=2000), left_out=left_out(form))


class PeriodForm(AddressForm):
    sent_from = DayField(label=gettext_lazy("Sent from"), required=False)
    sent_to = DayField(label=gettext_lazy("Sent until"), required=False)


@require_GET
@permission_required("invoices.view_quote", raise_exception=True)
@typed_filters(PeriodForm)
def figures(request: StaffRequest) -> HttpResponse:
    """How many are accepted and how long that takes, of quotes first sent in a span of days."""
    on = timezone.localdate()
    form = PeriodForm(request.GET)
    form.is_valid()
    first, last = form.cleaned_data.get("sent_from"), form.cleaned_data.get("sent_to")
    quotes = measuring.sent_between(Quote.objects.visible_to(request.user), first, last)
    found = measuring.measured(quotes, on)
    reasons = dict(QuoteVersion.DeclineReason.choices)
    return render(
        request,
        "invoices/quotes/figures.html",
        {
            "form": form,
            "problems": left_out(form),
            "periods": periods(request.GET, "sent_from", "sent_to", on),
            "all": _written(found.all),
            "types": [_written(tally) for tally in found.by_type],
            "declined": [
                (reasons.get(code, code), n) for code, n in measuring.declined_for(quotes)
            ],
            "enough": measuring.ENOUGH,
            "list_url": reverse("invoices:quotes"),
            "on": on,
        },
    )


def _written(tally: measuring.Tally) -> dict[str, Any]:
    median = tally.median_days
    return {
        "tally": tally,
        "rate": EMPTY if tally.rate is None else percent(round(float(tally.rate) * 100, 1)),
        "median": EMPTY if median is None else decimal(float(median)),
    }
