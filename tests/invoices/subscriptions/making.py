"""Subscriptions for tests: written and started, without the pages."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from django.utils import timezone

from billing_portal.dates import as_typed
from invoices.models import Subscription
from invoices.subscriptions import beginning, making, running, writing
from tests.factories import make_client, make_company
from tests.invoices.quotes.making import BEGIN_QUOTES, OF_QUOTES

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


def written_now():
    return write(on=timezone.localdate(), starts_on=timezone.localdate() + timedelta(days=40))


def running_now():
    today = timezone.localdate()
    return started(on=today, starts_on=today + timedelta(days=40))


def made_now(**fields):
    """One that has made its first draft and has more to come."""
    today = timezone.localdate()
    found = started(on=today, starts_on=today, **fields)
    making.make_next(found.pk, today)
    found.refresh_from_db()
    return found


def paused_now():
    today = timezone.localdate()
    return running.pause(subscription_id=running_now().pk, by=None, on=today)


def asked_now():
    """Several were due at once, and wait for a person."""
    today = timezone.localdate()
    found = started(on=today, starts_on=today - timedelta(days=100), way="issue")
    list(making.make_all(found.pk, today))
    found.refresh_from_db()
    return found


# For tests/test_confirming.py: what is done to what was seen, and what can be taken back.
LATER = as_typed(timezone.localdate() + timedelta(days=400))
OF_SUBSCRIPTIONS = {
    "invoices:subscription-start": (written_now, {}),
    "invoices:subscription-discard": (written_now, {}),
    "invoices:subscription-pause": (running_now, {"reason": "Works"}),
    "invoices:subscription-resume": (paused_now, {"number": "1"}),
    "invoices:subscription-skip": (running_now, {}),
    "invoices:subscription-end": (running_now, {"last_day": LATER}),
    "invoices:subscription-rise": (running_now, {"first_day": LATER, "percent": "2"}),
    "invoices:subscription-release": (asked_now, {}),
}
BEGIN_SUBSCRIPTIONS = {
    f"invoices:subscription-{act}"
    for act in (
        *("new", "edit", "totals", "copy", "from-invoice", "from-quote", "from-deal"),
        *("call-off-rise", "draft-again", "index", "index-stop", "preview", "page-preview"),
    )
} | {"invoices:price-indexes", "invoices:rebate-chosen", "invoices:rebate-totals"}
# Their stories are test_rebating.py and test_indexing.py.
COMMON_CREDITS = ("invoices:rebate", "invoices:price-index-remove")
OF_OFFERS = OF_QUOTES | OF_SUBSCRIPTIONS
BEGIN_OFFERS = BEGIN_QUOTES | BEGIN_SUBSCRIPTIONS
