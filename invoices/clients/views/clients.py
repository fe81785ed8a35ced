"""Clients: who owes what, how they usually pay, and their particulars."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from itertools import islice
from typing import Any

from babel import Locale
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import Count, F, Q, QuerySet, Sum
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing_portal.accounts.models import User
from billing_portal.acts import carry_out, said
from billing_portal.confirming import row_under_lock
from billing_portal.figures import grouped
from billing_portal.forms import RowsField
from billing_portal.htmx import StaffRequest, render_page, wants_partial
from billing_portal.lists.columns import Column
from billing_portal.lists.exports import stream_csv, stream_xlsx
from billing_portal.lists.filters import chips
from billing_portal.lists.paging import ordered, paginate
from billing_portal.money import formatted_minor, reader_locale
from billing_portal.templatetags.portal import query_with
from billing_portal.toasts import announce
from invoices.clients.forms import ClientForm, ContactForm
from invoices.clients.payment_habits import habit_of
from invoices.models import Client, ClientType, Contact, Deal, Invoice, Payment

COLUMNS = (
    Column("name", gettext_lazy("Client"), order="name"),
    Column("type", gettext_lazy("Client type"), order="client_type__name"),
    Column("owner", gettext_lazy("Account owner"), order="owner__name", nullable=True),
    Column("city", gettext_lazy("City"), order="city"),
)
EXPORTED = (
    Column("name", gettext_lazy("Client"), value=lambda row: row.name),
    Column("type", gettext_lazy("Client type"), value=lambda row: row.client_type.name),
    Column(
        "owner",
        gettext_lazy("Account owner"),
        value=lambda row: str(row.owner) if row.owner else "",
    ),
    Column("siren", gettext_lazy("SIREN"), value=lambda row: row.siren),
    Column("vat", gettext_lazy("VAT id"), value=lambda row: row.vat_id),
    Column("city", gettext_lazy("City"), value=lambda row: row.city),
    Column("country", gettext_lazy("Country"), value=lambda row: row.country),
    Column("email", gettext_lazy("Billing email"), value=lambda row: row.billing_email),
    Column("open", gettext_lazy("Outstanding"), value=lambda row: row.owed.get("open", "")),
    Column("late", gettext_lazy("Overdue"), value=lambda row: row.owed.get("late", "")),
)


class FilterForm(forms.Form):
    q = forms.CharField(label=gettext_lazy("Contains"), required=False, max_length=200)
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


def selected(params: QueryDict, on: date) -> tuple[QuerySet[Client], FilterForm]:
    form = FilterForm(params)
    form.is_valid()
    wanted = form.cleaned_data
    found = Client.objects.filter(merged_into__isnull=True)
    if q := wanted.get("q"):
        found = found.filter(
            Q(name__icontains=q) | Q(billing_email__icontains=q) | Q(siren__startswith=q)
        )
    if types := wanted.get("type"):
        found = found.filter(client_type__in=types)
    if owner := wanted.get("owner"):
        found = found.filter(owner=owner)
    if wanted.get("owing"):
        found = found.filter(pk__in=Invoice.objects.outstanding().values("client"))
    if wanted.get("late"):
        found = found.filter(pk__in=Invoice.objects.overdue(on).values("client"))
    return found, form


def balances(clients: list[int], on: date) -> dict[int, dict[str, str]]:
    """Per client: what is open and what of it is overdue, a text per currency joined."""
    rows = (
        Invoice.objects.outstanding()
        .filter(client__in=clients)
        .order_by()
        .values("client", "currency")
        .annotate(
            open=Sum("outstanding_minor"),
            late=Sum("outstanding_minor", filter=Q(due_date__lt=on)),
        )
        .order_by("client", "-open")
    )
    found: dict[int, dict[str, list[str]]] = defaultdict(lambda: {"open": [], "late": []})
    for row in rows:
        for key in ("open", "late"):
            if row[key]:
                found[row["client"]][key].append(formatted_minor(row[key], row["currency"]))
    return {
        client: {key: " · ".join(texts) for key, texts in both.items()}
        for client, both in found.items()
    }


@require_GET
@permission_required("invoices.view_client", raise_exception=True)
def client_list(request: StaffRequest) -> HttpResponse:
    on = timezone.localdate()
    rows, form = selected(request.GET, on)
    page = paginate(
        rows.select_related("client_type", "owner"), request.GET, COLUMNS, default="name", size=50
    )
    owed = balances([client.pk for client in page.rows], on)
    found = ngettext("%(n)s client", "%(n)s clients", page.count) % {"n": page.count_text}
    answer = render_page(
        request,
        page="invoices/clients/clients.html",
        partial="invoices/clients/partials/client_list.html",
        context={
            "page": page,
            "rows": [(client, owed.get(client.pk)) for client in page.rows],
            "found": found,
            "form": form,
            "chips": chips(form, request.GET),
            "clear_url": "?",
            "filtered": bool(request.GET),
            "kept": [("sort", value) for value in request.GET.getlist("sort")],
        },
    )
    return announce(answer, found) if wants_partial(request) else answer


def _exported(request: StaffRequest) -> Iterator[Client]:
    """The whole selection in the order of the page; what is owed is fetched by the thousand."""
    on = timezone.localdate()
    rows, _form = selected(request.GET, on)
    found = ordered(rows, request.GET, COLUMNS, default="name")
    everyone = found.select_related("client_type", "owner").iterator(chunk_size=1000)
    while some := list(islice(everyone, 1000)):
        owed = balances([each.pk for each in some], on)
        for each in some:
            each.owed = owed.get(each.pk, {})
            yield each


@require_GET
@permission_required("invoices.export", raise_exception=True)
def export_clients_csv(request: StaffRequest) -> HttpResponseBase:
    return stream_csv(_exported(request), EXPORTED, f"clients-{timezone.localdate()}.csv")


@require_GET
@permission_required("invoices.export", raise_exception=True)
def export_clients_xlsx(request: StaffRequest) -> HttpResponseBase:
    name = f"clients-{timezone.localdate()}.xlsx"
    return stream_xlsx(_exported(request), EXPORTED, name, _("Clients"))


@require_GET
@permission_required("invoices.view_client", raise_exception=True)
def client(request: StaffRequest, pk: int) -> HttpResponse:
    on = timezone.localdate()
    found = get_object_or_404(
        Client.objects.select_related("client_type", "owner", "merged_into"), pk=pk
    )
    documents = Invoice.objects.filter(client=found)
    unpaid = documents.outstanding()
    return render_page(
        request,
        page="invoices/clients/client.html",
        partial="invoices/clients/client.html",
        context={
            "client": found,
            "country": Locale.parse(reader_locale()).territories.get(found.country, found.country),
            "contacts": found.contacts.filter(gone_at__isnull=True),
            "figures": _figures(found, on),
            "unpaid": unpaid.order_by("due_date", "pk")[:25],
            "unpaid_count": unpaid.count(),
            "recent": documents.exclude(status=Invoice.Status.VOID).order_by("-pk")[:10],
            "documents_count": documents.exclude(status=Invoice.Status.VOID).count(),
            "payments": Payment.objects.filter(client=found).order_by("-received_on", "-pk")[:10],
            "deals": Deal.objects.filter(client=found)
            .exclude(status=Deal.Status.DELETED)
            .order_by("-won_on", "-pk")[:10],
            "on": on,
            "list_url": reverse("invoices:list") + query_with(QueryDict(), {"client": pk}),
        },
    )


def _figures(found: Client, on: date) -> dict[str, Any]:
    owed = balances([found.pk], on).get(found.pk, {})
    cash = (
        Payment.objects.filter(client=found)
        .values("currency")
        .annotate(left=Sum(F("amount_minor") - F("allocated_minor")))
        .filter(left__gt=0)
        .order_by("-left")
    )
    credit = (
        Invoice.objects.credit_notes()
        .filter(client=found, status=Invoice.Status.ISSUED)
        .values("currency")
        .annotate(left=Sum("outstanding_minor"), n=Count("pk"))
        .order_by("-left")
    )
    habit = habit_of(found.pk)
    return {
        "open": owed.get("open") or "–",
        "late": owed.get("late"),
        "cash": " · ".join(formatted_minor(row["left"], row["currency"]) for row in cash),
        "credit": " · ".join(formatted_minor(row["left"], row["currency"]) for row in credit),
        "paid": habit.payments,
        "habit": habit.days,
        "habit_text": "–" if habit.days is None else grouped(habit.days),
    }


@require_http_methods(["GET", "POST"])
@permission_required("invoices.change_client", raise_exception=True)
def client_edit(request: StaffRequest, pk: int | None = None) -> HttpResponse:
    found = get_object_or_404(Client, pk=pk) if pk else None
    form = ClientForm(request.POST or None, instance=found)
    if request.method == "POST" and form.is_valid():

        def saved(client: Client) -> HttpResponse:
            messages.success(request, _("%(name)s is saved.") % {"name": client.name})
            if warning := form.terms_warning():
                messages.warning(request, warning)
            return redirect("invoices:client", pk=client.pk)

        answer = carry_out(
            request,
            action="client",
            act=form.save,
            done=saved,
            url=lambda client: reverse("invoices:client", args=[client.pk]),
        )
        if answer is not None:
            return answer
    return render_page(
        request,
        page="invoices/clients/client_edit.html",
        partial="invoices/clients/client_edit.html",
        context={"form": form, "client": found},
        status=422 if form.errors else 200,
    )


@require_http_methods(["GET", "POST"])
@permission_required("invoices.change_client", raise_exception=True)
def contact_edit(request: StaffRequest, pk: int, contact_pk: int | None = None) -> HttpResponse:
    """Add or change a contact; leaving out the contact's key adds one."""
    found = get_object_or_404(Client, pk=pk)
    contact = get_object_or_404(Contact, pk=contact_pk, client=found) if contact_pk else None
    form = ContactForm(request.POST or None, instance=contact or Contact(client=found))
    if request.method == "POST" and form.is_valid():
        text = _("%(name)s is saved.") % {"name": form.cleaned_data["name"]}
        url = reverse("invoices:client", args=[pk])
        answer = carry_out(
            request,
            action="contact",
            act=form.save,
            done=lambda _contact: said(request, text, url),
            url=url,
        )
        if answer is not None:
            return answer
    return render_page(
        request,
        page="invoices/clients/contact_edit.html",
        partial="invoices/clients/contact_edit.html",
        context={"form": form, "client": found, "contact": contact},
        status=422 if form.errors else 200,
    )


@require_POST
@permission_required("invoices.change_client", raise_exception=True)
def contact_remove(request: StaffRequest, pk: int, contact_pk: int) -> HttpResponse:
    """The contact no longer receives anything; deals keep pointing at it."""
    contact = get_object_or_404(Contact, pk=contact_pk, client_id=pk)

    def remove() -> None:
        contact.gone_at = contact.gone_at or timezone.now()
        contact.receives_invoices = False
        contact.save(update_fields=["gone_at", "receives_invoices"])

    text = _("%(name)s no longer receives anything.") % {"name": contact.name}
    url = reverse("invoices:client", args=[pk])
    answer = carry_out(
        request,
        action="remove a contact",
        act=remove,
        confirmed=row_under_lock(Contact.objects.filter(client_id=pk), contact_pk),
        done=lambda _nothing: said(request, text, url),
        url=url,
    )
    assert answer is not None
    return answer
    return redirect("invoices:client", pk=pk)
