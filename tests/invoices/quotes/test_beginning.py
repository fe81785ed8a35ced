"""A quote is begun; its pages are tried in test_pages.py."""

from __future__ import annotations

import pytest
from django.utils import timezone

from invoices.quotes import beginning
from invoices.quotes.choices import totals_of
from tests.factories import make_client, make_deal
from tests.invoices.quotes.making import CHOICES, write_quote

pytestmark = pytest.mark.django_db


@pytest.fixture
def today():
    return timezone.localdate()


def test_a_copy_for_another_client_has_that_clients_manners(today):
    quote = write_quote(on=today, lines=CHOICES)
    other = make_client(language="en", terms_days=60, billing_email="o@o.example")
    copy = beginning.copy_quote(quote_id=quote.pk, by=None, on=today, client_id=other.pk)
    version = copy.version
    assert (version.language, version.terms_days, version.recipients) == (
        "en",
        60,
        ["o@o.example"],
    )
    assert version.total_minor == quote.version.total_minor


def test_every_line_says_its_net_wherever_the_quote_came_from(today):
    deal = make_deal(client=make_client(), value_minor=8400_00)
    of_deal = beginning.quote_from_deal(deal_id=deal.pk, by=None, on=today)
    written = write_quote(on=today, lines=CHOICES)
    copied = beginning.copy_quote(quote_id=of_deal.pk, by=None, on=today)
    for quote in (of_deal, written, copied):
        lines = list(quote.version.lines.all())
        amounts = totals_of(lines, quote.version.currency).lines
        assert [line.net_minor for line in lines] == [each.net_minor for each in amounts]
    [line] = of_deal.version.lines.all()
    assert line.net_minor == of_deal.version.net_minor > 0
