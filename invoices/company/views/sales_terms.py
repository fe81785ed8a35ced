"""Settings about the general terms of sale: what is in force, what was, and the next version."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing_portal.acts import carry_out, into, said
from billing_portal.htmx import StaffRequest
from invoices.company import sales_terms
from invoices.company.forms.sales_terms import SalesTermsForm
from invoices.company.sales_terms import SalesTermsRefused
from invoices.company.views.settings import may_change, settings_page
from invoices.models import Company, SalesTerms

SHOWN = 40


@require_http_methods(["GET", "POST"])
@may_change
def page(request: StaffRequest) -> HttpResponse:
    """What is typed goes into force as the next version of its language."""
    company = Company.ours()
    if company is None:
        messages.warning(request, _("First say who the company is."))
        return redirect("company:details")
    if request.method == "GET":
        language = request.GET.get("language", "")
        if language not in SalesTerms.Language.values:
            language = "fr" if company.language.startswith("fr") else "en"
        now = SalesTerms.objects.in_force(language)
        initial = {"language": language, "text": now.text if now else ""}
        return _page(request, SalesTermsForm(initial=initial))
    if getattr(request, "upload_too_large", False):
        messages.error(request, _("The file is too large and was not read. Nothing was changed."))
        return _page(request, SalesTermsForm(), 422)
    form = SalesTermsForm(request.POST, request.FILES)
    if form.is_valid():
        url = reverse("company:sales-terms")
        answer = carry_out(
            request,
            action="terms of sale",
            act=lambda: sales_terms.bring_in_force(
                language=form.cleaned_data["language"],
                text=form.cleaned_data["text"],
                pdf=form.cleaned_data["file"],
                by=request.user,
                on=timezone.localdate(),
            ),
            refused={SalesTermsRefused: into(form)},
            done=lambda made: said(
                request,
                _("Version %(n)s is in force: quotes that are sent from now on bear it.")
                % {"n": made.number},
                f"{url}?language={made.language}",
            ),
            url=url,
        )
        if answer is not None:
            return answer
    return _page(request, form, 422)


def _page(request: StaffRequest, form: SalesTermsForm, status: int = 200) -> HttpResponse:
    rows = SalesTerms.objects.without_content().select_related("created_by")
    shown = list(rows.order_by("-pk")[:SHOWN])
    current = [
        (str(label), SalesTerms.objects.without_content().in_force(language), language)
        for language, label in SalesTerms.Language.choices
    ]
    in_force = {terms.pk for _label, terms, _language in current if terms}
    context: dict[str, Any] = {
        "form": form,
        "current": current,
        "rows": [(row, row.pk in in_force) for row in shown],
    }
    return settings_page(
        request, "invoices/company/sales_terms.html", context, refused=status != 200
    )


@require_POST
@may_change
def stop(request: StaffRequest, language: str) -> HttpResponse:
    url = reverse("company:sales-terms")

    def refused(refusal: Exception) -> HttpResponse:
        messages.error(request, str(refusal))
        return redirect(url)

    answer = carry_out(
        request,
        action="terms of sale out of force",
        act=lambda: sales_terms.take_out_of_force(
            language=language, by=request.user, on=timezone.localdate()
        ),
        refused={SalesTermsRefused: refused},
        done=lambda _made: said(
            request,
            _(
                "Quotes in this language leave without terms of sale from now on; those that were "
                "sent keep theirs."
            ),
            url,
        ),
        url=url,
    )
    assert answer is not None
    return answer


@require_GET
@permission_required("invoices.view_quote", raise_exception=True)
def file(request: StaffRequest, pk: int) -> HttpResponse:
    terms = get_object_or_404(SalesTerms, pk=pk, size__gt=0)
    answer = HttpResponse(bytes(terms.content), content_type="application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="{terms.filename}"'
    answer["Cache-Control"] = "private, no-store"
    return answer
