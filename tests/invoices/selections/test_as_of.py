"""The state of a past day, in both readings: what SQL says is what a plain loop finds."""

from __future__ import annotations

import contextlib
from datetime import date, datetime, timedelta
from unittest import mock
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings as django_settings
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from billing_portal.money import from_minor
from invoices.accounting import books
from invoices.models import Allocation, Invoice, Payment
from invoices.payments import applying, recording, reversing
from invoices.payments.applying import PaymentRefused
from invoices.payments.settling import STEP_COLUMNS, Settled, settlement
from invoices.selections.as_of import (
    issued_by,
    open_at,
    settled_by,
    state_as_of,
    unapplied_as_of,
    with_open_amount,
)
from tests.factories import make_client, make_company, make_invoice

FIRST = date(2026, 6, 1)
SPAN = 100


def day(n):
    return FIRST + timedelta(days=n)


def at_noon(on):
    zone = ZoneInfo(django_settings.TIME_ZONE)
    return mock.patch(
        "django.utils.timezone.now", lambda: datetime(on.year, on.month, on.day, 12, tzinfo=zone)
    )


def pay(client, minor, on, *parts):
    return recording.record_payment(
        client_id=client.pk,
        amount=from_minor(minor, "EUR"),
        received_on=on,
        reference="",
        method="transfer",
        by=None,
        allocations=[(invoice.pk, from_minor(part, "EUR")) for invoice, part in parts],
    )


def seen(invoice, on, known=None):
    row = state_as_of(Invoice.objects.filter(pk=invoice.pk), on, known).get()
    return row.open_minor, row.settled_then, row.paid_then, row.late_then


@pytest.fixture
def client(db):
    make_company()
    return make_client()


def test_paid_in_june_and_bounced_in_august_is_paid_in_july_and_open_after(client):
    invoice = make_invoice(client=client, issue_date=date(2026, 6, 1), due_date=date(2026, 7, 1))
    total = invoice.total_minor
    payment = pay(client, total, date(2026, 6, 25), (invoice, total))
    reversing.reverse_payment(
        payment_id=payment.pk, by=None, on=date(2026, 8, 10), reason="bounced"
    )
    july, august = date(2026, 7, 31), date(2026, 8, 11)
    assert seen(invoice, july) == (0, date(2026, 6, 25), date(2026, 6, 25), -6)
    assert seen(invoice, august) == (total, None, None, None)
    assert list(Invoice.objects.filter(settled_by(july))) == [invoice]
    assert list(Invoice.objects.filter(open_at(july))) == []
    assert list(Invoice.objects.filter(open_at(august))) == [invoice]
    assert seen(invoice, date(2026, 8, 9))[0] == 0
    assert seen(invoice, date(2026, 8, 10))[0] == total


def test_money_applied_later_is_unapplied_until_its_invoice_was_issued(client):
    old = make_invoice(client=client, issue_date=day(0), due_date=day(30), total_minor=100_00)
    payment = pay(client, 600_00, day(9), (old, 100_00))
    new = make_invoice(client=client, issue_date=day(92), due_date=day(95), total_minor=500_00)
    with at_noon(day(99)):
        recording.allocate_unapplied(
            payment_id=payment.pk,
            allocations=[(new.pk, from_minor(500_00, "EUR"))],
            by=None,
            on=day(99),
        )
    assert unapplied_as_of(day(44)) == {"EUR": 500_00}
    assert unapplied_as_of(day(92)) == {}
    new.refresh_from_db()
    # A prepayment counts no days to pay, and the days from issue to due as early.
    assert (new.days_to_pay, new.days_late) == (0, -3)
    assert seen(new, day(95)) == (0, day(92), day(92), -3)
    # What was known then: the money was here, and nobody had matched it.
    with at_noon(day(200)):
        late = Payment.objects.get(pk=payment.pk).recorded_at.date()
    assert seen(new, day(95), known=max(late, day(98))) in [
        (500_00, None, None, None),
        (0, day(92), day(92), -3),
    ]


def test_a_credit_note_has_its_own_past(client):
    invoice = make_invoice(client=client, issue_date=day(0), due_date=day(30), total_minor=100_00)
    note = make_invoice(
        kind="credit_note", client=client, issue_date=day(10), due_date=day(10), total_minor=60_00
    )
    applying.apply_credit_note(
        credit_note_id=note.pk,
        invoice_id=invoice.pk,
        amount=from_minor(60_00, "EUR"),
        by=None,
        on=day(50),
    )
    rows = with_open_amount(Invoice.objects.order_by("pk"), day(9))
    assert [row.open_minor for row in rows] == [100_00, 60_00]
    rows = with_open_amount(Invoice.objects.order_by("pk"), day(10))
    assert [row.open_minor for row in rows] == [40_00, 0]


