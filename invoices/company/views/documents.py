"""Settings about documents: their layout and colour, with the page as it would be."""

from __future__ import annotations

import base64
from copy import copy
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from billing_portal.acts import carry_out, said
from billing_portal.confirming import locked
from billing_portal.editing import NotSaved, save_edit
from billing_portal.htmx import StaffRequest
from invoices.company import samples
from invoices.company.forms.documents import LookForm, ShownForm
from invoices.company.looks import look_of
from invoices.company.views.settings import may_change, settings_page
from invoices.documents.pdf.pictures import page_pictures
from invoices.documents.pdf.render import PdfRefused
from invoices.documents.pdf.render import render as printed
from invoices.models import Company

# Sharp on a screen of double density, at the width of its card.
PICTURE_WIDTH = 1000
MOST_PAGES = 3
COLOURS = ("#0b6e4f", "#1d4ed8", "#3a4fc0", "#7c3aed", "#b91c1c", "#c2410c", "#0f766e", "#334155")


@require_http_methods(["GET", "POST"])
@may_change
def documents(request: StaffRequest) -> HttpResponse:
    company = Company.ours()
    if company is None:
        messages.warning(request, _("First say who the company is."))
        return redirect("company:details")
    if request.method == "GET":
        return _page(request, LookForm(instance=company))
    answer = carry_out(
        request,
        action="look of documents",
        act=lambda: save_edit(
            request,
            lock=lambda: locked(Company.objects.all(), 1),
            build=lambda data, row: LookForm(data, instance=row),
            save=lambda form: form.save(),
            by=request.user,
        ),
        refused={NotSaved: lambda refusal: _page(request, refusal.form)},
        done=lambda _row: said(
            request,
            _("New documents look like this; issued ones stay as they are."),
            reverse("company:documents"),
        ),
        url=reverse("company:documents"),
    )
    assert answer is not None
    return answer


@require_POST
@may_change
def preview(request: StaffRequest) -> HttpResponse:
    """The page in the look of the form, saved or not; as a PDF for `as=pdf`."""
    company = Company.ours()
    if company is None:
        return redirect("company:details")
    form = LookForm(request.POST, instance=copy(company))
    shown = ShownForm(request.POST)
    if request.POST.get("as") == "pdf" and form.is_valid() and shown.is_valid():
        try:
            content = _content(form.instance, shown.cleaned_data)
        except PdfRefused as refusal:
            messages.error(request, str(refusal))
            return redirect("company:documents")
        answer = HttpResponse(content, content_type="application/pdf")
        answer["Content-Disposition"] = 'inline; filename="sample.pdf"'
        return answer
    context = _seen(form, shown) if form.is_valid() else {"wrong": form.errors.get("colour")}
    return render(request, "invoices/company/partials/look_preview.html", context)


def _page(request: StaffRequest, form: LookForm) -> HttpResponse:
    stored = Company.objects.get(pk=1)
    return settings_page(
        request,
        "invoices/company/documents.html",
        {
            "form": form,
            "shown_form": ShownForm(),
            "has_logo": bool(stored.logo_png),
            "colours": COLOURS,
        },
        refused=bool(form.errors),
    )


def _seen(form: LookForm, shown: ShownForm) -> dict[str, Any]:
    if not shown.is_valid():
        return {"wrong": [text for texts in shown.errors.values() for text in texts]}
    try:
        content = _content(form.instance, shown.cleaned_data)
    except PdfRefused as refusal:
        return {"wrong": [str(refusal)]}
    pictures, count = page_pictures(content, width=PICTURE_WIDTH, most=MOST_PAGES)
    return {
        "pictures": [base64.b64encode(each).decode() for each in pictures],
        "more": count - len(pictures),
        "told": form.told(),
    }


def _content(company: Company, wanted: dict[str, str]) -> bytes:
    """Raises PdfRefused, also for a number that no document has."""
    look = look_of(company)
    logo = bytes(company.logo_png) or None
    if number := wanted["number"].strip():
        paper = samples.paper_of_issued(number, look)
        if paper is None:
            raise PdfRefused(_("There is no issued document %(number)s.") % {"number": number})
        return printed(paper, logo_png=logo)
    return printed(
        samples.sample_paper(company, wanted["sample"], timezone.localdate()), logo_png=logo
    )
