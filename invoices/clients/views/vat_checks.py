"""Asking VIES about a client's VAT id, from the client's page."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from billing_portal.acts import carry_out
from billing_portal.htmx import StaffRequest, go_to, wants_partial
from billing_portal.idempotency import AlreadyDone
from billing_portal.toasts import announce
from invoices.clients import vat_checks
from invoices.clients.vat_checks import JustAsked, NotAsked
from invoices.models import Client, VatCheck


@require_POST
@permission_required("invoices.change_client", raise_exception=True)
def ask(request: StaffRequest, pk: int) -> HttpResponse:
    """The answer comes with the panel; without script, on the client's page."""
    client = get_object_or_404(Client, pk=pk)
    url = f"{reverse('invoices:client', args=[pk])}#vat-check"

    def panel(*, refusal: str = "", status: int = 200) -> HttpResponse:
        if not wants_partial(request):
            if refusal:
                messages.warning(request, refusal)
            return go_to(request, url)
        known = vat_checks.known_of(client, timezone.localdate())
        context: dict[str, Any] = {"client": client, "known": known, "refusal": refusal}
        template = "invoices/clients/partials/vat_check.html"
        answer = render(request, template, context, status=status)
        return announce(answer, refusal or known.headline)

    def asked(check: VatCheck) -> HttpResponse:
        vat_checks.finish(check)
        return panel()

    def again(_before: AlreadyDone, _url: str) -> HttpResponse:
        # The same click twice: what the first one brought, or that it is under way.
        return panel()

    answer = carry_out(
        request,
        action="ask about a VAT id",
        act=lambda: vat_checks.begin(client_id=pk, by=request.user, on=timezone.localdate()),
        refused={
            JustAsked: lambda refusal: panel(refusal=str(refusal)),
            NotAsked: lambda refusal: panel(refusal=str(refusal), status=422),
        },
        done=asked,
        url=url,
        again=again,
    )
    assert answer is not None
    return answer
