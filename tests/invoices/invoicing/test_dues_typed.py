"""Instalments: the arithmetic of their shares, and what people type for them."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from invoices.documents.instalments import MOST_INSTALMENTS, by_day, equal_parts, shared_out
from invoices.invoicing.forms.dues import dues_as_typed, read_dues
from invoices.models.terms import due_date, months_later

ON = date(2026, 11, 24)
DAY = timedelta(days=1)
amounts = st.integers(min_value=0, max_value=10**12)
percents = st.decimals(min_value="0.01", max_value=100, places=2)


# ─ The arithmetic ───────────────────────────────────────────────────────────────────────────────
@given(amounts, st.lists(st.none() | percents, min_size=1, max_size=MOST_INSTALMENTS))
def test_with_a_rest_or_a_whole_the_shares_make_the_total(total, shares):
    known = [share for share in shares if share is not None]
    if None in shares or sum(known) == 100:
        assert sum(shared_out(total, shares)) == total


@given(amounts, st.integers(min_value=1, max_value=60))
def test_equal_parts_differ_by_one_minor_unit_at_most(total, n):
    parts = equal_parts(total, n)
    assert sum(parts) == total
    assert max(parts) - min(parts) <= 1
    assert parts == sorted(parts, reverse=True)


def test_shares_are_rounded_half_up_and_the_last_takes_what_is_left():
    assert shared_out(1001, [Decimal(50), Decimal(50)]) == [501, 500]
    assert shared_out(100, [Decimal("33.33"), Decimal("33.33"), Decimal("33.34")]) == [33, 33, 34]
    assert shared_out(100_00, [Decimal(30), None]) == [30_00, 70_00]
    assert shared_out(100_00, [20_00, Decimal(30), None, None]) == [20_00, 30_00, 25_00, 25_00]


def test_a_month_later_is_the_last_day_of_a_shorter_month():
    assert months_later(date(2026, 1, 31), 1) == date(2026, 2, 28)
    assert months_later(date(2027, 11, 30), 3) == date(2028, 2, 29)
    assert due_date(date(2026, 11, 24), "eom_after", 45, 1) == date(2027, 2, 28)


def test_one_day_is_one_due_and_nothing_is_due_on_no_day():
    assert by_day([(ON, 3), (ON, 4), (ON + DAY, 0)]) == [(ON, 7)]


# ─ Typed ────────────────────────────────────────────────────────────────────────────────────────
def test_dues_are_read_as_people_type_them(settings):
    with_words = "15/12/2026 30 %\n20.01.2027 : 1 200,50\n2027-02-28 solde"
    assert read_dues(with_words, "EUR", ON) == [
        (date(2026, 12, 15), Decimal(30)),
        (date(2027, 1, 20), 1200_50),
        (date(2027, 2, 28), None),
    ]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("15/12/2026", "write a day and what is due"),
        ("15/12/2026 blah", "“blah”"),
        ("32/12/2026 30 %", "32/12/2026"),
        ("15/12/2026 0 %", "above 0"),
        ("15/12/2026 120 %", "at most 100"),
        ("15/12/2026 -5", "above zero"),
        ("15/12/2026 0", "above zero"),
        ("15/12/2026 1,234.567", "finer"),
        ("15/12/2026 10\n15/12/2026 20", "twice"),
        ("\n".join(f"{(ON + n * DAY):%d/%m/%Y} 1" for n in range(61)), "At most 60"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_line(typed, said):
    with pytest.raises(ValidationError) as refused:
        read_dues(typed, "EUR", ON)
    assert said in refused.value.messages[0]


@given(
    st.lists(
        st.tuples(
            st.dates(min_value=date(2020, 1, 1), max_value=date(2090, 1, 1)),
            st.none() | percents | st.integers(min_value=1, max_value=10**11),
        ),
        max_size=8,
        unique_by=lambda due: due[0],
    ),
    st.sampled_from(["EUR", "JPY", "TND"]),
)
def test_what_a_field_shows_of_them_reads_back(found, currency):
    assert read_dues(dues_as_typed(found, currency), currency, ON) == sorted(
        found, key=lambda due: due[0]
    )
