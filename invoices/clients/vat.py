"""How what we sell to one of our clients is taxed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from invoices.documents.nature import Nature
from invoices.models import Client, Company
from invoices.models.clients import BuyerKind
from invoices.tax.deciding import VatTreatment, treatment


def vat_treatment(
    client: Client,
    company: Company | None,
    nature: str | None = None,
    rate: Decimal | None = None,
) -> VatTreatment:
    """Our usual rate at home, reverse charge or exempt delivery for a business in the EU, no French
    VAT beyond; without a `nature` and a `rate` in percent, of what we usually sell."""
    is_consumer = client.buyer_kind == BuyerKind.CONSUMER
    usual = company.usual_nature if company else Nature.SERVICES
    found = treatment(
        home=company.country if company else "FR",
        usual_rate=_usual_rate(company, rate),
        nature=Nature(nature or usual),
        country=client.country,
        postal_code=client.postal_code,
        # A consumer's, should there be one, makes no business of him.
        vat_id="" if is_consumer else client.vat_id,
    )
    # … and none is asked for.
    return replace(found, needs_vat_id=False) if is_consumer else found


def _usual_rate(company: Company | None, rate: Decimal | None) -> Decimal:
    if company is not None and company.in_franchise:
        return Decimal(0)
    if rate is not None:
        return rate
    return Decimal(20) if company is None else Decimal(company.vat_rate)
