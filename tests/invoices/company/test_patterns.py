"""A pattern of numbers is lawful and gives each number once, or it is refused in words."""

from __future__ import annotations

import pytest

from invoices.company.patterns import meeting, pattern_problem
from invoices.documents.numbers import LONGEST, MONTH, MOST_DIGITS, NEVER, YEAR, Pattern


@pytest.mark.parametrize(
    ("prefix", "restart"),
    [
        ("F-{year}-", YEAR),
        ("F{yy}/", YEAR),
        ("FA", NEVER),
        ("", NEVER),
        ("F-{year}-", NEVER),
        ("F-{year}-{month}-", MONTH),
        ("{yy}{month}-", MONTH),
        ("{month}_{year}+", MONTH),
        ("F-{year}-{month}-", YEAR),
        ("x" * (LONGEST - MOST_DIGITS), NEVER),
    ],
)
def test_lawful_patterns_have_no_problem(prefix, restart):
    assert pattern_problem(Pattern(prefix, 4, restart)) == ""


@pytest.mark.parametrize(
    ("prefix", "restart", "says"),
    [
        ("F-", YEAR, "begins again each year"),
        ("F-{month}-", YEAR, "begins again each year"),
        ("F-{year}-", MONTH, "begins again each month"),
        ("F-{month}-", MONTH, "begins again each month"),
        ("F {year}", YEAR, "only letters"),
        ("É-{year}-", YEAR, "only letters"),
        ("F}{year}-", YEAR, "only letters"),
        ("F{-{year}", YEAR, "stand in braces"),
        ("{year}{year}", YEAR, "twice"),
        ("{jour}-{year}-", YEAR, "Only {year}, {yy} and {month}"),
        ("{YEAR}-", YEAR, "Only {year}, {yy} and {month}"),
        ("x" * 27, NEVER, "36 signs"),
        ("x" * 23 + "{year}", YEAR, "36 signs"),
    ],
)
def test_others_get_a_sentence(prefix, restart, says):
    assert says in pattern_problem(Pattern(prefix, 4, restart))


def test_an_invoice_and_a_credit_note_never_get_one_number():
    f, a = Pattern("F-{year}-", 4, YEAR), Pattern("A-{year}-", 4, YEAR)
    assert meeting({"invoice": f, "credit_note": a}) == ""
    assert meeting({"invoice": f, "credit_note": Pattern("F-", 4, NEVER)}) == ""
    assert meeting({"invoice": f, "credit_note": Pattern("F-{yy}", 4, YEAR)}) == ""
    assert meeting({"invoice": Pattern("F", 4, NEVER), "credit_note": Pattern("F2", 4, NEVER)})
