"""Colours stay readable, whichever the company chose."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from invoices.documents.look import (
    INK,
    NO_LOOK,
    READABLE,
    WHITE,
    Look,
    contrast,
    is_colour,
    readable,
)

COLOURS = st.integers(0, 0xFFFFFF).map(lambda n: f"#{n:06x}")


@settings(max_examples=60, deadline=None)
@given(COLOURS)
def test_words_in_any_colour_and_on_any_colour_can_be_read(colour):
    look = Look(colour=colour)
    assert contrast(look.text, WHITE) >= READABLE
    # Between black and white one always stands out; ink is nearly black.
    assert contrast(look.on_fill, look.fill) >= 4.1
    assert contrast(INK, look.tint) >= 7


def test_a_dark_colour_stays_what_it_is_and_a_light_one_is_darkened():
    assert readable("#0b6e4f") == "#0b6e4f"
    assert readable("#f5c518") not in ("#f5c518", INK)
    assert Look(colour="#f5c518").on_fill == INK
    assert Look(colour="#0b6e4f").on_fill == WHITE


@pytest.mark.parametrize("text", ["", "#fff", "red", "#0B6E4F", "#12345g", "#1234567"])
def test_what_is_no_colour(text):
    assert not is_colour(text)


def test_without_a_colour_it_is_ink():
    assert NO_LOOK.fill == INK
    assert contrast(WHITE, "#000000") == pytest.approx(21)
