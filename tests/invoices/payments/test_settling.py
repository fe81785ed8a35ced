"""What is owed, and when it was paid, after any sequence of events."""

from __future__ import annotations

import contextlib
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from moneyed import Money

from billing_portal.money import from_minor
from invoices.accounting import books
from invoices.invoicing import crediting
from invoices.invoicing.freezing import IssueRefused
from invoices.models import Allocation, Invoice, Payment
from invoices.payments import applying, recording, reversing, settling
from invoices.payments.applying import PaymentRefused
from invoices.payments.settling import BalanceRefused, Settled, room_from, settlement
from tests.factories import make_company, make_invoice

ISSUED = date(2026, 7, 10)
PAY, CREDIT, OFF = "payment", "credit", "write_off"


def day(n):
    return ISSUED + timedelta(days=n)


def result(total, *steps):
    found = settlement(total, ISSUED, [Settled(*step) for step in steps])
    return found.outstanding_minor, found.settled_on, found.paid_on


def test_part_payments_settle_on_the_value_date_of_the_last():
    # Row C of the golden set in FORMULAS.md.
    assert result(1500, (PAY, 500, day(30), 1)) == (1000, None, None)
    assert result(1500, (PAY, 500, day(30), 1), (PAY, 1000, day(50), 2)) == (0, day(50), day(50))


def test_the_value_date_counts_not_the_order_of_entry():
    assert result(100, (PAY, 50, day(50), 1), (PAY, 50, day(30), 2)) == (0, day(50), day(50))


def test_settled_by_credit_note_alone_was_never_paid():
    assert result(100, (CREDIT, 100, day(5), 1)) == (0, day(5), None)


def test_settled_by_write_off_alone_was_never_paid():
    assert result(100, (OFF, 100, day(90))) == (0, day(90), None)


def past(total, *steps):
    found = settlement(total, ISSUED, [Settled(*step) for step in steps])
    return [(each.settled_on, each.paid_on, each.reopened_on) for each in found.past]


@pytest.mark.parametrize("kind", [CREDIT, OFF])
def test_what_closes_a_part_paid_invoice_without_money_withdraws_it(kind):
    # It looked as if paid on day 20, and early, though 40 were never paid.
    assert result(100, (PAY, 60, day(20), 1), (kind, 40, day(40), 2)) == (0, day(40), None)


@pytest.mark.parametrize("kind", [CREDIT, OFF])
def test_all_but_a_fiftieth_paid_is_paid_on_the_day_of_the_last_payment(kind):
    assert result(100, (PAY, 98, day(20), 1), (kind, 2, day(40), 2)) == (0, day(40), day(20))
    assert result(100, (PAY, 97, day(20), 1), (kind, 3, day(40), 2)) == (0, day(40), None)


def test_the_final_step_decides_whatever_was_credited_before():
    assert result(100, (CREDIT, 90, day(5), 1), (PAY, 10, day(20), 2)) == (0, day(20), day(20))


def test_on_one_day_the_credit_note_comes_first_and_the_write_off_last():
    assert result(100, (PAY, 30, day(5), 1), (CREDIT, 70, day(5), 2)) == (0, day(5), day(5))
    assert result(100, (OFF, 70, day(5), 1), (PAY, 30, day(5), 2)) == (0, day(5), None)


def test_a_reversed_payment_leaves_the_invoice_open_and_its_time_settled_behind():
    steps = [(PAY, 100, day(20), 1), (PAY, -100, day(25), 2, 1)]
    assert result(100, *steps) == (100, None, None)
    assert past(100, *steps) == [(day(20), day(20), day(25))]


def test_what_was_paid_bounced_and_paid_again_has_both_times():
    steps = [(PAY, 100, day(20), 1), (PAY, -100, day(60), 2, 1), (PAY, 100, day(70), 3)]
    assert result(100, *steps) == (0, day(70), day(70))
    assert past(100, *steps) == [(day(20), day(20), day(60))]


def test_replaced_on_one_day_the_new_payment_settles_from_that_day():
    steps = [(PAY, 100, day(20), 1), (PAY, -100, day(60), 2, 1), (PAY, 100, day(60), 3)]
    assert result(100, *steps) == (0, day(60), day(60))
    assert past(100, *steps) == [(day(20), day(20), day(60))]


def test_what_is_given_and_taken_back_on_one_day_never_stood():
    steps = [(PAY, 100, day(20), 1), (PAY, -100, day(20), 2, 1)]
    assert past(100, *steps) == []


def test_of_two_equal_payments_the_reversed_one_is_the_one_struck_out():
    # Struck out by amount alone, the later one would go, and the invoice would look paid on day 20.
    steps = [
        (PAY, 50, day(5), 1),
        (PAY, 50, day(40), 2),
        (PAY, -50, day(45), 3, 1),
        (PAY, 50, day(45), 4),
    ]
    assert result(100, *steps) == (0, day(45), day(45))
    assert past(100, *steps) == [(day(40), day(40), day(45))]


def test_a_write_off_taken_back_leaves_no_day_behind():
    steps = [(OFF, 100, day(90), 1), (OFF, -100, day(99), 2, 1), (PAY, 100, day(99), 3)]
    assert result(100, *steps) == (0, day(99), day(99))
    assert past(100, *steps) == [(day(90), None, day(99))]


