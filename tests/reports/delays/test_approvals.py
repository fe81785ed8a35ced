"""What passed before clients approved an invoice, and what after: exact, and of those alone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoices.models import Transmission
from invoices.payments.recording import record_payment
from reports.delays.approvals import Approvals, Counted, approvals_of
from reports.delays.measuring import Scope
from tests import clock
from tests.factories import make_invoice
from tests.transmitted import make_transmission

ISSUED = date(2026, 9, 1)


def approved(after, *, paid_after=None, announced=False):
    """Days from issue; at midday in Paris."""
    found = make_transmission(issue_date=ISSUED)
    at = datetime(2026, 9, 1, 10, tzinfo=UTC) + timedelta(days=after)
    Transmission.objects.filter(pk=found.pk).update(
        approved_at=at, payment_announced_at=at if announced else None
    )
    if paid_after is not None:
        pay(found.invoice, paid_after)
    return found


def pay(invoice, after):
    record_payment(
        client_id=invoice.client_id, amount=invoice.total, reference="", by=None, method="transfer",
        received_on=ISSUED + timedelta(days=after), allocations=[(invoice.pk, invoice.total)],
    )  # fmt: skip


@pytest.mark.django_db
def test_its_figures_count_the_rows_that_they_open(manager_client):
    today = clock.days_ago(0)
    for before, after in ((5, 35), (10, 30), (0, 20), (12, 40), (6, 3)):
        approved(before, paid_after=after)
    approved(4)
    approved(7, announced=True)
    # Those of which nothing is known: never on the platform, and there without a word.
    pay(make_invoice(issue_date=ISSUED, total_minor=1_000), 60)
    make_transmission(issue_date=ISSUED)
    found = approvals_of(Scope(today), today)
    assert (found.paid.n, found.before, found.after) == (5, 33, 128 - 33)
    assert found.means == (Fraction(256, 10), Fraction(66, 10), Fraction(190, 10))
    assert "25.6 days" in found.words
    for counted, n in (
        (found.paid, 5), (found.paid_at_all, 6), (found.approved, 2), (found.announced, 1),
    ):  # fmt: skip
        assert counted.n == n
        assert len(manager_client.get(counted.url).context["rows"]) == n
    page = manager_client.get("/reports/delays/").text
    assert found.words in page
    # Of a past day nothing is told: what clients said is known as of today.
    assert approvals_of(Scope(today - timedelta(days=1)), today) is None
    earlier = {"as_of": (today - timedelta(days=1)).isoformat()}
    assert "client’s approval" not in manager_client.get("/reports/delays/", earlier).text


@pytest.mark.django_db
def test_of_too_few_no_mean_is_told():
    today = clock.days_ago(0)
    assert approvals_of(Scope(today), today) is None
    approved(5, paid_after=9)
    found = approvals_of(Scope(today), today)
    assert found.means is None
    assert "Too few" in found.words


@given(st.integers(0, 10**6), st.integers(-(10**6), 10**6), st.integers(5, 10**5))
def test_the_parts_come_to_the_whole_to_the_tenth(before, after, n):
    counted = Counted(n, "")
    whole, first, second = Approvals(counted, counted, before, after, counted, counted).means
    assert first + second == whole
    assert abs(whole - Fraction(before + after, n)) <= Fraction(1, 20)
    assert abs(second - Fraction(after, n)) <= Fraction(1, 10)
