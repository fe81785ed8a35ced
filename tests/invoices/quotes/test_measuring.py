"""How many quotes are accepted: open ones are no failures."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

import pytest

from invoices.models import Quote
from invoices.quotes import answering, measuring, sending
from tests.factories import make_client, make_client_type
from tests.invoices.quotes.making import NOON, TODAY, accept, send_quote

pytestmark = pytest.mark.django_db


def test_the_rate_is_of_the_decided_and_the_days_are_those_of_the_accepted():
    for days in (0, 2, 10):
        accept(send_quote(), at=NOON + timedelta(days=days))
    declined = send_quote()
    answering.decline(version_id=declined.version_id, reason="price", text="", at=NOON)
    sending.withdraw(quote_id=send_quote().pk, reason="", by=None, on=TODAY)
    still_open = send_quote()
    found = measuring.measured(Quote.objects.all(), TODAY).all
    assert (found.accepted, found.declined, found.expired) == (3, 1, 0)
    assert (found.still_open, found.withdrawn, found.sent) == (1, 1, 6)
    assert found.rate == Fraction(3, 4)
    assert found.median_days == 2
    assert found.is_few
    # The day after its last one, what nobody answered has expired.
    later = measuring.measured(Quote.objects.all(), still_open.version.valid_until + timedelta(1))
    assert (later.all.expired, later.all.rate) == (1, Fraction(3, 5))


def test_without_a_decided_quote_there_is_no_rate():
    send_quote()
    found = measuring.measured(Quote.objects.all(), TODAY).all
    assert (found.rate, found.median_days) == (None, None)


def test_it_is_counted_by_client_type_and_by_the_day_of_the_first_sending():
    public = make_client_type("Public sector", mark="public")
    accept(send_quote(client=make_client(client_type=public)))
    send_quote()
    by_type = measuring.measured(Quote.objects.all(), TODAY).by_type
    assert {(t.client_type.name, t.sent, t.accepted) for t in by_type} == {
        ("Public sector", 1, 1),
        ("SME", 1, 0),
    }
    assert not measuring.sent_between(Quote.objects.all(), TODAY + timedelta(1), None).exists()
    assert measuring.sent_between(Quote.objects.all(), TODAY, TODAY).count() == 2
