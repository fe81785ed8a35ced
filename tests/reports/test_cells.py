from __future__ import annotations

from fractions import Fraction

import pytest
from django.utils import translation

from reports.cells import days_unit


@pytest.mark.parametrize(
    ("number", "english", "french"),
    [
        (0, "days", "jour"),
        (1, "day", "jour"),
        (Fraction(3, 2), "days", "jour"),
        (Fraction(-3, 2), "days", "jour"),
        (2, "days", "jours"),
    ],
)
def test_each_language_has_its_own_plural_of_numbers_with_decimals(number, english, french):
    with translation.override("en"):
        assert days_unit(number) == english
    with translation.override("fr"):
        assert days_unit(number) == french
