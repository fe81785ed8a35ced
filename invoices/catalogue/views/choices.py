"""What the editors of lines show while somebody looks for an item."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from billing_portal.htmx import StaffRequest
from billing_portal.lists.filters import searched
from billing_portal.money import digits, is_currency
from invoices.catalogue.picking import Offer, offers
from invoices.invoicing.forms.lines import UNITS, vat_label, vat_value, written
from invoices.models import Client, Company


@require_GET
@permission_required("invoices.view_catalogue", raise_exception=True)
def item_choices(request: StaffRequest, client_pk: int) -> HttpResponse:
    """Options of a combobox: what a line for this client, in this currency, would take of each."""
    client = get_object_or_404(Client, pk=client_pk)
    given = request.GET.get("currency", "").upper()
    currency = given if is_currency(given) else client.currency
    found, more = offers(
        searched(request.GET), client=client, currency=currency, company=Company.ours()
    )
    return render(
        request,
        "invoices/catalogue/partials/item_options.html",
        {
            "offers": [_option(each, currency) for each in found],
            "more": more,
            "currency": currency,
            "q": searched(request.GET),
        },
    )


def _option(offer: Offer, currency: str) -> dict[str, Any]:
    vat = vat_value(offer.vat.category, offer.vat.rate, offer.vat.exemption_id)
    price = offer.price
    return {
        "item": offer.item,
        "price": "" if price is None else written(price, digits(currency)),
        "unit": dict(UNITS).get(offer.item.unit, offer.item.unit),
        "vat": vat,
        "vat_words": vat_label(vat),
        "said": offer.said,
    }
