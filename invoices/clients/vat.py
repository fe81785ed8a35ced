"""How what we sell to one of our clients is taxed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Protocol

from invoices.documents.nature import Nature
from invoices.models import Client, Company
from invoices.models.clients import BuyerKind
from invoices.models.supplied import DeliveredTo
from invoices.tax.deciding import VatTreatment, decided
from invoices.tax.supplies import Place, Supply


class Supplied(Protocol):
    """A document that says where it delivers, and where its services are."""

    delivered_to: str
    delivery_country: str
    delivery_postal_code: str

    @property
    def tied_to(self) -> Place | None: ...


def supply_of(client: Client, company: Company | None, document: Supplied | None = None) -> Supply:
    """From us to this client, as its page says or as the document says otherwise."""
    seller = company.place if company else Place("FR")
    delivered = client.place_of_delivery
    if document is not None and document.delivered_to == DeliveredTo.CLIENT:
        delivered = None
    elif document is not None and document.delivered_to == DeliveredTo.OTHER:
        delivered = Place(document.delivery_country, document.delivery_postal_code)
    is_consumer = client.buyer_kind == BuyerKind.CONSUMER
    return Supply(
        seller,
        client.place if client.country else replace(seller, postal_code=client.postal_code),
        # A consumer's, should there be one, makes no business of him.
        "" if is_consumer else client.vat_id,
        delivered,
        document.tied_to if document is not None else None,
    )


def vat_treatment(
    client: Client,
    company: Company | None,
    nature: str | None = None,
    rate: Decimal | None = None,
    document: Supplied | None = None,
) -> VatTreatment:
    """Our usual rate at home, reverse charge or exempt delivery for a business in the EU, no French
    VAT beyond; without a `nature` and a `rate` in percent, of what we usually sell."""
    usual = company.usual_nature if company else Nature.SERVICES
    found = decided(
        supply_of(client, company, document), Nature(nature or usual), _usual_rate(company, rate)
    )
    # Of a consumer none is asked for.
    is_consumer = client.buyer_kind == BuyerKind.CONSUMER
    return replace(found, needs_vat_id=False) if is_consumer else found


def _usual_rate(company: Company | None, rate: Decimal | None) -> Decimal:
    if company is not None and company.in_franchise:
        return Decimal(0)
    if rate is not None:
        return rate
    return Decimal(20) if company is None else Decimal(company.vat_rate)
