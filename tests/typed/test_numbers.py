"""billing_portal/typed/numbers.py"""

from __future__ import annotations

from decimal import Decimal

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st
from moneyed import Money

from billing_portal.figures import decimal, grouped
from billing_portal.money import formatted_minor, from_minor
from billing_portal.typed.fields import MoneyField, NumberField, WholeNumberField
from billing_portal.typed.numbers import (
    Ambiguous,
    as_typed,
    machine_number,
    machine_whole,
    read_amount,
    read_number,
    readings,
)
from billing_portal.typed.texts import Unreadable

LANGUAGES = {"en_GB": "en-gb", "fr_FR": "fr"}
LOCALES = st.sampled_from(sorted(LANGUAGES))
CURRENCIES = st.sampled_from(["EUR", "USD", "GBP", "CHF", "JPY", "TND", "MAD", "SEK"])


@pytest.mark.parametrize(
    ("locale", "text", "number"),
    [
        # A comma before exactly three digits groups in English.
        ("en_GB", "1,500", "1500"),
        ("en_GB", "1,000", "1000"),
        ("en_GB", "10,000", "10000"),
        ("en_GB", "1,234,567.89", "1234567.89"),
        ("en_GB", "12480.5", "12480.5"),
        ("en_GB", "1.000", "1"),
        ("en_GB", "1 000", "1000"),
        ("en_GB", "4 000,00", "4000"),
        ("en_GB", "1.234,50", "1234.50"),
        ("en_GB", "0,500", "0.5"),
        ("en_GB", ".5", "0.5"),
        # Too short for a group: only one number can be meant.
        ("en_GB", "1,5", "1.5"),
        ("en_GB", "12480,50", "12480.50"),
        ("en_GB", "1'234.50", "1234.50"),
        # It is the decimal sign in French, where spaces group.
        ("fr_FR", "1,500", "1.5"),
        ("fr_FR", "1 500", "1500"),
        ("fr_FR", "1\u202f234,50", "1234.50"),
        ("fr_FR", "1\u00a0234\u00a0567,8", "1234567.8"),
        ("fr_FR", "12.5", "12.5"),
        ("fr_FR", "1.234,50", "1234.50"),
        ("fr_FR", "1,234.50", "1234.50"),
        ("fr_FR", "1.234.567", "1234567"),
        ("fr_FR", "1,234,567", "1234567"),
        ("fr_FR", "0.500", "0.5"),
        ("fr_FR", "−3,5", "-3.5"),
        ("en_GB", "-1", "-1"),
        ("en_GB", "0", "0"),
        ("en_GB", "-0", "0"),
        ("en_GB", "12.", "12"),
        ("en_GB", "1000000000", "1000000000"),
    ],
)
def test_a_number_is_read_by_the_language_of_its_reader(locale, text, number):
    assert read_number(text, locale) == Decimal(number)


@pytest.mark.parametrize(
    ("locale", "text", "large", "small"),
    [
        ("fr_FR", "1.500", "1500", "1.500"),
        ("fr_FR", "1500.000", "1500000", "1500"),
        ("fr_FR", "1 234.500", "1234500", "1234.5"),
        ("fr_FR", "-1.000", "-1000", "-1"),
        ("en_GB", "1500,000", "1500000", "1500"),
        ("en_GB", "1 000,500", "1000500", "1000.5"),
    ],
)
def test_what_can_be_two_numbers_is_asked(locale, text, large, small):
    with pytest.raises(Ambiguous) as question:
        read_number(text, locale)
    assert question.value.readings == (Decimal(large), Decimal(small))


def test_the_question_names_both_numbers_and_how_to_type_each():
    with pytest.raises(Ambiguous, match=r"Is that 500 or 0\.5\? Type it so\."):
        read_number(",500")
    with pytest.raises(Ambiguous, match=r"1,500,000 or 1,500\? Type 1500000 or 1500\."):
        read_number("1500,000")
    with translation.override("fr"), pytest.raises(Ambiguous) as question:
        read_number("1.500")
    assert str(question.value) == "Est-ce 1\u202f500 ou 1,5\u202f? Tapez 1500 ou 1,5."


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("٣", "digits 0 to 9"),
        ("１２", "digits 0 to 9"),
        ("½", "digits 0 to 9"),
        ("1，5", "double width"),
        ("1\0", "cannot be seen"),
        ("\u200f12", "U\\+200F"),
        ("1\u200b2", "U\\+200B"),
        ("1e9", "write all digits, 1,000,000,000"),
        ("1.5E3", "write all digits, 1,500"),
        ("1e999999", "is not a number"),
        ("1e99", "write all digits"),
        ("9" * 10_000, "too long"),
        ("9" * 40, "more than 18 digits"),
        ("1.1234567890123", "At most 12 decimals"),
        ("--1", "is not a number"),
        ("-", "is not a number"),
        ("1.2.3", "write it like"),
        ("1,23,456", "write it like"),
        ("12 34", "write it like"),
        ("1 234,567 890", "write it like"),
        ("nan", "is not a number"),
        ("(5)", "is not a number"),
        ("5-", "is not a number"),
        ("", "is not a number"),
        ("x" * 10_000, "too long"),
    ],
)
def test_what_is_no_number_gets_a_sentence(text, sentence):
    with pytest.raises(Unreadable, match=sentence):
        read_number(text)


