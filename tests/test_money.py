"""Tests of billing_portal/money.py."""

from __future__ import annotations

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st
from moneyed import CURRENCIES

from billing_portal.money import _shape, formatted, formatted_minor, from_minor

AMOUNTS = st.integers(-(10**15), 10**15)


@given(AMOUNTS, st.sampled_from(sorted(CURRENCIES)), st.sampled_from(["en_GB", "fr_FR"]))
def test_minor_units_are_written_exactly_as_the_library_writes_money(minor, currency, locale):
    assert formatted_minor(minor, currency, locale) == formatted(
        from_minor(minor, currency), locale
    )


@pytest.mark.parametrize("currency", sorted(CURRENCIES))
def test_every_currency_is_written_as_the_library_writes_it(currency):
    for minor in (0, 1, -1, 10, 99, -100, 1000, 99_999, 100_000, -123_456_789, 10**13):
        assert formatted_minor(minor, currency) == formatted(from_minor(minor, currency))


@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("en-gb", ["€1,234.50", "−US$0.07", "JP¥1,234"]),
        ("fr", ["1 234,50 €", "−0,07 $US", "1 234 JPY"]),
    ],
)
def test_amounts_follow_the_language_of_the_reader(language, written):
    with translation.override(language):
        shown = [
            formatted_minor(123_450, "EUR"),
            formatted_minor(-7, "USD"),
            formatted_minor(1_234, "JPY"),
        ]
    assert [text.replace("\u00a0", " ").replace("\u202f", " ") for text in shown] == written


@pytest.mark.parametrize("currency", ["EUR", "USD", "GBP", "CHF", "JPY", "TND"])
def test_usual_currencies_are_written_without_the_library(currency):
    assert _shape(currency, "en_GB") and _shape(currency, "fr_FR")
