"""The demo shows subscriptions in each state, and what they billed."""

from __future__ import annotations

from collections import Counter

import pytest
from django.utils import timezone

from integrations.management import demo_subscriptions
from invoices.accounting import books
from invoices.models import Invoice, Subscription, SubscriptionPeriod
from tests.factories import make_client, make_company, make_user

pytestmark = pytest.mark.django_db


def test_some_stand_in_each_state_and_what_is_due_is_billed():
    make_company()
    for n in range(12):
        make_client(name=f"Client {n}", country="FR", address_line1="1 rue du Port")
    on = timezone.localdate()
    assert demo_subscriptions.play(on, make_user()) == len(demo_subscriptions.STORIES)
    states = Counter(Subscription.objects.values_list("status", flat=True))
    assert states == {"active": 5, "draft": 1, "paused": 1, "ended": 1}
    periods = Counter(SubscriptionPeriod.objects.values_list("state", flat=True))
    assert periods["issued"] == 2 and periods["asked"] >= 3 and not periods["refused"]
    assert Invoice.objects.issued().filter(issue_date=on).count() == 2
    assert books.verify() == []
