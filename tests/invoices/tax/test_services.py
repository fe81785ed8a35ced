"""Services of a French company to businesses: the right answer for each territory, with its source.

D = directive 2006/112/EC, C = code général des impôts, B = BOI-TVA-GEO.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from invoices.company.vat_rates import SOWN
from invoices.documents.nature import Nature
from invoices.tax.deciding import treatment
from invoices.tax.territories import Territory, territory_of
from invoices.tax.vat_ids import state_of

HOME = {"nature": Nature.SERVICES, "home": "FR", "usual_rate": Decimal(20)}
METROPOLE = ("S", "20")
DOM = ("S", "8.5")
REVERSED = ("AE", "0")
OUTSIDE = ("O", "0")
# country, postal code, VAT id → category and rate, whether an id is asked for, source
CASES = [
    # France, and what is taxed as if it were in it
    ("FR", "75011", "", METROPOLE, False, "C 278"),
    ("FR", "44000", "FR96552100554", METROPOLE, False, "C 278"),
    ("FR", "", "", METROPOLE, False, "C 278"),
    ("", "", "", METROPOLE, False, "C 278"),
    ("FR", "20000", "", METROPOLE, False, "C 297: services in Corsica bear the usual rate"),
    ("FR", "20200", "", METROPOLE, False, "C 297"),
    ("MC", "98000", "", METROPOLE, False, "C 256-0"),
    ("FR", "98000", "", METROPOLE, False, "C 256-0, Monaco written as France"),
    # Overseas departments with VAT, under both ways of writing them
    ("GP", "97100", "", DOM, False, "C 296; B 20-10"),
    ("MQ", "97200", "", DOM, False, "C 296"),
    ("RE", "97400", "", DOM, False, "C 296"),
    ("RE", "", "", DOM, False, "C 296"),
    ("FR", "97110", "", DOM, False, "C 296"),
    ("FR", "97232", "", DOM, False, "C 296"),
    ("FR", "97419", "", DOM, False, "C 296"),
    ("FR", "F-97400", "", DOM, False, "C 296"),
    ("FR", "974 00", "", DOM, False, "C 296"),
    # … and without
    ("GF", "97300", "", OUTSIDE, False, "C 294, 1"),
    ("YT", "97600", "", OUTSIDE, False, "C 294, 1"),
    ("FR", "97320", "", OUTSIDE, False, "C 294, 1"),
    ("FR", "97600", "", OUTSIDE, False, "C 294, 1"),
    # Collectivities
    ("PF", "98714", "", OUTSIDE, False, "C 259, 1°"),
    ("NC", "98800", "", OUTSIDE, False, "C 259, 1°"),
    ("WF", "98600", "", OUTSIDE, False, "C 259, 1°"),
    ("PM", "97500", "", OUTSIDE, False, "C 259, 1°"),
    ("BL", "97133", "", OUTSIDE, False, "C 259, 1°"),
    ("MF", "97150", "", OUTSIDE, False, "C 259, 1°"),
    ("FR", "97133", "", OUTSIDE, False, "Saint-Barthélemy, not Guadeloupe"),
    ("FR", "97150", "", OUTSIDE, False, "Saint-Martin, not Guadeloupe"),
    ("FR", "98735", "", OUTSIDE, False, "C 259, 1°"),
    ("FR", "98800", "", OUTSIDE, False, "C 259, 1°"),
    # The Union: an id that proves a business elsewhere in it
    ("DE", "10115", "DE129273398", REVERSED, False, "D 196"),
    ("DE", "D-10115", "DE 129 273 398", REVERSED, False, "D 196"),
    ("BE", "1000", "BE0428759497", REVERSED, False, "D 196"),
    ("ES", "28001", "ESB58378431", REVERSED, False, "D 196"),
    ("IT", "20121", "IT00743110157", REVERSED, False, "D 196"),
    ("LU", "1611", "LU15027442", REVERSED, False, "D 196"),
    ("GR", "10431", "EL094259216", REVERSED, False, "D 196"),
    ("EL", "10431", "EL094259216", REVERSED, False, "Greece as VAT ids write it"),
    ("IE", "D02", "IE6388047V", REVERSED, False, "D 196"),
    ("PT", "1000", "PT501964843", REVERSED, False, "D 196"),
    ("AT", "1010", "ATU13585627", REVERSED, False, "D 196"),
    # A branch in the Netherlands of a company that is registered in Germany
    ("NL", "1011", "DE129273398", REVERSED, False, "D 44: where the id was given"),
    # … and texts that prove nothing
    ("DE", "10115", "", METROPOLE, True, "D 45: not known to be a business"),
    ("DE", "10115", "N/A", METROPOLE, True, "no id"),
    ("DE", "10115", "none", METROPOLE, True, "no id"),
    ("DE", "10115", "en cours", METROPOLE, True, "no id"),
    ("DE", "10115", "EU123", METROPOLE, True, "no state"),
    ("DE", "10115", "DE129273399", METROPOLE, True, "a wrong digit"),
    ("DE", "10115", "129273398", METROPOLE, True, "no state"),
    ("DE", "10115", "FR96552100554", METROPOLE, True, "registered in France: buys in France"),
    ("DE", "10115", "XI980780684", METROPOLE, True, "for goods only"),
    ("GR", "10431", "GR094259216", METROPOLE, True, "Greek ids begin with EL"),
    # States of the Union, outside its VAT
    ("ES", "35001", "ESB58378431", OUTSIDE, False, "D 6: Canary Islands"),
    ("ES", "38001", "", OUTSIDE, False, "D 6: Canary Islands"),
    ("IC", "35001", "", OUTSIDE, False, "D 6: Canary Islands"),
    ("ES", "51001", "", OUTSIDE, False, "D 6: Ceuta"),
    ("ES", "52001", "", OUTSIDE, False, "D 6: Melilla"),
    ("IT", "23041", "", OUTSIDE, False, "D 6: Livigno"),
    ("IT", "22061", "", OUTSIDE, False, "D 6: Campione d’Italia"),
    ("DE", "78266", "", OUTSIDE, False, "D 6: Büsingen"),
    ("DE", "27498", "", OUTSIDE, False, "D 6: Heligoland"),
    ("FI", "22100", "", OUTSIDE, False, "D 6: Åland"),
    ("AX", "22100", "", OUTSIDE, False, "D 6: Åland"),
    ("GR", "63086", "", OUTSIDE, False, "D 6: Mount Athos"),
    # Beyond
    ("GB", "SW1A 1AA", "GB980780684", OUTSIDE, False, "C 259, 1°"),
    ("GB", "BT1 5GS", "XI980780684", OUTSIDE, False, "Northern Ireland is in the Union for goods"),
    ("XI", "", "XI980780684", OUTSIDE, False, "Northern Ireland"),
    ("CH", "1201", "CHE123456788", OUTSIDE, False, "C 259, 1°"),
    ("US", "97201", "", OUTSIDE, False, "C 259, 1°: Portland is not in Martinique"),
    ("CA", "", "", OUTSIDE, False, "C 259, 1°"),
    ("JP", "", "", OUTSIDE, False, "C 259, 1°"),
    ("NO", "2200", "", OUTSIDE, False, "C 259, 1°"),
]


@pytest.mark.parametrize(("country", "postal_code", "vat_id", "wanted", "asks", "source"), CASES)
def test_a_service_is_taxed_where_the_client_is(country, postal_code, vat_id, wanted, asks, source):
    found = treatment(**HOME, country=country, postal_code=postal_code, vat_id=vat_id)
    category, rate = wanted
    assert (found.category, found.rate) == (category, Decimal(rate)), source
    assert found.needs_vat_id is asks, source


def test_a_seller_without_vat_charges_none_in_france():
    for postal_code in ("75011", "97400", "20000"):
        found = treatment(
            **{**HOME, "usual_rate": Decimal(0)}, country="FR", postal_code=postal_code
        )
        assert (found.category, found.rate) == ("E", 0)


@pytest.mark.parametrize(("usual", "there"), [("20", "8.5"), ("10", "2.1"), ("5.5", "2.1")])
def test_a_usual_rate_of_the_metropole_has_its_counterpart_overseas(usual, there):
    found = treatment(nature=Nature.SERVICES, home="FR", usual_rate=Decimal(usual), country="RE")
    assert found.rate == Decimal(there)
    assert found.rate in {Decimal(rate) for where, rate, *_ in SOWN if where == found.territory}


@pytest.mark.parametrize(
    ("country", "vat_id", "category"),
    [
        ("BE", "", "S"),
        ("FR", "FR96552100554", "AE"),
        ("FR", "", "S"),
        ("DE", "DE129273398", "AE"),
        ("DE", "BE0428759497", "S"),
        ("RE", "FR96552100554", "O"),
        ("US", "", "O"),
    ],
)
def test_a_seller_in_belgium_is_at_home_there(country, vat_id, category):
    found = treatment(
        nature=Nature.SERVICES, home="BE", usual_rate=Decimal(21), country=country, vat_id=vat_id
    )
    assert found.category == category


def test_every_territory_is_met_in_the_table():
    met = {territory_of(country, postal_code) for country, postal_code, *_rest in CASES}
    assert met - {territory_of("")} | {Territory.BEYOND} == set(Territory)


def test_an_id_is_that_of_one_state_or_of_none():
    assert state_of("de 129.273-398") == "DE"
    assert state_of("EL094259216") == "GR"
    assert state_of("XI980780684") == "XI"
    for nothing in ("", "DE", "GB980780684", "CHE123456788", "²", "DE\0", "x" * 10_000):
        assert state_of(nothing) == ""
