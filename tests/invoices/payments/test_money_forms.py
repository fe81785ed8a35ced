"""Every form that takes money is tried with nothing, less than nothing, blank and too much."""

from __future__ import annotations

import html

import pytest
from django.urls import reverse
from django.utils import timezone

from billing_portal.idempotency import new_key
from invoices.models import Allocation, Payment
from tests.confirm import confirm
from tests.factories import make_issued

pytestmark = pytest.mark.django_db
TOO_MUCH = "1000000000000000"
ABOVE = "Give an amount above zero."
LARGE = "No amount here is that large: check the figure."


def today():
    """As it is typed: a day far from today would be asked about."""
    return f"{timezone.localdate():%d/%m/%Y}"


@pytest.fixture
def issued():
    return make_issued()


def write_off(browser, issued, amount):
    url = reverse("invoices:write-off", args=[issued.pk])
    return confirm(browser, url, {"amount": amount, "cause": "small", "reason": "gone"})


def record(browser, issued, amount):
    entry = {
        "client": issued.client_id,
        "currency": "EUR",
        "amount": amount,
        "received_on": today(),
        "method": "transfer",
        "reference": "R-1",
        "once": new_key(),
    }
    return browser.post(reverse("invoices:payment-new"), entry)


def refund(browser, issued, amount):
    Payment.objects.create(
        client=issued.client,
        received_on=timezone.localdate(),
        currency="EUR",
        amount_minor=20_00,
    )
    url = f"{reverse('invoices:refund-new')}?client={issued.client_id}&currency=EUR"
    given = {"client": issued.client_id, "currency": "EUR", "amount": amount}
    rest = {
        "refunded_on": today(),
        "method": "transfer",
        "reason": "too much",
        "reference": "",
    }
    return confirm(browser, url, {**given, **rest})


@pytest.mark.parametrize(
    ("act", "amount", "says"),
    [
        (write_off, "0", ABOVE),
        (write_off, "-1", ABOVE),
        (write_off, "", "This field is required."),
        (write_off, TOO_MUCH, LARGE),
        (write_off, "1200.01", "has €1,200.00 outstanding."),
        (record, "0", ABOVE),
        (record, "-1", ABOVE),
        (record, "", "This field is required."),
        (record, TOO_MUCH, LARGE),
        (refund, "0", ABOVE),
        (refund, "-1", ABOVE),
        (refund, "", "This field is required."),
        (refund, TOO_MUCH, LARGE),
        (refund, "20.01", "Only €20.00 can be refunded"),
    ],
)
def test_an_amount_that_cannot_be_is_named_and_nothing_is_written(
    clerk_client, issued, act, amount, says
):
    answer = act(clerk_client, issued, amount)
    assert answer.status_code == 422
    assert says in html.unescape(answer.text)
    assert not Allocation.objects.exists()
    assert not Payment.objects.exclude(amount_minor=20_00).exists()
    issued.refresh_from_db()
    assert issued.outstanding_minor == 1200_00


def test_a_client_to_whom_nothing_can_go_back_gets_a_sentence_and_the_way_back(
    clerk_client, issued
):
    url = f"{reverse('invoices:refund-new')}?client={issued.client_id}"
    page = clerk_client.get(f"{url}&currency=EUR").text
    assert "Nothing can be refunded" in page
    assert "neither unapplied cash nor an unused credit note in EUR" in page
    assert f'href="{reverse("invoices:client", args=[issued.client_id])}"' in page
    assert 'name="amount"' not in page
    # Money of another currency is one step away.
    Payment.objects.create(
        client=issued.client, received_on=timezone.localdate(), currency="USD", amount_minor=5_00
    )
    page = clerk_client.get(f"{url}&currency=EUR").text
    assert f"client={issued.client_id}&amp;currency=USD" in page
    assert 'name="amount"' in clerk_client.get(f"{url}&currency=USD").text


def test_a_refund_that_somebody_was_quicker_with_is_given_back_as_it_was_typed(
    clerk_client, issued
):
    answer = clerk_client.post(
        reverse("invoices:refund-new"),
        {"client": issued.client_id, "currency": "EUR", "amount": "20", "reason": "Paid twice",
         "refunded_on": today(), "method": "transfer", "once": new_key()},
    )  # fmt: skip
    assert answer.status_code == 422
    assert "Paid twice" in answer.text
