from __future__ import annotations

import pytest
from django.urls import reverse

from billing_portal.idempotency import NoKey, new_key, run_once
from invoices.models import Payment
from tests.clock import as_typed, days_ago
from tests.factories import make_client

pytestmark = pytest.mark.django_db


def test_an_act_without_a_key_is_not_carried_out(clerk):
    done = []
    with pytest.raises(NoKey):
        run_once(key="", action="x", by=clerk, act=lambda: done.append(1))
    assert not done


def test_a_form_without_its_key_gets_a_sentence_and_nothing_is_recorded(clerk_client):
    entry = {
        "client": make_client().pk,
        "currency": "EUR",
        "amount": "120,00",
        "received_on": as_typed(days_ago(84)),
        "method": "transfer",
    }
    url = reverse("invoices:payment-new")
    answer = clerk_client.post(url, entry)
    assert answer.status_code == 400
    assert "nothing was done" in answer.text
    assert not Payment.objects.exists()
    assert clerk_client.post(url, {**entry, "once": new_key()}).status_code == 302
    assert Payment.objects.count() == 1
