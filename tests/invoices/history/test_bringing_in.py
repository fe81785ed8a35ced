"""Go-live: what the files would do, and that they do it once, all or nothing."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest
from django.db import transaction
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from invoices.history.rows import INVOICE_COLUMNS
from invoices.models import Allocation, Client, Invoice, NumberSeries, Payment
from tests.factories import make_company, make_invoice
from tests.invoices.history.files import (
    CLIENT,
    CREDIT,
    INVOICE,
    ON,
    PAYMENT,
    as_csv,
    bring,
    changed,
    notices,
    only_complaint,
    plan_of,
    snapshot,
)

pytestmark = pytest.mark.django_db


def test_a_paid_invoice_comes_in_with_its_client_balance_and_history(clerk):
    bring([CLIENT], [INVOICE], [PAYMENT], by=clerk)
    invoice = Invoice.objects.get(number="OLD-1")
    assert invoice.imported and invoice.series is None and invoice.sequence is None
    assert invoice.status == "settled" and invoice.outstanding_minor == 0
    assert (invoice.paid_minor, invoice.net_minor, invoice.vat_minor) == (12000, 10000, 2000)
    assert invoice.paid_on == invoice.settled_on == date(2026, 2, 20)
    assert (invoice.days_late, invoice.days_to_pay) == (11, 41)
    assert invoice.client.client_type.name == "SME"
    row = invoice.allocations.get()
    assert (row.kind, row.amount_minor, row.applied_on) == ("payment", 12000, date(2026, 2, 20))
    assert row.payment.allocated_minor == 12000 and row.payment.imported
    assert sorted(invoice.events.values_list("kind", "on")) == [
        ("imported", ON),
        ("paid", date(2026, 2, 20)),
    ]
    assert set(invoice.events.values_list("by", flat=True)) == {clerk.pk}


def test_a_dry_run_writes_nothing():
    plan = plan_of([CLIENT], [INVOICE], [PAYMENT])
    assert not plan.complaints
    assert plan.counts()["invoices"] == {"new": 1, "changed": 0, "unchanged": 0, "refused": 0}
    assert plan.totals() == {
        "EUR": {"invoiced": 12000, "credited": 0, "received": 12000, "unapplied": 0}
    }
    assert not Client.objects.exists() and not Invoice.objects.exists()


def test_the_same_files_twice_change_nothing():
    payments = [PAYMENT, changed(PAYMENT, reference="", amount="1.00")] * 2
    files = ([CLIENT], [INVOICE, CREDIT], payments)
    bring(*files)
    before = snapshot()
    plan = bring(*files)
    assert snapshot() == before
    assert plan.writes == 0
    assert {kind: c["unchanged"] for kind, c in plan.counts().items()} == {
        "clients": 1,
        "invoices": 1,
        "credit_notes": 1,
        "payments": 4,
    }


def test_columns_may_stand_in_any_order_beside_others():
    columns = [*reversed(INVOICE_COLUMNS), "remark"]
    rows = [changed(INVOICE, remark="to be ignored")]
    bring([CLIENT], as_csv("invoices", rows, columns=columns))
    assert Invoice.objects.get().total_minor == 12000


def test_numbers_keep_the_old_series_and_ours_goes_on_undisturbed():
    make_company()
    make_invoice(imported=False, issue_date=date(2026, 3, 1))
    before = list(NumberSeries.objects.values())
    plan = bring([CLIENT], [changed(INVOICE, number="F-2026-0431")])
    assert list(NumberSeries.objects.values()) == before
    assert any("like those that are given here" in notice for notice in notices(plan))


def test_a_number_that_was_given_here_names_no_second_document():
    make_company()
    ours = make_invoice(imported=False, issue_date=date(2026, 3, 1))
    plan = plan_of([CLIENT], [changed(INVOICE, number=ours.number)])
    assert "issued here" in only_complaint(plan).reason


_amounts = st.integers(1, 300_00)
_days = st.integers(0, 300)


@given(
    totals=st.lists(_amounts, min_size=1, max_size=4),
    payments=st.lists(st.tuples(st.integers(0, 3), _amounts, _days, st.booleans()), max_size=6),
    credit_notes=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 100), _days), max_size=3),
)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_every_amount_of_the_files_is_found_again(db, totals, payments, credit_notes):
    def day(n):
        return date.fromordinal(date(2026, 1, 10).toordinal() + n).isoformat()

    def money(minor):
        return f"{minor / 100:.2f}"

    invoices = [
        changed(INVOICE, number=f"N{n}", net=money(t), vat="0", total=money(t))
        for n, t in enumerate(totals)
    ]
    credited: Counter = Counter()
    for n, (target, percent, on) in enumerate(credit_notes):
        target %= len(totals)
        amount = max(1, totals[target] * percent // 100)
        if credited[target] + amount <= totals[target]:
            credited[target] += amount
            amount = money(amount)
            row = {"number": f"C{n}", "corrects": f"N{target}", "issued_on": day(on)}
            invoices.append(changed(CREDIT, **row, net=amount, vat="0", total=amount))
    rows = [
        changed(
            PAYMENT,
            invoice=f"N{target % len(totals)}",
            amount=money(amount),
            received_on=day(on),
            reference=f"R{n}" if referenced else "",
        )
        for n, (target, amount, on, referenced) in enumerate(payments)
    ]
    try:
        with transaction.atomic():
            bring([CLIENT], invoices, rows)
            assert sum(Payment.objects.values_list("amount_minor", flat=True)) == sum(
                amount for _t, amount, _d, _r in payments
            )
            for payment in Payment.objects.annotate(used=Sum("allocations__amount_minor")):
                assert (payment.used or 0) == payment.allocated_minor <= payment.amount_minor
            for invoice in Invoice.objects.all():
                given_away = Allocation.objects.filter(credit_note=invoice)
                taken = given_away if invoice.is_credit_note else invoice.allocations.all()
                used = sum(taken.values_list("amount_minor", flat=True))
                assert invoice.outstanding_minor == invoice.total_minor - used >= 0
            assert bring([CLIENT], invoices, rows).writes == 0
            raise Undo
    except Undo:
        pass


class Undo(Exception):
    pass
