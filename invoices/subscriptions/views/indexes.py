"""Published indexes: their values, and the subscriptions whose prices follow one."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from billing_portal.acts import carry_out, into, said
from billing_portal.confirming import row_under_lock
from billing_portal.htmx import StaffRequest
from invoices.models import Indexation, IndexValue
from invoices.models.price_indexes import Index
from invoices.subscriptions import index_values
from invoices.subscriptions.forms.indexes import FollowForm, RowsForm, ValueForm
from invoices.subscriptions.index_values import ValueRefused
from invoices.subscriptions.indexing import period_in_words
from invoices.subscriptions.views.acts import acted, plainly
from invoices.subscriptions.views.drafts import visible

SHOWN = 200
may_change = permission_required("invoices.change_subscription", raise_exception=True)


@require_http_methods(["GET", "POST"])
@may_change
def price_indexes(request: StaffRequest) -> HttpResponse:
    on, url = timezone.localdate(), reverse("invoices:price-indexes")
    by_rows = request.method == "POST" and "rows" in request.POST
    form = ValueForm(request.POST if request.method == "POST" and not by_rows else None)
    rows_form = RowsForm(request.POST if by_rows else None)
    problems: list[tuple[int, str]] = []
    if by_rows and rows_form.is_valid():
        try:
            entered = index_values.enter_file(
                content=rows_form.cleaned_data["rows"].encode(), by=request.user, on=on
            )
        except ValueRefused as refusal:
            rows_form.add_error("rows", str(refusal))
        else:
            problems = entered.problems
            messages.success(request, _("%(n)s values are kept.") % {"n": entered.kept})
            if not problems:
                return redirect(url)
    elif not by_rows and request.method == "POST" and form.is_valid():
        answer = carry_out(
            request,
            action="enter an index",
            act=lambda: index_values.enter_value(**form.cleaned_data, by=request.user, on=on),
            refused={ValueRefused: into(form)},
            done=lambda row: said(
                request,
                _("%(name)s is kept.") % {"name": index_values.name_of(row.index, row.period)},
                url,
            ),
            url=url,
        )
        if answer is not None:
            return answer
    language = get_language() or "en"
    context = {
        "form": form,
        "rows_form": rows_form,
        "problems": problems,
        "values": [
            (row, Index(row.index).label, period_in_words(row.period, language))
            for row in IndexValue.objects.all()[:SHOWN]
        ],
        "nav_section": "subscriptions",
    }
    wrong = bool(form.errors or rows_form.errors or problems)
    page = "invoices/subscriptions/indexes.html"
    return render(request, page, context, status=422 if wrong else 200)


@require_POST
@may_change
def remove(request: StaffRequest, pk: int) -> HttpResponse:
    url = reverse("invoices:price-indexes")
    answer = carry_out(
        request,
        action="remove an index",
        act=lambda: index_values.remove_value(pk=pk, on=timezone.localdate()),
        confirmed=row_under_lock(IndexValue.objects.all(), pk),
        refused={ValueRefused: lambda refusal: messages.error(request, str(refusal))},
        done=lambda _row: said(request, _("The value is removed."), url),
        url=url,
    )
    return answer if answer is not None else redirect(url)


@require_http_methods(["GET", "POST"])
@may_change
def follow(request: StaffRequest, pk: int) -> HttpResponse:
    subscription = visible(request, pk)
    found = Indexation.objects.filter(subscription=subscription).first()
    names = ("index", "base_period", "first_review", "missing")
    initial = {name: getattr(found, name) for name in names} if found else {"missing": "old"}
    form = FollowForm(request.POST or None, initial=initial)
    return acted(
        request,
        subscription,
        "index",
        "follow an index",
        act=lambda: index_values.follow_index(
            subscription_id=pk, by=request.user, on=timezone.localdate(), **form.cleaned_data
        ),
        text=_("Its prices follow the index."),
        form=form,
        ready=form.is_valid(),
    )


@require_POST
@may_change
def stop(request: StaffRequest, pk: int) -> HttpResponse:
    subscription = visible(request, pk)
    return plainly(
        request,
        subscription,
        "stop following an index",
        lambda: index_values.stop_following(
            subscription_id=pk, by=request.user, on=timezone.localdate()
        ),
        _("Its prices follow no index any more."),
    )
