"""What an invoice's page offers next says one truth about its mail."""

from __future__ import annotations

import html
from datetime import date

import pytest
from django.urls import reverse
from moneyed import Money

from invoices.invoicing import crediting, sending
from invoices.payments.recording import record_payment
from tests.factories import make_issued

pytestmark = pytest.mark.django_db


def test_what_is_settled_does_not_press_to_be_sent(clerk_client, clerk):
    invoice = make_issued()
    record_payment(
        client_id=invoice.client_id,
        amount=Money("1200", "EUR"),
        received_on=invoice.issue_date,
        reference="",
        method="transfer",
        by=clerk,
        allocations=[(invoice.pk, Money("1200", "EUR"))],
    )
    page = clerk_client.get(reverse("invoices:detail", args=[invoice.pk]))
    assert page.context["next_steps"]["send"]
    assert (
        f'<a class="btn"\n      href="{reverse("invoices:send", args=[invoice.pk])}"' in page.text
    )
    assert "btn-primary" not in page.text.split('id="states"')[1].split("<section")[0]


def test_a_mail_that_waits_is_not_called_unsent(clerk_client, clerk):
    invoice = make_issued()
    assert "Not sent yet" in clerk_client.get(reverse("invoices:detail", args=[invoice.pk])).text
    sending.queue_invoice(invoice_id=invoice.pk, recipients=["a@b.example"], by=clerk)
    text = clerk_client.get(reverse("invoices:detail", args=[invoice.pk])).text
    assert "Its email waits to leave" in text
    assert "Not sent yet" not in text


def test_what_is_credited_in_full_offers_no_further_credit_note(clerk_client, clerk):
    invoice = make_issued()
    detail = reverse("invoices:detail", args=[invoice.pk])
    assert clerk_client.get(detail).context["next_steps"]["credit"]
    crediting.issue_credit_note(
        invoice_id=invoice.pk, reason="An error", by=clerk, on=invoice.issue_date
    )
    assert not clerk_client.get(detail).context["next_steps"]["credit"]


def test_a_step_says_when_the_money_came_if_it_was_before_the_invoice_was_settled(clerk_client):
    """The books settle an invoice once it exists; the bank had the money a day earlier."""
    invoice = make_issued(on=date(2026, 11, 24))
    given = {"client_id": invoice.client_id, "method": "transfer", "by": None}
    half = Money("600", "EUR")
    for day in (23, 24):
        record_payment(
            **given,
            amount=half,
            received_on=date(2026, 11, day),
            reference=f"VIR {day}",
            allocations=[(invoice.pk, half)],
        )
    page = html.unescape(clerk_client.get(reverse("invoices:detail", args=[invoice.pk])).text)
    page = page.replace("\xa0", " ")
    assert "Paid on 24 Nov 2026, received on 23 Nov 2026" in page
    assert page.count("received on") == 1
