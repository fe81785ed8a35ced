"""An accepted quote to its invoices: whole, a deposit, chosen lines, or the rest."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from billing_portal.acts import carry_out
from billing_portal.forms import row_id
from billing_portal.htmx import StaffRequest, go_to, render_page
from billing_portal.money import formatted_minor
from invoices.company.payment_terms import offered
from invoices.invoicing.forms.deposits import DepositForm, deposit_written
from invoices.models import Invoice, Quote, QuoteAcceptance
from invoices.quotes import converting
from invoices.quotes.forms.billing import LinesForm
from invoices.quotes.refusals import Exceeds, QuoteRefused
from invoices.quotes.views.drafts import visible
from invoices.quotes.views.quote import billed_context

WAYS = ("whole", "deposit", "lines", "rest")


@require_http_methods(["GET", "POST"])
@permission_required("invoices.change_invoice", raise_exception=True)
def bill(request: StaffRequest, pk: int) -> HttpResponse:
    quote = visible(request, pk)
    acceptance = (
        QuoteAcceptance.objects.filter(quote=quote).select_related("version", "quote").first()
    )
    if acceptance is None:
        messages.warning(request, _("Only a quote that was accepted is billed."))
        return go_to(request, reverse("invoices:quote", args=[pk]))
    billings = converting.alive(quote)
    rows = converting.left_of_lines(acceptance, billings)
    sent = request.POST if request.method == "POST" else None
    way = request.POST.get("way", "")
    deposit = DepositForm(
        sent if way == "deposit" else None,
        currency=acceptance.currency,
        initial=_usual(acceptance),
    )
    lines = LinesForm(sent if way == "lines" else None, rows=rows)
    asked: dict[str, Any] = {}
    if sent is not None:
        answer = _billed(request, quote, way, deposit, lines, asked)
        if answer is not None:
            return answer
    code = acceptance.currency
    wrong = bool(deposit.errors or lines.errors or asked)
    return render_page(
        request,
        page="invoices/quotes/bill.html",
        partial="invoices/quotes/bill.html",
        context={
            "quote": quote,
            "on": timezone.localdate(),
            "acceptance": acceptance,
            "version": acceptance.version,
            "deposit": deposit,
            "lines": lines,
            "asked": asked,
            "way": way if way in WAYS else "",
            "begun": bool(billings),
            "terms": offered(),
            "terms_chosen": request.POST.get("terms", ""),
            "deposit_total": formatted_minor(acceptance.deposit_minor, code)
            if acceptance.deposit_minor
            else "",
            **billed_context(acceptance, quote),
        },
        status=422 if wrong else 200,
    )


def _usual(acceptance: QuoteAcceptance) -> dict[str, Any]:
    version = acceptance.version
    percent = Decimal(version.deposit_percent)
    return {"share": deposit_written(percent, version.deposit_minor, version.currency)}


def _billed(
    request: StaffRequest,
    quote: Quote,
    way: str,
    deposit: DepositForm,
    lines: LinesForm,
    asked: dict[str, Any],
) -> HttpResponse | None:
    act = _act(request, quote, way, deposit, lines)
    if act is None:
        if way not in WAYS:
            asked["refusal"] = _("Choose what is billed.")
        return None

    def exceeds(question: Exception) -> None:
        assert isinstance(question, Exceeds)
        # An agreement to another excess than this one is none.
        asked.update(
            question=str(question),
            token=question.token,
            unanswered="agreed" in request.POST,
        )

    def refused(refusal: Exception) -> None:
        asked["refusal"] = str(refusal)

    return carry_out(
        request,
        action="bill a quote",
        act=act,
        refused={Exceeds: exceeds, QuoteRefused: refused},
        done=lambda invoice: _done(request, invoice),
        url=lambda invoice: reverse("invoices:edit", args=[invoice.pk]),
    )


def _done(request: StaffRequest, invoice: Invoice) -> HttpResponse:
    messages.success(request, _("The draft is made: look at it, then issue it."))
    return go_to(request, reverse("invoices:edit", args=[invoice.pk]))


def _act(
    request: StaffRequest, quote: Quote, way: str, deposit: DepositForm, lines: LinesForm
) -> Callable[[], Invoice] | None:
    """What is to be done; None where a form says what is wrong."""
    common: dict[str, Any] = {
        "quote_id": quote.pk,
        "by": request.user,
        "on": timezone.localdate(),
        "agreed": request.POST.get("agreed", ""),
    }
    chosen = row_id(request.POST.get("terms", ""))
    terms = chosen if chosen in {each.pk for each in offered()} else None
    if way == "whole":
        return lambda: converting.bill_whole(**common, terms=terms)
    if way == "rest":
        return lambda: converting.bill_rest(**common, terms=terms)
    if way == "deposit" and deposit.is_valid():
        percent, minor = deposit.cleaned_data["share"]
        return lambda: converting.bill_deposit(percent=percent, amount_minor=minor, **common)
    if way == "lines" and lines.is_valid():
        quantities = lines.quantities()
        return lambda: converting.bill_lines(quantities=quantities, **common)
    return None
