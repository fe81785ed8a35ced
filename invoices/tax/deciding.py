"""How goods and services to a client are taxed, from where all of it is for VAT.

Services to businesses are taxed where the client is (directive 2006/112/EC, article 44; CGI 259,
1°), and within France at the rates of the client's part of it; those that belong to a building, an
event or a meal where that is (CGI 259 A). Goods that are sent to a business of another state of the
Union are exempt here (CGI 262 ter, I), as are those that leave the VAT territory of the Union or
pass between the metropole and the departments overseas, either way (CGI 262, I; 294, 2).

To be confirmed by an accountant [U]: who owes the VAT of a service that a seller in Guyane or
Mayotte supplies in the metropole; which reduced rate of the metropole stands for the one of 2.1 %
overseas; whether the client accounts for the VAT of a building in its own state (article 194 leaves
that to each state); services to consumers, who are taken where they are; distance sales to
consumers in other states, which are taxed here until the company says otherwise; goods that are
not sent from where the seller is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Final

from invoices.documents.nature import Nature
from invoices.documents.totals import STANDARD
from invoices.tax.supplies import Place, Supply
from invoices.tax.territories import EU, Territory
from invoices.tax.vat_ids import state_of

# The rates of Guadeloupe, Martinique and Réunion that stand where those of the metropole do
# (CGI 296; BOI-TVA-GEO-20-10). The special ones (1.75 and 1.05 %) follow from no other.
_DOM_RATES: Final = {
    Decimal("20"): Decimal("8.5"),
    Decimal("10"): Decimal("2.1"),
    Decimal("5.5"): Decimal("2.1"),
}
# … and back, for a seller who is there.
_METROPOLE_RATES: Final = {Decimal("8.5"): Decimal("20"), Decimal("2.1"): Decimal("10")}
_MAINLAND: Final = (Territory.METROPOLE, Territory.CORSICA)


class Doubt(StrEnum):
    """What the rules of another country have to settle."""

    # A service in another state of the Union, and nothing says that the client accounts for it.
    REGISTRATION = "registration"
    # … where the client is registered in that state: it mostly does (article 194).
    CLIENT_ACCOUNTS = "client_accounts"
    # Something stands or happens where we know no tax.
    LOCAL_TAX = "local_tax"


@dataclass(frozen=True)
class VatTreatment:
    """VAT category (UNTDID 5305) and rate in percent of what no better figure is known for.

    `territory` is where the supply is: of goods the delivery, of services the place of supply.
    """

    category: str
    rate: Decimal
    # Abroad within the Union, and no valid VAT id tells whether the client is a business.
    needs_vat_id: bool = False
    territory: Territory = Territory.METROPOLE
    nature: Nature = Nature.SERVICES
    # Whose rates a line with VAT bears.
    taxed_in: Territory = Territory.METROPOLE
    doubt: Doubt | None = None


def treatment(
    *,
    home: str,
    usual_rate: Decimal,
    nature: Nature,
    country: str,
    postal_code: str = "",
    vat_id: str = "",
    home_postal_code: str = "",
    delivered: Place | None = None,
    tied: Place | None = None,
) -> VatTreatment:
    """`home` is the seller's country; `usual_rate` in percent, 0 of a seller who charges no VAT."""
    client = Place(country, postal_code) if country else Place(home, postal_code)
    supply = Supply(Place(home, home_postal_code), client, vat_id, delivered, tied)
    return decided(supply, nature, usual_rate)


def decided(supply: Supply, nature: Nature, usual_rate: Decimal) -> VatTreatment:
    """What the law says of one nature; `usual_rate` is of the seller's own territory."""
    seller, place = supply.seller.territory, supply.place_of(nature)
    territory = place.territory
    taxed_in = territory if territory.in_france else seller
    at_home = VatTreatment(
        STANDARD if usual_rate else "E",
        _rate_there(usual_rate, seller, taxed_in),
        territory=territory,
        nature=nature,
        taxed_in=taxed_in,
    )
    if not supply.seller.of_french_law:
        return _from_elsewhere(supply, replace(at_home, rate=usual_rate))
    if seller == Territory.COLLECTIVITY:
        # Not the VAT territory of France: whatever is sold from there is outside (CGI 256-0).
        return _without_vat("O", at_home)
    if nature == Nature.GOODS:
        return _goods(supply, at_home)
    return _tied(supply, at_home) if supply.tied else _services(supply, at_home)