@given(st.text(max_size=30), LOCALES)
def test_no_text_at_all_breaks_the_reader(text, locale):
    try:
        number = read_number(text, locale)
    except Unreadable as problem:
        assert str(problem)
    else:
        assert number.is_finite()


@given(st.text(alphabet="0123456789.,' -", max_size=12), LOCALES)
def test_no_figure_changes_its_magnitude_silently(text, locale):
    """The digits of what is read are those that were typed, and the other language agrees or asks
    wherever the text is not that language's own way of writing."""
    try:
        number = read_number(text, locale)
    except Unreadable:
        return
    typed = "".join(letter for letter in text if letter.isdigit()).lstrip("0").rstrip("0")
    read = "".join(letter for letter in format(number, "f") if letter.isdigit())
    assert read.lstrip("0").rstrip("0") == typed
    # A sign before three last digits is a group or a decimal sign: only the own one is read so.
    last = max(text.rfind(","), text.rfind("."))
    own = {"en_GB": ".", "fr_FR": ","}[locale]
    if number != number.to_integral_value() and text[last] != own:
        assert len(text.rstrip(" ")[last + 1 :]) != 3 or text.lstrip(" -")[:1] == "0"


@given(st.decimals(-(10**15), 10**15, places=6), LOCALES)
def test_a_number_that_is_shown_is_read_back(number, locale):
    assert read_number(as_typed(number, locale), locale) == number
    with translation.override(LANGUAGES[locale]):
        assert read_number(decimal(number)) == number
        assert read_number(grouped(int(number))) == int(number)
        assert NumberField().clean(NumberField().prepare_value(number)) == number


@given(st.integers(-(10**13), 10**13), CURRENCIES, LOCALES)
def test_an_amount_that_is_shown_is_read_back(minor, currency, locale):
    shown = formatted_minor(minor, currency, locale)
    amount = from_minor(minor, currency)
    assert read_amount(shown, currency, locale) == amount.amount
    with translation.override(LANGUAGES[locale]):
        field = MoneyField(currency=currency)
        assert field.clean(shown) == amount
        assert field.clean(field.prepare_value(amount)) == amount


@pytest.mark.parametrize("text", ["$100", "100 USD", "£5", "5 chf"])
def test_the_sign_of_another_currency_is_refused_and_not_dropped(text):
    with pytest.raises(Unreadable, match="This amount is in EUR"):
        read_amount(text, "EUR")
    assert read_amount("100 EUR", "EUR") == read_amount("€100", "EUR") == 100
    assert read_amount("US$1,500", "USD") == read_amount("1500 $", "USD") == 1500


def test_a_field_gives_back_what_was_typed_as_it_was_typed():
    """A refused 1.500 that came back as 1,500 would be another number at the second try."""

    class Form(forms.Form):
        amount = MoneyField(currency="EUR")

    with translation.override("fr"):
        form = Form({"amount": "1.500"})
        assert not form.is_valid()
        assert 'value="1.500"' in str(form["amount"])
        assert 'value="1500,50"' in str(Form(initial={"amount": Money("1500.50", "EUR")})["amount"])


@pytest.mark.parametrize(
    ("field", "text", "sentence"),
    [
        (MoneyField(currency="EUR"), "1.005", "At most 2 decimals"),
        (MoneyField(currency="JPY"), "1.5", "A whole number"),
        (MoneyField(currency="EUR", above_zero=True), "0", "above zero"),
        (MoneyField(currency="EUR", above_zero=True), "-1", "above zero"),
        (MoneyField(currency="EUR"), "1000000000000", "that large"),
        (WholeNumberField(least=0, most=365), "1,000", "At most 365"),
        (WholeNumberField(), "1.5", "A whole number"),
        (WholeNumberField(), "٣", "digits 0 to 9"),
        (NumberField(least=Decimal("0.01")), "0", "At least 0.01"),
    ],
)
def test_a_field_says_what_its_bounds_are(field, text, sentence):
    with pytest.raises(ValidationError, match=sentence):
        field.clean(text)
    assert field.has_changed("1", text)


def test_a_field_has_not_changed_when_it_says_the_same_number():
    assert not MoneyField(currency="EUR").has_changed(Money("1500", "EUR"), "1,500.00")
    assert WholeNumberField().clean("1,000") == 1000
    assert NumberField(required=False).clean("  ") is None


@pytest.mark.parametrize("text", ["1,500", "1 500", "1.500,5", "٣", "1e9", "+1", "1.", "", "1\n"])
def test_an_address_has_a_spelling_of_its_own_without_a_language(text):
    with pytest.raises(ValueError):
        machine_number(text)
    with pytest.raises(ValueError):
        machine_whole(text)
    with translation.override("fr"):
        assert machine_number("1.500") == Decimal("1.5")
        assert machine_whole("-1500") == -1500


def test_a_search_may_look_for_every_number_that_can_be_meant():
    assert readings("1,500") == (1500,)
    assert readings("1500,000") == (1500000, 1500)
    assert readings("€1,234.50") == readings("1 234,50 EUR") == (Decimal("1234.50"),)
    assert readings("Breizh") == ()
