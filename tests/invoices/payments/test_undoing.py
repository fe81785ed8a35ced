"""Undo pressed by two people at once, and in the moment when the power goes."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection
from moneyed import Money

from invoices.accounting import books
from invoices.models import Payment, database_rules
from invoices.payments import recording, reversing
from invoices.payments.applying import PaymentRefused
from tests import crash
from tests.factories import make_invoice
from tests.race import at_once

ON = date(2026, 9, 1)


def pay(invoice, **fields):
    given = {
        "client_id": invoice.client_id,
        "amount": Money(97, "EUR"),
        "charges": Money(3, "EUR"),
        "received_on": ON,
        "reference": "VIR 1",
        "method": "transfer",
        "by": None,
        "allocations": [(invoice.pk, Money(100, "EUR"))],
    }
    return recording.record_payment(**{**given, **fields})


@pytest.mark.django_db(transaction=True)
def test_two_people_undoing_at_once_undo_once_and_the_line_may_be_recorded_once_more():
    invoice = make_invoice(issue_date=date(2026, 8, 1), total_minor=100_00)
    payment = pay(invoice)
    undo = [lambda: reversing.undo_payment(payment_id=payment.pk, by=None)] * 4
    found = at_once(*undo)
    assert sum(isinstance(one, Payment) for one in found) == 1
    assert sum(isinstance(one, PaymentRefused) for one in found) == 3, found
    again = at_once(*[lambda: pay(invoice)] * 4)
    assert sum(isinstance(one, Payment) for one in again) == 1, again
    invoice.refresh_from_db()
    assert (invoice.status, invoice.paid_minor) == ("settled", 100_00)
    assert books.verify() == []


@pytest.mark.django_db(transaction=True)
def test_killed_at_any_statement_an_undo_is_whole_or_not_there():
    invoice = make_invoice(issue_date=date(2026, 8, 1), total_minor=100_00)
    payment = pay(invoice)
    ends = crash.run("undo", payment.pk)
    assert len(ends) > 5
    for _n, end, state in ends[:-1]:
        assert (end, state) == ("killed", "0 10000 1 0")
    assert ends[-1][1:] == ("done: -10000", "10000 10000/-10000 2 0")
    assert books.verify() == []


@pytest.mark.django_db
def test_a_reversal_that_came_with_a_history_is_no_undone_slip(clerk_client):
    invoice = make_invoice(issue_date=date(2026, 8, 1), total_minor=100_00)
    payment = pay(invoice)
    reversing.undo_payment(payment_id=payment.pk, by=None)
    page = f"/payments/{payment.pk}/"
    assert "it counts on no day" in clerk_client.get(page).text
    # The database lets nobody say it afterwards.
    database_rules.remove(connection)
    Payment.objects.filter(reverses=payment).update(imported=True)
    assert "it counts on no day" not in clerk_client.get(page).text
    assert "Reversed on" in clerk_client.get(page).text
    # Nor is its line free to be recorded once more without a word.
    with pytest.raises(PaymentRefused, match="add a word to the reference"):
        pay(invoice)
