"""How the company invoices: what is saved with a word of warning."""

from __future__ import annotations

import pytest
from django.urls import reverse

from billing_portal.idempotency import new_key
from invoices.models import Company
from tests.accounts.test_settings import INVOICING
from tests.factories import make_company, make_draft

pytestmark = pytest.mark.django_db


def save(browser, **changed):
    given = {**INVOICING, **changed, "once": new_key()}
    return browser.post(reverse("company:invoicing"), given, follow=True)


def test_what_the_law_says_otherwise_is_saved_with_a_warning(admin_client):
    make_company()
    page = save(admin_client, indemnity="60", vat_rate="17")
    assert "The law sets the indemnity at 40 euros" in page.text
    assert "17% is no French rate of VAT today" in page.text
    make_company(country="DE")
    page = save(admin_client, indemnity="0", vat_rate="19")
    assert "no French rate of VAT" not in page.text
    assert Company.objects.get(pk=1).indemnity_minor == 0


def test_drafts_with_vat_are_named_when_the_company_enters_the_franchise(admin_client):
    make_draft()
    page = save(admin_client, vat_regime="franchise").text
    assert "1 draft bears VAT: it cannot be issued until the VAT is taken out." in page
    assert Company.objects.get().in_franchise
