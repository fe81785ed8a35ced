"""Settings about client types: their names, marks and order; merging and deleting."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from billing_portal.acts import carry_out, into, said
from billing_portal.confirming import ChangedMeanwhile, Shown, facts_of, locked
from billing_portal.editing import NotSaved, save_edit, save_unless_taken
from billing_portal.figures import grouped
from billing_portal.htmx import StaffRequest
from invoices.clients import types
from invoices.clients.forms.types import MARK_WORDS, ClientTypeForm, MergeForm
from invoices.clients.types import ClientTypeRefused
from invoices.company.views.settings import may_change, settings_page
from invoices.models import ClientType


@require_http_methods(["GET", "POST"])
@may_change
def client_type_list(request: StaffRequest) -> HttpResponse:
    last = ClientType.objects.order_by("-position").values_list("position", flat=True).first()
    form = ClientTypeForm(
        request.POST or None, instance=ClientType(position=min(30_000, (last or 0) + 10))
    )
    if request.method == "POST" and form.is_valid():
        try:
            made = save_unless_taken(form, form.save)
        except NotSaved:
            pass
        else:
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
    if request.method == "GET":
        return _client_type_page(request, row, ClientTypeForm(instance=row), MergeForm(source=row))
    url = reverse("company:client_types")
    answer = carry_out(
        request,
        action="client type",
        act=lambda: save_edit(
            request,
            lock=lambda: locked(ClientType.objects.all(), pk),
            build=lambda data, row: ClientTypeForm(data, instance=row),
            save=lambda form: form.save(),
            by=request.user,
        ),
        refused={
            NotSaved: lambda refusal: _client_type_page(
                request, row, refusal.form, MergeForm(source=row)
            )
        },
        done=lambda saved: said(
            request, _("The client type %(name)s is saved.") % {"name": saved.name}, url
        ),
        url=url,
    )
    assert answer is not None
    return answer


def _client_type_page(
    request: StaffRequest,
    row: ClientType,
    form: ClientTypeForm,
    merge_form: MergeForm,
    *,
    changed: str = "",
) -> HttpResponse:
    stored = ClientType.objects.get(pk=row.pk)
    return settings_page(
        request,
        "invoices/clients/client_type.html",
        {
            "form": form,
            "merge_form": merge_form,
            "type": stored,
            "clients": row.clients.count(),
            "invoices": row.invoices.count(),
            "changed": changed,
            "confirmed": _type_shown(stored).token,
        },
        refused=bool(changed or form.errors or merge_form.errors),
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

    def again(refusal: ChangedMeanwhile) -> HttpResponse:
        found = get_object_or_404(ClientType, pk=pk)
        edit_form = ClientTypeForm(instance=found)
        return _client_type_page(request, found, edit_form, form, changed=str(refusal))

    if form.is_valid():
        target = form.cleaned_data["into"]
        url = reverse("company:client_types")
        answer = carry_out(
            request,
            action="merge client types",
            act=lambda: types.merge(client_type_id=pk, into_id=target.pk),
            confirmed=_type_under_lock(pk),
            refused={ClientTypeRefused: into(form), ChangedMeanwhile: again},
            done=lambda moved: said(
                request,
                _("%(clients)s and %(invoices)s are now %(target)s; %(type)s is deleted.")
                % {
                    "clients": ngettext("%(n)s client", "%(n)s clients", moved.clients)
                    % {"n": grouped(moved.clients)},
                    "invoices": ngettext("%(n)s document", "%(n)s documents", moved.invoices)
                    % {"n": grouped(moved.invoices)},
                    "target": target.name,
                    "type": row.name,
                },
                url,
            ),
            url=url,
        )
        if answer is not None:
            return answer
    return _client_type_page(request, row, ClientTypeForm(instance=row), form)


def _type_shown(row: ClientType) -> Shown:
    """Its name, and how many clients and documents have it: they move with it."""
    counted = {"clients": row.clients.count(), "invoices": row.invoices.count()}
    return Shown({**facts_of(row), **counted})


def _type_under_lock(pk: int) -> Callable[[], Shown]:
    def read() -> Shown:
        row = locked(ClientType.objects.all(), pk)
        return _type_shown(row) if row is not None else Shown({})

    return read


@require_POST
@may_change
def client_type_delete(request: StaffRequest, pk: int) -> HttpResponse:

    def refused(refusal: ClientTypeRefused) -> HttpResponse:
        messages.error(request, str(refusal))
        return redirect("company:client_type", pk=pk)

    url = reverse("company:client_types")
    answer = carry_out(
        request,
        action="delete a client type",
        act=lambda: types.delete(client_type_id=pk),
        confirmed=_type_under_lock(pk),
        refused={ClientTypeRefused: refused},
        done=lambda _gone: said(request, _("The client type is deleted."), url),
        url=url,
    )
    assert answer is not None
    return answer
