"""Goods of a French company to businesses: the right answer for each territory, with its source.

D = directive 2006/112/EC, C = code général des impôts. Sent from metropolitan France.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from invoices.documents.nature import Nature, nature_of_all
from invoices.tax.deciding import treatment

HOME = {"nature": Nature.GOODS, "home": "FR", "usual_rate": Decimal(20)}
METROPOLE = ("S", "20")
WITHIN = ("K", "0")
EXPORT = ("G", "0")
# country, postal code, VAT id → category and rate, whether an id is asked for, source
CASES = [
    ("FR", "75011", "", METROPOLE, False, "C 278"),
    ("FR", "44000", "FR96552100554", METROPOLE, False, "C 278"),
    ("", "", "", METROPOLE, False, "C 278"),
    ("FR", "20000", "", METROPOLE, False, "C 297: most goods bear the usual rate"),
    ("FR", "20200", "", METROPOLE, False, "C 297"),
    ("MC", "98000", "", METROPOLE, False, "C 256-0"),
    ("FR", "98000", "", METROPOLE, False, "C 256-0"),
    # Overseas departments count as abroad for goods that are sent there
    ("GP", "97100", "", EXPORT, False, "C 294, 2"),
    ("MQ", "97200", "", EXPORT, False, "C 294, 2"),
    ("RE", "97400", "", EXPORT, False, "C 294, 2"),
    ("RE", "", "", EXPORT, False, "C 294, 2"),
    ("FR", "97110", "", EXPORT, False, "C 294, 2"),
    ("FR", "97232", "", EXPORT, False, "C 294, 2"),
    ("FR", "97419", "", EXPORT, False, "C 294, 2"),
    ("FR", "F-97400", "", EXPORT, False, "C 294, 2"),
    ("GF", "97300", "", EXPORT, False, "C 294, 2"),
    ("YT", "97600", "", EXPORT, False, "C 294, 2"),
    ("FR", "97320", "", EXPORT, False, "C 294, 2"),
    ("FR", "97600", "", EXPORT, False, "C 294, 2"),
    # Collectivities
    ("PF", "98714", "", EXPORT, False, "C 262, I"),
    ("NC", "98800", "", EXPORT, False, "C 262, I"),
    ("WF", "98600", "", EXPORT, False, "C 262, I"),
    ("PM", "97500", "", EXPORT, False, "C 262, I"),
    ("BL", "97133", "", EXPORT, False, "C 262, I"),
    ("MF", "97150", "", EXPORT, False, "C 262, I"),
    ("FR", "97133", "", EXPORT, False, "Saint-Barthélemy, not Guadeloupe"),
    ("FR", "98735", "", EXPORT, False, "C 262, I"),
    # The Union: an id of another state proves a business
    ("DE", "10115", "DE129273398", WITHIN, False, "C 262 ter, I; D 138"),
    ("DE", "D-10115", "DE 129 273 398", WITHIN, False, "D 138"),
    ("BE", "1000", "BE0428759497", WITHIN, False, "D 138"),
    ("ES", "28001", "ESB58378431", WITHIN, False, "D 138"),
    ("IT", "20121", "IT00743110157", WITHIN, False, "D 138"),
    ("LU", "1611", "LU15027442", WITHIN, False, "D 138"),
    ("GR", "10431", "EL094259216", WITHIN, False, "D 138"),
    ("EL", "10431", "EL094259216", WITHIN, False, "Greece as VAT ids write it"),
    ("IE", "D02", "IE6388047V", WITHIN, False, "D 138"),
    ("PT", "1000", "PT501964843", WITHIN, False, "D 138"),
    ("AT", "1010", "ATU13585627", WITHIN, False, "D 138"),
    ("NL", "1011", "DE129273398", WITHIN, False, "D 138: registered in another state than ours"),
    ("DE", "10115", "XI980780684", WITHIN, False, "D 138: Northern Ireland counts, for goods"),
    # … and what proves none
    ("DE", "10115", "", METROPOLE, True, "D 33: not known to be a business"),
    ("DE", "10115", "N/A", METROPOLE, True, "no id"),
    ("DE", "10115", "EU123", METROPOLE, True, "no state"),
    ("DE", "10115", "DE129273399", METROPOLE, True, "a wrong digit"),
    ("DE", "10115", "129273398", METROPOLE, True, "no state"),
    ("DE", "10115", "FR96552100554", METROPOLE, True, "registered in France"),
    # Northern Ireland is in the Union for goods, the rest of the kingdom is not
    ("GB", "BT1 5GS", "XI980780684", WITHIN, False, "Windsor framework; D 138"),
    ("XI", "", "XI980780684", WITHIN, False, "Windsor framework"),
    ("GB", "BT1 5GS", "", METROPOLE, True, "not known to be a business"),
    ("GB", "BT1 5GS", "GB980780684", METROPOLE, True, "an id of Great Britain"),
    ("GB", "BT1 5GS", "DE129273398", METROPOLE, True, "not registered where the goods go"),
    ("GB", "SW1A 1AA", "GB980780684", EXPORT, False, "C 262, I"),
    # States of the Union, outside its VAT
    ("ES", "35001", "ESB58378431", EXPORT, False, "D 6: Canary Islands"),
    ("ES", "51001", "", EXPORT, False, "D 6: Ceuta"),
    ("IT", "23041", "", EXPORT, False, "D 6: Livigno"),
    ("DE", "78266", "", EXPORT, False, "D 6: Büsingen"),
    ("DE", "27498", "", EXPORT, False, "D 6: Heligoland"),
    ("AX", "22100", "", EXPORT, False, "D 6: Åland"),
    ("GR", "63086", "", EXPORT, False, "D 6: Mount Athos"),
    # Beyond
    ("CH", "1201", "CHE123456788", EXPORT, False, "C 262, I"),
    ("US", "97201", "", EXPORT, False, "C 262, I"),
    ("JP", "", "", EXPORT, False, "C 262, I"),
    ("NO", "2200", "", EXPORT, False, "C 262, I"),
]


@pytest.mark.parametrize(("country", "postal_code", "vat_id", "wanted", "asks", "source"), CASES)
def test_goods_are_taxed_by_where_they_go(country, postal_code, vat_id, wanted, asks, source):
    found = treatment(**HOME, country=country, postal_code=postal_code, vat_id=vat_id)
    category, rate = wanted
    assert (found.category, found.rate) == (category, Decimal(rate)), source
    assert found.needs_vat_id is asks, source
    assert found.nature == Nature.GOODS


@pytest.mark.parametrize(
    ("country", "vat_id", "category"),
    [("FR", "", "E"), ("DE", "DE129273398", "E"), ("DE", "", "E"), ("CH", "", "G")],
)
def test_a_seller_in_the_franchise_sells_within_the_union_as_at_home(country, vat_id, category):
    # C 262 ter, I, 1°: the exemption is not of sellers who benefit from the franchise.
    found = treatment(**{**HOME, "usual_rate": Decimal(0)}, country=country, vat_id=vat_id)
    assert found.category == category


@pytest.mark.parametrize(
    ("country", "vat_id", "category"),
    [("BE", "", "S"), ("FR", "FR96552100554", "K"), ("FR", "", "S"), ("XI", "XI980780684", "K"),
     ("CH", "", "G")],
)  # fmt: skip
def test_a_seller_in_belgium_is_at_home_there(country, vat_id, category):
    found = treatment(
        home="BE", usual_rate=Decimal(21), nature=Nature.GOODS, country=country, vat_id=vat_id
    )
    assert found.category == category


@pytest.mark.parametrize(
    ("natures", "said"),
    [
        (["goods", "goods"], "goods"),
        (["services"], "services"),
        (["goods", "services"], "mixed"),
        (["goods", ""], ""),
        ([""], ""),
        ([], ""),
    ],
)
def test_a_document_is_of_what_its_lines_are(natures, said):
    assert nature_of_all(natures) == said
