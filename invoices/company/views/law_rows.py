"""Pages of single rows of the law: a rate of VAT, a reason for an exemption."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import ProtectedError, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from billing_portal.acts import carry_out, said
from billing_portal.confirming import locked, row_under_lock
from billing_portal.editing import NotSaved, save_edit, save_unless_taken
from billing_portal.htmx import StaffRequest, next_url
from invoices.company.forms.exemptions import ExemptionForm
from invoices.company.forms.vat_rates import VatRateForm
from invoices.company.views.settings import may_change, settings_page
from invoices.models import ExemptionReason, VatRate


@require_http_methods(["GET", "POST"])
@may_change
def vat_rate(request: StaffRequest, pk: int) -> HttpResponse:
    return _edit(request, VatRate.objects.all(), pk, VatRateForm, _("Rate of VAT"))


@require_http_methods(["GET", "POST"])
@may_change
def exemption(request: StaffRequest, pk: int) -> HttpResponse:
    rows = ExemptionReason.objects.all()
    return _edit(request, rows, pk, ExemptionForm, _("Reason for an exemption"))


@require_http_methods(["GET", "POST"])
@may_change
def exemption_new(request: StaffRequest) -> HttpResponse:
    form = ExemptionForm(request.POST or None)
    back = next_url(request, "")
    if request.method == "POST" and form.is_valid():
        try:
            save_unless_taken(form, form.save)
        except NotSaved:
            pass
        else:
            messages.success(request, _("The reason is added."))
            return redirect(back or "company:rates")
    return _page(request, form, _("A new reason for an exemption"), "", back=back)


@require_POST
@may_change
def exemption_delete(request: StaffRequest, pk: int) -> HttpResponse:
    rows = ExemptionReason.objects.all()
    url = reverse("company:rates")

    def refused(_refusal: ProtectedError) -> HttpResponse:
        messages.error(request, _("It stands on documents: give it a last day instead."))
        return redirect("company:exemption", pk)

    answer = carry_out(
        request,
        action="delete an exemption",
        act=lambda: rows.filter(pk=pk).delete(),
        confirmed=row_under_lock(rows, pk),
        refused={ProtectedError: refused},
        done=lambda _gone: said(request, _("The reason is removed."), url),
        url=url,
    )
    assert answer is not None
    return answer


def _edit(
    request: StaffRequest, rows: QuerySet[Any], pk: int, kind: type[Any], title: str
) -> HttpResponse:
    row = get_object_or_404(rows, pk=pk)
    url = reverse("company:rates")
    if request.method == "GET":
        return _page(request, kind(instance=row), title, str(row))
    answer = carry_out(
        request,
        action="a row of the law",
        act=lambda: save_edit(
            request,
            lock=lambda: locked(rows, pk),
            build=lambda data, found: kind(data, instance=found),
            save=lambda form: form.save(),
            by=request.user,
        ),
        refused={NotSaved: lambda refusal: _page(request, refusal.form, title, str(row))},
        done=lambda _row: said(request, _("It is saved; issued documents stay as they are."), url),
        url=url,
    )
    assert answer is not None
    return answer


def _page(
    request: StaffRequest, form: Any, title: str, name: str, *, back: str = ""
) -> HttpResponse:
    return settings_page(
        request,
        "invoices/company/law_row.html",
        {"form": form, "title": title, "name": name, "next": back, "is_new": not name},
        refused=bool(form.errors),
    )
