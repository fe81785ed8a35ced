"""The steps on an invoice's page while its email is under way."""

from __future__ import annotations

import pytest
from django.urls import reverse

from invoices.invoicing import sending
from invoices.outbox import delivering
from tests.factories import make_company, make_issued

pytestmark = pytest.mark.django_db


def test_the_step_says_with_the_timeline_that_the_email_left(clerk_client, manager_client, clerk):
    make_company()
    invoice = make_issued()
    page, polled = (reverse(f"invoices:{n}", args=[invoice.pk]) for n in ("detail", "timeline"))
    message = sending.queue_invoice(invoice_id=invoice.pk, recipients=["a@b.example"], by=clerk)
    assert 'id="send-state">Send it…' in clerk_client.get(page).text
    assert "Its email waits to leave" in clerk_client.get(polled).text
    delivering.deliver(message.pk)
    assert 'id="send-state" hx-swap-oob="true">Send it again…' in clerk_client.get(polled).text
    # Who may not send has no such step on the page, into which it could be swapped.
    assert "send-state" not in manager_client.get(page).text
    assert "send-state" not in manager_client.get(polled).text
