"""Exchange rates by the ECB's file instead of one by one."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from billing_portal.dates import day
from billing_portal.figures import decimal, grouped
from billing_portal.htmx import StaffRequest
from invoices.company import ecb_file, importing_rates
from invoices.company.currencies import company_currency
from invoices.company.forms.ecb import EcbForm
from invoices.company.views.settings import may_change

DIFFERING_SHOWN = 5


@require_http_methods(["GET", "POST"])
@may_change
def bring_in(request: StaffRequest) -> HttpResponse:
    ours, on = company_currency(), timezone.localdate()
    options: dict[str, Any] = {
        "ours": ours, "used": importing_rates.used_currencies(ours), "on": on
    }  # fmt: skip
    if request.method == "GET":
        return _page(request, EcbForm(**options), 200)
    if getattr(request, "upload_too_large", False):
        form = EcbForm(None, **options)
        messages.error(
            request,
            _("The file is larger than %(most)s MB and was not read. Nothing was changed.")
            % {"most": settings.MAX_UPLOAD_BYTES // 2**20},
        )
        return _page(request, form, 422)
    form = EcbForm(request.POST, request.FILES, **options)
    if not form.is_valid():
        return _page(request, form, 422)
    try:
        outcome = importing_rates.bring_in(
            ecb_file.read(form.cleaned_data["file"].read()),
            ours=ours,
            currencies=form.cleaned_data["currencies"],
            since=form.cleaned_data["since"],
            until=on,
        )
    except ecb_file.NotTheFile as refusal:
        form.add_error("file", str(refusal))
        return _page(request, form, 422)
    _tell(request, outcome)
    return redirect("company:rates")


def _page(request: StaffRequest, form: EcbForm, status: int) -> HttpResponse:
    return render(request, "invoices/company/ecb.html", {"form": form}, status=status)


def _tell(request: StaffRequest, outcome: importing_rates.Outcome) -> None:
    if outcome.added:
        assert outcome.first and outcome.last
        values = {
            "n": grouped(outcome.added),
            "currencies": ", ".join(sorted(outcome.currencies)),
            "first": day(outcome.first),
            "last": day(outcome.last),
        }
        text = ngettext(
            "%(n)s rate came in: %(currencies)s, %(first)s.",
            "%(n)s rates came in: %(currencies)s, %(first)s to %(last)s.",
            outcome.added,
        )
        messages.success(request, text % values)
    elif outcome.already:
        messages.info(request, _("Nothing new: all of these rates were there."))
    if outcome.differing:
        shown = ", ".join(
            _("%(currency)s on %(day)s: %(kept)s here, %(file)s in the file")
            % {
                "currency": row.currency,
                "day": day(row.on),
                "kept": decimal(row.rate),
                "file": decimal(rate),
            }
            for row, rate in outcome.differing[:DIFFERING_SHOWN]
        )
        text = ngettext(
            "%(n)s rate differs from the one kept here, which stays: %(shown)s.",
            "%(n)s rates differ from those kept here, which stay: %(shown)s.",
            len(outcome.differing),
        )
        messages.warning(request, text % {"n": grouped(len(outcome.differing)), "shown": shown})
    if outcome.missing:
        messages.warning(
            request,
            _("The file holds nothing of these days for %(currencies)s.")
            % {"currencies": ", ".join(outcome.missing)},
        )
