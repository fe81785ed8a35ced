"""How a service to a client is taxed, from where the two of them are for VAT.

Services to businesses only: they are taxed where the client is (directive 2006/112/EC, article 44;
CGI 259, 1°), and within France at the rates of the client's part of it. To be confirmed by an
accountant: services taxed where something stands or happens (buildings, events, transport).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from invoices.documents import mentions
from invoices.documents.totals import STANDARD
from invoices.tax.territories import EU, Territory, territory_of
from invoices.tax.vat_ids import state_of

# The rates of Guadeloupe, Martinique and Réunion that stand where those of the metropole do
# (CGI 296; BOI-TVA-GEO-20-10). The special ones (1.75 and 1.05 %) follow from no other.
_DOM_RATES: Final = {
    Decimal("20"): Decimal("8.5"),
    Decimal("10"): Decimal("2.1"),
    Decimal("5.5"): Decimal("2.1"),
}


@dataclass(frozen=True)
class VatTreatment:
    """VAT category (UNTDID 5305) and rate in percent of what no better figure is known for."""

    category: str
    rate: Decimal
    # Abroad within the Union, and no valid VAT id tells whether the client is a business.
    needs_vat_id: bool = False
    territory: Territory = Territory.METROPOLE

    def mention(self, language: str) -> str:
        """The sentence that the document must bear."""
        return exemption("fr" if language == "fr" else "en", self.category, self.territory)


def service_treatment(
    *, home: str, usual_rate: Decimal, country: str, postal_code: str = "", vat_id: str = ""
) -> VatTreatment:
    """`home` is the seller's country; `usual_rate` in percent, 0 of a seller who charges no VAT."""
    territory = territory_of(country or home, postal_code)
    at_home = VatTreatment(STANDARD if usual_rate else "E", usual_rate, territory=territory)
    if home != "FR":
        return _from_elsewhere(home, (country or home).upper(), vat_id, at_home)
    if territory == Territory.DOM_WITH_VAT and usual_rate:
        rate = _DOM_RATES.get(usual_rate, usual_rate)
        return VatTreatment(STANDARD, rate, territory=territory)
    if territory.in_france:
        return at_home
    if territory == Territory.EU:
        return _within_the_union(vat_id, home, at_home)
    return VatTreatment("O", Decimal(0), territory=territory)


def _within_the_union(vat_id: str, home: str, at_home: VatTreatment) -> VatTreatment:
    # An id of a third state is proof too (a branch is registered where it buys), one of ours is
    # not: whoever shows that buys at home.
    if state_of(vat_id) not in ("", home, "XI"):
        return VatTreatment("AE", Decimal(0), territory=at_home.territory)
    return VatTreatment(at_home.category, at_home.rate, True, at_home.territory)


def _from_elsewhere(home: str, country: str, vat_id: str, at_home: VatTreatment) -> VatTreatment:
    if country == home:
        return at_home
    in_the_union = at_home.territory in (Territory.EU, Territory.METROPOLE, Territory.CORSICA)
    if home in EU and in_the_union:
        return _within_the_union(vat_id, home, at_home)
    return VatTreatment("O", Decimal(0), territory=at_home.territory)


def exemption(language: str, category: str, territory: Territory) -> str:
    """Why no VAT is charged, in the language of the document; "" where it is.

    "" for exempt lines too ("E"): each has a reason of its own (invoices.company.exemptions).
    """
    if category == "O" and territory == Territory.DOM_WITHOUT_VAT:
        return mentions.exemption(language, "O-294")
    return mentions.exemption(language, category)
