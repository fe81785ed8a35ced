"""The good rows of a file come in without the bad ones when somebody says so, and never by half."""

from __future__ import annotations

import csv
import io

import pytest
from django.urls import reverse

from invoices.models import Client, Invoice, Payment
from tests.confirm import confirm
from tests.factories import make_company
from tests.invoices.history.files import CLIENT, INVOICE, PAYMENT, as_csv, bring, plan_of
from tests.invoices.history.test_pages import bring_in, changed, upload

pytestmark = pytest.mark.django_db
BAD = {"due_on": "soon"}


@pytest.fixture(autouse=True)
def company():
    return make_company()


def numbered(n, **fields):
    return changed(INVOICE, number=f"OLD-{n}", **fields)


def lines(plan):
    return [(c.file, c.line) for c in plan.left_out]


def test_three_of_many_stay_out_with_their_reasons_and_come_back_as_a_file(clerk_client):
    rows = [numbered(n, **(BAD if n in (3, 50, 77) else {})) for n in range(100)]
    url = upload(clerk_client, clients=[CLIENT], invoices=rows)["Location"]
    assert not Invoice.objects.exists()
    page = clerk_client.get(url).text
    assert "Look at the rest without these rows" in page
    assert confirm(clerk_client, f"{url}leave-out/", at=url).status_code == 303
    page = clerk_client.get(url).text
    assert "3 rows stay out." in page and "Bring 98 rows in" in page
    assert not Invoice.objects.exists()
    bring_in(clerk_client, url)
    assert Invoice.objects.count() == 97
    back = clerk_client.get(f"{url}left-out-invoices.csv")
    text = b"".join(back.streaming_content).decode("utf-8-sig")
    given = list(csv.DictReader(io.StringIO(text)))
    assert [(row["number"], row["line"]) for row in given] == [
        ("OLD-3", "5"),
        ("OLD-50", "52"),
        ("OLD-77", "79"),
    ]
    assert all("soon" in row["reason"] for row in given)
    # Put right, the very file that was given back comes in.
    url = upload(clerk_client, invoices=text.replace("soon", "2026-02-09").encode())["Location"]
    bring_in(clerk_client, url)
    assert Invoice.objects.count() == 100
    # And the whole file a second time changes nothing.
    whole = [numbered(n) for n in range(100)]
    assert plan_of(clients=[CLIENT], invoices=whole).writes == 0


def test_no_half_invoice_and_no_half_remittance_comes_in():
    invoices = [
        numbered(1),
        numbered(2, total="12"),
        numbered(2),
        numbered(3),
        numbered(4),
    ]
    payments = [
        changed(PAYMENT, invoice="OLD-1", reference="VIR 1"),
        changed(PAYMENT, invoice="OLD-2", reference="VIR 1"),
        changed(PAYMENT, invoice="OLD-3", reference="VIR 2"),
        changed(PAYMENT, invoice="OLD-4", reference="VIR 3", amount="x"),
        changed(PAYMENT, invoice="OLD-4", reference="VIR 4"),
        changed(PAYMENT, invoice="OLD-4", reference="VIR 3", amount="-120.00"),
    ]
    plan = plan_of([CLIENT], invoices, payments, leave_out=True)
    assert plan.may_be_written
    assert [row.number for row in plan.new_invoices] == ["OLD-1", "OLD-3", "OLD-4"]
    assert [row.reference for row in plan.new_payments] == ["VIR 2", "VIR 4"]
    assert lines(plan) == [
        ("invoices.csv", 3),
        ("invoices.csv", 4),
        ("payments.csv", 2),
        ("payments.csv", 3),
        ("payments.csv", 5),
        ("payments.csv", 7),
    ]


def test_what_leans_on_a_client_that_stays_out_goes_with_it():
    clients = [CLIENT, {"name": "Nobody"}]
    invoices = [numbered(1), numbered(2, client="Nobody")]
    payments = [changed(PAYMENT, invoice="OLD-2"), changed(PAYMENT, invoice="OLD-1")]
    # One reference would make them one remittance.
    payments[1]["reference"] = "R-2"
    done = bring(clients, invoices, payments, leave_out=True)
    assert len(done.left_out) == 3
    assert Client.objects.get().name == "Atelier Brume"
    assert Payment.objects.get().allocations.get().invoice.number == "OLD-1"


def test_a_row_that_cannot_be_read_at_all_keeps_all_out(clerk_client):
    """Nobody knows which invoice it is a line of."""
    rows = as_csv("invoices", [numbered(1)]) + b"OLD-1,invoice" + b",x" * 20 + b"\r\n"
    url = upload(clerk_client, clients=[CLIENT], invoices=rows)["Location"]
    assert "Look at the rest without these rows" not in clerk_client.get(url).text
    assert not plan_of([CLIENT], rows, leave_out=True).may_be_written


def test_only_its_own_person_is_given_the_rows_back(clerk_client, manager_client):
    url = upload(clerk_client, clients=[CLIENT], invoices=[numbered(1, **BAD)])["Location"]
    pk = url.strip("/").split("/")[-1]
    there = reverse("invoices:history_left_out", args=[pk, "invoices"])
    assert manager_client.get(there).status_code == 403
    assert clerk_client.get(there.replace("invoices.csv", "deals.csv")).status_code == 404
