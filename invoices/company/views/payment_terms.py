"""The pages of payment terms that make several instalments."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing_portal.acts import carry_out, said
from billing_portal.confirming import locked, row_under_lock
from billing_portal.editing import NotSaved, save_edit, save_unless_taken
from billing_portal.htmx import StaffRequest
from invoices.company.forms.payment_terms import PaymentTermsForm
from invoices.company.payment_terms import in_words
from invoices.company.views.settings import may_change, settings_page
from invoices.models import PaymentTerms


@require_GET
@may_change
def terms_list(request: StaffRequest) -> HttpResponse:
    rows = PaymentTerms.objects.prefetch_related("steps").order_by("archived", "name")
    return render(
        request,
        "invoices/company/payment_terms.html",
        {"rows": [{"terms": terms, "words": in_words(terms)} for terms in rows]},
    )


@require_http_methods(["GET", "POST"])
@may_change
def terms_new(request: StaffRequest) -> HttpResponse:
    form = PaymentTermsForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            save_unless_taken(form, form.save)
        except NotSaved:
            pass
        else:
            messages.success(
                request, _("The terms are added: choose them for a client or a draft.")
            )
            return redirect("company:terms")
    return _page(request, form, _("New payment terms"), None)


@require_http_methods(["GET", "POST"])
@may_change
def terms_edit(request: StaffRequest, pk: int) -> HttpResponse:
    rows = PaymentTerms.objects.all()
    terms = get_object_or_404(rows, pk=pk)
    title, url = _("Payment terms"), reverse("company:terms")
    if request.method == "GET":
        return _page(request, PaymentTermsForm(instance=terms), title, terms)
    answer = carry_out(
        request,
        action="payment terms",
        act=lambda: save_edit(
            request,
            lock=lambda: locked(rows, pk),
            build=lambda data, found: PaymentTermsForm(data, instance=found),
            save=lambda form: form.save(),
            by=request.user,
        ),
        refused={NotSaved: lambda refusal: _page(request, refusal.form, title, terms)},
        done=lambda _row: said(
            request, _("Saved: drafts follow, issued invoices keep their instalments."), url
        ),
        url=url,
    )
    assert answer is not None
    return answer


@require_POST
@may_change
def terms_archive(request: StaffRequest, pk: int) -> HttpResponse:
    """No longer offered, or offered again."""
    rows, url = PaymentTerms.objects.all(), reverse("company:terms")
    terms = get_object_or_404(rows, pk=pk)
    archived = not terms.archived
    text = (
        _("The terms are no longer offered; what has them keeps them.")
        if archived
        else _("The terms are offered again.")
    )
    answer = carry_out(
        request,
        action="archive payment terms",
        act=lambda: rows.filter(pk=pk).update(archived=archived),
        confirmed=row_under_lock(rows, pk),
        refused={},
        done=lambda _n: said(request, text, url),
        url=url,
    )
    assert answer is not None
    return answer


def _page(request: StaffRequest, form: Any, title: str, terms: PaymentTerms | None) -> HttpResponse:
    return settings_page(
        request,
        "invoices/company/payment_terms_edit.html",
        {"form": form, "title": title, "terms": terms},
        refused=bool(form.errors),
    )
