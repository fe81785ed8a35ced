"""The connection to the approved platform: connect it, and see how it is."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST
from django_q.tasks import async_task

from billing_portal.acts import carry_out, said
from billing_portal.htmx import StaffRequest
from integrations.connecting import ConnectRefused, connect_platform, new_hook_secret
from integrations.core.waiting import of_platform
from integrations.einvoicing.forms import PlatformForm
from integrations.models import Connection, InboundEvent
from integrations.registry import PLATFORM, platform_connection
from invoices.models import LifecycleStatus, PlatformFlow

State = PlatformFlow.State


@require_http_methods(["GET", "POST"])
@permission_required("integrations.view_connection", raise_exception=True)
def connection_page(request: StaffRequest) -> HttpResponse:
    connection = platform_connection()
    may_change = request.user.has_perm("integrations.change_connection")
    if request.method == "POST" and not may_change:
        return render(request, "403.html", status=403)
    form = _form(request.POST if request.method == "POST" else None, connection)
    if request.method == "POST" and form.is_valid():
        answer = carry_out(
            request,
            action="connect a platform",
            act=lambda: connect_platform(**form.cleaned_data),
            refused={ConnectRefused: lambda refusal: form.add_error(refusal.field, str(refusal))},
            done=lambda made: said(
                request,
                _("Connected to %(name)s.") % {"name": made.account_name or made.base_url},
                reverse("integrations:platform"),
            ),
            url=reverse("integrations:platform"),
        )
        if answer is not None:
            return answer
    outbox = PlatformFlow.objects
    return render(
        request,
        "integrations/platform.html",
        {
            "connection": connection,
            "form": form,
            "may_change": may_change,
            "waits": of_platform(connection) if connection else [],
            "waiting": outbox.filter(state__in=[State.WAITING, State.UNCLEAR]).count(),
            "sent": outbox.filter(state=State.SENT).count(),
            "refused": outbox.filter(state=State.REFUSED).count(),
            "received": LifecycleStatus.objects.filter(flow=None).count(),
            "hook_url": request.build_absolute_uri(reverse("integrations:platform-hook")),
            "called": InboundEvent.objects.filter(provider=PLATFORM.key).first(),
        },
        status=422 if form.errors else 200,
    )


def _form(data: Any, connection: Connection | None) -> PlatformForm:
    initial = {
        "account_name": connection.account_name if connection else "",
        "base_url": connection.base_url if connection else "",
        "directory_url": connection.directory_url if connection else "",
        "token_url": connection.token_url if connection else "",
        "client_id": connection.client_id if connection else "",
    }
    helps = {
        "base_url": PLATFORM.address_help,
        "directory_url": PLATFORM.directory_help,
        "api_token": PLATFORM.token_help,
        "token_url": PLATFORM.login_help,
    }
    return PlatformForm(data, helps=helps, initial=initial)


@require_POST
@permission_required("integrations.run_sync", raise_exception=True)
def ask_now(request: StaffRequest) -> HttpResponse:
    """Send what waits, and ask what there is, with the next worker."""
    if platform_connection() is None:
        raise Http404
    back = reverse("integrations:platform")

    def act() -> None:
        async_task("integrations.tasks.send_to_platform")
        async_task("integrations.tasks.poll_platform")

    answer = carry_out(
        request,
        action="ask the platform",
        act=act,
        done=lambda _none: said(request, _("The platform is asked now."), back),
        url=back,
    )
    assert answer is not None
    return answer


@require_POST
@permission_required("integrations.change_connection", raise_exception=True)
def renew_hook_secret(request: StaffRequest) -> HttpResponse:
    """The old one is good for nothing from now on."""
    if platform_connection() is None:
        raise Http404
    back = reverse("integrations:platform")

    def act() -> None:
        Connection.objects.filter(provider=PLATFORM.key).update(hook_secret=new_hook_secret())

    answer = carry_out(
        request,
        action="renew the platform's secret",
        act=act,
        done=lambda _none: said(
            request, _("The new secret stands below: give it to your platform."), back
        ),
        url=back,
    )
    assert answer is not None
    return answer
