"""What is due is made once, whatever happens."""

from __future__ import annotations

from datetime import date

import pytest

from invoices.models import Invoice, SubscriptionPeriod
from invoices.subscriptions import making
from tests.invoices.subscriptions.making import started

pytestmark = pytest.mark.django_db


def invoices_of(subscription):
    return list(
        Invoice.objects.filter(subscription_billing__period__subscription=subscription)
        .exclude(status="void")
        .order_by("service_from")
    )


def test_each_period_that_is_due_gets_its_draft_with_its_days():
    found = started(starts_on=date(2026, 1, 31), on=date(2026, 1, 1))
    made = making.make_due(date(2026, 4, 1))
    assert made.drafted == 3
    drafts = invoices_of(found)
    assert [(d.service_from, d.service_until) for d in drafts] == [
        (date(2026, 1, 31), date(2026, 2, 27)),
        (date(2026, 2, 28), date(2026, 3, 30)),
        (date(2026, 3, 31), date(2026, 4, 29)),
    ]
    assert {d.total_minor for d in drafts} == {120_00}
    assert {d.issue_date for d in drafts} == {None}
    found.refresh_from_db()
    assert (found.next_number, found.next_first_day) == (4, date(2026, 4, 30))


def test_run_again_and_with_the_clock_set_back_nothing_new_is_made():
    found = started(on=date(2026, 1, 1))
    making.make_due(date(2026, 3, 5))
    assert making.make_due(date(2026, 3, 5)).drafted == 0
    assert making.make_due(date(2026, 1, 5)).drafted == 0
    assert making.make_due(date(2026, 4, 1)).drafted == 1
    assert SubscriptionPeriod.objects.filter(subscription=found).count() == 4
