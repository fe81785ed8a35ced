"""How goods and services to a client are taxed, from where the two of them are for VAT.

Services to businesses are taxed where the client is (directive 2006/112/EC, article 44; CGI 259,
1°), and within France at the rates of the client's part of it. Goods that are sent to a business of
another state of the Union are exempt here (CGI 262 ter, I), as are those that leave the VAT
territory of the Union or go overseas (CGI 262, I; 294, 2). Not decided here, and to be confirmed by
an accountant: services taxed where something stands or happens (buildings, events, transport),
goods that are handed over in France, and sellers overseas.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from invoices.documents.nature import Nature
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
    nature: Nature = Nature.SERVICES


def treatment(
    *,
    home: str,
    usual_rate: Decimal,
    nature: Nature,
    country: str,
    postal_code: str = "",
    vat_id: str = "",
) -> VatTreatment:
    """`home` is the seller's country; `usual_rate` in percent, 0 of a seller who charges no VAT."""
    at_home = VatTreatment(
        STANDARD if usual_rate else "E",
        usual_rate,
        territory=territory_of(country or home, postal_code),
        nature=nature,
    )
    if home != "FR":
        return _from_elsewhere(home, (country or home).upper(), vat_id, at_home)
    return (_goods if nature == Nature.GOODS else _services)(home, vat_id, at_home)


def _services(home: str, vat_id: str, at_home: VatTreatment) -> VatTreatment:
    territory = at_home.territory
    if territory == Territory.DOM_WITH_VAT and at_home.rate:
        return replace(at_home, rate=_DOM_RATES.get(at_home.rate, at_home.rate))
    if territory.in_france:
        return at_home
    if territory == Territory.EU:
        return _within_the_union(vat_id, home, at_home)
    return _without_vat("O", at_home)


def _goods(home: str, vat_id: str, at_home: VatTreatment) -> VatTreatment:
    """From metropolitan France to where the client is."""
    territory = at_home.territory
    if territory in (Territory.METROPOLE, Territory.CORSICA):
        return at_home
    if territory in (Territory.EU, Territory.NORTHERN_IRELAND):
        return _within_the_union(vat_id, home, at_home)
    # Overseas departments count as abroad for goods, those with VAT too (CGI 294, 2).
    return _without_vat("G", at_home)


def _within_the_union(vat_id: str, home: str, at_home: VatTreatment) -> VatTreatment:
    # An id of a third state is proof too (a branch is registered where it buys), one of ours is
    # not: whoever shows that buys at home. One of Northern Ireland is proof for goods only.
    state, goods = state_of(vat_id), at_home.nature == Nature.GOODS
    if at_home.territory == Territory.NORTHERN_IRELAND:
        is_proof = state == "XI"
    else:
        is_proof = state not in ("", home) and (goods or state != "XI")
    # Whoever charges no VAT sells goods to other states as at home (CGI 262 ter, I, 1°).
    if is_proof and not (goods and at_home.category == "E"):
        return _without_vat("K" if goods else "AE", at_home)
    return replace(at_home, needs_vat_id=not is_proof)


def _from_elsewhere(home: str, country: str, vat_id: str, at_home: VatTreatment) -> VatTreatment:
    if country == home:
        return at_home
    goods = at_home.nature == Nature.GOODS
    of_the_union = {Territory.EU, Territory.METROPOLE, Territory.CORSICA}
    if goods:
        of_the_union.add(Territory.NORTHERN_IRELAND)
    if home in EU and at_home.territory in of_the_union:
        return _within_the_union(vat_id, home, at_home)
    return _without_vat("G" if goods else "O", at_home)


def _without_vat(category: str, at_home: VatTreatment) -> VatTreatment:
    return replace(at_home, category=category, rate=Decimal(0))
