"""billing_portal/typed/files.py: numbers and days of a file, which speaks no known language."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_portal.typed import files
from billing_portal.typed.numbers import Ambiguous, read_number
from billing_portal.typed.texts import Unreadable


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1234.50", "1234.50"),
        ("1 234,50", "1234.50"),
        ("1\u202f234,50", "1234.50"),
        ("1,234.50", "1234.50"),
        ("1.234,50", "1234.50"),
        ("1,234,567", "1234567"),
        ("-12,5", "-12.5"),
        ("\u221212.5", "-12.5"),
        ("0.500", "0.5"),
        ("100.0012", "100.0012"),
        ("007", "7"),
    ],
)
def test_what_can_be_read_in_one_way_is_read(text, number):
    assert files.read_number(text) == Decimal(number)
    assert not files.is_ambiguous(text)


@pytest.mark.parametrize(
    ("text", "with_point", "with_comma"),
    [
        ("1.500", "1.5", "1500"),
        ("1,500", "1500", "1.5"),
        ("-1,500", "-1500", "-1.5"),
        ("12,345", "12345", "12.345"),
        ("1,500 €", "1500", "1.5"),
        ("EUR 1.500", "1.5", "1500"),
    ],
)
def test_what_can_be_read_in_two_ways_is_ambiguous_until_the_sign_is_known(
    text, with_point, with_comma
):
    assert files.is_ambiguous(text)
    with pytest.raises(Ambiguous):
        files.read_amount(text, "EUR")
    assert files.in_both_ways(text) == (Decimal(with_point), Decimal(with_comma))
    assert files.read_amount(text, "EUR", ".") == Decimal(with_point)
    assert files.read_amount(text, "EUR", ",") == Decimal(with_comma)


@pytest.mark.parametrize("text", ["", "x", "1e5", "NaN", "1 00.00", "1,2,3", "$5", "٣", "1.5.0"])
def test_what_is_no_number_of_the_currency_is_refused(text):
    with pytest.raises(Unreadable):
        files.read_amount(text, "EUR")


@given(st.decimals(-(10**9), 10**9, places=2), st.sampled_from([".", ","]))
def test_a_number_is_read_as_its_column_writes_it(number, point):
    """Without groups, whatever its sign: read back to the same number once the sign is known."""
    assert files.read_number(str(number).replace(".", point), point) == number


@given(st.text("0123456789.,' -", max_size=12))
def test_what_is_read_without_asking_is_what_both_languages_read(text):
    try:
        found = files.read_number(text)
    except Unreadable:
        return
    for locale in ("en_GB", "fr_FR"):
        try:
            assert read_number(text, locale) == found
        except Ambiguous as question:
            # A plain number as a program writes it: no spreadsheet groups its decimals so.
            assert found in question.readings


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2025-12-31", date(2025, 12, 31)),
        ("20251231", date(2025, 12, 31)),
        ("31/12/2025", date(2025, 12, 31)),
        ("31.12.2025", date(2025, 12, 31)),
        ("31 déc. 2025", date(2025, 12, 31)),
        ("3/4/2026", date(2026, 4, 3)),
    ],
)
def test_days_are_read_with_the_day_first(text, day):
    assert files.read_day(text) == day


def test_days_are_read_with_the_month_first_where_the_column_says_so():
    assert files.read_day("3/4/2026", month_first=True) == date(2026, 3, 4)
    assert files.read_day("2026-04-03", month_first=True) == date(2026, 4, 3)


@pytest.mark.parametrize(
    "text",
    ["today", "hier", "24.11", "24/11/26", "24 nov", "31/02/2025", "2025-13-01", "1 2026",
     "31/12/1999", "01/01/2206", "12/31/2025", "2025", "x" * 60, "31/12/2025\u200f"],
)  # fmt: skip
def test_a_day_without_its_year_in_full_or_that_is_none_is_refused(text):
    with pytest.raises(Unreadable):
        files.read_day(text)


def test_a_day_shows_the_order_of_its_column_or_not():
    assert files.order_of("31/12/2025") == "day" and files.order_of("12/31/2025") == "month"
    assert files.is_either_order("03/04/2026") and not files.order_of("03/04/2026")
    # The same in both orders.
    assert not files.is_either_order("04/04/2026") and not files.order_of("04/04/2026")
    assert not files.is_either_order("2026-03-04")
