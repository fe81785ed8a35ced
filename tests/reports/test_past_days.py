"""What a report says of a past day is what was so that day, whatever happened since."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta
from fractions import Fraction

import pytest
from django.db.models import Sum
from django.http import QueryDict

from invoices.models import Allocation, Invoice, Payment
from invoices.payments.allocating import allocate, take_back
from invoices.selections.filters import InvoiceFilter, filter_invoices
from reports.delays.measuring import Scope
from reports.delays.reading import tallies
from reports.delays.report import DelayReport
from reports.delays.slices import slices
from reports.delays.tally import total
from reports.receivables.measuring import positions
from tests.factories import make_client, make_client_type, make_company, make_invoice
from tests.reports.golden import credit, pay

pytestmark = pytest.mark.django_db
FIRST = date(2026, 1, 1)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def company():
    return make_company()


def bounce(payment, on):
    """The mirror of a payment; what it settled is open again."""
    mirror = Payment.objects.create(
        client=payment.client,
        received_on=on,
        currency=payment.currency,
        amount_minor=-payment.amount_minor,
        reverses=payment,
    )
    for row in payment.allocations.all():
        invoice = Invoice.objects.get(pk=row.invoice_id)
        take_back(row, on=on, by=None, invoice=invoice, payment=mirror)


def random_books(seed):
    """Every way in which an invoice is settled, reopened, credited, written off or paid ahead."""
    chance = random.Random(seed)
    clients = [
        make_client(client_type=make_client_type(f"Type {n % 2}"), name=f"C{n}") for n in range(3)
    ]
    for _n in range(40):
        issued = FIRST + chance.randrange(150) * DAY
        total_minor = chance.randrange(100, 90_000)
        invoice = make_invoice(
            client=chance.choice(clients),
            issue_date=issued,
            due_date=issued + 30 * DAY,
            total_minor=total_minor,
            currency=chance.choice(["EUR", "EUR", "GBP"]),
        )
        when = issued + chance.randrange(-20, 80) * DAY
        later = max(issued, when) + chance.randrange(1, 60) * DAY
        part = chance.randrange(1, total_minor)
        fate = chance.randrange(9)
        if fate == 0:
            pay(invoice, total_minor, when)
        elif fate == 1:
            bounce(pay(invoice, total_minor, max(issued, when)), later)
        elif fate == 2:
            bounce(pay(invoice, total_minor, max(issued, when)), later)
            pay(invoice, total_minor, later + chance.randrange(30) * DAY)
        elif fate == 3:
            pay(invoice, part, max(issued, when))
            credit(invoice, total_minor - part, later)
        elif fate == 4:
            pay(invoice, part, max(issued, when))
            allocate(invoice=invoice, amount_minor=total_minor - part, applied_on=later, by=None)
        elif fate == 5:
            credit(invoice, part, max(issued, when))
            bounce(pay(invoice, total_minor - part, later), later + 7 * DAY)
        elif fate == 6:
            # More than the invoice, applied when the next one is issued.
            money = Payment.objects.create(
                client=invoice.client,
                received_on=when,
                currency=invoice.currency,
                amount_minor=total_minor + 5000,
            )
            allocate(
                invoice=invoice, amount_minor=total_minor, applied_on=when, by=None, payment=money
            )
            following = make_invoice(
                client=invoice.client,
                issue_date=later,
                due_date=later + 30 * DAY,
                total_minor=8000,
                currency=invoice.currency,
            )
            allocate(invoice=following, amount_minor=5000, applied_on=when, by=None, payment=money)
        elif fate == 7:
            make_invoice(
                kind="credit_note",
                client=invoice.client,
                issue_date=later,
                total_minor=part,
                currency=invoice.currency,
            )


def state_by_hand(invoice, day):
    """(owed, settled on, paid on) at the end of a day, from its allocations alone."""
    standing = [
        row
        for row in Allocation.objects.filter(invoice=invoice, amount_minor__gt=0)
        if row.applied_on <= day
        and not (hasattr(row, "taken_back_by") and row.taken_back_by.applied_on <= day)
    ]
    owed = invoice.total_minor - sum(row.amount_minor for row in standing)
    if owed:
        return owed, None, None
    settled = max((row.applied_on for row in standing), default=invoice.issue_date)
    money = [row for row in standing if row.kind == "payment"]
    last = max((row.applied_on for row in money), default=None)
    off = {row.applied_on for row in standing if row.kind == "write_off"}
    nearly = sum(row.amount_minor for row in money) * 100 >= invoice.total_minor * 98
    by_money = last == settled and settled not in off
    return 0, settled, last if by_money or nearly else None


DAYS = [FIRST + n * DAY for n in (40, 95, 140, 180, 260)]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_open_paid_overdue_and_delays_of_any_day_are_those_of_its_rows(seed):
    random_books(seed)
    for day in DAYS:
        paid, unfinished = Counter(), Counter()
        still_open = overdue = 0
        issued = Invoice.objects.invoices().filter(issue_date__lte=day)
        for invoice in issued:
            owed, settled, paid_on = state_by_hand(invoice, day)
            if paid_on:
                paid[(paid_on - invoice.due_date).days] += 1
            else:
                unfinished[((settled or day) - invoice.due_date).days] += 1
                still_open += bool(owed)
                overdue += bool(owed) and invoice.due_date < day
        found = total(tallies(Scope(day), "late", "client_type").values())
        assert found.paid == dict(paid)
        assert found.unfinished == dict(unfinished)
        assert (found.open, found.overdue) == (still_open, overdue)


@pytest.mark.parametrize("by", ["client_type", "month"])
def test_the_list_that_a_figure_opens_has_the_rows_of_that_day(by):
    random_books(4)
    for day in DAYS[1:4]:
        report = DelayReport(Scope(day), by, "late")
        heads = [head.key for head in report.table.heads]
        for row in report.table.shown:
            cells = dict(zip(heads, row.cells, strict=True))
            for key, number in (
                ("n", row.tally.n),
                ("open", row.tally.open),
                ("overdue", row.tally.overdue),
                ("mean", row.tally.n_paid),
                ("late", row.tally.late),
            ):
                query = QueryDict(cells[key].url.partition("?")[2])
                wanted, _problems = InvoiceFilter.read(query)
                opened = filter_invoices(Invoice.objects.all(), wanted, date(2026, 12, 1))
                assert opened.count() == number, (day, key)


def _sum(rows, column="amount_minor"):
    return rows.aggregate(minor=Sum(column))["minor"] or 0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_receivable_and_cash_of_any_day_add_up_to_what_was_invoiced_and_received(seed):
    random_books(seed)
    for day in DAYS:
        found = positions(day - 30 * DAY, day)
        for currency in ("EUR", "GBP"):
            documents = Invoice.objects.issued().filter(issue_date__lte=day, currency=currency)
            invoiced = _sum(documents.filter(kind="invoice"), "total_minor")
            credited = _sum(documents.filter(kind="credit_note"), "total_minor")
            received = _sum(Payment.objects.filter(received_on__lte=day, currency=currency))
            given_up = _sum(
                Allocation.objects.filter(
                    kind="write_off", applied_on__lte=day, invoice__currency=currency
                )
            )
            position = found[currency]
            owed = sum(
                state_by_hand(invoice, day)[0] for invoice in documents.filter(kind="invoice")
            )
            assert position.ageing.receivable_minor == owed
            assert (
                owed - position.unapplied_cash_minor - position.credit_balance_minor
                == invoiced - credited - received - given_up
            )


def test_money_applied_later_to_a_later_invoice_leaves_past_days_alone():
    client = make_client()
    first = make_invoice(
        client=client, total_minor=100_00, issue_date=date(2026, 6, 1), due_date=date(2026, 6, 30)
    )
    money = Payment.objects.create(
        client=client, received_on=date(2026, 6, 10), currency="EUR", amount_minor=600_00
    )
    options = {"applied_on": date(2026, 6, 10), "by": None, "payment": money}
    allocate(invoice=first, amount_minor=100_00, **options)
    day = date(2026, 7, 15)
    before = positions(date(2026, 5, 1), day)["EUR"]
    later = make_invoice(
        client=client, total_minor=500_00, issue_date=date(2026, 9, 1), due_date=date(2026, 10, 1)
    )
    allocate(invoice=later, amount_minor=500_00, **options)
    assert positions(date(2026, 5, 1), day)["EUR"] == before
    assert before.unapplied_cash_minor == 500_00
    # Paid ahead: on the day of issue, so 0 days to pay.
    late = total(tallies(Scope(date(2026, 9, 15)), "late", "client_type").values())
    to_pay = total(tallies(Scope(date(2026, 9, 15)), "to_pay", "client_type").values())
    assert late.paid == {-20: 1, -30: 1}
    assert to_pay.paid == {9: 1, 0: 1}


def test_a_payment_that_bounced_is_paid_until_then_and_open_from_then_on():
    invoice = make_invoice(
        total_minor=100_00, issue_date=date(2026, 6, 1), due_date=date(2026, 6, 30)
    )
    bounce(pay(invoice, 100_00, date(2026, 6, 25)), date(2026, 8, 10))
    then = total(tallies(Scope(date(2026, 7, 31)), "late", "client_type").values())
    assert (then.n_paid, then.open, then.weighted_mean) == (1, 0, Fraction(-5))
    now = total(tallies(Scope(date(2026, 8, 11)), "late", "client_type").values())
    assert (now.n_paid, now.open, now.overdue) == (0, 1, 1)
    assert slices(Scope(date(2026, 7, 31))).days_late == -5
    assert slices(Scope(date(2026, 8, 11))).days_late is None
    assert positions(date(2026, 7, 1), date(2026, 8, 11))["EUR"].ageing.receivable_minor == 100_00
    assert "EUR" not in positions(date(2026, 7, 1), date(2026, 7, 31)) or (
        positions(date(2026, 7, 1), date(2026, 7, 31))["EUR"].ageing.count == 0
    )


def test_a_credit_note_that_closes_a_part_paid_invoice_makes_no_early_payment():
    invoice = make_invoice(
        total_minor=1000_00, issue_date=date(2026, 5, 1), due_date=date(2026, 7, 1)
    )
    pay(invoice, 600_00, date(2026, 6, 11))
    credit(invoice, 400_00, date(2026, 10, 1))
    found = total(tallies(Scope(date(2026, 10, 2)), "late", "client_type").values())
    assert (found.paid, found.unfinished, found.open) == ({}, {92: 1}, 0)


@pytest.mark.parametrize(("paid", "expected"), [(97_99, {}), (98_00, {10: 1})])
def test_a_bad_debt_is_no_payment_and_a_bank_fee_no_bad_debt(paid, expected):
    invoice = make_invoice(
        total_minor=100_00, issue_date=date(2026, 5, 1), due_date=date(2026, 6, 1)
    )
    pay(invoice, paid, date(2026, 6, 11))
    allocate(invoice=invoice, amount_minor=100_00 - paid, applied_on=date(2026, 9, 1), by=None)
    found = total(tallies(Scope(date(2026, 9, 2)), "late", "client_type").values())
    assert found.paid == expected
