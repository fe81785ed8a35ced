"""Open items of a go-live day are seen only because they had lasted: at risk from then on."""

from __future__ import annotations

import random
from datetime import date, timedelta
from fractions import Fraction

import pytest

from invoices.models import Invoice
from reports.delays.estimator import Curve
from reports.delays.measuring import Scope
from reports.delays.reading import tallies
from reports.delays.tally import total
from tests.factories import make_client, make_company, make_invoice, settle

pytestmark = pytest.mark.django_db
GO_LIVE, AS_OF = date(2026, 3, 1), date(2026, 11, 24)


def curve_by_hand(rows):
    """The product-limit estimate of (entry or None, duration, paid) rows, day by day."""
    share, steps = Fraction(1), {}
    for day in sorted({length for _entry, length, paid in rows if paid}):
        at_risk = [row for row in rows if (row[0] is None or row[0] < day) and row[1] >= day]
        paid = sum(row[1] == day and row[2] for row in at_risk)
        if at_risk and paid:
            share *= 1 - Fraction(paid, len(at_risk))
            steps[day] = share
    return steps


@pytest.fixture
def books():
    make_company()
    chance = random.Random(5)
    client = make_client()
    for _n in range(90):
        issued = date(2025, 10, 1) + timedelta(days=chance.randrange(330))
        lasted = chance.randrange(5, 140)
        paid_on = issued + timedelta(days=lasted)
        imported = issued < GO_LIVE
        if imported and paid_on <= GO_LIVE:
            continue
        invoice = make_invoice(
            client=client,
            issue_date=issued,
            due_date=issued + timedelta(days=30),
            observed_from=GO_LIVE if imported else None,
        )
        if chance.random() < 0.9:
            settle(invoice, paid_on)


@pytest.mark.parametrize("as_of", [date(2026, 2, 1), date(2026, 5, 1), AS_OF])
@pytest.mark.parametrize("measure", ["late", "to_pay"])
def test_open_items_of_the_import_are_at_risk_from_the_go_live_day_on(books, as_of, measure):
    rows = []
    for invoice in Invoice.objects.invoices().filter(issue_date__lte=as_of):
        start = invoice.due_date if measure == "late" else invoice.issue_date
        paid = invoice.paid_on if invoice.paid_on and invoice.paid_on <= as_of else None
        entry = (invoice.observed_from - start).days if invoice.observed_from else None
        length = ((paid or as_of) - start).days
        if entry is None or entry < length:
            rows.append((entry, length, paid is not None))
    found = total(tallies(Scope(as_of), measure, "client_type").values())
    assert {step.day: step.share for step in found.curve.steps} == curve_by_hand(rows)
    assert found.n == Invoice.objects.invoices().filter(issue_date__lte=as_of).count()


def test_without_their_entry_survivors_would_make_everybody_slow():
    """True durations are uniform to 100 days; of those before go-live only survivors are seen."""
    paid, entries = {}, {}
    for age in range(0, 200, 2):
        for length in range(1, 101):
            if length > age:
                paid[length] = paid.get(length, 0) + 1
                if age:
                    entries[age] = entries.get(age, 0) + 1
    assert Curve(paid, {}).p50 > 60
    assert Curve(paid, {}, entries).p50 == 50
