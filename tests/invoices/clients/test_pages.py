"""Clients: the list, one client, and changing its particulars."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from decimal import Decimal

import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from billing_portal.idempotency import new_key
from billing_portal.money import digits
from invoices.models import Client, Payment
from tests.factories import (
    make_client,
    make_client_type,
    make_company,
    make_deal,
    make_draft,
    make_invoice,
    settle,
)

pytestmark = pytest.mark.django_db


def given(**fields):
    base = {
        "once": new_key(),
        "name": "Ateliers Morvan",
        "client_type": make_client_type().pk,
        "language": "fr",
        "currency": "eur",
        "terms_kind": "net",
        "terms_days": "30",
        "address_line1": "3, rue du Port",
        "postal_code": "29200",
        "city": "Brest",
        "country": "fr",
        "siren": "552 100 554",
        "vat_id": "FR 96 552100554",
        "billing_email": "compta@morvan.example",
    }
    return {**base, **fields}


def test_a_client_is_made_once_however_often_the_form_is_sent(clerk_client):
    url = reverse("invoices:client-new")
    for _ in range(2):
        answer = clerk_client.post(url, given(once="key-1"))
        assert answer.status_code in (302, 303)
    made = Client.objects.get()
    assert (made.siren, made.vat_id, made.currency, made.country) == (
        "552100554",
        "FR96552100554",
        "EUR",
        "FR",
    )


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("siren", "552100555", "is not a SIREN"),
        ("vat_id", "FR95552100554", "is not a valid VAT id"),
        ("currency", "ZZZ", "is not a currency"),
        ("currency", "DEM", "is no longer a currency"),
        ("country", "France", "at most 2 characters"),
        ("billing_email", "nobody", "valid email"),
        ("terms_days", "9999", "At most 365"),
        ("name", "", "required"),
        ("postal_code", "2920", "is no French postal code"),
        ("postal_code", "ABCDEFGHIJKLMNOPQRST", "is no French postal code"),
    ],
)
def test_a_wrong_particular_is_refused_in_words_and_nothing_typed_is_lost(
    clerk_client, field, value, said
):
    answer = clerk_client.post(reverse("invoices:client-new"), given(**{field: value}))
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert "3, rue du Port" in answer.content.decode()
    assert not Client.objects.exists()


def test_what_an_import_brought_is_refused_only_when_somebody_types_over_it(clerk_client):
    client = make_client(postal_code="F-29200", country="FR")
    contact = client.contacts.create(name="A. Person", phone="ext. five")
    url = reverse("invoices:contact-edit", args=[client.pk, contact.pk])
    entry = {"name": "Anne Person", "phone": "ext. five", "once": new_key()}
    assert clerk_client.post(url, entry).status_code in (302, 303)
    refused = clerk_client.post(url, {**entry, "phone": "abc", "once": new_key()})
    assert refused.status_code == 422
    assert "is no telephone number" in refused.text
    url = reverse("invoices:client-edit", args=[client.pk])
    assert clerk_client.post(url, given(postal_code="F-29200")).status_code in (302, 303)
    assert clerk_client.post(url, given(postal_code="F-29201")).status_code == 422
    client.refresh_from_db()
    assert (client.name, client.postal_code) == ("Ateliers Morvan", "F-29200")


def test_terms_beyond_the_law_are_warned_about_and_kept(clerk_client):
    answer = clerk_client.post(reverse("invoices:client-new"), given(terms_days="90"), follow=True)
    assert "at most 60 days" in answer.content.decode()
    assert Client.objects.get().terms_days == 90


def test_the_page_shows_what_is_owed_per_currency_and_links_to_it(clerk_client):
    client = make_client(name="<script>alert(1)</script>")
    today = timezone.localdate()
    make_invoice(client=client, issue_date=today - timedelta(days=60), total_minor=100_00)
    make_invoice(client=client, issue_date=today, total_minor=30_00, currency="USD")
    make_deal(client=client)
    page = clerk_client.get(reverse("invoices:client", args=[client.pk])).content.decode()
    assert "€100.00 · US$30.00" in page
    assert "<script>alert" not in page
    assert f"client={client.pk}" in page


def test_the_list_makes_as_many_queries_for_thirty_as_for_one(clerk_client):
    make_invoice()
    with CaptureQueriesContext(connection) as few:
        clerk_client.get(reverse("invoices:clients"))
    for _ in range(30):
        make_invoice()
    with CaptureQueriesContext(connection) as many:
        clerk_client.get(reverse("invoices:clients"))
    assert len(few) == len(many)


def test_only_those_who_are_late_can_be_shown(clerk_client):
    late = make_invoice(issue_date=timezone.localdate() - timedelta(days=60)).client
    fine = make_invoice(issue_date=timezone.localdate()).client
    page = clerk_client.get(reverse("invoices:clients"), {"late": "on"}).content.decode()
    assert late.name in page
    assert f">{fine.name}<" not in page


def test_contacts_are_added_changed_and_taken_off(clerk_client):
    client = make_client()
    clerk_client.post(
        reverse("invoices:contact-new", args=[client.pk]),
        {
            "once": new_key(),
            "name": "Mme Prigent",
            "email": "p@c.example",
            "receives_invoices": "on",
        },
    )
    contact = client.contacts.get()
    clerk_client.post(
        reverse("invoices:contact-edit", args=[client.pk, contact.pk]),
        {"once": new_key(), "name": "Mme Prigent", "email": "prigent@c.example"},
    )
    contact.refresh_from_db()
    assert (contact.email, contact.receives_invoices) == ("prigent@c.example", False)
    clerk_client.post(reverse("invoices:contact-remove", args=[client.pk, contact.pk]))
    page = clerk_client.get(reverse("invoices:client", args=[client.pk])).content.decode()
    assert "Prigent" not in page.split("contacts-title")[1]


def test_managers_read_and_change_nothing(manager_client):
    client = make_client()
    assert manager_client.get(reverse("invoices:client", args=[client.pk])).status_code == 200
    assert manager_client.get(reverse("invoices:client-edit", args=[client.pk])).status_code == 403
    assert manager_client.post(reverse("invoices:client-new"), given()).status_code == 403


def test_exports_hold_the_selection_with_what_each_owes_as_numbers_of_a_currency(clerk_client):
    today = timezone.localdate()
    late = make_invoice(issue_date=today - timedelta(days=60), total_minor=90_00)
    make_invoice(client=late.client, issue_date=today, currency="TND", total_minor=1_234)
    make_invoice(issue_date=today)
    answer = clerk_client.get(reverse("invoices:clients-csv"), {"late": "on"})
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(text))
    assert row["Client"] == late.client.name
    assert (row["Outstanding, EUR"], row["Overdue, EUR"]) == ("90.00", "90.00")
    assert (row["Outstanding, TND"], row["Overdue, TND"]) == ("1.234", "")


def test_every_amount_column_of_the_clients_adds_up_to_its_foot(clerk_client):
    today = timezone.localdate()
    for n in range(60):
        for code, minor in (("EUR", 100_05), ("JPY", 7_000), ("TND", 1_234)):
            if n % 3 or code == "EUR":
                make_invoice(
                    currency=code,
                    total_minor=minor * (n + 1),
                    issue_date=today - timedelta(days=n * 2),
                )
    for params in ({}, {"owing": "on"}, {"late": "on"}, {"q": "client 1"}, {"q": "no such"}):
        page = clerk_client.get(reverse("invoices:clients"), params)
        foot = {
            f"{label}, {t.currency}": Decimal(t.sums[name]).scaleb(-digits(t.currency))
            for t in page.context["totals"]
            for name, label in (("open", "Outstanding"), ("late", "Overdue"))
        }
        answer = clerk_client.get(reverse("invoices:clients-xlsx"), params)
        book = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))
        head, *rows = book.active.iter_rows(values_only=True)
        found = {
            label: sum((Decimal(str(row[place] or 0)) for row in rows), Decimal(0))
            for place, label in enumerate(head)
            if "," in label
        }
        assert found == foot, params


def test_the_other_exports_open(clerk_client):
    for name in ("invoices:clients-xlsx", "invoices:deals-xlsx"):
        book = openpyxl.load_workbook(
            io.BytesIO(b"".join(clerk_client.get(reverse(name)).streaming_content))
        )
        assert book.active.max_row >= 1


def test_a_merged_client_is_one_account_on_every_screen(clerk_client):
    winner = make_client(name="Groupe Nord")
    loser = make_client(name="Ancienne Enseigne", merged_into=winner)
    invoice = make_invoice(client=loser, total_minor=432_10)
    Payment.objects.create(
        client=loser, received_on=date(2026, 10, 5), currency="EUR", amount_minor=65_43
    )
    page = clerk_client.get(reverse("invoices:client", args=[winner.pk])).text
    assert invoice.number in page
    assert "432.10" in page
    assert "65.43" in page
    listed = clerk_client.get(reverse("invoices:clients")).text
    assert "432.10" in listed
    assert "Ancienne Enseigne" not in listed
    found = clerk_client.get(reverse("invoices:client-choices"), {"q": "enseigne"})
    assert found.status_code == 302
    assert found["Location"].endswith(f"?client={winner.pk}")
    rows = clerk_client.get(reverse("invoices:list"), {"client": winner.pk, "state": "open"})
    assert invoice.number in rows.text
    paid = clerk_client.get(reverse("invoices:payments"), {"client": winner.pk}).text
    assert "65.43" in paid
    owing = clerk_client.get(reverse("invoices:clients"), {"owing": "on"}).text
    assert "Groupe Nord" in owing


def test_what_belongs_to_a_merged_client_is_offered_where_it_is_needed(clerk_client):
    """Its cash and credit on the other's invoice, its habit, its deals and drafts."""
    make_company()
    winner = make_client(name="Groupe Nord")
    loser = make_client(name="Ancienne Enseigne", merged_into=winner)
    today = timezone.localdate()
    for n in range(5):
        settle(
            make_invoice(client=loser, issue_date=today - timedelta(days=90 + n)),
            today - timedelta(days=50 + n),
        )
    Payment.objects.create(client=loser, received_on=today, currency="EUR", amount_minor=65_43)
    make_invoice(client=loser, kind="credit_note", total_minor=10_00)
    for owed_by in (winner, loser):
        invoice = make_invoice(client=owed_by, total_minor=432_10)
        page = clerk_client.get(reverse("invoices:detail", args=[invoice.pk]))
        assert page.context["next_steps"]["apply"] == "€75.43"
        assert page.context["habit"] == {"days": 10, "early": -10, "n": 5}
        dialog = clerk_client.get(reverse("invoices:apply", args=[invoice.pk])).text
        assert "€65.43" in dialog
        assert "€10.00" in dialog
    make_deal(client=loser, title="Waits under the old name")
    draft = make_draft(client=loser, title="Begun under the old name")
    page = clerk_client.get(reverse("invoices:new"), {"client": winner.pk}).text
    assert "Waits under the old name" in page
    assert reverse("invoices:edit", args=[draft.pk]) in page