def _rate_there(rate: Decimal, seller: Territory, there: Territory) -> Decimal:
    """The seller's rate as it is where the supply is taxed."""
    if there == Territory.DOM_WITH_VAT and seller != there:
        return _DOM_RATES.get(rate, rate)
    if there in _MAINLAND and seller not in _MAINLAND:
        return _METROPOLE_RATES.get(rate, rate)
    return rate


def _services(supply: Supply, at_home: VatTreatment) -> VatTreatment:
    territory = at_home.territory
    if territory.in_france:
        return at_home
    if territory == Territory.EU:
        found = _within_the_union(supply, at_home)
        if found.needs_vat_id and supply.seller.territory == Territory.DOM_WITHOUT_VAT:
            # Taxed where the seller is, who charges none there (CGI 259, 2°; 294, 1).
            return replace(_without_vat("O", at_home), needs_vat_id=True)
        return found
    return _without_vat("O", at_home)


def _tied(supply: Supply, at_home: VatTreatment) -> VatTreatment:
    """Of a service that is where something stands or happens."""
    assert supply.tied is not None
    territory = at_home.territory
    if territory.in_france:
        return at_home
    if territory == Territory.DOM_WITHOUT_VAT:
        return _without_vat("O", at_home)
    if territory != Territory.EU:
        return replace(_without_vat("O", at_home), doubt=Doubt.LOCAL_TAX)
    if state_of(supply.vat_id) == supply.tied.state:
        return replace(_without_vat("AE", at_home), doubt=Doubt.CLIENT_ACCOUNTS)
    return replace(_without_vat("O", at_home), doubt=Doubt.REGISTRATION)


def _goods(supply: Supply, at_home: VatTreatment) -> VatTreatment:
    """From where the seller is to where they are delivered."""
    seller, territory = supply.seller.territory, at_home.territory
    if seller == Territory.DOM_WITHOUT_VAT:
        # No VAT applies where they are sold (CGI 294, 1).
        return _without_vat("O", at_home)
    if not supply.leaves:
        return at_home
    if seller in _MAINLAND and territory in (Territory.EU, Territory.NORTHERN_IRELAND):
        return _within_the_union(supply, at_home)
    # The departments overseas and the metropole are abroad for each other's goods, and the Union
    # for goods from overseas (CGI 294, 2).
    return _without_vat("G", at_home)


def _within_the_union(supply: Supply, at_home: VatTreatment) -> VatTreatment:
    # An id of a third state is proof too (a branch is registered where it buys), one of ours is
    # not: whoever shows that buys at home. One of Northern Ireland is proof for goods only.
    state, goods = state_of(supply.vat_id), at_home.nature == Nature.GOODS
    home = "FR" if supply.seller.of_french_law else supply.seller.state
    if at_home.territory == Territory.NORTHERN_IRELAND:
        is_proof = state == "XI"
    else:
        is_proof = state not in ("", home) and (goods or state != "XI")
    # Whoever charges no VAT sells goods to other states as at home (CGI 262 ter, I, 1°).
    if is_proof and not (goods and at_home.category == "E"):
        return _without_vat("K" if goods else "AE", at_home)
    return replace(at_home, needs_vat_id=not is_proof)


def _from_elsewhere(supply: Supply, at_home: VatTreatment) -> VatTreatment:
    home, goods = supply.seller.state, at_home.nature == Nature.GOODS
    if supply.place_of(at_home.nature).state == home:
        return at_home
    if supply.tied and not goods:
        return replace(_without_vat("O", at_home), doubt=Doubt.REGISTRATION)
    of_the_union = {Territory.EU, *_MAINLAND}
    if goods:
        of_the_union.add(Territory.NORTHERN_IRELAND)
    if home in EU and at_home.territory in of_the_union:
        return _within_the_union(supply, at_home)
    return _without_vat("G" if goods else "O", at_home)


def _without_vat(category: str, at_home: VatTreatment) -> VatTreatment:
    return replace(at_home, category=category, rate=Decimal(0))
