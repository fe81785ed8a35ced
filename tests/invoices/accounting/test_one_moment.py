"""What happens while the books are read is no fault of theirs, and does not wait for the reader."""

from __future__ import annotations

from datetime import date

import pytest
from moneyed import Money

from invoices.accounting import balances, books
from invoices.accounting.one_moment import one_moment
from invoices.models import Payment
from invoices.payments import recording
from tests.factories import make_issued
from tests.race import at_once

pytestmark = pytest.mark.django_db(transaction=True)
ON = date(2026, 11, 24)


def pay(invoice, amount):
    return recording.record_payment(
        client_id=invoice.client_id,
        amount=Money(amount, "EUR"),
        received_on=ON,
        reference=f"R-{amount}",
        method="transfer",
        by=None,
        allocations=[(invoice.pk, Money(amount, "EUR"))],
    )


def test_what_is_paid_meanwhile_is_seen_afterwards():
    invoice = make_issued()
    with one_moment():
        assert Payment.objects.count() == 0
        (payment,) = at_once(lambda: pay(invoice, "100"))
        assert isinstance(payment, Payment), payment
        assert Payment.objects.count() == 0
        assert list(balances.check()) == []
    assert Payment.objects.count() == 1
    # And whoever writes next writes as always.
    pay(invoice, "50")
    assert books.verify() == []
