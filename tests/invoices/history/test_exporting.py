"""What goes out in the columns of the import comes in again and changes nothing."""

from __future__ import annotations

from datetime import date

import pytest
from django.urls import reverse
from moneyed import Money

from invoices.models import Client, Payment
from invoices.payments.recording import record_payment
from invoices.payments.reversing import reverse_payment
from tests.factories import make_client, make_company, make_invoice
from tests.invoices.history.files import CLIENT, CREDIT, INVOICE, PAYMENT, bring, changed, plan_of
from tests.reports.golden import credit

pytestmark = pytest.mark.django_db


@pytest.fixture
def books(clerk):
    """Of a history and of our own: a remittance, two equal payments, one that bounced, a credit."""
    make_company()
    clerk.email = "clerk@kerlann.example"
    clerk.save()
    old = [INVOICE, changed(INVOICE, number="OLD-2", title="=1+1"), CREDIT]
    paid = [changed(PAYMENT, invoice="OLD-2", amount="30.00", reference="")] * 2
    bring([CLIENT], old, [changed(PAYMENT, amount="70.00"), *paid])
    client = make_client(name="Ar Mor & Fils; SARL", owner=clerk, currency="JPY")
    ours = make_invoice(client=client, imported=False, title="  Two  spaces ")
    yen = make_invoice(client=client, imported=False, currency="JPY", total_minor=1500)
    credit(make_invoice(client=client), 20_00, date(2026, 11, 2))
    for amount, invoice, reference in ((50, ours, "VIR 7"), (20, ours, ""), (1500, yen, "VIR 8")):
        money = record_payment(
            client_id=client.pk,
            amount=Money(amount, invoice.currency),
            received_on=date(2026, 10, 20),
            reference=reference,
            method="transfer",
            by=clerk,
            allocations=[(invoice.pk, Money(amount, invoice.currency))],
        )
    reverse_payment(payment_id=money.pk, reason="Bounced", by=clerk, on=date(2026, 10, 27))


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_out_and_in_again_is_nothing_to_change(books, clerk_client, ending):
    given = {}
    for kind in ("clients", "invoices", "payments"):
        answer = clerk_client.get(reverse("invoices:history_export", args=[kind, ending]))
        given[kind] = b"".join(answer.streaming_content)
    plan = plan_of(**given)
    assert [str(c.reason) for c in plan.complaints] == []
    assert not plan.rows.questions
    assert plan.writes == 0
    counts = plan.counts()
    assert counts["clients"]["unchanged"] == Client.objects.count()
    assert counts["invoices"]["unchanged"] == 5 and counts["credit_notes"]["unchanged"] == 2
    # One is a remittance of the file, two equal, three were recorded here, one went back.
    assert counts["payments"]["unchanged"] == Payment.objects.count() == 7


def test_a_cell_that_was_changed_is_the_only_change(books, clerk_client):
    answer = clerk_client.get(reverse("invoices:history_export", args=["clients", "csv"]))
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    plan = plan_of(clients=text.replace(",30,", ",45,", 1).encode())
    (change,) = plan.changes
    assert change.fields == {"terms_days": ("30", "45")}


def test_no_other_kind_and_no_other_form(clerk_client):
    url = reverse("invoices:history_export", args=["clients", "csv"])
    assert clerk_client.get(url.replace("clients", "deals")).status_code == 404
    assert clerk_client.get(url.replace(".csv", ".pdf")).status_code == 404