# ─ Any books, any day ───────────────────────────────────────────────────────────────────────────
ACTS = st.lists(
    st.tuples(
        st.sampled_from(["pay", "pay", "later", "reverse", "reverse", "credit", "write_off"]),
        st.integers(0, 2),
        st.sampled_from([2, 20, 40, 60, 100]),
        # The effective day, and how many days later the portal learns it.
        st.integers(0, SPAN),
        st.integers(0, 30),
    ),
    max_size=12,
)
DAYS = st.lists(
    st.tuples(st.integers(0, SPAN + 10), st.integers(0, SPAN + 40)), min_size=4, max_size=4
)


class TestAnyBooks(TestCase):
    @settings(max_examples=40, deadline=None)
    @given(ACTS, DAYS)
    def test_sql_is_the_loop_and_cash_and_receivable_add_up(self, acts, days):
        make_company()
        self.client_row = make_client()
        with at_noon(FIRST):
            self.invoices = [
                make_invoice(
                    client=self.client_row,
                    issue_date=day(20 * n),
                    due_date=day(20 * n + 30),
                    total_minor=100_00,
                )
                for n in range(3)
            ]
        clock = FIRST
        for kind, which, share, on, delay in acts:
            # Facts are recorded one after the other, and none before its own day.
            clock = max(clock, day(on + delay))
            with at_noon(clock), contextlib.suppress(PaymentRefused):
                self.act(kind, self.invoices[which].pk, share * 100, day(on))
        assert books.verify() == [] or all(".pdf" in b.text for b in books.verify())
        for on, known in days:
            self.check(day(on), None)
            self.check(day(on), day(known))

    def act(self, kind, pk, minor, on):
        row = Invoice.objects.get(pk=pk)
        part = min(minor, row.outstanding_minor)
        if kind == "pay":
            pay(self.client_row, minor, on, *([(row, part)] if part else []))
        elif kind == "later":
            payment = Payment.objects.unapplied().order_by("pk").first()
            if payment and part:
                free = min(part, payment.amount_minor - payment.allocated_minor)
                recording.allocate_unapplied(
                    payment_id=payment.pk,
                    allocations=[(pk, from_minor(free, "EUR"))],
                    by=None,
                    on=on,
                )
        elif kind == "reverse":
            standing = Payment.objects.filter(reverses=None, reversed_by=None).order_by("pk")
            if payment := standing.first():
                reversing.reverse_payment(
                    payment_id=payment.pk, by=None, on=max(on, payment.received_on), reason="x"
                )
        elif kind == "credit" and part:
            note = make_invoice(
                kind="credit_note",
                client=self.client_row,
                total_minor=minor,
                issue_date=on,
                due_date=on,
            )
            applying.apply_credit_note(
                credit_note_id=note.pk,
                invoice_id=pk,
                amount=from_minor(part, "EUR"),
                by=None,
                on=on,
            )
        elif kind == "write_off" and part:
            applying.write_off(
                invoice_id=pk, amount=from_minor(part, "EUR"), reason="x", by=None, on=on
            )

    def check(self, on, known):
        def knew(moment):
            return known is None or moment.date() <= known

        issued = Invoice.objects.filter(issued_by(on, known))
        receivable = given = 0
        for row in state_as_of(issued, on, known):
            side = "credit_note" if row.is_credit_note else "invoice"
            steps = [
                Settled(*step)
                for *step, at in Allocation.objects.filter(**{side: row}, applied_on__lte=on)
                .order_by("pk")
                .values_list(*STEP_COLUMNS, "recorded_at")
                if knew(at)
            ]
            found = settlement(row.total_minor, row.issue_date, steps)
            assert row.open_minor == found.outstanding_minor >= 0
            assert (row.settled_then, row.paid_then) == (found.settled_on, found.paid_on)
            if found.paid_on:
                assert row.late_then == (found.paid_on - row.due_date).days
            if known is None:
                assert Invoice.objects.filter(settled_by(on), pk=row.pk).exists() == (
                    found.settled_on is not None
                )
                assert Invoice.objects.filter(open_at(on), pk=row.pk).exists() == (
                    found.settled_on is None
                )
            sign = -1 if row.is_credit_note else 1
            receivable += sign * row.open_minor
            given += sign * (row.total_minor - found.written_off_minor)
        cash = sum(
            payment.amount_minor
            for payment in Payment.objects.filter(received_on__lte=on)
            if knew(payment.recorded_at)
        )
        unapplied = unapplied_as_of(on, known=known).get("EUR", 0)
        assert unapplied >= 0
        # Every invoiced cent is open, credited, given up or paid; every cent received is applied
        # or waits.
        assert receivable - unapplied == given - cash
