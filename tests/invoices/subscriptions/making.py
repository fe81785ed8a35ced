"""Subscriptions for tests: written and started, without the pages."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from invoices.models import Subscription
from invoices.subscriptions import beginning, running, writing
from tests.factories import make_client, make_company

TODAY = date(2026, 11, 24)


def line(price, *, quantity=1, rate=20, **more):
    return {
        "description": f"Hosting at {price}",
        "quantity": Decimal(str(quantity)),
        "unit_price": Decimal(str(price)),
        "vat_rate": Decimal(str(rate)),
        "vat_category": "S" if rate else "E",
        **more,
    }


def write(*, lines=None, client=None, on=TODAY, by=None, from_number=None, **header):
    """A subscription that is not started; monthly from 1 January 2026 unless `header` says else."""
    make_company()
    found = beginning.new_subscription(client_id=(client or make_client()).pk, by=by, on=on)
    start = header.get("starts_on", date(2026, 1, 1))
    whole = header.get("whole_from", start)
    given = {
        "title": "Hosting",
        "starts_on": start,
        "whole_from": whole,
        "month_day": whole.day,
        **header,
    }
    save(found, lines or [line("100")], from_number=from_number, on=on, **given)
    found.refresh_from_db()
    return found


def save(subscription, lines, *, on=TODAY, from_number=None, **header):
    problems = writing.save_subscription(
        subscription_id=subscription.pk,
        header=header,
        lines=[dict(each) for each in lines],
        by=None,
        on=on,
        from_number=from_number,
    )
    assert not problems, problems


def started(*, on=TODAY, **fields) -> Subscription:
    found = write(on=on, **fields)
    return running.start(subscription_id=found.pk, by=None, on=on)