def test_money_takes_effect_where_the_claim_was_open_for_it():
    bounced = [Settled(PAY, 100, day(20), 1), Settled(PAY, -100, day(60), 2, 1)]
    # Value date day 30: on day 30 the invoice was settled by the payment that bounced later.
    assert room_from(day(30), 100, 100, bounced) == day(60)
    assert room_from(day(30), 100, 200, bounced) == day(30)
    assert room_from(day(70), 100, 100, bounced) == day(70)
    assert room_from(day(3), 40, 100, [Settled(PAY, 60, day(20), 1)]) == day(3)
    with pytest.raises(BalanceRefused):
        room_from(day(3), 41, 100, [Settled(PAY, 60, day(20), 1)])


def test_nothing_to_pay_is_settled_at_once():
    assert result(0) == (0, ISSUED, None)


@pytest.mark.parametrize(
    "steps",
    [
        [(PAY, 101, day(1), 1)],
        [(PAY, 60, day(1), 1), (CREDIT, 41, day(2), 2)],
        [(PAY, -1, day(1), 1)],
        [(PAY, 100, day(1), 1), (PAY, -50, day(1), 2, 1)],
        [(PAY, 100, day(5), 1), (PAY, -100, day(1), 2, 1)],
    ],
)
def test_more_than_there_is_is_refused(steps):
    with pytest.raises(BalanceRefused):
        result(100, *steps)


# An act is a kind, a share of 1..100, and a day after the invoice.
ACTS = st.lists(
    st.tuples(
        st.sampled_from(
            ["pay", "pay", "pay", "over", "reverse", "credit", "write_off", "allocate"]
        ),
        st.integers(1, 100),
        st.integers(0, 120),
    ),
    max_size=14,
)


class TestAnySequence(TestCase):
    @settings(max_examples=25, deadline=None)
    @given(ACTS)
    def test_the_parts_always_make_the_total(self, acts):
        make_company()
        total = 100_00
        invoice = make_invoice(
            issue_date=ISSUED, due_date=day(30), total_minor=total, vat_minor=16_67
        )
        for kind, share, days in acts:
            minor = total * share // 100
            with contextlib.suppress(PaymentRefused, IssueRefused):
                self.act(kind, invoice.pk, invoice.client_id, minor, day(days))
            self.check(invoice.pk)
        assert [b for b in books.verify() if b.where == invoice.number] == []

    def act(self, kind, pk, client_id, minor, on):
        row = Invoice.objects.get(pk=pk)
        if kind in ("pay", "over"):
            part = min(minor, row.outstanding_minor) if kind == "over" else minor
            recording.record_payment(
                client_id=client_id,
                amount=from_minor(minor, "EUR"),
                received_on=on,
                reference="",
                method="transfer",
                by=None,
                allocations=[(pk, from_minor(part, "EUR"))] if part else [],
            )
        elif kind == "reverse":
            standing = Payment.objects.filter(reverses=None, reversed_by=None).order_by("-pk")
            if payment := standing[minor % 3 :].first():
                reversing.reverse_payment(
                    payment_id=payment.pk, by=None, on=max(on, payment.received_on), reason="x"
                )
        elif kind == "allocate":
            payment = Payment.objects.filter(allocated_minor=0, reverses=None).first()
            if payment:
                part = min(payment.amount_minor, row.outstanding_minor)
                recording.allocate_unapplied(
                    payment_id=payment.pk,
                    allocations=[(pk, from_minor(part, "EUR"))],
                    by=None,
                    on=on,
                )
        elif kind == "write_off":
            applying.write_off(
                invoice_id=pk, amount=from_minor(minor, "EUR"), reason="x", by=None, on=on
            )
        else:
            # Without a PDF: credit notes have their own tests.
            left = min(minor, row.outstanding_minor)
            if left:
                note = make_invoice(
                    kind="credit_note", client=row.client, total_minor=left, issue_date=on
                )
                applying.apply_credit_note(
                    credit_note_id=note.pk,
                    invoice_id=pk,
                    amount=from_minor(left, "EUR"),
                    by=None,
                    on=on,
                )

    def check(self, pk):
        row = Invoice.objects.get(pk=pk)
        parts = (row.paid_minor, row.credited_minor, row.written_off_minor, row.outstanding_minor)
        assert sum(parts) == row.total_minor
        assert min(parts) >= 0
        rows = list(Allocation.objects.filter(invoice=row))
        assert row.paid_minor == sum(a.amount_minor for a in rows if a.kind == PAY)
        taken = {a.takes_back_id for a in rows}
        standing = [a for a in rows if a.amount_minor > 0 and a.pk not in taken]
        if row.outstanding_minor:
            assert (row.status, row.settled_on, row.paid_on) == ("issued", None, None)
        else:
            assert row.status == "settled"
            assert row.settled_on == max(a.applied_on for a in standing)
            if row.paid_on:
                assert row.paid_on == max(a.applied_on for a in standing if a.kind == PAY)
                assert row.days_late == (row.paid_on - row.due_date).days
                assert row.days_to_pay == (row.paid_on - row.issue_date).days
        for payment in Payment.objects.filter(client=row.client):
            given_out = sum(a.amount_minor for a in payment.allocations.all())
            assert payment.allocated_minor == given_out
            assert abs(given_out) <= abs(payment.amount_minor)


@pytest.mark.django_db
def test_unknown_money_is_not_applied_by_itself():
    invoice = make_invoice()
    recording.record_payment(
        client_id=invoice.client_id,
        amount=Money("50", "EUR"),
        received_on=day(1),
        reference="",
        method="transfer",
        by=None,
        allocations=[],
    )
    invoice.refresh_from_db()
    assert invoice.outstanding_minor == invoice.total_minor
    assert settling.steps_of(invoice) == []
    assert crediting.creditable(invoice).total_minor == invoice.total_minor
