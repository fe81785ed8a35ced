"""The payments of a history, and what they settle."""

from __future__ import annotations

import threading
from datetime import date

import pytest
from django.db import connection

from invoices.history.bringing_in import HistoryInterrupted, HistoryRefused, apply
from invoices.models import Client, ImportedPaymentRow, Invoice, Payment
from tests.factories import make_company, make_invoice
from tests.invoices.history.files import (
    CLIENT,
    CREDIT,
    INVOICE,
    ON,
    PAYMENT,
    bring,
    changed,
    notices,
    only_complaint,
    plan_of,
)

pytestmark = pytest.mark.django_db


def test_what_a_payment_brings_beyond_the_debt_is_unapplied_cash():
    plan = bring([CLIENT], [INVOICE], [changed(PAYMENT, amount="150.00")])
    payment = Payment.objects.get()
    assert (payment.amount_minor, payment.allocated_minor) == (15000, 12000)
    assert Invoice.objects.get().status == "settled"
    assert any("unapplied cash" in notice for notice in notices(plan))
    assert plan.totals()["EUR"]["unapplied"] == 3000


def test_rows_of_one_reference_and_day_are_one_remittance_over_several_invoices():
    second = changed(INVOICE, number="OLD-2")
    rows = [PAYMENT, changed(PAYMENT, invoice="OLD-2")]
    bring([CLIENT], [INVOICE, second], rows)
    payment = Payment.objects.get()
    assert payment.amount_minor == payment.allocated_minor == 24000
    assert sorted(payment.allocations.values_list("invoice__number", "amount_minor")) == [
        ("OLD-1", 12000),
        ("OLD-2", 12000),
    ]


def test_equal_rows_without_a_reference_are_as_many_payments():
    row = changed(PAYMENT, reference="", amount="40.00")
    bring([CLIENT], [INVOICE], [row, row])
    assert Payment.objects.count() == 2
    bring(None, None, [row, row])
    assert Payment.objects.count() == 2
    bring(None, None, [row, row, row])
    assert Payment.objects.count() == 3
    assert Invoice.objects.get().status == "settled"


def test_a_payment_in_advance_is_kept_and_said():
    plan = bring([CLIENT], [INVOICE], [changed(PAYMENT, received_on="2026-01-02")])
    invoice = Invoice.objects.get()
    assert (invoice.days_to_pay, invoice.days_late) == (0, -30)
    assert any("before its invoice was issued" in notice for notice in notices(plan))


def test_a_payment_for_an_invoice_that_came_in_before_settles_the_rest():
    bring([CLIENT], [INVOICE], [changed(PAYMENT, amount="20.00")])
    bring(None, None, [changed(PAYMENT, amount="100.00", received_on="2026-03-01")])
    invoice = Invoice.objects.get()
    assert (invoice.status, invoice.paid_minor, invoice.paid_on) == (
        "settled",
        12000,
        date(2026, 3, 1),
    )
    assert invoice.allocations.count() == 2


@pytest.mark.parametrize(
    ("fields", "column", "reason"),
    [
        ({"invoice": "OLD-9"}, "invoice", "No invoice has the number OLD-9"),
        ({"invoice": "CN-1"}, "invoice", "is a credit note"),
        ({"received_on": "1999-12-31"}, "received_on", "year 1999 is out of range"),
        ({"received_on": "2026-11-25"}, "received_on", "in the future"),
        ({"received_on": "today"}, "received_on", "not a date"),
        ({"received_on": "24.11"}, "received_on", "not a date"),
        ({"amount": "0"}, "amount", "over nothing"),
        ({"amount": "-5.00"}, "amount", "could take back"),
        ({"amount": "100000000000"}, "amount", "larger than any amount"),
        ({"currency": "USD"}, "currency", "OLD-1 is in EUR"),
        ({"method": "barter"}, "method", "not known here"),
        ({"reference": "r" * 141}, "reference", "longer than 140"),
    ],
)
def test_a_bad_payment_is_refused_with_line_column_and_reason(fields, column, reason):
    plan = plan_of([CLIENT], [INVOICE, CREDIT], [PAYMENT, changed(PAYMENT, **fields)])
    found = only_complaint(plan)
    assert (found.file, found.line, found.column) == ("payments.csv", 3, column)
    assert reason in found.reason


