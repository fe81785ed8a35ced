"""The page of the field mapping: which field of the CRM holds what."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from billing_portal.acts import carry_out, said
from billing_portal.confirming import locked
from billing_portal.editing import SHOWN, NotSaved, save_edit
from billing_portal.htmx import StaffRequest, render_page
from integrations.core.http import AddressRefused, ProviderError
from integrations.core.runs import SyncRefused, start_sync
from integrations.crm.examples import examples
from integrations.crm.forms import MappingForm, save_mapping
from integrations.models import Connection, SyncRun
from integrations.registry import crm_connection, open_crm


@require_http_methods(["GET", "POST"])
@permission_required("integrations.change_connection", raise_exception=True)
def mapping(request: StaffRequest) -> HttpResponse:
    """Which field holds what; `act=fields` only shows the options of other fields."""
    connection = crm_connection()
    if connection is None:
        return redirect("integrations:pipedrive")
    if request.method == "GET":
        return _mapping_page(request, connection, MappingForm(None, connection=connection))
    if request.POST.get("act") == "fields":
        form: Any = MappingForm(request.POST, connection=connection)
        # What the page showed at first is still what there is to compare with.
        form.shown_token = request.POST.get(SHOWN, "")
        return _mapping_page(request, connection, form, status=200)
    url = reverse("integrations:mapping")

    def act() -> SyncRun | SyncRefused | None:
        save_edit(
            request,
            lock=lambda: locked(Connection.objects.all(), connection.pk),
            build=lambda data, row: MappingForm(data, connection=row),
            save=save_mapping,
            by=request.user,
        )
        if not _applies(request):
            return None
        try:
            return start_sync(connection_id=connection.pk, full=True, by=request.user)
        except SyncRefused as refusal:
            # What was chosen is kept all the same.
            return refusal

    def done(started: SyncRun | SyncRefused | None) -> HttpResponse:
        if isinstance(started, SyncRun):
            return said(
                request, _("The mapping is saved; this import applies it."), led_to(started)
            )
        if started is not None:
            messages.warning(request, str(started))
        text = _("The mapping is saved. A full import applies it to what is here already.")
        return said(request, text, url)

    def led_to(started: SyncRun | SyncRefused | None) -> str:
        if isinstance(started, SyncRun):
            return reverse("integrations:run", args=[started.pk])
        return url

    answer = carry_out(
        request,
        action="mapping",
        act=act,
        refused={NotSaved: lambda refusal: _mapping_page(request, connection, refusal.form)},
        done=done,
        url=led_to,
    )
    assert answer is not None
    return answer


def _applies(request: StaffRequest) -> bool:
    """Whether the button pressed was the one that saves and then imports everything."""
    return request.POST.get("act") == "apply" and request.user.has_perm("integrations.run_sync")


def _mapping_page(
    request: StaffRequest, connection: Connection, form: MappingForm, status: int | None = None
) -> HttpResponse:
    return render_page(
        request,
        page="integrations/crm/mapping.html",
        partial="integrations/crm/partials/mapping_fields.html",
        context=_mapping_context(connection, form),
        status=status or (422 if form.errors else 200),
    )


def _mapping_context(connection: Connection, form: MappingForm) -> dict[str, Any]:
    return {
        "connection": connection,
        "form": form,
        "rows": list(form.rows()),
        "mapping_url": reverse("integrations:mapping"),
        "only_fields": json.dumps({"act": "fields"}),
    }


@require_http_methods(["GET", "POST"])
@permission_required("integrations.change_connection", raise_exception=True)
def mapping_preview(request: StaffRequest) -> HttpResponse:
    """Five real deals under the mapping as it stands in the form; nothing is saved."""
    connection = crm_connection()
    if connection is None:
        raise Http404
    form = MappingForm(request.POST or _as_data(connection), connection=connection)
    context: dict[str, Any] = {"connection": connection}
    if form.is_valid():
        try:
            with open_crm(connection, attempts=2) as crm:
                context["examples"] = examples(crm, form.rules())
        except (ProviderError, AddressRefused) as error:
            context["error"] = str(error)
    else:
        context["error"] = _("Choose fields from the lists first.")
    return render_page(
        request,
        page="integrations/crm/preview.html",
        partial="integrations/crm/partials/preview.html",
        context=context,
    )


def _as_data(connection: Connection) -> dict[str, Any]:
    """The saved mapping as if it had been sent."""
    form = MappingForm(None, connection=connection)
    return {name: form[name].value() or "" for name in form.fields}
