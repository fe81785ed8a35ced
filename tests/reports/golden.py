"""The golden set of the formulas (section 9), made of real rows through invoices/settling.py."""

from __future__ import annotations

from datetime import date

from invoices.models import Invoice, Payment
from invoices.payments.allocating import allocate
from tests.factories import make_client, make_client_type, make_company, make_invoice

AS_OF = date(2026, 9, 30)
START = date(2026, 7, 1)
# name: issued, due, amount, payments
ROWS = {
    "Z": ((6, 15), (7, 15), 2_000_00, [((7, 20), 2_000_00)]),
    "A": ((7, 1), (7, 31), 1_000_00, [((7, 29), 1_000_00)]),
    "B": ((7, 5), (8, 4), 2_000_00, [((8, 14), 2_000_00)]),
    "C": ((7, 10), (8, 9), 1_500_00, [((8, 9), 500_00), ((8, 29), 1_000_00)]),
    "D": ((7, 20), (8, 19), 3_000_00, []),
    "E": ((8, 1), (8, 31), 1_200_00, [((9, 5), 1_200_00)]),
    "F": ((8, 15), (9, 14), 4_000_00, []),
    "G": ((9, 1), (10, 1), 2_500_00, []),
    "H": ((9, 10), (10, 10), 800_00, []),
}


def _day(pair):
    return date(2026, *pair)


def pay(invoice, amount_minor, on):
    payment = Payment.objects.create(
        client=invoice.client,
        received_on=on,
        currency=invoice.currency,
        amount_minor=amount_minor,
    )
    allocate(invoice=invoice, amount_minor=amount_minor, applied_on=on, by=None, payment=payment)
    return payment


def credit(invoice, amount_minor, on):
    note = make_invoice(
        kind=Invoice.Kind.CREDIT_NOTE,
        client=invoice.client,
        corrects=invoice,
        currency=invoice.currency,
        exchange_rate=invoice.exchange_rate,
        issue_date=on,
        due_date=on,
        total_minor=amount_minor,
    )
    allocate(invoice=invoice, amount_minor=amount_minor, applied_on=on, by=None, credit_note=note)
    return note


def make_golden_set():
    make_company()
    client = make_client(client_type=make_client_type("SME", mark="sme"))
    found = {}
    for name, (issued, due, amount, payments) in ROWS.items():
        invoice = make_invoice(
            client=client,
            title=name,
            issue_date=_day(issued),
            due_date=_day(due),
            total_minor=amount,
        )
        for on, paid in payments:
            pay(invoice, paid, _day(on))
        found[name] = invoice
    credit(found["F"], 1_000_00, date(2026, 9, 20))
    return found
