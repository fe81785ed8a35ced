"""How the company invoices: what is saved with a word of warning."""

from __future__ import annotations

import pytest
from django.urls import reverse

from invoices.models import Company
from tests.accounts.test_settings import INVOICING, with_the_key_of_its_page  # noqa: F401
from tests.factories import make_company, make_draft

pytestmark = pytest.mark.django_db


def test_what_the_law_says_otherwise_is_saved_with_a_warning(admin_client):
    make_company()
    changed = {"indemnity": "60", "vat_rate": "17"}
    page = admin_client.post(reverse("company:invoicing"), {**INVOICING, **changed}, follow=True)
    assert "The law sets the indemnity at 40 euros" in page.text
    assert "17% is no French rate of VAT today" in page.text
    make_company(country="DE")
    abroad = {"indemnity": "0", "vat_rate": "19"}
    page = admin_client.post(reverse("company:invoicing"), {**INVOICING, **abroad}, follow=True)
    assert "no French rate of VAT" not in page.text
    assert Company.objects.get(pk=1).indemnity_minor == 0


def test_drafts_with_vat_are_named_when_the_company_enters_the_franchise(admin_client):
    make_draft()
    change = {**INVOICING, "vat_regime": "franchise"}
    page = admin_client.post(reverse("company:invoicing"), change, follow=True).text
    assert "1 draft bears VAT: it cannot be issued until the VAT is taken out." in page
    assert Company.objects.get().in_franchise
