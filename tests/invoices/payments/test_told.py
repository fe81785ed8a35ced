"""What the page of a payment says while it is typed, and what the list marks."""

from __future__ import annotations

import csv
import io

import pytest
from django.urls import reverse
from moneyed import Money

from invoices.models import Payment
from invoices.payments.payers import payer_in_label
from invoices.payments.recording import record_payment
from invoices.payments.reversing import reverse_payment
from invoices.payments.spreading import numbers_in
from tests.clock import days_ago
from tests.factories import make_client, make_invoice
from tests.invoices.payments.test_pages import entry

pytestmark = pytest.mark.django_db


@pytest.fixture
def client():
    return make_client(name="Garage Jaouen")


@pytest.fixture
def two(client):
    return [make_invoice(client=client, total_minor=100_00) for _n in range(2)]


def live(clerk_client, given):
    """What a change of the page brings, before anything is recorded."""
    return clerk_client.post(reverse("invoices:payment-new"), given | {"spread": "1"}).text


def test_a_day_that_cannot_be_taken_is_said_at_its_field_while_it_is_typed(clerk_client, client):
    given = entry(client)
    for typed, said in [("01/01/2099", "in the future"), ("31/02/2026", "There is no day 31")]:
        page = live(clerk_client, given | {"received_on": typed})
        note = page[page.index('id="day-question"') :]
        assert said in note[: note.index("</div>")].replace("\xa0", " ")
    page = live(clerk_client, given | {"received_on": "3"})
    assert "form-hint late" not in page[page.index('id="day-question"') :][:120]
    refused = clerk_client.post(
        reverse("invoices:payment-new"), given | {"received_on": "01/01/2099"}
    ).text
    assert 'id="id_received_on-e"' in refused


def test_a_label_that_names_an_invoice_of_somebody_else_is_said(clerk_client, client, two):
    first, _ = two
    other = make_invoice(client=make_client(name="Somebody else"))
    given = entry(client) | {"reference": f"VIR {other.number}"}
    page = live(clerk_client, given)
    assert f"It names {other.number}, an open invoice of Somebody else" in page
    assert f'name="take" value="{other.client_id}"' in page
    assert "is the payer right" not in live(
        clerk_client, given | {"reference": f"VIR {first.number}"}
    )


def test_the_list_marks_what_was_reversed_and_says_it_in_its_file(clerk_client, client):
    kept = record_payment(
        client_id=client.pk,
        amount=Money(50, "EUR"),
        received_on=days_ago(9),
        reference="KEPT",
        method="transfer",
        by=None,
        allocations=[],
    )
    gone = record_payment(
        client_id=client.pk,
        amount=Money(70, "EUR"),
        received_on=days_ago(8),
        reference="GONE",
        method="transfer",
        by=None,
        allocations=[],
    )
    reverse_payment(payment_id=gone.pk, on=days_ago(2), reason="Bounced", by=None)
    page = clerk_client.get(reverse("invoices:payments")).text
    assert page.count("reversed on") == 1
    file = clerk_client.get(reverse("invoices:payments-csv"))
    table = list(csv.DictReader(io.StringIO(file.getvalue().decode("utf-8-sig"))))
    by_reference = {row["Reference"]: row["Reversed on"] for row in table if row["Reference"]}
    assert by_reference["GONE"] == days_ago(2).isoformat()
    assert by_reference["KEPT"] == ""
    assert kept.taken_back_on is None


# ─ The payer is asked about before anything is booked ───────────────────────────────────────────
def test_a_payment_with_the_label_of_somebody_else_is_booked_once_its_payer_is_confirmed(
    clerk_client, client, two
):
    other = make_invoice(client=make_client(name="Somebody else"))
    given = entry(client) | {"reference": f"VIR {other.number}"}
    asked = clerk_client.post(reverse("invoices:payment-new"), given)
    assert asked.status_code == 422
    assert "Say first that the payer is right. Nothing was recorded." in asked.text
    assert f'name="payer-right" value="{other.pk}"' in asked.text
    assert not Payment.objects.exists()
    again = given | {"payer-right": str(other.pk)}
    assert clerk_client.post(reverse("invoices:payment-new"), again).status_code == 302
    assert Payment.objects.get().client == client


def test_an_unknown_payer_is_the_only_thing_said_to_be_wrong(clerk_client, client, two):
    given = entry(client, **{f"part-{two[0].pk}": "100"})
    answer = clerk_client.post(
        reverse("invoices:payment-new"), given | {"client": "", "payer": "Zorglub"}
    )
    assert answer.status_code == 422
    assert "No client bears this name. Nothing was recorded." in answer.text
    assert "no longer open" not in answer.text


@pytest.mark.parametrize(
    "label", ["VIR KC 2026 0252", "FACT.KC/2026/0252", "KC20260252 merci", "KC-2026-0252"]
)
def test_a_number_is_found_with_whatever_signs_the_bank_put_into_it(label, client):
    invoice = make_invoice(client=client, number="KC-2026-0252")
    make_invoice(client=make_client(), number="KC-2026-0025")
    assert payer_in_label(label) == client
    assert numbers_in(label, [invoice]) == {invoice.pk}
