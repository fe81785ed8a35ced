"""billing_portal/typed/days.py and the field of a day"""

from __future__ import annotations

from datetime import date

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from billing_portal import dates
from billing_portal.typed.days import doubt, read_day
from billing_portal.typed.fields import DayField

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
    assert read_day(text, TODAY) == TODAY


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
    assert read_day(text, TODAY) == day


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("31/11/2026", "no day 31 in Nov"),
        ("29/2/2027", "no day 29"),
        ("12/13/2026", "no month 13: the day comes first, as in 13/12/2026"),
        ("12/32/2026", "no month 32.$"),
        ("31/02/2026", "no day 31 in Feb"),
        ("01/03/2206", "from 2000 to 2100"),
        ("٣/١١/٢٠٢٦", "digits 0 to 9"),
        ("2026-11-２４", "digits 0 to 9"),
        ("24/11/2026\0", "cannot be seen"),
        ("\u202e24/11/2026", "cannot be seen"),
        ("1" * 10_000, "is not a date"),
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
        read_day(text, TODAY)


@given(st.text(max_size=40))
def test_no_text_at_all_breaks_the_reader(text):
    try:
        day = read_day(text, TODAY)
    except ValueError as problem:
        assert str(problem)
    else:
        assert 2000 <= day.year <= 2100


@given(st.dates(date(2000, 1, 1), date(2100, 12, 31)))
def test_a_day_that_is_shown_is_read_back(day):
    for language in ("en-gb", "fr"):
        with translation.override(language):
            assert read_day(dates.day(day), TODAY) == day
            assert read_day(dates.as_typed(day), TODAY) == day
            assert read_day(dates.long_day(day), TODAY) == day


def test_a_date_field_shows_the_canonical_form_and_keeps_what_was_typed_wrong():
    field = DayField(today=TODAY)
    assert field.clean("24 nov") == TODAY
    assert field.widget.format_value(TODAY) == "24/11/2026"
    assert field.widget.format_value("2026-11-24") == "24/11/2026"
    assert field.widget.format_value("2026-13-99") == "2026-13-99"
    assert field.widget.format_value("31/11") == "31/11"
    with pytest.raises(ValidationError):
        field.clean("31/11")
    assert DayField(required=False).clean("") is None


def test_a_field_has_not_changed_when_it_says_the_same_day():
    field = DayField(today=TODAY)
    assert not field.has_changed(TODAY, "24 nov 2026")
    assert field.has_changed(TODAY, "25/11/2026")
    assert field.has_changed(TODAY, "nonsense")


@pytest.mark.parametrize(
    ("text", "day"),
    [("24/11/06", date(2006, 11, 24)), ("1.2.26", date(2026, 2, 1)), ("1/1/00", date(2000, 1, 1))],
)
def test_a_year_of_two_digits_is_of_this_century(text, day):
    assert read_day(text, TODAY) == day


def test_a_day_more_than_a_year_away_is_asked_about_and_a_nearer_one_is_not():
    assert "more than a year ago" in doubt(date(2025, 11, 23), TODAY)
    assert doubt(date(2025, 11, 24), TODAY) == ""
    assert doubt(date(2027, 11, 24), TODAY) == ""
    assert "more than a year away" in doubt(date(2027, 11, 25), TODAY)
    assert doubt(date(2023, 2, 28), date(2024, 2, 29)) == ""


class Asking(forms.Form):
    on = DayField(today=TODAY, asks="both")


def test_an_unlikely_day_is_taken_once_that_very_day_is_confirmed():
    question = Asking({"on": "24/11/2006"})
    assert question.errors["on"] == [
        "24\u00a0Nov 2006 is more than a year ago. Is that the day you mean?"
    ]
    assert 'name="on-really" value="2006-11-24">' in str(question["on"])
    answer = Asking({"on": "24/11/2006", "on-really": "2006-11-24"})
    assert answer.is_valid() and answer.cleaned_data["on"] == date(2006, 11, 24)
    assert 'value="2006-11-24" checked' in str(answer["on"])
    # The box was ticked for another day.
    assert not Asking({"on": "25/11/2006", "on-really": "2006-11-24"}).is_valid()


def test_a_day_that_is_in_the_row_already_comes_confirmed():
    form = Asking(initial={"on": date(2006, 11, 24)})
    assert 'value="2006-11-24" checked' in str(form["on"])
    assert "on-really" not in str(Asking(initial={"on": TODAY})["on"])
