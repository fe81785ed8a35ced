"""Whatever is paid, credited and taken back in whatever order: the books hold, to the cent."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from invoices.accounting import books
from invoices.models import Allocation, Invoice, Payment
from tests.invoices.history.files import CLIENT, CREDIT, INVOICE, PAYMENT, bring, changed

pytestmark = pytest.mark.django_db

_days = st.integers(0, 60)
# Invoice, amount, day, and after how many days it went back, if it did.
_paid = st.tuples(st.integers(0, 1), st.integers(1, 150), _days, st.none() | st.integers(0, 40))


def day(n):
    return (date(2026, 1, 10) + timedelta(days=n)).isoformat()


def money(euros):
    return f"{euros}.00"


class Undo(Exception):
    pass


@given(
    payments=st.lists(_paid, max_size=6),
    notes=st.lists(st.tuples(st.integers(0, 1), st.integers(1, 50), _days), max_size=2),
    cut=st.none() | st.integers(0, 12),
    dues=st.lists(st.tuples(_days, st.integers(1, 40)), max_size=2),
)
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_books_hold_and_every_cent_is_found_again(db, payments, notes, cut, dues):
    first = changed(INVOICE, number="N0", net="100.00", vat="0", total="100.00")
    invoices = [first, changed(first, number="N1")]
    if dues:
        # The other one is due in two or three instalments.
        parts = sorted([*dues, (60, 100 - sum(euros for _n, euros in dues))])
        said = "; ".join(f"{day(n)} {money(euros)}" for n, euros in parts)
        invoices[1] |= {"instalments": said, "due_on": ""}
    for n, (target, euros, on) in enumerate(notes):
        row = {"number": f"C{n}", "corrects": f"N{target}", "issued_on": day(on)}
        invoices.append(changed(CREDIT, **row, net=money(euros), vat="0", total=money(euros)))
    rows = []
    for n, (target, euros, on, after) in enumerate(payments):
        row = {"invoice": f"N{target}", "reference": f"R{n}"}
        rows.append(changed(PAYMENT, **row, amount=money(euros), received_on=day(on)))
        if after is not None:
            back = {"amount": money(-euros), "received_on": day(on + after)}
            rows.append(changed(PAYMENT, **row, **back))
    try:
        with transaction.atomic():
            if cut is not None:
                # A part of it first: what went back may be here already.
                bring([CLIENT], invoices, rows[:cut])
            bring([CLIENT], invoices, rows)
            assert [str(broken) for broken in books.verify()] == []
            stays = sum(euros for _t, euros, _d, after in payments if after is None)
            assert sum(Payment.objects.values_list("amount_minor", flat=True)) == stays * 100
            # What the client owes in all, with what lies here for it, is what the files say.
            owed = sum(Invoice.objects.invoices().values_list("outstanding_minor", flat=True))
            left = sum(note.outstanding_minor for note in Invoice.objects.credit_notes())
            cash = sum(p.amount_minor - p.allocated_minor for p in Payment.objects.unapplied())
            credited = sum(euros for _t, euros, _d in notes)
            assert owed - left - cash == (200 - stays - credited) * 100
            for target in (0, 1) if cut is None else ():
                paid = sum(e for t, e, _d, after in payments if t == target and after is None)
                credited = sum(e for t, e, _d in notes if t == target)
                found = Invoice.objects.get(number=f"N{target}")
                assert found.outstanding_minor == max(0, 100 - paid - credited) * 100
            for payment in Payment.objects.all():
                used = sum(
                    Allocation.objects.filter(payment=payment).values_list(
                        "amount_minor", flat=True
                    )
                )
                assert used == payment.allocated_minor
            assert bring([CLIENT], invoices, rows).writes == 0
            raise Undo
    except Undo:
        pass
