"""The company as documents name it."""

from __future__ import annotations

from invoices.documents.paper import Seller
from invoices.models import Company


def seller_of(company: Company) -> Seller:
    city = " ".join(part for part in (company.postal_code, company.city) if part)
    return Seller(
        name=company.name,
        legal_form=company.legal_form,
        capital=company.capital,
        siren=company.siren,
        siret=company.siret,
        rcs_city=company.rcs_city,
        vat_id=company.vat_id,
        address=tuple(
            line for line in (company.address_line1, company.address_line2, city) if line
        ),
        country=company.country,
        iban=company.iban,
        bic=company.bic,
        email=company.email,
        phone=company.phone,
        website=company.website,
        postal_code=company.postal_code,
        city=company.city,
    )
