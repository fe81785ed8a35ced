"""Settings about client types: their names, marks and order; merging and deleting."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from billing_portal.htmx import StaffRequest
from invoices.clients import types
from invoices.clients.type_forms import MARK_WORDS, ClientTypeForm, MergeForm
from invoices.clients.types import ClientTypeRefused
from invoices.company.views import may_change, settings_page
from invoices.models import ClientType


@require_http_methods(["GET", "POST"])
@may_change
def client_type_list(request: StaffRequest) -> HttpResponse:
    last = ClientType.objects.order_by("-position").values_list("position", flat=True).first()
    form = ClientTypeForm(
        request.POST or None, instance=ClientType(position=min(30_000, (last or 0) + 10))
    )
    if request.method == "POST" and form.is_valid():
        made = form.save()
        messages.success(request, _("The client type %(name)s is added.") % {"name": made.name})
        return redirect("company:client_types")
    rows = [
        {"type": each, "mark": MARK_WORDS[ClientType.Mark(each.mark)], "clients": each.n}
        for each in ClientType.objects.annotate(n=Count("clients")).order_by("position", "name")
    ]
    return settings_page(
        request,
        "invoices/clients/client_types.html",
        {"form": form, "rows": rows},
        refused=bool(form.errors),
    )


@require_http_methods(["GET", "POST"])
@may_change
def client_type(request: StaffRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(ClientType, pk=pk)
    form = ClientTypeForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("The client type %(name)s is saved.") % {"name": row.name})
        return redirect("company:client_types")
    return _client_type_page(request, row, form, MergeForm(source=row))


def _client_type_page(
    request: StaffRequest, row: ClientType, form: ClientTypeForm, merge_form: MergeForm
) -> HttpResponse:
    return settings_page(
        request,
        "invoices/clients/client_type.html",
        {
            "form": form,
            "merge_form": merge_form,
            "type": ClientType.objects.get(pk=row.pk),
            "clients": row.clients.count(),
        },
        refused=bool(form.errors or merge_form.errors),
    )


@require_POST
@may_change
def client_type_move(request: StaffRequest, pk: int) -> HttpResponse:
    types.move(client_type_id=pk, up=request.POST.get("to") == "up")
    return redirect("company:client_types")


@require_POST
@may_change
def client_type_merge(request: StaffRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(ClientType, pk=pk)
    form = MergeForm(request.POST, source=row)
    if form.is_valid():
        target = form.cleaned_data["into"]
        try:
            moved = types.merge(client_type_id=pk, into_id=target.pk)
        except ClientTypeRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(
                request,
                ngettext(
                    "%(n)s client is now %(target)s; %(type)s is deleted.",
                    "%(n)s clients are now %(target)s; %(type)s is deleted.",
                    moved,
                )
                % {"n": moved, "target": target.name, "type": row.name},
            )
            return redirect("company:client_types")
    return _client_type_page(request, row, ClientTypeForm(instance=row), form)


@require_POST
@may_change
def client_type_delete(request: StaffRequest, pk: int) -> HttpResponse:
    try:
        types.delete(client_type_id=pk)
    except ClientTypeRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("company:client_type", pk=pk)
    messages.success(request, _("The client type is deleted."))
    return redirect("company:client_types")
