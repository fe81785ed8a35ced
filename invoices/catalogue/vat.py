"""What a line made of an item is taxed with: by what is sold, and where the client is."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from invoices.clients.vat import vat_treatment
from invoices.documents.totals import STANDARD
from invoices.models import CatalogueItem, Client, Company


class LineVat(NamedTuple):
    category: str
    rate: Decimal
    exemption_id: int | None


def vat_of(item: CatalogueItem, client: Client, company: Company | None) -> LineVat:
    """The item's own rate, or why it is exempt, where VAT is charged at all.

    Where the client's situation asks for none (reverse charge, another country, the seller's
    franchise) that holds. Overseas departments have other rates: the item's is led to theirs.
    """
    rate = item.vat_rate if item.vat_category == STANDARD else None
    found = vat_treatment(client, company, item.nature, rate)
    if item.vat_category == "E" and found.category == STANDARD:
        return LineVat("E", Decimal(0), item.exemption_id)
    return LineVat(found.category, found.rate, None)
