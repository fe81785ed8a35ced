"""A quote is begun; its pages are tried in test_pages.py."""

from __future__ import annotations

import pytest
from django.utils import timezone

from invoices.quotes import beginning
from tests.factories import make_client
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
