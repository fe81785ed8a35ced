"""Rows below zero in a payments file: money that went back."""

from __future__ import annotations

from datetime import date

import pytest

from invoices.accounting import books
from invoices.models import Allocation, ImportedPaymentRow, Invoice, Payment
from invoices.payments.recording import allocate_unapplied
from invoices.payments.reversing import reverse_payment
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
    snapshot,
)

pytestmark = pytest.mark.django_db

BACK = changed(PAYMENT, amount="-120.00", received_on="2026-03-05")


def invoice(number="OLD-1"):
    return Invoice.objects.get(number=number)


def hold():
    """Nothing in the books is broken; the chain of deeds included."""
    assert [str(broken) for broken in books.verify()] == []


def test_a_payment_that_came_back_leaves_its_invoice_open_and_its_past_told():
    plan = bring([CLIENT], [INVOICE], [PAYMENT, BACK])
    found = invoice()
    assert (found.status, found.outstanding_minor, found.paid_minor) == ("issued", 12000, 0)
    assert (found.paid_on, found.days_late) == (None, None)
    past = found.past_settlements.get()
    assert (past.settled_on, past.reopened_on) == (date(2026, 2, 20), date(2026, 3, 5))
    given, mirror = Payment.objects.order_by("pk")
    assert mirror.reverses == given and mirror.amount_minor == -12000
    assert mirror.received_on == date(2026, 3, 5) and mirror.imported
    assert (given.allocated_minor, mirror.allocated_minor) == (12000, -12000)
    assert [e.kind for e in found.events.order_by("pk")] == ["imported", "paid", "reversed"]
    assert plan.counts()["payments"]["new"] == 2
    assert plan.totals()["EUR"]["received"] == 0 and plan.totals()["EUR"]["unapplied"] == 0
    assert any("1 row below zero takes back" in notice for notice in notices(plan))
    hold()


def test_the_same_file_with_a_return_twice_changes_nothing():
    files = ([CLIENT], [INVOICE], [PAYMENT, BACK, changed(PAYMENT, reference="R-2")])
    bring(*files)
    before = snapshot()
    assert bring(*files).writes == 0
    assert snapshot() == before


def test_what_is_paid_again_is_paid_on_the_later_day():
    again = changed(PAYMENT, received_on="2026-03-20", reference="R-2")
    bring([CLIENT], [INVOICE], [PAYMENT, BACK, again])
    found = invoice()
    assert (found.status, found.paid_on, found.days_late) == ("settled", date(2026, 3, 20), 39)
    assert found.past_settlements.count() == 1
    hold()


def test_what_was_paid_twice_before_the_first_came_back_takes_effect_when_it_was_open():
    second = changed(PAYMENT, received_on="2026-03-01", reference="R-2")
    plan = bring([CLIENT], [INVOICE], [PAYMENT, second, BACK])
    found = invoice()
    assert (found.status, found.paid_on) == ("settled", date(2026, 3, 5))
    assert Payment.objects.get(reference="R-2").allocated_minor == 12000
    assert plan.totals()["EUR"] == {
        "invoiced": 12000,
        "credited": 0,
        "received": 12000,
        "unapplied": 0,
    }
    hold()


def test_a_credit_note_beside_a_payment_that_came_back():
    note = changed(CREDIT, issued_on="2026-02-25")
    bring([CLIENT], [INVOICE, note], [PAYMENT, BACK])
    found = invoice()
    assert (found.outstanding_minor, found.credited_minor, found.paid_minor) == (6000, 6000, 0)
    assert invoice("CN-1").outstanding_minor == 0
    hold()


def test_a_return_of_the_same_day_leaves_no_trace_in_the_past():
    bring([CLIENT], [INVOICE], [PAYMENT, changed(BACK, received_on="2026-02-20")])
    assert invoice().outstanding_minor == 12000
    assert not invoice().past_settlements.exists()
    hold()


def test_a_longer_file_takes_back_what_is_here():
    bring([CLIENT], [INVOICE], [PAYMENT])
    plan = bring(None, [INVOICE], [PAYMENT, BACK])
    assert plan.counts()["payments"] == {"new": 1, "changed": 0, "unchanged": 1, "refused": 0}
    found = invoice()
    assert (found.status, found.outstanding_minor) == ("issued", 12000)
    assert found.past_settlements.get().reopened_on == date(2026, 3, 5)
    assert bring(None, None, [PAYMENT, BACK]).writes == 0
    hold()


def test_a_longer_file_takes_back_what_is_here_and_pays_again():
    bring([CLIENT], [INVOICE], [PAYMENT])
    again = changed(PAYMENT, received_on="2026-03-01", reference="R-2", amount="100.00")
    bring(None, None, [PAYMENT, BACK, again])
    found = invoice()
    assert (found.outstanding_minor, found.paid_minor) == (2000, 10000)
    # There was no room for it before the first came back.
    assert Allocation.objects.get(payment__reference="R-2").applied_on == date(2026, 3, 5)
    hold()


def test_what_somebody_applied_of_it_to_an_invoice_of_ours_is_open_again_too():
    make_company()
    bring([CLIENT], [INVOICE], [changed(PAYMENT, amount="150.00")])
    payment = Payment.objects.get()
    ours = make_invoice(client=payment.client, issue_date=date(2026, 2, 1), total_minor=3000)
    allocate_unapplied(
        payment_id=payment.pk, allocations=[(ours.pk, payment.unapplied)], by=None, on=ON
    )
    bring(None, None, [changed(BACK, amount="-150.00")])
    ours.refresh_from_db()
    assert (ours.outstanding_minor, invoice().outstanding_minor) == (3000, 12000)
    mirror = Payment.objects.get(reverses=payment)
    assert mirror.allocated_minor == -15000


