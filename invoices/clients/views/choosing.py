"""Choosing a client for a new invoice, quote or subscription."""

from __future__ import annotations

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET

from billing_portal.htmx import StaffRequest, render_page, wants_partial
from billing_portal.lists.filters import searched
from invoices.models import Client

# What `for` in the address says: where the client is taken to, and the section of the menu.
_PURPOSES = {
    "quote": ("quote-new", "quotes"),
    "subscription": ("subscription-new", "subscriptions"),
}


@require_GET
@permission_required("invoices.view_client", raise_exception=True)
def client_choices(request: StaffRequest) -> HttpResponse:
    """Clients whose name contains what was typed."""
    text = searched(request.GET)
    purpose = request.GET.get("for", "")
    name, section = _PURPOSES.get(purpose, ("new", "invoices"))
    then_url = reverse(f"invoices:{name}")
    found = Client.objects.living()
    if text:
        found = found.called(text)
        if not wants_partial(request) and len(only := list(found[:2])) == 1:
            # Typed and Enter: nothing is left to choose.
            return redirect(f"{then_url}?client={only[0].pk}")
    return render_page(
        request,
        page="invoices/clients/choose_client.html",
        partial="invoices/clients/partials/client_choices.html",
        context={
            "clients": found.select_related("client_type").order_by("name_key")[:20],
            "q": text,
            "then_url": then_url,
            "purpose": purpose if purpose in _PURPOSES else "",
            "nav_section": section,
        },
    )
