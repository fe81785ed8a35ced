"""What a French seller has to state of itself (C. com. R123-237, R123-238)."""

from __future__ import annotations

import pytest

from invoices.invoicing.readiness import company_reasons
from tests.factories import make_company

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("form", "lacks"),
    [
        ("SAS", ["company.capital", "company.rcs_city"]),
        ("S.A.R.L. unipersonnelle", ["company.capital", "company.rcs_city"]),
        ("sa à conseil d’administration", ["company.capital", "company.rcs_city"]),
        ("EI", []),
        ("Association loi 1901", []),
        ("", ["company.legal_form"]),
    ],
)
def test_a_company_states_its_capital_and_register(form, lacks):
    bare = make_company(legal_form=form, capital="", rcs_city="")
    assert [each.field for each in company_reasons(bare)] == lacks
    assert company_reasons(make_company(legal_form=form or "EI")) == []


def test_a_seller_elsewhere_has_its_own_law():
    seller = make_company(country="BE", legal_form="", capital="", rcs_city="", siren="")
    assert company_reasons(seller) == []
