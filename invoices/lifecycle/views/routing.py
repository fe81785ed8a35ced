"""How each client is reached, and why."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing_portal.acts import carry_out, into, said
from billing_portal.htmx import StaffRequest, go_to, render_dialog, render_page
from billing_portal.keys import contains, text_key
from billing_portal.lists.filters import searched
from invoices.clients.recipients import client_recipients
from invoices.clients.routes import (
    RouteRefused,
    force_way,
    route_of_client,
    routes_of,
    use_address,
)
from invoices.einvoicing import platforms
from invoices.einvoicing.routing import Route
from invoices.lifecycle.forms import WayForm
from invoices.models import Client, ClientRoute, Company
from invoices.models.einvoicing import Way

SIZE: Final = 50
# The tab of those whose way is not known, or who lack what it needs.
LACKS: Final = "lacks"
_ICONS: Final = {
    Way.PLATFORM: "shield-check",
    Way.MAIL: "mail-forward",
    Way.POST: "printer",
    Way.UNKNOWN: "alert-triangle",
}
# What is not known stands first.
_ORDER: Final = {Way.UNKNOWN: 0, Way.PLATFORM: 1, Way.MAIL: 2, Way.POST: 3}


@require_GET
@permission_required("invoices.view_client", raise_exception=True)
def routing(request: StaffRequest) -> HttpResponse:
    living = Client.objects.living().filter(gone_at__isnull=True).order_by("name_key", "pk")
    q = searched(request.GET)
    if q:
        living = living.filter(contains("name_key", q) | Q(siren=text_key(q)))
    # The way follows from a rule, not a column: all are judged, in one query, and a page is shown.
    every = list(routes_of(living))
    by = request.GET.get("by", "")
    by = by if by in Way.values or by == LACKS else ""
    chosen = [pair for pair in every if not by or by == pair[1].way or _lacks(by, pair[1])]
    if not by:
        # A changed address needs somebody too. Sorting is stable: by name within each.
        chosen.sort(key=lambda pair: _ORDER[Way(pair[1].way)] if not pair[1].lacks else 0)
    start = _start(request)
    shown = dict(chosen[start : start + SIZE])
    clients = Client.objects.select_related("client_type", "route").prefetch_related("contacts")
    found = clients.in_bulk(list(shown))
    asked = ClientRoute.objects.exclude(asked_at=None).order_by("-asked_at").first()
    tabs: list[tuple[str, Any, int]] = [("", _("All"), len(every))]
    for way in (Way.PLATFORM, Way.MAIL, Way.POST, Way.UNKNOWN):
        tabs.append((way.value, way.label, sum(route.way == way for _pk, route in every)))
    lacking = sum(_lacks(LACKS, route) for _pk, route in every)
    tabs.append((LACKS, _("Needs you"), lacking))
    context: dict[str, Any] = {
        "rows": [_row(found[pk], route) for pk, route in shown.items() if pk in found],
        "tabs": tabs,
        "by": by,
        "q": q,
        "company": Company.ours(),
        "on": timezone.localdate(),
        "asked_at": asked.asked_at if asked else None,
        "platform": platforms.connected(),
        "first": start + 1,
        "last": start + len(shown),
        "count": len(chosen),
        "previous": max(0, start - SIZE) if start else None,
        "next": start + SIZE if len(chosen) > start + SIZE else None,
    }
    template = "invoices/lifecycle/routing.html"
    return render_page(request, page=template, partial=template, context=context)


def _lacks(by: str, route: Route) -> bool:
    return by == LACKS and bool(route.lacks or route.way == Way.UNKNOWN)


def _start(request: StaffRequest) -> int:
    text = request.GET.get("from", "")
    return min(int(text), 1_000_000) if text.isdecimal() and len(text) < 8 else 0


def _row(client: Client, route: Route) -> dict[str, Any]:
    address = route.address
    if route.way == Way.MAIL:
        address = ", ".join(client_recipients(client)[:2])
    elif route.way == Way.POST:
        address = ", ".join(client.address_lines)
    return {
        "client": client,
        "route": route,
        "way": Way(route.way).label,
        "icon": _ICONS[Way(route.way)],
        "reason": str(route.reason),
        "address": address,
        "offered": route.other_addresses[:1],
    }


@require_POST
@permission_required("invoices.change_client", raise_exception=True)
def take_address(request: StaffRequest, pk: int) -> HttpResponse:
    """The address that the directory names now."""
    client = get_object_or_404(Client, pk=pk)
    back = reverse("invoices:routing")
    address = request.POST.get("address", "")[:100]

    def refused(refusal: RouteRefused) -> HttpResponse:
        messages.warning(request, str(refusal))
        return go_to(request, back)

    answer = carry_out(
        request,
        action="take an electronic address",
        act=lambda: use_address(client_id=pk, address=address, by=request.user),
        refused={RouteRefused: refused},
        done=lambda _row: said(
            request,
            _("%(name)s is reached at %(address)s from the next invoice on.")
            % {"name": client.name, "address": address},
            back,
        ),
        url=back,
    )
    assert answer is not None
    return answer


@require_http_methods(["GET", "POST"])
@permission_required("accounts.change_company", raise_exception=True)
def force(request: StaffRequest, pk: int) -> HttpResponse:
    """An administrator decides otherwise, with a reason that stays visible."""
    client = get_object_or_404(Client, pk=pk)
    back = reverse("invoices:routing")
    row = ClientRoute.objects.filter(client=client).first()
    initial = {"way": row.forced, "reason": row.forced_reason} if row else {}
    form = WayForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        answer = carry_out(
            request,
            action="force how a client is reached",
            act=lambda: force_way(
                client_id=pk,
                way=form.cleaned_data["way"],
                reason=form.cleaned_data["reason"],
                by=request.user,
                now=timezone.now(),
            ),
            refused={RouteRefused: into(form, "reason")},
            done=lambda _row: said(
                request, _("It is kept for %(name)s.") % {"name": client.name}, back
            ),
            url=back,
        )
        if answer is not None:
            return answer
    return render_dialog(
        request,
        "invoices/lifecycle/force.html",
        {"client": client, "form": form, "route": route_of_client(client)},
        back=back,
        status=422 if form.errors else 200,
    )