def test_the_reference_says_which_of_several_came_back():
    half = changed(PAYMENT, amount="60.00")
    other = changed(half, reference="R-2", received_on="2026-02-25")
    back = changed(BACK, amount="-60.00", reference="R-2")
    bring([CLIENT], [INVOICE], [half, other, back])
    assert Payment.objects.get(reversed_by__isnull=False).reference == "R-2"
    assert invoice().outstanding_minor == 6000
    hold()


def test_of_several_that_differ_none_is_guessed():
    half = changed(PAYMENT, amount="60.00")
    other = changed(half, reference="R-2", received_on="2026-02-25")
    back = changed(BACK, amount="-60.00", reference="REJECTED")
    found = only_complaint(plan_of([CLIENT], [INVOICE], [half, other, back]))
    assert (found.line, found.column) == (4, "reference")
    assert "2 payments of €60.00 on OLD-1 come into question" in found.reason
    assert "20\u00a0Feb 2026, 25\u00a0Feb 2026" in found.reason


def test_of_equal_ones_any_came_back_and_each_once():
    row = changed(PAYMENT, amount="40.00", reference="")
    back = changed(row, amount="-40.00", received_on="2026-03-05")
    bring([CLIENT], [INVOICE], [row, row, row, back, back])
    assert invoice().outstanding_minor == 8000
    assert Payment.objects.filter(reverses__isnull=False).count() == 2
    assert bring(None, None, [row, row, row, back, back]).writes == 0
    third = only_complaint(plan_of(None, None, [row] * 2 + [back] * 4 + [row]))
    assert third.line == 7, "the third row of the file takes back the last, the fourth finds none"
    hold()


def test_equal_remittances_that_came_back_on_one_day_are_both_taken():
    row = changed(PAYMENT, amount="60.00")
    back = changed(BACK, amount="-60.00")
    bring([CLIENT], [INVOICE], [row])
    bring(None, None, [row, row])
    bring(None, None, [row, row, back, back])
    mirrors = Payment.objects.filter(reverses__isnull=False)
    assert sorted(mirrors.values_list("occurrence", flat=True)) == [1, 2]
    hold()


@pytest.mark.parametrize(
    ("fields", "column", "reason"),
    [
        ({"amount": "-20.00"}, "amount", "No payment of €20.00 on OLD-1 stands"),
        ({"received_on": "2026-02-01"}, "amount", "money does not go back before it came"),
        ({"invoice": "OLD-2"}, "amount", "No payment of €120.00 on OLD-2 stands"),
        ({"invoice": "CN-1"}, "invoice", "is a credit note"),
    ],
)
def test_what_cannot_be_tied_to_an_earlier_payment_is_refused(fields, column, reason):
    second = changed(INVOICE, number="OLD-2")
    plan = plan_of([CLIENT], [INVOICE, second, CREDIT], [PAYMENT, changed(BACK, **fields)])
    found = only_complaint(plan)
    assert (found.file, found.line, found.column) == ("payments.csv", 3, column)
    assert reason in found.reason


def test_what_was_reversed_here_is_not_taken_back_again():
    bring([CLIENT], [INVOICE], [PAYMENT])
    reverse_payment(
        payment_id=Payment.objects.get().pk, by=None, on=date(2026, 3, 1), reason="bounced"
    )
    assert "taken back whole, and once" in only_complaint(plan_of(None, None, [BACK])).reason


def test_a_part_of_a_remittance_that_came_back_is_a_payment_of_its_own():
    second = changed(INVOICE, number="OLD-2")
    rows = [PAYMENT, changed(PAYMENT, invoice="OLD-2"), BACK]
    bring([CLIENT], [INVOICE, second], rows)
    assert (invoice().outstanding_minor, invoice("OLD-2").outstanding_minor) == (12000, 0)
    assert Payment.objects.filter(reverses__isnull=True).count() == 2
    assert bring(None, None, rows).writes == 0
    hold()


def test_a_remittance_that_is_here_is_taken_back_whole():
    second = changed(INVOICE, number="OLD-2")
    rows = [PAYMENT, changed(PAYMENT, invoice="OLD-2")]
    bring([CLIENT], [INVOICE, second], rows)
    part = only_complaint(plan_of(None, None, [*rows, BACK]))
    assert "part of a remittance of €240.00" in part.reason
    other = changed(BACK, invoice="OLD-2")
    late = plan_of(None, None, [*rows, BACK, changed(other, received_on="2026-03-06")])
    assert all("taken back on one day" in c.reason for c in late.complaints)
    bring(None, None, [*rows, BACK, other])
    assert [i.outstanding_minor for i in Invoice.objects.all()] == [12000, 12000]
    assert Payment.objects.filter(reverses__isnull=False).count() == 1
    assert ImportedPaymentRow.objects.filter(amount_minor__lt=0).count() == 2
    hold()


def test_what_takes_a_refused_payment_back_brings_no_second_complaint():
    bad = changed(PAYMENT, received_on="soon")
    assert only_complaint(plan_of([CLIENT], [INVOICE], [bad, BACK])).column == "received_on"


def test_what_takes_back_a_payment_that_is_asked_about_waits_for_the_answer():
    invoice_row = changed(INVOICE, net="1500.00", vat="0", total="1500.00")
    rows = [changed(PAYMENT, amount="1,500"), changed(BACK, amount="-1500.00")]
    plan = plan_of([CLIENT], [invoice_row], rows)
    assert plan.complaints == [] and len(plan.rows.questions) == 1
    plan = plan_of([CLIENT], [invoice_row], rows, answers={"payments.amount": "point"})
    assert plan.complaints == [] and len(plan.new_returns) == 1
