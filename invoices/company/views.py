"""Settings about the company: who it is, how it invoices, client types and rates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import Count
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from billing_portal.htmx import StaffRequest
from invoices.clients import types
from invoices.clients.types import ClientTypeRefused
from invoices.company.forms import (
    MARK_WORDS,
    ClientTypeForm,
    CompanyForm,
    ExchangeRateForm,
    InvoicingForm,
    LatePenaltyRateForm,
    MergeForm,
)
from invoices.models import ClientType, Company, ExchangeRate, LatePenaltyRate, NumberSeries

may_change = permission_required("accounts.change_company", raise_exception=True)
RATES_SHOWN = 50


def _company() -> Company:
    return Company.ours() or Company(pk=1)


def _page(
    request: StaffRequest, template: str, context: Mapping[str, Any], *, refused: bool
) -> HttpResponse:
    return render(request, template, dict(context), status=422 if refused else 200)


@require_http_methods(["GET", "POST"])
@may_change
def details(request: StaffRequest) -> HttpResponse:
    company = _company()
    form = CompanyForm(request.POST or None, request.FILES or None, instance=company)
    if getattr(request, "upload_too_large", False):
        form = CompanyForm(instance=company)
        messages.error(request, _("The file was too large and was not read. Nothing was saved."))
        return _page(request, "invoices/company/details.html", _details(form), refused=True)
    if request.method == "POST" and form.is_valid():
        is_new = Company.ours() is None
        form.save()
        if is_new:
            types.begin()
        messages.success(request, _("The company is saved."))
        return redirect("company:details")
    return _page(
        request, "invoices/company/details.html", _details(form), refused=bool(form.errors)
    )


def _details(form: CompanyForm) -> dict[str, Any]:
    stored = Company.ours()
    return {"form": form, "has_logo": bool(stored and stored.logo_png), "is_new": stored is None}


@require_safe
@may_change
def logo(request: StaffRequest) -> HttpResponse:
    stored = Company.ours()
    if stored is None or not stored.logo_png:
        raise Http404
    answer = HttpResponse(bytes(stored.logo_png), content_type="image/png")
    answer["Cache-Control"] = "private, no-cache"
    return answer


@require_http_methods(["GET", "POST"])
@may_change
def invoicing(request: StaffRequest) -> HttpResponse:
    company = Company.ours()
    if company is None:
        messages.warning(request, _("First say who the company is."))
        return redirect("company:details")
    form = InvoicingForm(request.POST or None, instance=company)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Invoicing is saved."))
        if form.beyond_the_law:
            messages.warning(
                request,
                _(
                    "These payment terms are longer than French law allows between companies "
                    "(60 days, or 45 days end of month): they are saved, and each invoice "
                    "will warn."
                ),
            )
        return redirect("company:invoicing")
    begun = NumberSeries.objects.order_by("-year", "kind")
    return _page(
        request,
        "invoices/company/invoicing.html",
        {"form": form, "series": [_series(each) for each in begun]},
        refused=bool(form.errors),
    )


def _series(series: NumberSeries) -> dict[str, Any]:
    return {
        "kind": _("Credit notes") if series.kind == "credit_note" else _("Invoices"),
        "year": series.year,
        "next": str(series),
        "issued": series.next_value - 1,
        "last": series.last_issue_date,
    }


# ─ Client types ─────────────────────────────────────────────────────────────────────────────────
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
    return _page(
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
    return _page(
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


# ─ Rates ────────────────────────────────────────────────────────────────────────────────────────
@require_http_methods(["GET", "POST"])
@may_change
def rates(request: StaffRequest) -> HttpResponse:
    posted = request.POST.get("form", "") if request.method == "POST" else ""
    penalty = LatePenaltyRateForm(request.POST if posted == "penalty" else None, prefix="penalty")
    company = _company()
    exchange = ExchangeRateForm(
        request.POST if posted == "exchange" else None, prefix="exchange", ours=company.currency
    )
    if posted == "penalty" and penalty.is_valid():
        penalty.save()
        messages.success(request, _("The late-penalty rate is added."))
        return redirect("company:rates")
    if posted == "exchange" and exchange.is_valid():
        exchange.save()
        messages.success(request, _("The exchange rate is added."))
        return redirect("company:rates")
    return _page(
        request,
        "invoices/company/rates.html",
        {
            "penalty_form": penalty,
            "exchange_form": exchange,
            "penalties": LatePenaltyRate.objects.order_by("-starts_on"),
            "exchanges": ExchangeRate.objects.order_by("-on", "currency")[:RATES_SHOWN],
            "company": company,
        },
        refused=bool(penalty.errors or exchange.errors),
    )


@require_POST
@may_change
def penalty_delete(request: StaffRequest, pk: int) -> HttpResponse:
    LatePenaltyRate.objects.filter(pk=pk).delete()
    messages.success(request, _("The late-penalty rate is removed; issued documents keep theirs."))
    return redirect("company:rates")


@require_POST
@may_change
def exchange_delete(request: StaffRequest, pk: int) -> HttpResponse:
    ExchangeRate.objects.filter(pk=pk).delete()
    messages.success(request, _("The exchange rate is removed; issued documents keep theirs."))
    return redirect("company:rates")
