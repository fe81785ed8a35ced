"""Subscriptions: the list and its exports."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy
from django.views.decorators.http import require_GET

from billing_portal.accounts.models import User
from billing_portal.htmx import StaffRequest
from billing_portal.keys import contains
from billing_portal.lists.columns import Amount, Column
from billing_portal.lists.filters import left_out, tabs_of
from billing_portal.lists.page import Listing, export, show
from billing_portal.templatetags.portal import icon_html
from billing_portal.typed.addresses import typed_filters
from billing_portal.typed.fields import DayField
from invoices.clients.forms.filters import OfAClientForm
from invoices.models import Client, Subscription
from invoices.models.subscriptions import SubscriptionQuerySet
from invoices.subscriptions import words

Status = Subscription.Status
WAITING = "waiting"
COLUMNS = (
    Column(
        "client",
        gettext_lazy("Client"),
        classes="w-25p",
        order="client__name_key",
        value=lambda row: row.client.name,
    ),
    Column(
        "title",
        gettext_lazy("Title"),
        classes="d-none d-lg-table-cell w-20p",
        order="title_key",
        value=lambda row: row.title,
    ),
    Column(
        "rhythm",
        gettext_lazy("How often"),
        classes="d-none d-lg-table-cell",
        value=lambda row: words.rhythm(row.unit, row.every),
    ),
    Column(
        "state",
        gettext_lazy("State"),
        classes="d-none d-md-table-cell",
        value=lambda row: row.get_status_display(),
    ),
    Column(
        "next",
        gettext_lazy("Next invoice"),
        classes="d-none d-md-table-cell",
        order="next_due_on",
        nullable=True,
        value=lambda row: row.next_due_on,
    ),
    Column(
        "ends",
        gettext_lazy("Ends"),
        classes="d-none d-xxl-table-cell",
        value=words.ending,
    ),
    Column(
        "owner",
        gettext_lazy("Salesperson"),
        classes="d-none d-xxl-table-cell",
        value=lambda row: row.owner or "",
    ),
    Column("currency", gettext_lazy("Currency"), value=lambda row: row.currency),
    Column(
        "amount",
        gettext_lazy("Next total"),
        classes="num d-none d-md-table-cell",
        order="next_total_minor",
        falling=True,
        value=lambda row: Amount(row.next_total_minor, row.currency),
    ),
    Column(
        "yearly",
        gettext_lazy("Net in a year"),
        classes="num",
        order="yearly_minor",
        falling=True,
        value=lambda row: Amount(row.yearly_minor, row.currency),
    ),
)
TABS: tuple[tuple[str, Any], ...] = (
    ("", gettext_lazy("All subscriptions")),
    (WAITING, gettext_lazy("Waits for you")),
    *((status.value, status.label) for status in Status),
)


class FilterForm(OfAClientForm):
    owner = forms.ModelChoiceField(
        User.objects.filter(subscriptions__isnull=False).distinct(),
        label=gettext_lazy("Salesperson"),
        required=False,
    )
    way = forms.ChoiceField(
        label=gettext_lazy("On the day"),
        required=False,
        choices=[("", "–"), *Subscription.Way.choices],
    )
    next_from = DayField(label=gettext_lazy("Next invoice from"), required=False)
    next_to = DayField(label=gettext_lazy("Next invoice until"), required=False)


def selected(request: StaffRequest) -> tuple[SubscriptionQuerySet, FilterForm, str]:
    """The subscriptions that the address means, its form, and the state among the tabs."""
    params = request.GET
    form = FilterForm(params)
    form.is_valid()
    wanted = form.cleaned_data
    found = Subscription.objects.visible_to(request.user)
    state = params.get("state", "")
    if state in Status.values:
        found = found.filter(status=state)
    elif state == WAITING:
        found = found.waiting()
    else:
        # One that was thrown away is there for whoever asks for it.
        state, found = "", found.exclude(status=Status.DISCARDED)
    if q := wanted.get("q"):
        found = found.filter(contains("client__name_key", q) | contains("title_key", q))
    named = {
        "client__in": (chosen := wanted.get("client")) and Client.objects.account_of(chosen.pk),
        "owner": wanted.get("owner"),
        "way": wanted.get("way"),
        "next_due_on__gte": wanted.get("next_from"),
        "next_due_on__lte": wanted.get("next_to"),
    }
    return found.filter(**{name: each for name, each in named.items() if each}), form, state


LISTING = Listing(
    name="subscriptions",
    title=gettext_lazy("Subscriptions"),
    columns=COLUMNS,
    default="next",
    words=ngettext_lazy("%(n)s subscription", "%(n)s subscriptions", "count"),
    page="invoices/subscriptions/subscriptions.html",
    partial="invoices/subscriptions/partials/subscription_list.html",
    panel="invoices/subscriptions/partials/subscription_filter.html",
    sums=("yearly_minor",),
)
_WITH = ("client__client_type", "owner")


@require_GET
@permission_required("invoices.view_subscription", raise_exception=True)
@typed_filters(FilterForm)
def subscription_list(request: StaffRequest) -> HttpResponse:
    rows, form, state = selected(request)
    return show(
        request,
        LISTING,
        rows.select_related(*_WITH),
        form=form,
        kept=("sort", "state"),
        written=lambda page: [_told(row, timezone.localdate()) for row in page],
        context={
            "tabs": tabs_of(request.GET, TABS, state),
            "first_step": _(
                "Begin one here, from a client, an invoice (“Repeat this”), an accepted quote or a "
                "deal whose lines recur."
            ),
        },
    )


def _told(row: Subscription, on: date) -> dict[str, Any]:
    sign = icon_html(words.LOOKS[Status(row.status)][0])
    return {
        "row": row,
        "state": words.state_html(row.status, sign),
        "rhythm": words.rhythm(row.unit, row.every),
        "ending": words.ending(row),
        "is_late": row.next_due_on is not None
        and row.next_due_on < on
        and row.status == Status.ACTIVE,
    }


@require_GET
@permission_required("invoices.export", raise_exception=True)
def export_subscriptions(request: StaffRequest, kind: str) -> HttpResponseBase:
    rows, form, _state = selected(request)
    ordered = LISTING.in_order(rows.select_related(*_WITH), request.GET)
    return export(LISTING, kind, ordered.iterator(chunk_size=2000), left_out=left_out(form))
