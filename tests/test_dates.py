"""billing_portal/dates.py"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from billing_portal import dates
from billing_portal.dates import DateTextField, parse_day

TODAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    "text",
    [
        "24/11/2026",
        "24.11.2026",
        "24-11-2026",
        "24/11/26",
        "24.11",
        "24/11",
        "24.11.",
        "24 11 2026",
        "2026-11-24",
        "24 nov",
        "24 Nov 2026",
        "24 November 2026",
        "24th November, 2026",
        "24 novembre 2026",
        "24 nov. 2026",
        "24\u00a0nov. 2026",
        " TODAY ",
        "aujourd’hui",
        "aujourd'hui",
        "Tuesday 24 November 2026",
        "mardi 24 novembre",
    ],
)
def test_a_day_is_read_as_people_write_it(text):
    assert parse_day(text, TODAY) == TODAY


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("hier", date(2026, 11, 23)),
        ("tomorrow", date(2026, 11, 25)),
        ("1er juillet", date(2026, 7, 1)),
        ("3 juin 2026", date(2026, 6, 3)),
        ("3 août", date(2026, 8, 3)),
        ("3 aout", date(2026, 8, 3)),
        ("12 févr. 2026", date(2026, 2, 12)),
        ("3 mai", date(2026, 5, 3)),
        ("3 mar", date(2026, 3, 3)),
        ("29/2/2028", date(2028, 2, 29)),
    ],
)
def test_other_days(text, day):
    assert parse_day(text, TODAY) == day


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("31/11/2026", "no day 31 in Nov"),
        ("29/2/2027", "no day 29"),
        ("12/13/2026", "no month 13"),
        ("0/1/2026", "no day 0"),
        ("1/1/1999", "from 2000 to 2100"),
        ("2101-01-01", "from 2000 to 2100"),
        ("9999-12-31", "from 2000 to 2100"),
        ("soon", "is not a date"),
        ("24 brumaire", "is not a date"),
        ("24", "is not a date"),
        ("24/11/20266", "is not a date"),
        ("<script>", "is not a date"),
    ],
)
def test_what_is_no_day_gets_a_sentence(text, sentence):
    with pytest.raises(ValueError, match=sentence):
        parse_day(text, TODAY)


@given(st.text(max_size=40))
def test_no_text_at_all_breaks_the_reader(text):
    try:
        day = parse_day(text, TODAY)
    except ValueError as problem:
        assert str(problem)
    else:
        assert 2000 <= day.year <= 2100


@given(st.dates(date(2000, 1, 1), date(2100, 12, 31)))
def test_a_day_that_is_shown_is_read_back(day):
    for language in ("en-gb", "fr"):
        with translation.override(language):
            assert parse_day(dates.day(day), TODAY) == day
            assert parse_day(dates.as_typed(day), TODAY) == day
            assert parse_day(dates.long_day(day), TODAY) == day


def test_a_date_field_shows_the_canonical_form_and_keeps_what_was_typed_wrong():
    field = DateTextField(today=TODAY)
    assert field.clean("24 nov") == TODAY
    assert field.widget.format_value(TODAY) == "24/11/2026"
    assert field.widget.format_value("2026-11-24") == "24/11/2026"
    assert field.widget.format_value("2026-13-99") == "2026-13-99"
    assert field.widget.format_value("31/11") == "31/11"
    with pytest.raises(ValidationError):
        field.clean("31/11")
    assert DateTextField(required=False).clean("") is None


def test_a_field_has_not_changed_when_it_says_the_same_day():
    field = DateTextField(today=TODAY)
    assert not field.has_changed(TODAY, "24 nov 2026")
    assert field.has_changed(TODAY, "25/11/2026")
    assert field.has_changed(TODAY, "nonsense")


def test_days_are_written_in_the_language_of_the_reader():
    assert dates.day(date(2026, 9, 7)) == "7\u00a0Sep 2026"
    assert dates.long_day(TODAY) == "Tuesday 24 November 2026"
    with translation.override("fr"):
        assert dates.day(date(2026, 9, 7)) == "7\u00a0sept. 2026"
    assert dates.day(None) == "–"


def test_a_moment_is_ago_while_young_and_dated_later():
    now = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
    assert dates.moment(now - timedelta(seconds=20), now) == "just now"
    assert dates.moment(now - timedelta(minutes=3), now) == "3 minutes ago"
    assert dates.moment(now - timedelta(hours=1), now) == "1 hour ago"
    assert dates.moment(now - timedelta(days=3), now) == "21\u00a0Nov, 13:00"
    assert dates.moment(now + timedelta(hours=3), now) == "24\u00a0Nov, 16:00"
    assert dates.moment(now - timedelta(days=400), now).startswith("20\u00a0Oct 2025")
