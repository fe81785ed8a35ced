"""What a client paid, found among the payments of everybody."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection
from moneyed import Money

from invoices.models import Client, Payment
from invoices.payments import recording, reversing
from invoices.payments.alike import payments_alike
from tests.factories import make_client

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 24)


def pay(client, amount):
    return recording.record_payment(
        client_id=client.pk,
        amount=Money(amount, "EUR"),
        received_on=date(2026, 10, 5),
        allocations=[],
        reference="",
        method="transfer",
        by=None,
        on=ON,
    )


def test_unapplied_cash_of_a_client_is_its_part_of_all_the_unapplied_cash(clerk):
    client, other = make_client(), make_client(name="Other")
    kept, wrong, theirs = pay(client, 10), pay(client, 20), pay(other, 30)
    reversing.reverse_payment(payment_id=wrong.pk, by=clerk, on=ON, reason="Typed twice")
    assert list(Payment.objects.unapplied_of(Client.objects.account_of(client.pk))) == [kept]
    assert set(Payment.objects.unapplied()) == {kept, theirs}


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads the plan as SQLite writes it")
def test_what_a_client_paid_is_found_by_the_client():
    alike = payments_alike(client_id=1, amount=Money(10, "EUR"), received_on=ON, reference="VIR")
    for asked in (alike, Payment.objects.unapplied_of(Client.objects.account_of(1))):
        plan = asked.explain().splitlines()
        assert "SEARCH invoices_payment USING INDEX" in plan[0], plan
        assert "(client_id=?" in plan[0], plan
