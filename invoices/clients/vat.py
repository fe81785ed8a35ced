"""How a service to a client is taxed, from where the two of them are."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from invoices.documents import mentions
from invoices.documents.totals import STANDARD
from invoices.models import Client, Company

EU = frozenset(
    [
        "AT",
        "BE",
        "BG",
        "CY",
        "CZ",
        "DE",
        "DK",
        "EE",
        "ES",
        "FI",
        "FR",
        "GR",
        "HR",
        "HU",
        "IE",
        "IT",
        "LT",
        "LU",
        "LV",
        "MT",
        "NL",
        "PL",
        "PT",
        "RO",
        "SE",
        "SI",
        "SK",
    ]
)
# Monaco is in the French VAT territory (CGI 256-0).
_SAME_TERRITORY = {"MC": "FR"}


@dataclass(frozen=True)
class VatTreatment:
    """VAT category (UNTDID 5305) and rate; `mention` is the sentence the document must bear."""

    category: str
    rate: Decimal
    # Abroad within the EU, and no VAT id tells whether the client is a business.
    needs_vat_id: bool = False

    def mention(self, language: str) -> str:
        return mentions.exemption("fr" if language == "fr" else "en", self.category)


def vat_treatment(client: Client, company: Company | None) -> VatTreatment:
    """Our usual rate at home, reverse charge for a business in the EU, no French VAT beyond."""
    home = company.country if company else "FR"
    usual = VatTreatment(STANDARD, company.vat_rate if company else Decimal(20))
    if not usual.rate:
        usual = VatTreatment("E", Decimal(0))
    country = (client.country or home).upper()
    if _SAME_TERRITORY.get(country, country) == home:
        return usual
    if country in EU and home in EU:
        if client.vat_id:
            return VatTreatment("AE", Decimal(0))
        return VatTreatment(usual.category, usual.rate, needs_vat_id=True)
    return VatTreatment("O", Decimal(0))
