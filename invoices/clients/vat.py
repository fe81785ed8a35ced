"""How a service to one of our clients is taxed."""

from __future__ import annotations

from decimal import Decimal

from invoices.models import Client, Company
from invoices.tax.deciding import VatTreatment, service_treatment


def vat_treatment(client: Client, company: Company | None) -> VatTreatment:
    """Our usual rate at home, reverse charge for a business in the EU, no French VAT beyond."""
    return service_treatment(
        home=company.country if company else "FR",
        usual_rate=Decimal(company.vat_rate if company else 20),
        country=client.country,
        postal_code=client.postal_code,
        vat_id=client.vat_id,
    )
