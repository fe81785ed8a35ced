"""One deal: what an invoice would say of it, and what it lacks."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET
from moneyed import Money

from billing_portal.htmx import StaffRequest, render_page
from billing_portal.money import digits, formatted, formatted_minor, is_currency
from invoices.deals.choosing import choice_shown, may_choose
from invoices.deals.instalments import dues_from
from invoices.deals.lacking import missing_for, with_what_billing_needs
from invoices.deals.lines import drafted_for, has_subscription, recurring_lines
from invoices.deals.queue import (
    Waiting,
)
from invoices.deals.views.chips import chip
from invoices.deals.views.queue import amount_of
from invoices.documents.totals import STANDARD, TotalsRefused
from invoices.invoicing.deal_basis import changed_of
from invoices.invoicing.draft_lines import plain, told
from invoices.invoicing.forms.lines import vat_label
from invoices.models import Client, Company, Deal, Invoice


@require_GET
@permission_required("invoices.view_deal", raise_exception=True)
def deal(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(
        with_what_billing_needs(Deal.objects.visible_to(request.user)).select_related(
            "stage__pipeline", "client_chosen_by"
        ),
        pk=pk,
    )
    company = Company.ours()
    bills = list(found.invoices.filter(kind=Invoice.Kind.INVOICE).order_by("-pk"))
    alive = Invoice.objects.billing().filter(deal=found).first()
    missing = missing_for([found], company)[found.pk]
    waiting = Waiting(found, tuple(missing))
    can_bill = (
        request.user.has_perm("invoices.bill_deal")
        and alive is None
        and found.set_aside_at is None
        and found.status == Deal.Status.WON
    )
    return render_page(
        request,
        page="invoices/deals/deal.html",
        partial="invoices/deals/deal.html",
        context={
            "deal": found,
            "value": amount_of(found),
            "bills": bills,
            "alive": alive,
            "quotes": found.quotes.visible_to(request.user)
            .exclude(version__status="discarded")
            .select_related("version", "acceptance")
            .order_by("-pk"),
            "subscriptions": found.subscriptions.visible_to(request.user).exclude(
                status="discarded"
            ),
            # Lines that recur, and nothing bills them again and again yet.
            "can_subscribe": found.status == Deal.Status.WON
            and found.client is not None
            and bool(recurring_lines(found))
            and not has_subscription(found),
            "deal_change": changed_of(alive) if alive else None,
            "on": timezone.localdate(),
            "lacks": [chip(each, found, request.user) for each in waiting.blocking],
            "remarks": [chip(each, found, request.user) for each in waiting.remarks],
            "can_bill": can_bill,
            "can_choose": can_bill and may_choose(found, alive),
            "choice": choice_shown(found).token,
            "can_draft": can_bill and waiting.can_be_drafted,
            "left_out": [line for line in found.lines.all() if not line.enabled],
            **_added_up(found, company),
        },
    )


def _added_up(found: Deal, company: Company | None) -> dict[str, Any]:
    """The deal as an invoice would say it: lines, totals, and how they differ from its value."""
    if not is_currency(found.currency):
        text = _("“%(code)s” is not a currency that we know.")
        return {"refusal": text % {"code": found.currency[:10]}}
    try:
        drafted = drafted_for(found, found.client or Client(country="FR"), company)
    except TotalsRefused as refusal:
        return {"refusal": str(refusal)}
    totals = drafted.totals
    code = found.currency
    difference = found.value_minor - drafted.deal_sum_minor
    return {
        "lines": [
            {
                "text": line.description,
                "quantity": line.amounts.quantity,
                "price": _price(line.amounts.unit_price, code),
                "percent": line.amounts.discount_percent,
                "amount": (
                    _price(line.amounts.discount_amount, code)
                    if line.amounts.discount_amount
                    else ""
                ),
                "vat": _vat(line.amounts.vat_category, line.amounts.vat_rate),
                "net": formatted_minor(sums.net_minor, code),
            }
            for line, sums in zip(drafted.lines, totals.lines, strict=True)
        ],
        "net": formatted_minor(totals.net_minor, code),
        "groups": [
            (
                _vat(group.vat_category, group.vat_rate),
                group.vat_category == STANDARD,
                formatted_minor(group.basis_minor, code),
                formatted_minor(group.vat_minor, code),
            )
            for group in totals.breakdown
        ],
        "total": formatted_minor(totals.total_minor, code),
        "difference": formatted_minor(difference, code) if difference else "",
        "deal_sum": formatted_minor(drafted.deal_sum_minor, code),
        "notes": [told(note) for note in (*drafted.notes, *dues_from(found, drafted)[1])],
        "instalments": [
            (each.due_on, each.description, formatted_minor(each.amount_minor, code))
            for each in found.instalments.all()
        ],
    }


def _vat(category: str, rate: Decimal) -> str:
    return vat_label(f"{category}:{plain(rate)}")


def _price(price: Decimal, currency: str) -> str:
    """A unit price keeps its decimals beyond the coin."""
    places = max(digits(currency), -int(price.normalize().as_tuple().exponent))
    return formatted(Money(price.quantize(Decimal(1).scaleb(-places)), currency))
