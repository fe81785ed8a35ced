"""The file of a list holds what the list shows, however the reader came to it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from billing_portal.accounts.models import User
from tests.browser.conftest import settled, sign_in
from tests.factories import make_company, make_invoice, make_user

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("path", ["/invoices/", "/clients/", "/payments/"])
def test_the_export_follows_the_filter_there_and_back(page, live_site, path):
    make_company()
    make_invoice()
    sign_in(page, live_site, make_user(role=User.Role.FINANCE), path)
    settled(page)
    links = page.locator("a.dropdown-item[href*='export.']")
    assert links.count() == 2
    page.locator("#add-filter").click()
    page.locator(".filter-form input[name=q]").fill("morvan")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=morvan**")
    settled(page)
    for n in range(2):
        expect(links.nth(n)).to_have_attribute("href", re.compile("export.*q=morvan"))
    page.go_back()
    page.wait_for_url(lambda address: "q=morvan" not in address)
    # The page before is loaded anew.
    for n in range(2):
        expect(links.nth(n)).not_to_have_attribute("href", re.compile("q=morvan"))
    settled(page)
