"""A write-off is one of what its page showed."""

from __future__ import annotations

import pytest
from django.urls import reverse

from billing_portal.idempotency import new_key
from tests.clock import as_typed
from tests.confirm import token_on
from tests.factories import (
    make_company,
)
from tests.test_confirming import RECEIVED, issued


@pytest.mark.django_db
def test_a_write_off_is_refused_when_a_payment_came_meanwhile(clerk_client):
    make_company()
    invoice = issued()
    url = reverse("invoices:write-off", args=[invoice.pk])
    token = token_on(clerk_client.get(url))
    pay = {"client": invoice.client_id, "amount": "1000", "received_on": as_typed(RECEIVED),
           "method": "transfer", f"part-{invoice.pk}": "1000", "once": new_key()}  # fmt: skip
    clerk_client.post(reverse("invoices:payment-new"), pay)
    given = {
        "amount": "200",
        "cause": "small",
        "reason": "Gone",
        "once": new_key(),
        "confirmed": token,
    }
    answer = clerk_client.post(url, given)
    assert answer.status_code == 422
    assert 'value="200' in answer.text
    invoice.refresh_from_db()
    assert invoice.written_off_minor == 0
