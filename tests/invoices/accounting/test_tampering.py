"""What somebody with the keys to the database could change, one example of each kind tried.

Each is done with the rules of the database taken away and put back. test_seals.py goes through all
columns and rows; that the end of the chain was cut off with all that it held, only a head that is
kept elsewhere can tell (test_anchors.py).
"""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection
from django.utils import timezone
from moneyed import Money

from invoices.accounting import books
from invoices.invoicing import crediting
from invoices.models import (
    Allocation,
    Company,
    Document,
    Invoice,
    InvoiceEvent,
    InvoiceLine,
    NumberSeries,
    Payment,
    VatBreakdown,
    database_rules,
)
from invoices.payments import recording
from tests.factories import make_client, make_issued, make_user

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 24)


@pytest.fixture
def ledger(db):
    """One part-paid invoice, one credited, and a third that nothing happened to."""
    paid, credited, plain = make_issued(), make_issued(), make_issued()
    recording.record_payment(
        client_id=paid.client_id,
        amount=Money("500", "EUR"),
        received_on=ON,
        reference="R-1",
        method="transfer",
        by=None,
        allocations=[(paid.pk, Money("500", "EUR"))],
    )
    crediting.issue_credit_note(invoice_id=credited.pk, lines=None, reason="x", by=None, on=ON)
    assert books.verify() == []
    return paid, plain


def replace_pdf(paid):
    import hashlib

    forged = b"%PDF-forged"
    Document.objects.filter(invoice=paid).update(
        content=forged, size=len(forged), sha256=hashlib.sha256(forged).hexdigest()
    )


def swap_pdfs(paid):
    one, other = Document.objects.filter(kind="pdf").order_by("pk")[:2]
    Document.objects.filter(pk=one.pk).update(kind="x")
    Document.objects.filter(pk=other.pk).update(invoice=one.invoice_id)
    Document.objects.filter(pk=one.pk).update(invoice=other.invoice_id, kind="pdf")


def write_off(paid):
    Allocation.objects.create(kind="write_off", invoice=paid, amount_minor=700_00, applied_on=ON)
    Invoice.objects.filter(pk=paid.pk).update(
        written_off_minor=700_00, outstanding_minor=0, status="settled", settled_on=ON
    )


def row(**fields):
    return lambda paid: Invoice.objects.filter(pk=paid.pk).update(**fields)


TAMPERED = {
    "3 the PDF with its sha and size": replace_pdf,
    "4 the PDFs of two invoices": swap_pdfs,
    "5 the client": lambda paid: Invoice.objects.filter(pk=paid.pk).update(client=make_client()),
    "6 the due date": row(due_date=date(2027, 6, 30)),
    "7 the title": row(title="Other"),
    "7 the purchase order": row(purchase_order="PO-9"),
    "7 the note": row(note="Other"),
    "8 the rate": row(exchange_rate="1.5"),
    "9 the text of a line": lambda paid: InvoiceLine.objects.filter(invoice=paid).update(
        description="Other"
    ),
    "9 the price of a line": lambda paid: InvoiceLine.objects.filter(invoice=paid).update(
        unit_price=1
    ),
    "9 the net of a line": lambda paid: InvoiceLine.objects.filter(invoice=paid).update(
        net_minor=1
    ),
    "10 a line is gone": lambda paid: InvoiceLine.objects.filter(invoice=paid)._raw_delete(
        "default"
    ),
    "11 the rate in the breakdown": lambda paid: VatBreakdown.objects.filter(invoice=paid).update(
        rate=10
    ),
    "12 all VAT rows are gone": lambda paid: VatBreakdown.objects.filter(invoice=paid)._raw_delete(
        "default"
    ),
    "13 the day of a payment": lambda paid: Payment.objects.update(received_on=date(2026, 1, 1)),
    "15 the client of a payment": lambda paid: Payment.objects.update(client=make_client()),
    "16 the day of an application": lambda paid: Allocation.objects.filter(invoice=paid).update(
        applied_on=date(2026, 11, 1)
    ),
    "17 the log is gone": lambda paid: InvoiceEvent.objects.filter(invoice=paid)._raw_delete(
        "default"
    ),
    "18 the log of the issue": lambda paid: InvoiceEvent.objects.filter(
        invoice=paid, kind="issued"
    ).update(data={"number": "F-1"}),
    "18 the log of a payment": lambda paid: InvoiceEvent.objects.filter(
        invoice=paid, kind="paid"
    ).update(data={"amount_minor": 1}),
    "19 a write-off with its balance": write_off,
    "22 what a note corrects": lambda paid: Invoice.objects.credit_notes().update(corrects=paid),
    "23 when it was sent": row(sent_at=timezone.now()),
    "23 who issued it": lambda paid: Invoice.objects.filter(pk=paid.pk).update(
        issued_by=make_user()
    ),
    "23 when it was issued": row(issued_at=timezone.now().replace(year=2020)),
    "24 the owner": lambda paid: Invoice.objects.filter(pk=paid.pk).update(owner=make_user()),
    "the closed day": lambda paid: Company.objects.update(closed_until=date(2026, 1, 31)),
    "a second document of one number": lambda paid: Invoice.objects.filter(pk=paid.pk).update(
        number="F-2026-0002", number_clashes=True
    ),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_it_is_noticed(ledger, what):
    paid, _plain = ledger
    database_rules.remove(connection)
    TAMPERED[what](paid)
    database_rules.install(connection)
    assert books.verify() != []


def test_rules_that_are_gone_are_named(ledger):
    database_rules.remove(connection)
    found = [one.where for one in books.verify()]
    assert set(found) == database_rules.missing(connection) != set()
    database_rules.install(connection)
    assert books.verify() == []


def test_one_rule_that_is_gone_is_named(ledger):
    with connection.cursor() as cursor:
        on = " ON invoices_payment" if connection.vendor == "postgresql" else ""
        cursor.execute(f"DROP TRIGGER payments_are_kept{on}")
    assert [one.where for one in books.verify()] == ["payments_are_kept"]
    database_rules.install(connection)


def test_the_database_refuses_what_was_missing(ledger):
    from django.db import IntegrityError, transaction

    paid, _plain = ledger
    Invoice.objects.filter(pk=paid.pk).update(sent_at=timezone.now())
    tries = [
        row(issued_at=timezone.now()),
        row(sent_at=None),
        lambda paid: Invoice.objects.filter(pk=paid.pk).update(owner=make_user()),
        lambda paid: NumberSeries.objects.update(next_value=1),
        lambda paid: NumberSeries.objects.update(prefix="X-"),
        lambda paid: Payment.objects.update(amount_minor=999_99),
        lambda paid: Payment.objects.update(received_on=date(2026, 1, 1)),
        lambda paid: Payment.objects.update(client=make_client()),
    ]
    for attempt in tries:
        with pytest.raises(IntegrityError), transaction.atomic():
            attempt(paid)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite knows no TRUNCATE")
@pytest.mark.parametrize("table", database_rules.NEVER_EMPTIED)
def test_no_table_of_the_books_is_emptied_at_a_stroke(table):
    from django.db import IntegrityError, transaction

    with (
        pytest.raises(IntegrityError, match="never_emptied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"TRUNCATE invoices_{table} CASCADE")
