"""Settings about the company: who it is, how it invoices, and rates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import F, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from billing_portal.acts import carry_out, said
from billing_portal.confirming import locked, row_under_lock
from billing_portal.editing import NotSaved, save_edit, save_unless_taken
from billing_portal.htmx import StaffRequest, next_url
from invoices.company.beginning import begin_client_types
from invoices.company.forms.details import CompanyForm, ExchangeRateForm, LatePenaltyRateForm
from invoices.company.forms.invoicing import InvoicingForm
from invoices.company.forms.vat_rates import VatRateForm
from invoices.models import (
    Company,
    ExchangeRate,
    ExemptionReason,
    LatePenaltyRate,
    VatRate,
)

may_change = permission_required("accounts.change_company", raise_exception=True)
RATES_SHOWN = 50


def _company() -> Company:
    return Company.ours() or Company(pk=1)


def settings_page(
    request: StaffRequest, template: str, context: Mapping[str, Any], *, refused: bool
) -> HttpResponse:
    return render(request, template, dict(context), status=422 if refused else 200)


@require_http_methods(["GET", "POST"])
@may_change
def details(request: StaffRequest) -> HttpResponse:
    template = "invoices/company/details.html"
    back = next_url(request, "")
    if getattr(request, "upload_too_large", False):
        messages.error(request, _("The file was too large and was not read. Nothing was saved."))
        form = CompanyForm(instance=_company())
        return settings_page(request, template, _details(form, back), refused=True)
    if request.method == "GET":
        form = CompanyForm(instance=_company())
        return settings_page(request, template, _details(form, back), refused=False)

    def save(form: CompanyForm) -> None:
        is_new = form.instance._state.adding
        form.save()
        if is_new:
            begin_client_types()

    url = back or reverse("company:details")
    answer = carry_out(
        request,
        action="company",
        act=lambda: save_edit(
            request,
            lock=lambda: locked(Company.objects.all(), 1) or _company(),
            build=lambda data, row: CompanyForm(
                data, request.FILES if data else None, instance=row
            ),
            save=save,
            by=request.user,
        ),
        refused={
            NotSaved: lambda no: settings_page(
                request, template, _details(no.form, back), refused=True
            )
        },
        done=lambda _saved: said(request, _("The company is saved."), url),
        url=url,
    )
    assert answer is not None
    return answer


def _details(form: CompanyForm, back: str) -> dict[str, Any]:
    stored = Company.ours()
    has_logo = bool(stored and stored.logo_png)
    return {"form": form, "has_logo": has_logo, "is_new": stored is None, "next": back}


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
    if request.method == "GET":
        return _invoicing_page(request, InvoicingForm(instance=company))

    def save(form: InvoicingForm) -> list[str]:
        form.save()
        return form.warnings()

    def done(warnings: list[str]) -> HttpResponse:
        messages.success(request, _("Invoicing is saved."))
        for warning in warnings:
            messages.warning(request, warning)
        return redirect("company:invoicing")

    answer = carry_out(
        request,
        action="invoicing",
        act=lambda: save_edit(
            request,
            lock=lambda: locked(Company.objects.all(), 1),
            build=lambda data, row: InvoicingForm(data, instance=row),
            save=save,
            by=request.user,
        ),
        refused={NotSaved: lambda refusal: _invoicing_page(request, refusal.form)},
        done=done,
        url=reverse("company:invoicing"),
    )
    assert answer is not None
    return answer


def _invoicing_page(request: StaffRequest, form: InvoicingForm) -> HttpResponse:
    return settings_page(
        request, "invoices/company/invoicing.html", {"form": form}, refused=bool(form.errors)
    )


@require_http_methods(["GET", "POST"])
@may_change
def rates(request: StaffRequest) -> HttpResponse:
    posted = request.POST.get("form", "") if request.method == "POST" else ""
    company = _company()
    home = "FR" if company.of_france else company.country
    penalty = LatePenaltyRateForm(
        request.POST if posted == "penalty" else None, prefix="penalty", home=home
    )
    exchange = ExchangeRateForm(
        request.POST if posted == "exchange" else None, prefix="exchange", ours=company.currency
    )
    vat_rate = VatRateForm(request.POST if posted == "vat" else None, prefix="vat")
    back = next_url(request, "")
    for name, form, text in (
        ("penalty", penalty, _("The late-penalty rate is added.")),
        ("exchange", exchange, _("The exchange rate is added.")),
        ("vat", vat_rate, _("The rate of VAT is added.")),
    ):
        if posted == name and form.is_valid() and _added(form):
            messages.success(request, text)
            if warning := _warning_of(form):
                messages.warning(request, warning)
            return redirect(back or "company:rates")
    return settings_page(
        request,
        "invoices/company/rates.html",
        {
            "penalty_form": penalty,
            "exchange_form": exchange,
            "penalties": LatePenaltyRate.objects.order_by("-starts_on"),
            "exchanges": ExchangeRate.objects.order_by("-on", "currency")[:RATES_SHOWN],
            "vat_form": vat_rate,
            "vat_rates": VatRate.objects.order_by(
                F("ends_on").asc(nulls_first=True), "-territory", "-percent"
            ),
            "exemptions": ExemptionReason.objects.order_by(
                F("ends_on").asc(nulls_first=True), "code", "name_fr"
            ),
            "company": company,
            "next": back,
        },
        refused=bool(penalty.errors or exchange.errors or vat_rate.errors),
    )


def _warning_of(form: LatePenaltyRateForm | ExchangeRateForm | VatRateForm) -> str:
    return "" if isinstance(form, VatRateForm) else form.warning()


def _added(form: LatePenaltyRateForm | ExchangeRateForm | VatRateForm) -> bool:
    """False where a colleague added the same rate in that very moment: the form then says so."""
    try:
        save_unless_taken(form, form.save)
    except NotSaved:
        return False
    return True


@require_POST
@may_change
def penalty_delete(request: StaffRequest, pk: int) -> HttpResponse:
    text = _("The late-penalty rate is removed; issued documents keep theirs.")
    return _delete_rate(request, LatePenaltyRate.objects.all(), pk, text)


@require_POST
@may_change
def vat_rate_delete(request: StaffRequest, pk: int) -> HttpResponse:
    text = _("The rate of VAT is removed; issued documents keep theirs.")
    return _delete_rate(request, VatRate.objects.all(), pk, text)


@require_POST
@may_change
def exchange_delete(request: StaffRequest, pk: int) -> HttpResponse:
    text = _("The exchange rate is removed; issued documents keep theirs.")
    return _delete_rate(request, ExchangeRate.objects.all(), pk, text)


def _delete_rate(request: StaffRequest, rates: QuerySet[Any], pk: int, text: str) -> HttpResponse:
    url = reverse("company:rates")
    answer = carry_out(
        request,
        action="delete a rate",
        act=lambda: rates.filter(pk=pk).delete(),
        confirmed=row_under_lock(rates, pk),
        done=lambda _gone: said(request, text, url),
        url=url,
    )
    assert answer is not None
    return answer
