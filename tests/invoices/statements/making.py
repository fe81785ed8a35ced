"""Letters about an account, for tests of all pages."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from invoices.models import LatePenaltyRate, Payment
from invoices.statements.claiming import make_claim
from tests.clock import days_ago
from tests.factories import make_client, make_invoice, settle
from tests.invoices.quotes.making import OF_QUOTES

MAIL = {"recipients": "a@b.example"}


def claim():
    """Of an invoice that was paid twenty days late."""
    client, due = make_client(), days_ago(84)
    issued = due - timedelta(days=9)
    late = make_invoice(client=client, issue_date=issued, due_date=due)
    settle(late, due + timedelta(days=20))
    LatePenaltyRate.objects.create(starts_on=issued, percent=12, basis="contract", source="Ours")
    on = timezone.localdate()
    return make_claim(client_id=client.pk, invoices={late.pk}, recipients=[], by=None, on=on)


def payment():
    return Payment.objects.create(
        client=make_client(), currency="EUR", amount_minor=100_00, received_on=days_ago(84)
    )


# As in tests/test_confirming.py: name of the address, a row to do it to, what else the form says.
OF_LETTERS = OF_QUOTES | {
    "invoices:late-claim-withdraw": (claim, {}),
    "invoices:statement-send": (make_client, MAIL),
    "invoices:receipt-send": (payment, MAIL),
}
