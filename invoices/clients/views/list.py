"""Clients: the list, who owes what, and its exports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property, partial
from itertools import islice

from django import forms
from django.contrib.auth.decorators import permission_required
from django.db.models import Q, QuerySet
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy
from django.views.decorators.http import require_GET

from billing_portal.accounts.models import User
from billing_portal.forms import RowsField
from billing_portal.htmx import StaffRequest
from billing_portal.lists.columns import Amount, Column
from billing_portal.lists.page import Listing, export, show
from billing_portal.lists.totals import Total, joined
from billing_portal.money import formatted_minor
from billing_portal.typed.fields import LineField
from invoices.clients.balances import Owed, accounts_of, balance_totals, balances
from invoices.models import Client, ClientType, Invoice

LISTING = Listing(
    name="clients",
    title=gettext_lazy("Clients"),
    columns=(
        Column("name", gettext_lazy("Client"), order="name_key", value=lambda row: row.client.name),
        Column(
            "type",
            gettext_lazy("Client type"),
            order="client_type__name",
            value=lambda row: row.client.client_type.name,
        ),
        Column(
            "owner",
            gettext_lazy("Account owner"),
            order="owner__name",
            nullable=True,
            value=lambda row: str(row.client.owner or ""),
        ),
        Column(
            "ledger",
            gettext_lazy("Auxiliary account"),
            value=lambda row: row.client.ledger_account,
        ),
        Column("siren", gettext_lazy("SIREN"), value=lambda row: row.client.siren),
        Column("vat", gettext_lazy("VAT id"), value=lambda row: row.client.vat_id),
        Column("city", gettext_lazy("City"), order="city", value=lambda row: row.client.city),
        Column("country", gettext_lazy("Country"), value=lambda row: row.client.country),
        Column("email", gettext_lazy("Billing email"), value=lambda row: row.client.billing_email),
    ),
    default="name",
    words=ngettext_lazy("%(n)s client", "%(n)s clients", "count"),
    page="invoices/clients/clients.html",
    partial="invoices/clients/partials/client_list.html",
    panel="invoices/clients/partials/client_filter.html",
)


class FilterForm(forms.Form):
    q = LineField(label=gettext_lazy("Contains"), required=False, max_length=200)
    type = RowsField(
        ClientType.objects.all(),
        label=gettext_lazy("Client type"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    owner = forms.ModelChoiceField(
        User.objects.order_by("name"), label=gettext_lazy("Account owner"), required=False
    )
    owing = forms.BooleanField(label=gettext_lazy("Only those who owe something"), required=False)
    late = forms.BooleanField(label=gettext_lazy("Only those who are late"), required=False)


@dataclass(frozen=True)
class Row:
    client: Client
    owed: list[Owed]

    # Kept: a row of the page writes the second of them four times.
    @cached_property
    def open(self) -> str:
        """“€1,200.00 · US$70.00”"""
        return " · ".join(formatted_minor(o.outstanding_minor, o.currency) for o in self.owed)

    @cached_property
    def late(self) -> str:
        late = [each for each in self.owed if each.overdue_minor]
        return " · ".join(formatted_minor(o.overdue_minor, o.currency) for o in late)

    def amount(self, name: str, currency: str) -> Amount | None:
        """What an export writes in the column of one currency; empty where nothing is owed."""
        minor = sum(getattr(each, name) for each in self.owed if each.currency == currency)
        return Amount(minor, currency) if minor else None


def selected(params: QueryDict, on: date) -> tuple[QuerySet[Client], FilterForm]:
    form = FilterForm(params)
    form.is_valid()
    wanted = form.cleaned_data
    found = Client.objects.living()
    if q := wanted.get("q"):
        named = Client.objects.living().called(q).order_by().values("pk")
        found = found.filter(
            Q(pk__in=named) | Q(billing_email__icontains=q) | Q(siren__startswith=q)
        )
    if types := wanted.get("type"):
        found = found.filter(client_type__in=types)
    if owner := wanted.get("owner"):
        found = found.filter(owner=owner)
    if wanted.get("owing"):
        found = found.filter(pk__in=accounts_of(Invoice.objects.outstanding()))
    if wanted.get("late"):
        found = found.filter(pk__in=accounts_of(Invoice.objects.overdue(on)))
    return found, form


def _rows(clients: Iterable[Client], on: date) -> list[Row]:
    found = list(clients)
    owed = balances([client.pk for client in found], on)
    return [Row(client, owed.get(client.pk, [])) for client in found]


@require_GET
@permission_required("invoices.view_client", raise_exception=True)
def client_list(request: StaffRequest) -> HttpResponse:
    on = timezone.localdate()
    rows, form = selected(request.GET, on)
    totals = balance_totals(rows, on)
    return show(
        request,
        LISTING,
        rows.select_related("client_type", "owner"),
        form=form,
        written=lambda page: _rows(page, on),
        context={
            "totals": totals,
            "foot": [
                {"currency": t.currency, "open": t.text("open"), "late": t.text("late")}
                for t in totals
            ],
            "found_sums": {name: joined(totals, name) for name in ("open", "late")},
        },
    )


@require_GET
@permission_required("invoices.export", raise_exception=True)
def export_clients(request: StaffRequest, kind: str) -> HttpResponseBase:
    """A column per currency: each can be added up, and a client stays one row."""
    on = timezone.localdate()
    rows, _form = selected(request.GET, on)
    ordered = LISTING.in_order(rows, request.GET).select_related("client_type", "owner")
    columns = [*LISTING.columns, *_amount_columns(balance_totals(rows, on))]
    return export(LISTING, kind, _exported(ordered, on), columns=columns)


def _amount_columns(totals: list[Total]) -> Iterator[Column]:
    for total in totals:
        for name, label in (
            ("outstanding_minor", _("Outstanding, %(currency)s")),
            ("overdue_minor", _("Overdue, %(currency)s")),
        ):
            yield Column(
                f"{name}-{total.currency}",
                label % {"currency": total.currency},
                value=partial(_amount, name, total.currency),
            )


def _amount(name: str, currency: str, row: Row) -> Amount | None:
    return row.amount(name, currency)


def _exported(clients: QuerySet[Client], on: date) -> Iterator[Row]:
    """The whole selection; what is owed is fetched by the thousand."""
    everyone = clients.iterator(chunk_size=1000)
    while some := list(islice(everyone, 1000)):
        yield from _rows(some, on)
