"""One client: what it owes, how it usually pays, its particulars and contacts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any
from urllib.parse import urlencode

from babel import Locale
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import Count, F, Sum
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing_portal.acts import carry_out, said
from billing_portal.confirming import locked, row_under_lock
from billing_portal.editing import NotSaved, save_edit
from billing_portal.figures import grouped
from billing_portal.htmx import StaffRequest, next_url, render_page
from billing_portal.money import formatted_minor, reader_locale
from billing_portal.templatetags.portal import query_with
from invoices.clients.balances import balances
from invoices.clients.forms.clients import ClientForm, ContactForm
from invoices.clients.payment_habits import habit_of
from invoices.clients.vat_checks import known_of
from invoices.models import Client, Contact, Deal, Invoice, Payment, Quote, Subscription
from invoices.models.standing import was_issued


@require_GET
@permission_required("invoices.view_client", raise_exception=True)
def client(request: StaffRequest, pk: int) -> HttpResponse:
    on = timezone.localdate()
    found = get_object_or_404(
        Client.objects.select_related("client_type", "owner", "merged_into"), pk=pk
    )
    # Those that were merged into it are one account with it.
    clients = Client.objects.account_of(pk)
    documents = Invoice.objects.filter(client__in=clients)
    unpaid = documents.outstanding()
    # Not filtered by status: SQLite would then go through the issued ones of everybody.
    counted = documents.aggregate(issued=Count("pk", filter=was_issued()))
    return render_page(
        request,
        page="invoices/clients/client.html",
        partial="invoices/clients/client.html",
        context={
            "client": found,
            "country": Locale.parse(reader_locale()).territories.get(found.country, found.country),
            "known": known_of(found, on),
            "contacts": found.contacts.filter(gone_at__isnull=True),
            "figures": _figures(found, on),
            "unpaid": unpaid.order_by("next_due", "pk")[:25],
            "unpaid_count": unpaid.count(),
            "recent": documents.exclude(status=Invoice.Status.VOID).order_by("-pk")[:10],
            # A draft stands among them, and is no document yet.
            "documents_count": counted["issued"],
            "payments": Payment.objects.filter(client__in=clients).order_by("-received_on", "-pk")[
                :10
            ],
            "quotes": Quote.objects.filter(client__in=clients)
            .exclude(version__status="discarded")
            .select_related("version", "acceptance")[:10],
            "subscriptions": Subscription.objects.filter(client__in=clients).exclude(
                status=Subscription.Status.DISCARDED
            )[:10],
            "deals": Deal.objects.filter(client__in=clients)
            .exclude(status=Deal.Status.DELETED)
            .order_by("-won_on", "-pk")[:10],
            "on": on,
            "list_url": reverse("invoices:list") + query_with(QueryDict(), {"client": pk}),
        },
    )


def with_client(url: str, made: Client) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode({'client': made.pk})}"


def _figures(found: Client, on: date) -> dict[str, Any]:
    clients = Client.objects.account_of(found.pk)
    owed = balances([found.account_id], on).get(found.account_id, [])
    late = [each for each in owed if each.overdue_minor]
    cash = (
        Payment.objects.filter(client__in=clients)
        .values("currency")
        .annotate(left=Sum(F("amount_minor") - F("allocated_minor")))
        .filter(left__gt=0)
        .order_by("-left")
    )
    credit = (
        Invoice.objects.credit_notes()
        .filter(client__in=clients, status=Invoice.Status.ISSUED)
        .values("currency")
        .annotate(left=Sum("outstanding_minor"), n=Count("pk"))
        .order_by("-left")
    )
    habit = habit_of(found.pk)
    return {
        "open": _texts((each.outstanding_minor, each.currency) for each in owed) or "–",
        "late": _texts((each.overdue_minor, each.currency) for each in late),
        "cash": _texts((row["left"], row["currency"]) for row in cash),
        "credit": _texts((row["left"], row["currency"]) for row in credit),
        "paid": habit.payments,
        "habit": habit.days,
        "habit_text": "–" if habit.days is None else grouped(habit.days),
    }


def _texts(amounts: Iterable[tuple[int, str]]) -> str:
    return " · ".join(formatted_minor(minor, currency) for minor, currency in amounts)


@require_http_methods(["GET", "POST"])
@permission_required("invoices.change_client", raise_exception=True)
def client_edit(request: StaffRequest, pk: int | None = None) -> HttpResponse:
    """Add or change a client; `next` leads back to the draft that lacked something of it."""
    found = get_object_or_404(Client, pk=pk) if pk else None

    def page(form: ClientForm) -> HttpResponse:
        return render_page(
            request,
            page="invoices/clients/client_edit.html",
            partial="invoices/clients/client_edit.html",
            context={"form": form, "client": found, "next": next_url(request, "")},
            status=422 if form.errors else 200,
        )

    if request.method == "GET":
        return page(ClientForm(instance=found))

    def save(form: ClientForm) -> tuple[Client, str]:
        return form.save(), form.terms_warning()

    def done(saved: tuple[Client, str]) -> HttpResponse:
        client, warning = saved
        messages.success(request, _("%(name)s is saved.") % {"name": client.name})
        if warning:
            messages.warning(request, warning)
        return redirect(url(saved))

    def url(saved: tuple[Client, str]) -> str:
        own = reverse("invoices:client", args=[saved[0].pk])
        back = next_url(request, own)
        # Made on the way to something: that hears which client it is.
        return back if pk or back == own else with_client(back, saved[0])

    answer = carry_out(
        request,
        action="client",
        act=lambda: save_edit(
            request,
            lock=lambda: locked(Client.objects.all(), pk) if pk else Client(),
            build=lambda data, row: ClientForm(data, instance=row),
            save=save,
            by=request.user,
        ),
        refused={NotSaved: lambda refusal: page(refusal.form)},
        done=done,
        url=url,
    )
    assert answer is not None
    return answer


@require_http_methods(["GET", "POST"])
@permission_required("invoices.change_client", raise_exception=True)
def contact_edit(request: StaffRequest, pk: int, contact_pk: int | None = None) -> HttpResponse:
    """Add or change a contact; leaving out the contact's key adds one."""
    found = get_object_or_404(Client, pk=pk)
    contact = get_object_or_404(Contact, pk=contact_pk, client=found) if contact_pk else None

    def page(form: ContactForm) -> HttpResponse:
        return render_page(
            request,
            page="invoices/clients/contact_edit.html",
            partial="invoices/clients/contact_edit.html",
            context={"form": form, "client": found, "contact": contact},
            status=422 if form.errors else 200,
        )

    if request.method == "GET":
        return page(ContactForm(instance=contact or Contact(client=found)))
    url = reverse("invoices:client", args=[pk])
    answer = carry_out(
        request,
        action="contact",
        act=lambda: save_edit(
            request,
            lock=lambda: (
                locked(Contact.objects.all(), contact.pk) if contact else Contact(client=found)
            ),
            build=lambda data, row: ContactForm(data, instance=row),
            save=lambda form: form.save(),
            by=request.user,
        ),
        refused={NotSaved: lambda refusal: page(refusal.form)},
        done=lambda saved: said(request, _("%(name)s is saved.") % {"name": saved.name}, url),
        url=url,
    )
    assert answer is not None
    return answer


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
