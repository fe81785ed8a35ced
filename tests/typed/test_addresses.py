"""billing_portal/typed/addresses.py, on the list of invoices"""

from __future__ import annotations

import html
from datetime import date
from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse
from django.utils import timezone

from billing_portal.accounts.models import User
from invoices.models import Payment
from tests.factories import make_client, make_deal, make_invoice, make_user

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


# ─ Payments, deals and the two reports ──────────────────────────────────────────────────────────
PERIODS = [
    ("invoices:payments", "received_from", "Received from", "Reçu à partir du"),
    ("invoices:deals", "won_from", "Won since", "Gagnée depuis le"),
    ("reports:delays", "issued_from", "Issued from", "Émise à partir du"),
    ("reports:delays", "as_of", "As of", "À la date du"),
    ("reports:receivables", "issued_from", "Issued from", "Émise à partir du"),
]


@pytest.fixture
def reader(client):
    user = make_user(role=User.Role.ADMINISTRATOR)
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.mark.parametrize(("page", "name", "label", "french"), PERIODS)
def test_a_day_typed_into_a_filter_leads_to_the_address_of_that_day(
    reader, page, name, label, french
):
    typed = {"typed": "1", name: "24/11/25"}
    assert led_to(reader.get(reverse(page), typed)) == {name: "2025-11-24"}
    shown = reader.get(reverse(page), {name: "2025-11-24", "panel": "1"}).text
    assert 'value="24/11/2025"' in shown
    assert "was left out" not in shown


@pytest.mark.parametrize(("page", "name", "label", "french"), PERIODS)
def test_a_day_that_cannot_be_read_is_named_beside_its_filter_and_above_the_list(
    reader, page, name, label, french
):
    text = html.unescape(reader.get(reverse(page), {"typed": "1", name: "31/02/2026"}).text)
    assert f"The filter “{label}” was left out: There is no day 31 in Feb" in text
    assert text.count("There is no day 31 in Feb") == 2
    assert 'value="31/02/2026"' in text
    User.objects.update(language="fr")
    text = html.unescape(reader.get(reverse(page), {"typed": "1", name: "31/02/2026"}).text)
    assert f"Le filtre «\u202f{french}\u202f» a été laissé de côté" in text


@pytest.mark.parametrize(("page", "name", "label", "french"), PERIODS)
def test_a_day_that_an_address_misspells_is_named_too(reader, page, name, label, french):
    text = html.unescape(reader.get(reverse(page), {name: "31/02/2026"}).text)
    assert "was left out" in text
    assert "31/02/2026" in text


def test_the_period_of_delays_that_was_emptied_has_no_start(reader):
    answer = reader.get(reverse("reports:delays"), {"typed": "1", "issued_from": "", "by": "month"})
    assert answer["Location"].endswith("?issued_from=&by=month")
    plain = reader.get(reverse("reports:receivables"), {"typed": "1", "issued_from": ""})
    assert plain["Location"] == reverse("reports:receivables")


def test_a_report_goes_by_a_currency_that_is_not_offered_and_says_so(reader):
    text = reader.get(reverse("reports:delays"), {"currency": "SEK"}).text
    assert "Select a valid choice" not in text
    assert '<option value="SEK" selected>' in text


def test_what_no_payment_can_have_is_left_out_and_the_file_says_so(reader):
    Payment.objects.create(
        client=make_client(), received_on=date(2026, 11, 3), currency="EUR", amount_minor=20_00
    )
    bad = {"currency": "euro", "received_to": "2026-02-31", "method": "cowry"}
    text = html.unescape(reader.get(reverse("invoices:payments"), bad).text)
    assert "1 payment" in text
    for label in ("Currency", "Received until", "Method"):
        assert f"The filter “{label}” was left out: " in text
    unknown = reader.get(reverse("invoices:payments"), {"currency": "zzz"}).text
    assert "“ZZZ” is no currency: write its three letters." in html.unescape(unknown)
    file = b"".join(reader.get(reverse("invoices:payments-csv"), bad).streaming_content).decode()
    assert "The filter “Received until” was left out" in file
    assert "20.00" in file


def test_a_deal_filter_that_cannot_be_read_is_noted_in_the_file(reader):
    make_deal(title="Audit of the yard")
    url = reverse("invoices:deals-csv")
    file = b"".join(reader.get(url, {"won_from": "soon"}).streaming_content).decode()
    assert "The filter “Won since” was left out" in file
    assert "Audit of the yard" in file