def test_merging_is_flat_and_can_be_turned_round():
    from invoices.clients.merging import merge_clients
    from invoices.models import Client

    first, second, third = (make_client() for _ in range(3))
    at = timezone.now()
    merge_clients(loser_id=first.pk, winner_id=second.pk, at=at)
    merge_clients(loser_id=second.pk, winner_id=third.pk, at=at)
    steps = dict(Client.objects.values_list("pk", "merged_into"))
    assert steps == {first.pk: third.pk, second.pk: third.pk, third.pk: None}
    assert set(Client.objects.account_of(first.pk)) == {first, second, third}
    merge_clients(loser_id=third.pk, winner_id=first.pk, at=at)
    steps = dict(Client.objects.values_list("pk", "merged_into"))
    assert steps == {first.pk: None, second.pk: first.pk, third.pk: first.pk}


def test_a_draft_stands_among_the_documents_of_a_client_and_is_not_counted(clerk_client):
    client = make_client()
    make_invoice(client=client)
    make_draft(client=client)
    answer = clerk_client.get(reverse("invoices:client", args=[client.pk]))
    assert answer.context["documents_count"] == 1
    assert len(answer.context["recent"]) == 2


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads the plan as SQLite writes it")
def test_a_client_s_documents_are_counted_without_going_through_those_of_everybody(clerk_client):
    url = reverse("invoices:client", args=[make_client().pk])
    with CaptureQueriesContext(connection) as heard:
        clerk_client.get(url)
    counts = [
        query["sql"]
        for query in heard
        if 'FROM "invoices_invoice"' in query["sql"] and query["sql"].startswith("SELECT COUNT(")
    ]
    assert counts
    for sql in counts:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
            plan = [row[3] for row in cursor.fetchall()]
        assert "invoices_invoice USING" in plan[0], plan
        assert "client_id=?" in plan[0], plan
