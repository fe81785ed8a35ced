"""The clients of a history: found by name, made, or refused."""

from __future__ import annotations

import pytest

from billing_portal.accounts.models import User
from invoices.models import Client, ClientType, Invoice
from tests.factories import make_client, make_client_type, make_company
from tests.invoices.history.files import (
    CLIENT,
    INVOICE,
    bring,
    changed,
    notices,
    only_complaint,
    plan_of,
)

pytestmark = pytest.mark.django_db


def test_a_client_of_the_crm_is_found_by_name_in_any_case_and_blanks_do_not_overwrite():
    held = make_client(name="ÉLAN  Conseil", language="en", terms_days=45, country="BE")
    bring([{"name": "élan conseil", "billing_email": "new@elan.example"}])
    client = Client.objects.get()
    assert client.pk == held.pk and client.name == "ÉLAN  Conseil"
    assert client.billing_email == "new@elan.example"
    assert (client.language, client.terms_days, client.country) == ("en", 45, "BE")


def test_a_new_client_takes_what_is_not_said_from_the_company():
    make_company(currency="GBP", language="en", terms_days=14, country="GB")
    bring([CLIENT])
    client = Client.objects.get()
    assert (client.currency, client.language, client.terms_days, client.country) == (
        "GBP",
        "en",
        14,
        "GB",
    )


def test_unknown_client_types_are_created_once_and_known_ones_take_their_free_mark():
    make_client_type("SME", mark="sme")
    rows = [
        changed(CLIENT, name="A", client_type="sme"),
        changed(CLIENT, name="B", client_type="Start-up"),
        changed(CLIENT, name="C", client_type="start-up"),
        changed(CLIENT, name="D", client_type="Cooperative"),
    ]
    bring(rows)
    assert sorted(ClientType.objects.values_list("name", "mark")) == [
        ("Cooperative", "none"),
        ("SME", "sme"),
        ("Start-up", "startup"),
    ]


def test_a_column_that_is_mistaken_for_the_client_type_is_noticed():
    rows = [changed(CLIENT, name=f"A{n}", client_type=f"T{n}") for n in range(60)]
    found = only_complaint(plan_of(rows))
    assert (found.line, found.column) == (52, "client_type")


def test_owners_are_found_by_email_or_made_as_sales_who_cannot_sign_in(clerk):
    rows = [
        changed(CLIENT, name="A", owner_email=clerk.email.upper()),
        changed(CLIENT, name="B", owner_email="lea.martin@kerlann.example"),
    ]
    bring(rows, [changed(INVOICE, client="B")])
    lea = User.objects.get(email="lea.martin@kerlann.example")
    assert (lea.role, lea.name, lea.has_usable_password()) == ("sales", "Lea Martin", False)
    assert Client.objects.get(name="A").owner == clerk
    assert Invoice.objects.get().owner == lea


def test_a_merged_client_is_passed_over_and_two_of_one_name_are_asked_about():
    kept = make_client(name="Nord")
    make_client(name="nord", merged_into=kept)
    bring([{"name": "NORD", "billing_email": "x@nord.example"}])
    kept.refresh_from_db()
    assert kept.billing_email == "x@nord.example"
    make_client(name="Nord")
    plan = plan_of([{"name": "Nord"}], [changed(INVOICE, client="Nord")])
    assert "Several clients here are called “Nord”" in only_complaint(plan).reason


@pytest.mark.parametrize(
    ("fields", "column", "reason"),
    [
        ({"name": ""}, "name", "needed"),
        ({"client_type": ""}, "client_type", "needs a client type"),
        ({"country": "France"}, "country", "two letters, like FR"),
        ({"country": "ZZ"}, "country", "not a country"),
        ({"currency": "EURO"}, "currency", "not a currency"),
        ({"language": "de"}, "language", "one of en, fr"),
        ({"payment_terms_days": "30 days"}, "payment_terms_days", "number of days"),
        ({"payment_terms_days": "-3"}, "payment_terms_days", "number of days"),
        ({"payment_terms_days": "99999"}, "payment_terms_days", "from 0 to 365"),
        ({"billing_email": "nobody"}, "billing_email", "not an email address"),
        ({"owner_email": "@x"}, "owner_email", "not an email address"),
        ({"siren": "52100554"}, "siren", "taken away a zero"),
        ({"siren": "552100555"}, "siren", "check digit"),
        ({"vat_id": "FR" + "1" * 20}, "vat_id", "at most 20"),
        ({"name": "x" * 256}, "name", "longer than 255"),
    ],
)
def test_a_bad_client_is_refused_with_line_column_and_reason(fields, column, reason):
    found = only_complaint(plan_of([changed(CLIENT, **fields)]))
    assert (found.file, found.line, found.column) == ("clients.csv", 2, column)
    assert reason in found.reason


def test_a_name_that_comes_twice_is_refused():
    plan = plan_of([CLIENT, changed(CLIENT, name="ATELIER BRUME ")])
    assert "line 2 already" in only_complaint(plan).reason


def test_terms_above_the_legal_maximum_are_kept_and_said():
    plan = bring([changed(CLIENT, payment_terms_days="90")])
    assert Client.objects.get().terms_days == 90
    assert any("legal maximum" in notice for notice in notices(plan))
