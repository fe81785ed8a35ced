"""Who is billed for a deal without an organisation: the search, the choice and its undoing."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from billing_portal.acts import carry_out, said
from billing_portal.confirming import ChangedMeanwhile
from billing_portal.forms import row_id
from billing_portal.htmx import StaffRequest, go_to, render_page
from billing_portal.lists.filters import searched
from invoices.deals.choosing import (
    ChoiceRefused,
    choice_shown,
    choice_under_lock,
    choose_client,
    may_choose,
    take_choice_back,
)
from invoices.models import Client, Deal, Invoice

SHOWN = 20


@require_http_methods(["GET", "POST"])
@permission_required("invoices.bill_deal", raise_exception=True)
def deal_client(request: StaffRequest, pk: int) -> HttpResponse:
    get_object_or_404(Deal.objects.visible_to(request.user), pk=pk)
    if request.method == "GET":
        return _page(request, pk)
    chosen = row_id(request.POST.get("client", ""))
    back = request.POST.get("act") == "back"
    if chosen is None and not back:
        return _page(request, pk, problem=_("Choose a client."))
    by, on, url = request.user, timezone.localdate(), reverse("invoices:deal", args=[pk])
    answer = carry_out(
        request,
        action="choose the client of a deal",
        act=lambda: (
            take_choice_back(deal_id=pk, by=by, on=on)
            if back
            else choose_client(deal_id=pk, client_id=chosen or 0, by=by, on=on)
        ),
        confirmed=choice_under_lock(pk),
        refused={
            kind: lambda refusal: _page(request, pk, problem=str(refusal))
            for kind in (ChoiceRefused, ChangedMeanwhile)
        },
        done=lambda deal: said(request, _told(deal), url),
        url=url,
    )
    assert answer is not None
    return answer


def _told(deal: Deal) -> str:
    if deal.client is None:
        return _("The choice is taken back: the deal has no client.")
    return _("%(client)s is billed for this deal.") % {"client": deal.client.name}


def _page(request: StaffRequest, pk: int, *, problem: str = "") -> HttpResponse:
    """Read anew: after a refusal it shows what the deal has become."""
    deal = get_object_or_404(
        Deal.objects.select_related("client", "client_in_crm", "client_chosen_by"), pk=pk
    )
    if not problem and not may_choose(deal, Invoice.objects.billing().filter(deal=deal).first()):
        messages.info(request, _("There is no client to choose for this deal."))
        return go_to(request, reverse("invoices:deal", args=[pk]))
    text = searched(request.GET)
    clients = list(_found(request, text).exclude(pk=deal.client_id or 0)[:SHOWN])
    return render_page(
        request,
        page="invoices/deals/deal_client.html",
        partial="invoices/deals/partials/deal_client_choices.html",
        context={
            "deal": deal,
            "q": text,
            "problem": problem,
            "clients": clients,
            # Typed and Enter, or just made: one more Enter chooses it.
            "only": clients[0].pk if len(clients) == 1 else None,
            "confirmed": choice_shown(deal).token,
            "nav_section": "deals",
        },
        status=422 if problem else 200,
    )


def _found(request: StaffRequest, text: str) -> QuerySet[Client]:
    found = Client.objects.living().filter(gone_at__isnull=True)
    made = row_id(request.GET.get("client", ""))
    if made is not None and not text:
        found = found.filter(pk=made)
    elif text:
        found = found.called(text)
    return found.select_related("client_type").order_by("name_key", "pk")
