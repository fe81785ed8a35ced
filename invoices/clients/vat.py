"""How what we sell to one of our clients is taxed."""

from __future__ import annotations

from decimal import Decimal

from invoices.documents.nature import Nature
from invoices.models import Client, Company
from invoices.tax.deciding import VatTreatment, treatment


def vat_treatment(
    client: Client, company: Company | None, nature: str | None = None
) -> VatTreatment:
    """Our usual rate at home, reverse charge or exempt delivery for a business in the EU, no French
    VAT beyond; without a `nature`, of what we usually sell."""
    usual = company.usual_nature if company else Nature.SERVICES
    return treatment(
        home=company.country if company else "FR",
        usual_rate=_usual_rate(company),
        nature=Nature(nature or usual),
        country=client.country,
        postal_code=client.postal_code,
        vat_id=client.vat_id,
    )


def _usual_rate(company: Company | None) -> Decimal:
    if company is None:
        return Decimal(20)
    return Decimal(0) if company.in_franchise else Decimal(company.vat_rate)
