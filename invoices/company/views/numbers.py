"""Settings about the form of the numbers: patterns, what they would do, the series there are."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from billing_portal.acts import already, carry_out, into, said
from billing_portal.confirming import ChangedMeanwhile
from billing_portal.htmx import StaffRequest
from invoices.company.changing_numbers import (
    EndsSeries,
    PatternRefused,
    change_patterns,
    foresee_all,
    patterns_shown,
    patterns_under_lock,
)
from invoices.company.first_numbers import ReasonMissing
from invoices.company.forms.books import NUMBERED
from invoices.company.forms.numbers import NumbersForm
from invoices.company.numbering import NumberRefused
from invoices.company.views.settings import may_change, settings_page
from invoices.company.words_of_changes import Told, ends_in_words, told
from invoices.models import Company, NumberSeries

SERIES_SHOWN = 60


@require_http_methods(["GET", "POST"])
@may_change
def numbers(request: StaffRequest) -> HttpResponse:
    if Company.ours() is None:
        messages.warning(request, _("First say who the company is."))
        return redirect("company:details")
    if request.method == "GET":
        return _page(request, NumbersForm(), None)
    form = NumbersForm(request.POST)
    asked: list[EndsSeries] = []
    if form.is_valid():
        answer = _carry_out(request, form, asked)
        if answer is not None:
            return answer
    return _page(request, form, asked[0] if asked else None)


def _carry_out(
    request: StaffRequest, form: NumbersForm, asked: list[EndsSeries]
) -> HttpResponse | None:
    """None when it was refused, which the form then says; `asked` takes what is to be agreed."""
    url = reverse("company:numbers")

    def ask(refusal: EndsSeries) -> None:
        asked.append(refusal)
        # The first time it is a question, and no mistake of whoever typed the pattern.
        if request.POST.get("asked"):
            form.add_error(None, str(refusal))
        if not form.cleaned_data["reason"]:
            form.add_error("reason", _("Say why: it stays in the log."))

    return carry_out(
        request,
        action="number patterns",
        act=lambda: change_patterns(
            form.patterns(),
            at_once=form.at_once,
            reason=form.cleaned_data["reason"],
            by=request.user,
            on=timezone.localdate(),
            agreed=request.POST.get("agreed", ""),
        ),
        confirmed=patterns_under_lock,
        refused={
            EndsSeries: ask,
            ReasonMissing: into(form, "reason"),
            PatternRefused: lambda refusal: form.add_error(f"{refusal.kind}_prefix", str(refusal)),
            NumberRefused: into(form),
            ChangedMeanwhile: into(form),
        },
        done=lambda rows: said(
            request, _("The numbers are saved.") if rows else _("Nothing was to be changed."), url
        ),
        again=already(request),
        url=url,
    )


@require_POST
@may_change
def preview(request: StaffRequest) -> HttpResponse:
    """What the form would do as it is typed now; the reasons why not stay with its fields."""
    form = NumbersForm(request.POST)
    form.is_valid()
    return render(request, "invoices/company/partials/numbers_told.html", _told(form))


def _page(request: StaffRequest, form: NumbersForm, asked: EndsSeries | None) -> HttpResponse:
    # Claims have a series too, and no pattern to choose.
    ours = NumberSeries.objects.filter(kind__in=dict(NUMBERED))
    rows = ours.order_by("ended_on", "-last_issue_date", "-pk")
    on = timezone.localdate()
    return settings_page(
        request,
        "invoices/company/numbers.html",
        {
            "form": form,
            "asked": asked,
            "asked_in_words": ends_in_words(asked.changes) if asked else "",
            "confirmed": patterns_shown().token,
            "series": [_row(each) for each in rows[:SERIES_SHOWN]],
            "more": max(rows.count() - SERIES_SHOWN, 0),
            "today": on,
            **_told(form),
        },
        refused=form.is_bound,
    )


def _told(form: NumbersForm) -> dict[str, Any]:
    """Per kind what would happen; a sentence where it cannot."""
    on = timezone.localdate()
    if not form.is_bound:
        # As it is: the form of now, which changes nothing.
        form = NumbersForm({name: form[name].value() for name in form.fields})
        form.is_valid()
    wrong = [errors[0] for name, errors in form.errors.items() if name not in ("reason", "__all__")]
    found: list[Told] = []
    if not wrong:
        try:
            changes = foresee_all(form.patterns(), at_once=form.at_once, on=on)
            found = [told(each, on) for each in changes]
        except PatternRefused as refusal:
            wrong = [str(refusal)]
    return {"told": found, "wrong": wrong}


def _row(series: NumberSeries) -> dict[str, Any]:
    day = series.last_issue_date
    return {
        "kind": dict(NUMBERED)[series.kind],
        "last": series.number(series.next_value - 1, day) if day else "",
        "next": series.number(series.next_value, day),
        "issued": series.invoices.count() + series.quotes.count(),
        "on": day,
        "ended": series.ended_on,
    }
