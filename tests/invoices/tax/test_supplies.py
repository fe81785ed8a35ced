"""Seller's territory, client, delivery and place of a service: the right answer, with its source.

D = directive 2006/112/EC, C = code général des impôts. [U] marks what an accountant must confirm.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import product

import pytest

from invoices.company.vat_rates import SOWN
from invoices.documents.nature import Nature
from invoices.tax.deciding import decided
from invoices.tax.judging import Charged, misplaced, overcharged
from invoices.tax.supplies import Place, Supply
from invoices.tax.territories import Territory
from tests.invoices.tax.test_places import AT

GOODS, SERVICES = Nature.GOODS, Nature.SERVICES
PARIS, BASTIA, MONACO = Place("FR", "75011"), Place("FR", "20200"), Place("MC", "98000")
REUNION, RE_AS_FR = Place("RE", "97400"), Place("FR", "97419")
GUADELOUPE, MARTINIQUE = Place("GP", "97110"), Place("FR", "97232")
GUYANE, MAYOTTE = Place("GF", "97300"), Place("FR", "97600")
SAINT_MARTIN, NOUMEA = Place("MF", "97150"), Place("NC", "98800")
BERLIN, MADRID, TENERIFE = Place("DE", "10115"), Place("ES", "28001"), Place("ES", "38001")
GENEVA, BELFAST, NEW_YORK = Place("CH", "1201"), Place("GB", "BT1 5GS"), Place("US", "10001")
GERMAN, SPANISH, FRENCH = "DE129273398", "ESB58378431", "FR96552100554"
NO_ID, IRISH = "", "XI980780684"
# Delivered: seller, client, his VAT id, where the goods go → category, rate; source.
DELIVERED = [
    (PARIS, PARIS, FRENCH, REUNION, "G 0", "C 294, 2, 1°: sent overseas for a client in Paris"),
    (PARIS, PARIS, FRENCH, RE_AS_FR, "G 0", "C 294, 2, 1°"),
    (PARIS, PARIS, FRENCH, GUYANE, "G 0", "C 294, 2, 1°"),
    (PARIS, PARIS, FRENCH, NOUMEA, "G 0", "C 262, I"),
    (PARIS, PARIS, FRENCH, GENEVA, "G 0", "C 262, I: exported for a client at home"),
    (PARIS, PARIS, FRENCH, TENERIFE, "G 0", "D 6: outside the VAT of the Union"),
    (PARIS, PARIS, FRENCH, BASTIA, "S 20", "C 297: most goods bear the usual rate"),
    (PARIS, PARIS, FRENCH, MONACO, "S 20", "C 256-0"),
    (PARIS, PARIS, FRENCH, BERLIN, "S 20", "D 138, 1, b: he shows no id of another state"),
    (PARIS, PARIS, GERMAN, BERLIN, "K 0", "D 138, 1, b: registered in Germany"),
    (PARIS, BERLIN, GERMAN, BERLIN, "K 0", "D 138"),
    (PARIS, BERLIN, GERMAN, MADRID, "K 0", "D 138: an id of another state than ours is enough"),
    (PARIS, BERLIN, GERMAN, PARIS, "S 20", "D 31, C 258: handed over in France"),
    (PARIS, BERLIN, GERMAN, BASTIA, "S 20", "C 258"),
    (PARIS, BERLIN, GERMAN, MONACO, "S 20", "C 256-0"),
    (PARIS, BERLIN, GERMAN, REUNION, "G 0", "C 294, 2, 1°"),
    (PARIS, BERLIN, GERMAN, GENEVA, "G 0", "C 262, I"),
    (PARIS, BERLIN, NO_ID, BERLIN, "S 20", "D 33: not known to be a business"),
    (PARIS, BERLIN, NO_ID, GENEVA, "G 0", "C 262, I: whoever buys"),
    (PARIS, NEW_YORK, NO_ID, PARIS, "S 20", "C 258: it does not leave"),
    (PARIS, NEW_YORK, NO_ID, BERLIN, "S 20", "D 138, 1, b: no id"),
    (PARIS, NEW_YORK, GERMAN, BERLIN, "K 0", "D 138: registered in Germany"),
    (PARIS, GENEVA, NO_ID, REUNION, "G 0", "C 294, 2, 1°"),
    (PARIS, REUNION, NO_ID, PARIS, "S 20", "C 258: handed over in the metropole"),
    (PARIS, REUNION, NO_ID, REUNION, "G 0", "C 294, 2, 1°"),
    (PARIS, GUYANE, NO_ID, PARIS, "S 20", "C 258"),
    (PARIS, BELFAST, IRISH, BELFAST, "K 0", "Windsor framework; D 138"),
    (PARIS, PARIS, FRENCH, BELFAST, "S 20", "no id of Northern Ireland"),
    (PARIS, BERLIN, IRISH, BERLIN, "K 0", "D 138: an XI id counts, for goods"),
    (MONACO, MONACO, NO_ID, PARIS, "S 20", "C 256-0: Monaco is in it"),
    (MONACO, BERLIN, GERMAN, BERLIN, "K 0", "C 256-0; D 138"),
    (BASTIA, BASTIA, NO_ID, PARIS, "S 20", "C 258: Corsica and the mainland are one market"),
    (BASTIA, BASTIA, NO_ID, REUNION, "G 0", "C 294, 2, 1°"),
]  # fmt: skip
# From overseas: goods, delivered at the client's.
FROM_OVERSEAS = [
    (REUNION, REUNION, NO_ID, "S 8.5", "C 296"),
    (RE_AS_FR, REUNION, NO_ID, "S 8.5", "C 296, written as France"),
    (REUNION, PARIS, FRENCH, "G 0", "C 294, 2, 3°"),
    (REUNION, BASTIA, FRENCH, "G 0", "C 294, 2, 3°"),
    (REUNION, GUADELOUPE, NO_ID, "G 0", "C 294, 2, 3°: Réunion is a market of its own"),
    (REUNION, MARTINIQUE, NO_ID, "G 0", "C 294, 2, 3°"),
    (REUNION, GUYANE, NO_ID, "G 0", "C 294, 2, 3°"),
    (REUNION, MAYOTTE, NO_ID, "G 0", "C 294, 2, 3°"),
    (REUNION, BERLIN, GERMAN, "G 0", "C 294, 2, 3°: the Union is abroad, no 138"),
    (REUNION, BERLIN, NO_ID, "G 0", "C 294, 2, 3°"),
    (REUNION, NEW_YORK, NO_ID, "G 0", "C 262, I"),
    (REUNION, SAINT_MARTIN, NO_ID, "G 0", "C 262, I"),
    (GUADELOUPE, MARTINIQUE, NO_ID, "S 8.5", "C 294, 2, 2°: one market with Guadeloupe"),
    (MARTINIQUE, GUADELOUPE, NO_ID, "S 8.5", "C 294, 2, 2°"),
    (GUADELOUPE, REUNION, NO_ID, "G 0", "C 294, 2, 2°"),
    (MARTINIQUE, PARIS, FRENCH, "G 0", "C 294, 2, 2°"),
    (MARTINIQUE, GUYANE, NO_ID, "G 0", "C 294, 2, 2°"),
    (MARTINIQUE, BERLIN, GERMAN, "G 0", "C 294, 2, 2°"),
    (GUYANE, GUYANE, NO_ID, "O 0", "C 294, 1"),
    (GUYANE, MAYOTTE, NO_ID, "O 0", "C 294, 1"),
    (GUYANE, PARIS, FRENCH, "O 0", "C 294, 1: no VAT where it is sold"),
    (MAYOTTE, REUNION, NO_ID, "O 0", "C 294, 1"),
    (MAYOTTE, BERLIN, GERMAN, "O 0", "C 294, 1"),
    (SAINT_MARTIN, SAINT_MARTIN, NO_ID, "O 0", "C 256-0: outside the territory"),
    (SAINT_MARTIN, PARIS, FRENCH, "O 0", "C 256-0"),
    (NOUMEA, BERLIN, GERMAN, "O 0", "C 256-0"),
]  # fmt: skip
# Services of sellers overseas, to the client's place.
SERVED_FROM_OVERSEAS = [
    (REUNION, REUNION, NO_ID, "S 8.5", "C 296"),
    (REUNION, GUADELOUPE, NO_ID, "S 8.5", "C 259, 1°; 296"),
    (REUNION, PARIS, FRENCH, "S 20", "C 259, 1°: taxed in the metropole, at its rates"),
    (REUNION, BASTIA, FRENCH, "S 20", "C 259, 1°"),
    (REUNION, MONACO, NO_ID, "S 20", "C 256-0"),
    (REUNION, GUYANE, NO_ID, "O 0", "C 259, 1°; 294, 1"),
    (REUNION, SAINT_MARTIN, NO_ID, "O 0", "C 259, 1°"),
    (REUNION, BERLIN, GERMAN, "AE 0", "D 44, 196"),
    (REUNION, BERLIN, NO_ID, "S 8.5", "D 45: taxed where the seller is"),
    (REUNION, NEW_YORK, NO_ID, "O 0", "C 259, 1°"),
    (MARTINIQUE, PARIS, FRENCH, "S 20", "C 259, 1°"),
    (GUYANE, GUYANE, NO_ID, "O 0", "C 294, 1"),
    (GUYANE, PARIS, FRENCH, "S 20", "C 259, 1° [U]"),
    (GUYANE, REUNION, NO_ID, "S 8.5", "C 259, 1°; 296 [U]"),
    (GUYANE, BERLIN, GERMAN, "AE 0", "D 44, 196 [U]"),
    (GUYANE, BERLIN, NO_ID, "O 0", "C 259, 2°; 294, 1"),
    (GUYANE, NEW_YORK, NO_ID, "O 0", "C 259, 1°"),
    (MAYOTTE, MAYOTTE, NO_ID, "O 0", "C 294, 1"),
    (SAINT_MARTIN, PARIS, FRENCH, "O 0", "C 256-0"),
    (NOUMEA, NOUMEA, NO_ID, "O 0", "C 256-0"),
    (MONACO, BERLIN, GERMAN, "AE 0", "C 256-0; D 44, 196"),
    (MONACO, PARIS, FRENCH, "S 20", "C 256-0"),
    (BASTIA, PARIS, FRENCH, "S 20", "C 278"),
    (BASTIA, REUNION, NO_ID, "S 8.5", "C 259, 1°; 296"),
]  # fmt: skip
# Tied to a building or an event: seller, client, his id, where it is → category, rate, doubt.
TIED = [
    (PARIS, PARIS, FRENCH, PARIS, "S 20", None, "C 259 A, 2°"),
    (PARIS, BERLIN, GERMAN, PARIS, "S 20", None, "C 259 A, 2°: a French building"),
    (PARIS, NEW_YORK, NO_ID, PARIS, "S 20", None, "C 259 A, 2°"),
    (PARIS, GUYANE, NO_ID, PARIS, "S 20", None, "C 259 A, 2°"),
    (PARIS, BERLIN, GERMAN, BASTIA, "S 20", None, "C 259 A, 2°"),
    (PARIS, BERLIN, GERMAN, MONACO, "S 20", None, "C 256-0"),
    (PARIS, PARIS, FRENCH, REUNION, "S 8.5", None, "C 259 A, 2°; 296"),
    (PARIS, BERLIN, GERMAN, MARTINIQUE, "S 8.5", None, "C 259 A, 2°; 296"),
    (PARIS, PARIS, FRENCH, GUYANE, "O 0", None, "C 259 A, 2°; 294, 1"),
    (PARIS, PARIS, FRENCH, SAINT_MARTIN, "O 0", "local_tax", "C 259 A, 2° a contrario"),
    (PARIS, PARIS, FRENCH, BERLIN, "O 0", "registration", "D 47: German VAT, not ours"),
    (PARIS, BERLIN, NO_ID, BERLIN, "O 0", "registration", "D 47"),
    (PARIS, BERLIN, GERMAN, BERLIN, "AE 0", "client_accounts", "D 47, 194 [U]"),
    (PARIS, BERLIN, GERMAN, MADRID, "O 0", "registration", "D 47: no id of Spain"),
    (PARIS, MADRID, SPANISH, MADRID, "AE 0", "client_accounts", "D 47, 194 [U]"),
    (PARIS, PARIS, FRENCH, GENEVA, "O 0", "local_tax", "C 259 A, 2° a contrario"),
    (PARIS, PARIS, FRENCH, BELFAST, "O 0", "local_tax", "outside the Union for services"),
    (PARIS, PARIS, FRENCH, TENERIFE, "O 0", "local_tax", "D 6"),
    (REUNION, PARIS, FRENCH, PARIS, "S 20", None, "C 259 A, 2°"),
    (REUNION, PARIS, FRENCH, REUNION, "S 8.5", None, "C 259 A, 2°; 296"),
    (REUNION, REUNION, NO_ID, BERLIN, "O 0", "registration", "D 47"),
    (GUYANE, PARIS, FRENCH, GUYANE, "O 0", None, "C 294, 1"),
    (GUYANE, GUYANE, NO_ID, PARIS, "S 20", None, "C 259 A, 2° [U]"),
    (SAINT_MARTIN, PARIS, FRENCH, PARIS, "O 0", None, "C 256-0 [U]"),
    (MONACO, BERLIN, GERMAN, MONACO, "S 20", None, "C 256-0"),
]  # fmt: skip


def usual_rate(seller: Place) -> Decimal:
    return Decimal("8.5" if seller.territory == Territory.DOM_WITH_VAT else "20")


def answer(supply: Supply, nature: Nature) -> str:
    found = decided(supply, nature, usual_rate(supply.seller))
    return f"{found.category} {found.rate.normalize():f}"


@pytest.mark.parametrize(("seller", "client", "vat_id", "delivered", "wanted", "source"), DELIVERED)
def test_goods_are_taxed_where_they_are_delivered(
    seller, client, vat_id, delivered, wanted, source
):
    supply = Supply(seller, client, vat_id, delivered)
    assert answer(supply, GOODS) == wanted, source
    # The client's own services stay where the client is.
    assert answer(supply, SERVICES) == answer(Supply(seller, client, vat_id), SERVICES)


@pytest.mark.parametrize(("seller", "client", "vat_id", "wanted", "source"), FROM_OVERSEAS)
def test_goods_of_a_seller_overseas(seller, client, vat_id, wanted, source):
    assert answer(Supply(seller, client, vat_id), GOODS) == wanted, source
    assert answer(Supply(seller, PARIS, vat_id, delivered=client), GOODS) == wanted, source


@pytest.mark.parametrize(("seller", "client", "vat_id", "wanted", "source"), SERVED_FROM_OVERSEAS)
def test_services_of_a_seller_overseas(seller, client, vat_id, wanted, source):
    assert answer(Supply(seller, client, vat_id), SERVICES) == wanted, source


@pytest.mark.parametrize(("seller", "client", "vat_id", "at", "wanted", "doubt", "source"), TIED)
def test_a_service_is_where_its_building_stands(seller, client, vat_id, at, wanted, doubt, source):
    supply = Supply(seller, client, vat_id, tied=at)
    assert answer(supply, SERVICES) == wanted, source
    assert decided(supply, SERVICES, usual_rate(seller)).doubt == doubt, source
    # Goods that are sold beside it go where the client is.
    assert answer(supply, GOODS) == answer(Supply(seller, client, vat_id), GOODS)


def test_the_table_has_more_than_a_hundred_cases_of_its_own():
    assert sum(map(len, (DELIVERED, FROM_OVERSEAS, SERVED_FROM_OVERSEAS, TIED))) > 100


def test_guadeloupe_and_martinique_are_one_market_and_reunion_another():
    assert GUADELOUPE.market == MARTINIQUE.market == Place("FR", "F-97100").market
    assert REUNION.market == RE_AS_FR.market == Place("RE").market != GUADELOUPE.market
    assert PARIS.market == BASTIA.market == MONACO.market


# ─ Whatever the parties ─────────────────────────────────────────────────────────────────────────
SELLERS = [*AT.values(), GUADELOUPE, MONACO]
IDS = [NO_ID, GERMAN, FRENCH, IRISH, "N/A", "²"]
SOMEWHERE = [None, *AT.values(), MARTINIQUE]
LAWFUL = {
    where: [Decimal(rate) for territory, rate, _first, last, _source in SOWN
            if territory == where and last is None]
    for where in Territory
}  # fmt: skip


# Of goods it does not matter where a service is, nor of services where goods go: one other place.
HERE_AND_THERE = {GOODS: (SOMEWHERE, [None, BERLIN]), SERVICES: ([None, BERLIN], SOMEWHERE)}


@pytest.mark.parametrize("nature", Nature)
@pytest.mark.parametrize("seller", SELLERS)
def test_something_is_decided_for_any_parties_and_judged_right(seller, nature):
    """What is decided is never a fault, and VAT where none is due always is one."""
    delivered_to, tied_to = HERE_AND_THERE[nature]
    for client, vat_id, delivered, tied, rate in product(
        SELLERS, IDS, delivered_to, tied_to, ("20", "8.5", "0")
    ):
        supply = Supply(seller, client, vat_id, delivered, tied)
        found = decided(supply, nature, Decimal(rate))
        assert found.category in {"S", "E", "AE", "K", "G", "O"}
        assert (found.rate > 0) is (found.category == "S")
        assert misplaced([Charged(found.category, found.rate, nature)], supply) == [], supply
        charged = Charged("S", Decimal(rate), nature)
        faults = overcharged([charged], {nature: found}, LAWFUL.__getitem__)
        if found.category not in ("S", "E"):
            assert [each.code for each in faults] == ["charged"]
        elif found.category == "S":
            lawful = LAWFUL[found.taxed_in]
            assert bool(faults) is bool(lawful and Decimal(rate) not in lawful)
