"""What an invoice's page offers next says one truth about its mail."""

from __future__ import annotations

import pytest
from django.urls import reverse
from moneyed import Money

from invoices.invoicing import sending
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
