"""Settings about the books: the closed day, the numbers that come next, exceptions, their log."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from billing_portal.acts import already, carry_out, into, said
from billing_portal.confirming import ChangedMeanwhile, Shown
from billing_portal.htmx import StaffRequest
from invoices.company import closing, dating, first_numbers, numbering
from invoices.company.forms.books import NUMBERED, ClosingForm, ExceptionForm, NextNumberForm
from invoices.company.views.settings import may_change, settings_page
from invoices.company.words_of_decisions import told
from invoices.models import BooksDecision, Company, Invoice

LOG_SHOWN = 100


@require_http_methods(["GET", "POST"])
@may_change
def books(request: StaffRequest) -> HttpResponse:
    company = Company.ours()
    if company is None:
        messages.warning(request, _("First say who the company is."))
        return redirect("company:details")
    posted = request.POST.get("form", "") if request.method == "POST" else ""
    forms_of_page = _forms(request, posted, company)
    form = forms_of_page.get(posted)
    gap: list[first_numbers.LeavesOut] = []
    if form is not None and form.is_valid():
        answer = _carry_out(request, posted, form, gap)
        if answer is not None:
            return answer
    on = timezone.localdate()
    return settings_page(
        request,
        "invoices/company/books.html",
        {
            **{f"{name}_form": each for name, each in forms_of_page.items()},
            "closed_until": company.closed_until,
            "drafts_in_it": _drafts_dated_until(company),
            "next_numbers": _next_numbers(on),
            "confirmed": first_numbers.numbers_shown(on).token,
            "gap": gap[0] if gap else None,
            "granted": BooksDecision.objects.filter(kind="dates", granted_until__gte=on),
            "log": [
                (each, told(each))
                for each in BooksDecision.objects.select_related("by", "series")[:LOG_SHOWN]
            ],
        },
        refused=form is not None,
    )


def _forms(request: StaffRequest, posted: str, company: Company) -> dict[str, forms.Form]:
    on = timezone.localdate()

    def data(name: str) -> Any:
        return request.POST if posted == name else None

    until = company.closed_until
    return {
        "closing": ClosingForm(
            data("closing"), prefix="closing", initial={"until": until, "seen": until}
        ),
        "number": NextNumberForm(
            data("number"), prefix="number", on=on, initial={"series": _of_today(on)}
        ),
        "exception": ExceptionForm(data("exception"), prefix="exception", initial={"until": on}),
    }


def _carry_out(
    request: StaffRequest,
    posted: str,
    form: forms.Form,
    gap: list[first_numbers.LeavesOut],
) -> HttpResponse | None:
    """None when it was refused, which the form then says; `gap` takes what has to be agreed to.

    A number that was set cannot be unset: it is set to what its person saw, or not. The closed day
    has `seen` of its own; an exception ends by itself.
    """
    url = reverse("company:books")

    def numbers() -> Shown:
        kind, period = form.cleaned_data["series"]
        return first_numbers.numbers_under_lock(kind, period, timezone.localdate())

    def ask(refusal: first_numbers.LeavesOut) -> None:
        gap.append(refusal)
        # The first time it is a question, and no mistake of whoever typed the number.
        if request.POST.get("asked"):
            form.add_error(None, str(refusal))
        if not form.cleaned_data["reason"]:
            form.add_error("reason", _("Say why: it stays in the log."))

    refusals = (
        ChangedMeanwhile,
        closing.ClosingRefused,
        numbering.NumberRefused,
        dating.ExceptionRefused,
    )
    return carry_out(
        request,
        action=f"books {posted}",
        act=lambda: _DONE[posted](request, form.cleaned_data),
        confirmed=numbers if posted == "number" else None,
        # The narrower kinds first: the first that fits has it.
        refused={
            first_numbers.LeavesOut: ask,
            first_numbers.ReasonMissing: into(form, "reason"),
            **dict.fromkeys(refusals, into(form)),
        },
        done=lambda sentence: said(request, sentence, url),
        again=already(request),
        url=url,
    )


def _close(request: StaffRequest, cleaned: dict[str, Any]) -> str:
    row = closing.close_books(**cleaned, by=request.user, on=timezone.localdate())
    return told(row)


def _set_number(request: StaffRequest, cleaned: dict[str, Any]) -> str:
    kind, period = cleaned["series"]
    return told(
        first_numbers.set_next(
            kind=kind,
            period=period,
            value=cleaned["value"],
            reason=cleaned["reason"],
            by=request.user,
            on=timezone.localdate(),
            agreed=request.POST.get("agreed", ""),
        )
    )


def _grant(request: StaffRequest, cleaned: dict[str, Any]) -> str:
    return told(dating.grant_exception(**cleaned, by=request.user, on=timezone.localdate()))


_DONE = {"closing": _close, "number": _set_number, "exception": _grant}


def _drafts_dated_until(company: Company) -> int:
    """Drafts whose typed date lies in the closed period: they wait for another date."""
    return (
        Invoice.objects.drafts().filter(issue_date__lte=company.closed_until).count()
        if (company.closed_until)
        else 0
    )


def _of_today(on: date) -> str:
    """The series of today's invoices, as the form names it."""
    kind = Invoice.Kind.INVOICE
    return f"{kind} {numbering.series_for(kind, on).period}"


def _next_numbers(on: date) -> list[dict[str, Any]]:
    found = []
    for kind, words in NUMBERED:
        series = numbering.series_for(kind, on)
        after = first_numbers.after_the_old_system(series)
        found.append(
            {
                "kind": str(words),
                "number": series.next_number(on),
                "last": dating.last_issue_date(kind),
                "taken": numbering.number_reason(series, on),
                # Only where the old system used our form of numbers.
                "after": after if after > 1 else None,
            }
        )
    return found
