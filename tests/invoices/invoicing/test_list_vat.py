"""The file of the list is one to book from: signs, ids, VAT by rate, what a note corrects."""

from __future__ import annotations

import csv
import io
from datetime import date

import pytest
from moneyed import Money

from invoices.invoicing import crediting
from invoices.models import Client
from tests.factories import make_client, make_company, make_invoice
from tests.invoices.accounting.bookkeeping import issued

pytestmark = pytest.mark.django_db
ON = date(2026, 9, 1)


@pytest.fixture
def books():
    make_company()
    client = make_client(siren="552100554", vat_id="FR96552100554")
    parts = [("100.00", 20, "services"), ("50.00", 10, "services")]
    invoice = issued(client, parts, ON)
    note = crediting.issue_credit_note(
        invoice_id=invoice.pk, amount=Money(175, "EUR"), reason="No", by=None, on=ON
    )
    Client.objects.filter(pk=client.pk).update(siren="732829320", country="DE")
    return invoice, note


def rows_of(browser, query="state=all"):
    text = browser.get(f"/invoices/export.csv?{query}").getvalue().decode("utf-8-sig")
    return {row["Number"]: row for row in csv.DictReader(io.StringIO(text))}


def test_vat_stands_by_rate_and_a_credit_note_counts_down(books, clerk_client):
    invoice, note = books
    rows = rows_of(clerk_client)
    mine, other = rows[invoice.number], rows[note.number]
    wanted = {"Basis at 20%": "100.00", "VAT at 20%": "20.00", "Basis at 10%": "50.00"}
    assert {name: mine[name] for name in wanted} == wanted
    for name in (*wanted, "VAT at 10%", "Before VAT", "VAT", "Total"):
        assert other[name] == f"-{mine[name]}"


def test_it_says_whom_as_the_document_does_and_what_is_corrected(books, clerk_client):
    invoice, note = books
    rows = rows_of(clerk_client)
    for number in (invoice.number, note.number):
        said = (rows[number]["SIREN"], rows[number]["VAT id"], rows[number]["Country"])
        assert said == ("552100554", "FR96552100554", "FR")
    assert rows[note.number]["Corrects"] == invoice.number
    assert rows[invoice.number]["Corrects"] == ""


def test_what_has_no_page_names_the_client_of_today_and_states_no_rates(books, clerk_client):
    old = make_invoice(total_minor=120_00, vat_minor=20_00)
    row = rows_of(clerk_client)[old.number]
    assert (row["SIREN"], row["Country"]) == (old.client.siren, "FR")
    assert (row["Basis at 20%"], row["VAT"]) == ("", "20.00")


def test_drafts_bring_no_vat_among_documents(books, clerk_client):
    make_invoice(status="draft", total_minor=120_00)
    row = rows_of(clerk_client)[""]
    assert (row["VAT at 20%"], row["VAT"]) == ("", "")
