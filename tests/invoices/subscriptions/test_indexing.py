"""Subscriptions whose prices follow a published index."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from billing_portal.idempotency import new_key
from invoices.documents.totals import LineInput
from invoices.invoicing.draft_lines import DraftLine
from invoices.models import IndexValue, SubscriptionPeriod
from invoices.subscriptions import index_values, making
from invoices.subscriptions.indexing import Indexed, read_period
from invoices.subscriptions.standing import SubscriptionRefused
from tests.confirm import confirm
from tests.invoices.subscriptions.making import TODAY, line, started

REVIEW = date(2027, 1, 1)


def enter(period, value, index="ilc"):
    return index_values.enter_value(
        index=index, period=period, value=Decimal(value), source="INSEE", by=None, on=TODAY
    )


def follow(subscription, *, missing="old", base="2025-Q3"):
    return index_values.follow_index(
        subscription_id=subscription.pk,
        index="ilc",
        base_period=base,
        first_review=REVIEW,
        missing=missing,
        by=None,
        on=TODAY,
    )


@given(
    price=st.decimals(min_value="0.01", max_value="99999.99", places=2),
    base=st.decimals(min_value="50", max_value="400", places=2),
    new=st.decimals(min_value="50", max_value="400", places=2),
)
def test_a_price_is_taken_of_the_typed_one_and_rounded_once(price, base, new):
    found = Indexed("ilc", "2025-Q3", REVIEW, False, {"2025-Q3": base, "2027-Q3": new})
    typed = DraftLine("Rent", "C62", LineInput(Decimal(1), price, Decimal(20)))
    said = {"currency": "EUR", "language": "fr"}
    # The second review lacks nothing, the first had no value: the price of the base stays.
    first = found.applied(typed, since=date(2026, 1, 1), until=date(2027, 12, 31), **said)
    assert first == typed
    second = found.applied(typed, since=date(2026, 1, 1), until=date(2028, 1, 1), **said)
    if new == base:
        assert second.amounts.unit_price == price
    else:
        exact = price * new / base
        assert abs(second.amounts.unit_price - exact) <= Decimal("0.005000001")
        assert "T3 2027" in second.description
    # A line typed after that review already has its price.
    assert found.applied(typed, since=date(2028, 2, 1), until=date(2028, 5, 1), **said) == typed


@pytest.mark.parametrize(
    ("index", "text", "period"),
    [
        ("ilc", "T3 2026", "2026-Q3"),
        ("irl", "2026-q1", "2026-Q1"),
        ("syntec", "8/2026", "2026-08"),
        ("syntec", "2026-Q3", None),
        ("ilc", "2026-08", None),
        ("ilc", "", None),
    ],
)
def test_periods_are_read_as_people_write_them(index, text, period):
    if period is None:
        with pytest.raises(ValueError):
            read_period(index, text)
    else:
        assert read_period(index, text) == period


@pytest.mark.django_db
class TestFollowing:
    def test_the_invoice_has_the_new_price_and_its_arithmetic(self):
        found = started(lines=[line("1000")], starts_on=date(2026, 11, 1))
        enter("2025-Q3", "130")
        enter("2026-Q3", "132.10")
        follow(found)
        making.make_due(REVIEW)
        invoices = [
            period.billings.get().invoice
            for period in SubscriptionPeriod.objects.filter(subscription=found).order_by("number")
        ]
        assert [each.net_minor for each in invoices] == [1000_00, 1000_00, 1016_15]
        said = invoices[-1].lines.get().description
        assert "1000 × 132,1 (T3 2026) ÷ 130 (T3 2025) = 1016,15 EUR" in said
        with pytest.raises(SubscriptionRefused, match="made already"):
            follow(found)

    def test_without_the_value_it_is_billed_at_the_old_price_or_held(self):
        old, held = (
            started(lines=[line("1000")], starts_on=date(2027, 1, 1), on=TODAY) for _ in "ab"
        )
        for each in (old, held):
            each.starts_on = each.whole_from = date(2026, 12, 1)
            each.save()
            each.versions.update(first_day=date(2026, 12, 1))
        enter("2025-Q3", "130")
        follow(old)
        follow(held, missing="hold")
        making.make_due(REVIEW)
        assert (old.periods.count(), held.periods.count()) == (2, 1)
        assert old.periods.first().billings.get().invoice.net_minor == 1000_00
        # It comes late: the held one is made at the new price, the other goes on with it.
        enter("2026-Q3", "143")
        making.make_due(date(2027, 2, 1))
        nets = [
            [p.billings.get().invoice.net_minor for p in each.periods.order_by("number")]
            for each in (old, held)
        ]
        assert nets == [[1000_00, 1000_00, 1100_00], [1000_00, 1100_00, 1100_00]]

    def test_a_value_is_entered_once_by_hand_or_in_rows(self, clerk_client):
        url = reverse("invoices:price-indexes")
        given = {
            "index": "ilc",
            "period": "T3 2026",
            "value": "132,10",
            "source": "INSEE",
            "once": new_key(),
        }
        assert clerk_client.post(url, given).status_code in (302, 303)
        again = clerk_client.post(url, {**given, "value": "133", "once": new_key()})
        assert again.status_code == 422
        assert "remove that value first" in again.text
        rows = (
            "index;period;value;source\nirl;2026-Q2;146,68;INSEE\nilc;2026;1;x\nilc;2026-Q1;abc;x"
        )
        answer = clerk_client.post(url, {"rows": rows})
        assert answer.status_code == 422
        assert "Line 3" in answer.text and "Line 4" in answer.text
        assert IndexValue.objects.count() == 2

    def test_the_page_says_what_it_waits_for(self, clerk_client):
        found = started(lines=[line("1000")], starts_on=date(2026, 11, 1))
        enter("2025-Q3", "130")
        url = reverse("invoices:subscription-index", args=[found.pk])
        given = {
            "index": "ilc",
            "base_period": "2025-Q3",
            "first_review": "2027-01-01",
            "missing": "hold",
        }
        confirm(clerk_client, url, given)
        page = reverse("invoices:subscription", args=[found.pk])
        assert "waits for ILC Q3 2026" in clerk_client.get(page).text
        assert (
            "follow no index"
            in clerk_client.post(
                reverse("invoices:subscription-index-stop", args=[found.pk]),
                {"once": new_key()},
                follow=True,
            ).text
        )
