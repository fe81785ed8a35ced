"""What a line of a document gets of an item, in the document's currency and for its client."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Case, IntegerField, Value, When
from django.utils.translation import gettext as _

from invoices.catalogue.vat import LineVat, vat_of
from invoices.models import CatalogueItem, Client, Company
from invoices.models.catalogue import code_key

MOST_SHOWN = 12


@dataclass(frozen=True)
class Offer:
    """`price` is None where the item has none in the currency; `said` tells that, and else ""."""

    item: CatalogueItem
    price: Decimal | None
    vat: LineVat
    said: str = ""


def offers(
    text: str, *, client: Client, currency: str, company: Company | None
) -> tuple[list[Offer], bool]:
    """Those that fit what was typed, the code first; and whether there are more of them."""
    key = code_key(text)
    found = CatalogueItem.objects.offered().called(text)
    if key:
        # Typed whole or begun, a code means its own item.
        rank = Case(
            When(code_key=key, then=Value(0)),
            When(code_key__startswith=key, then=Value(1)),
            default=Value(2),
            output_field=IntegerField(),
        )
        found = found.order_by(rank, "name_key", "pk")
    rows = list(found.prefetch_related("prices")[: MOST_SHOWN + 1])
    shown = [_offer(item, client, currency, company) for item in rows[:MOST_SHOWN]]
    return shown, len(rows) > MOST_SHOWN


def _offer(item: CatalogueItem, client: Client, currency: str, company: Company | None) -> Offer:
    prices = {row.currency: row.unit_price for row in item.prices.all()}
    price = prices.get(currency)
    said = "" if price is not None else no_price(item, prices, currency)
    return Offer(item, price, vat_of(item, client, company), said)


def no_price(item: CatalogueItem, others: Iterable[str], currency: str) -> str:
    known = ", ".join(sorted(others))
    if known:
        return _(
            "%(code)s has no price in %(currency)s (only in %(known)s): the price was left blank, "
            "nothing is converted."
        ) % {"code": item.code, "currency": currency, "known": known}
    return _("%(code)s has no price in %(currency)s: the price was left blank.") % {
        "code": item.code,
        "currency": currency,
    }