def test_a_payment_of_an_invoice_issued_here_settles_it_and_is_no_history():
    ours = make_invoice(imported=False, issue_date=date(2026, 1, 10))
    done = bring(None, None, [changed(PAYMENT, invoice=ours.number)])
    ours.refresh_from_db()
    assert ours.outstanding_minor == 0 and ours.paid_on == date(2026, 2, 20)
    # The journal of today has it.
    assert not Payment.objects.get().imported
    assert done.writes == 1
    assert plan_of(None, None, [changed(PAYMENT, invoice=ours.number)]).writes == 0
    # And it goes back as any other.
    bring(None, None, [changed(PAYMENT, invoice=ours.number, amount="-120.00")])
    assert {payment.imported for payment in Payment.objects.all()} == {False}
    ours.refresh_from_db()
    assert ours.outstanding_minor == 120_00


def test_what_a_page_would_refuse_of_an_invoice_issued_here_a_file_is_refused_too():
    company = make_company(closed_until=date(2026, 3, 1))
    ours = make_invoice(imported=False, issue_date=date(2026, 1, 10))
    plan = plan_of(None, None, [changed(PAYMENT, invoice=ours.number)])
    assert "closed until" in only_complaint(plan).reason
    company.closed_until = None
    company.save()


def test_a_remittance_that_somebody_recorded_by_hand_is_not_recorded_again():
    bring([CLIENT], [INVOICE])
    invoice = Invoice.objects.get()
    Payment.objects.create(
        client=invoice.client,
        received_on=date(2026, 2, 20),
        currency="EUR",
        amount_minor=12000,
        reference="R-1",
    )
    plan = plan_of(None, None, [PAYMENT])
    assert "is recorded already" in only_complaint(plan).reason


def test_the_database_takes_a_payment_row_once_even_when_two_read_it_together():
    bring([CLIENT], [INVOICE])
    row = changed(PAYMENT, reference="")
    bring(None, None, [row])
    taken = ImportedPaymentRow.objects.get()
    taken.pk = None
    with pytest.raises(Exception, match=r"(?i)unique"):
        taken.save(force_insert=True)


@pytest.mark.django_db(transaction=True)
def test_two_imports_at_once_make_one():
    make_company()
    plans = [plan_of([CLIENT], [INVOICE], [changed(PAYMENT, reference="")]) for _ in range(2)]
    ready, answers = threading.Barrier(2), []

    def go(plan):
        ready.wait()
        try:
            answers.append(apply(plan, by=None, on=ON).writes)
        except (HistoryInterrupted, HistoryRefused) as refusal:
            answers.append(str(refusal))
        finally:
            connection.close()

    threads = [threading.Thread(target=go, args=[plan]) for plan in plans]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Invoice.objects.count() == Payment.objects.count() == Client.objects.count() == 1
    assert sorted(answers, key=str) == [0, 3]


def test_a_write_that_fails_half_way_leaves_nothing():
    plan = plan_of([CLIENT], [INVOICE], [PAYMENT])

    class Killed(Exception):
        pass

    def die(done, total):
        if done > 2:
            raise Killed

    with pytest.raises(Killed):
        apply(plan, by=None, on=ON, progress=die)
    assert not Client.objects.exists() and not Invoice.objects.exists()


@pytest.mark.parametrize(
    ("word", "method"),
    [
        ("", "transfer"),
        ("Virement", "transfer"),
        ("Prélèvement", "direct_debit"),
        ("CHÈQUE", "cheque"),
    ],
)
def test_methods_are_read_as_french_tools_write_them(word, method):
    plan = plan_of([CLIENT], [INVOICE], [changed(PAYMENT, method=word)])
    assert plan.complaints == [] and plan.rows.payments[0].method == method
