"""billing_portal/typed/addresses.py, on the list of invoices"""

from __future__ import annotations

from datetime import date
from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse
from django.utils import timezone

from billing_portal.accounts.models import User
from tests.factories import make_invoice

pytestmark = pytest.mark.django_db


def ask(browser, **typed):
    return browser.get(reverse("invoices:list"), {"typed": "1", **typed})


def led_to(answer):
    assert answer.status_code == 302
    return {
        name: values[0] for name, values in parse_qs(urlsplit(answer["Location"]).query).items()
    }


@pytest.fixture
def french_client(clerk_client):
    User.objects.update(language="fr")
    return clerk_client


def test_what_was_typed_leads_to_an_address_without_a_language(clerk_client):
    typed = {
        "amount_min": "10,000",
        "issued_from": "24/11/2026",
        "late_min": "1,000",
        "q": "",
        "state": "open",
    }
    assert led_to(ask(clerk_client, **typed)) == {
        "amount_min": "10000",
        "issued_from": "2026-11-24",
        "late_min": "1000",
        "state": "open",
    }
    assert led_to(ask(clerk_client, as_of="today")) == {"as_of": str(timezone.localdate())}
    assert ask(clerk_client)["Location"] == reverse("invoices:list")


def test_the_address_means_the_same_in_both_languages_and_is_shown_in_each(clerk_client):
    make_invoice(number="F-1", total_minor=1_500_00, issue_date=date(2026, 5, 4))
    make_invoice(number="F-2", total_minor=1_50, issue_date=date(2026, 5, 4))
    query = {"amount_min": "1.500", "amount_max": "1500.50", "issued_to": "2026-11-24"}
    for language, shown in (("en-gb", "1500.50"), ("fr", "1500,50")):
        User.objects.update(language=language)
        text = clerk_client.get(reverse("invoices:list"), query).text
        assert "F-1" in text and "F-2" in text
        given = {**query, "panel": "1"}
        panel = clerk_client.get(reverse("invoices:list"), given, headers={"HX-Request": "true"})
        assert f'value="{shown}"' in panel.text
        assert 'value="24/11/2026"' in panel.text


def test_a_filter_that_can_be_two_numbers_is_asked_about_and_left_out(french_client):
    make_invoice(number="F-7", total_minor=3_00)
    answer = ask(french_client, amount_min="1.500")
    assert answer.status_code == 200
    assert "Est-ce 1\u202f500 ou 1,5\u202f? Tapez 1500 ou 1,5." in answer.text
    assert 'value="1.500"' in answer.text
    assert "F-7" in answer.text
    assert led_to(ask(french_client, amount_min="1 500")) == {"amount_min": "1500"}


def test_a_filter_that_the_address_misspells_is_named(clerk_client):
    text = clerk_client.get(reverse("invoices:list"), {"amount_min": "1,500"}).text
    assert "cannot be “1,500”" in text
    assert "which cannot be read: type it again" in text
