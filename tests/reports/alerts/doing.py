"""What tests of the rules do over and over, and how they look at what was found."""

from __future__ import annotations

from datetime import date, timedelta

from invoices.models import Payment
from invoices.payments.allocating import allocate
from reports.alerts.evaluating import evaluate
from reports.alerts.words import words_of
from tests.factories import make_invoice, settle

ON = date(2026, 11, 24)
DAY = timedelta(days=1)


def due(days_ago, **fields):
    """An open invoice that fell due so many days ago."""
    day = ON - timedelta(days=days_ago)
    return make_invoice(issue_date=day - 30 * DAY, due_date=day, **fields)


def words(alert):
    return words_of(alert, "EUR")


def subjects(rule, on=ON):
    return [finding.subject for finding in evaluate(rule, on)]


def pay_part(invoice, minor, on):
    payment = Payment.objects.create(
        client=invoice.client, received_on=on, currency=invoice.currency, amount_minor=minor
    )
    allocate(invoice=invoice, amount_minor=minor, applied_on=on, by=None, payment=payment)
    return payment


def paid_late(client, *delays, issued=date(2026, 8, 1)):
    return [
        settle(
            make_invoice(client=client, issue_date=issued, due_date=issued + 30 * DAY),
            issued + (30 + delay) * DAY,
        )
        for delay in delays
    ]
