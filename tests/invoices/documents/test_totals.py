"""The arithmetic of a document."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from invoices.documents.from_gross import basis_from_gross, net_lines_from_gross
from invoices.documents.totals import (
    MAX_TOTAL,
    AmountTooLarge,
    DiscountInput,
    LineInput,
    TotalsRefused,
    compute,
    round_half_up,
    split,
    sub_unit,
    vat_of,
)

RATES = [Decimal(rate) for rate in ("20", "10", "5.5", "2.1", "8.5")]


def line(quantity="1", price="100", rate="20", **fields):
    fields.setdefault("vat_category", "S" if Decimal(rate) else "Z")
    return LineInput(Decimal(quantity), Decimal(price), Decimal(rate), **fields)


def decimals(least, most, places):
    return st.integers(int(least * 10**places), int(most * 10**places)).map(
        lambda units: Decimal(units).scaleb(-places)
    )


ANY_QUANTITY = decimals(-999, 999, 4)


@st.composite
def any_line(draw, *, quantity=ANY_QUANTITY):
    category = draw(st.sampled_from(["S", "S", "S", "Z", "E", "AE", "K", "G"]))
    discounted = draw(st.booleans())
    return LineInput(
        quantity=draw(quantity),
        unit_price=draw(decimals(0, 9999, 6)),
        vat_rate=draw(st.sampled_from(RATES)) if category == "S" else Decimal(0),
        vat_category=category,
        discount_percent=draw(decimals(0, 100, 2)) if discounted else Decimal(0),
    )


lines_of_all_kinds = st.lists(any_line(), min_size=1, max_size=12)
positive_lines = st.lists(any_line(quantity=decimals(0, 999, 4)), min_size=1, max_size=12)
currencies = st.sampled_from(["EUR", "JPY", "TND"])


def test_vat_is_rounded_once_per_rate_not_per_line():
    result = compute([line(price="0.03")] * 100, currency="EUR")
    assert (result.net_minor, result.vat_minor, result.total_minor) == (300, 60, 360)


def test_a_half_is_rounded_away_from_zero_both_ways():
    assert compute([line(price="0.125", rate="0")], currency="EUR").net_minor == 13
    assert compute([line("-1", "0.125", "0")], currency="EUR").net_minor == -13
    assert [round_half_up(Fraction(n, 2)) for n in (-3, -1, 0, 1, 3)] == [-2, -1, 0, 1, 2]


def test_the_line_discount_is_rounded_apart_from_the_line():
    (total,) = compute(
        [line("3", "33.335", discount_percent=Decimal("12.5"))], currency="EUR"
    ).lines
    assert (total.gross_minor, total.discount_minor, total.net_minor) == (10001, 1250, 8751)


def test_an_amount_off_a_credited_line_lowers_the_credit():
    result = compute([line("-2", "50", discount_amount=Decimal("10"))], currency="EUR")
    assert result.net_minor == -90_00


def test_each_category_is_a_group_even_at_the_same_rate():
    result = compute(
        [line(rate="0", vat_category=category) for category in ("Z", "E", "AE", "E")],
        currency="EUR",
    )
    assert [(group.vat_category, group.basis_minor) for group in result.breakdown] == [
        ("AE", 100_00),
        ("E", 200_00),
        ("Z", 100_00),
    ]


@pytest.mark.parametrize(
    ("currency", "net", "vat"),
    [("EUR", 1000_56, 200_11), ("JPY", 1001, 200), ("TND", 1000_555, 200_111)],
)
def test_amounts_are_in_the_minor_unit_of_the_currency(currency, net, vat):
    result = compute([line(price="1000.555")], currency=currency)
    assert (result.net_minor, result.vat_minor) == (net, vat)


def test_a_document_discount_is_split_over_the_rates_to_the_cent():
    result = compute(
        [line(price="100"), line(price="100", rate="10"), line(price="100", rate="5.5")],
        currency="EUR",
        discounts=[DiscountInput(amount=Decimal("10"), label="Loyalty")],
    )
    assert sorted(allowance.amount_minor for allowance in result.allowances) == [333, 333, 334]
    assert result.net_minor == 290_00
    assert {allowance.label for allowance in result.allowances} == {"Loyalty"}


def test_an_amount_is_not_taken_from_a_group_that_credits():
    result = compute(
        [line(price="100"), line("-1", "90", "10")],
        currency="EUR",
        discounts=[DiscountInput(amount=Decimal("5"))],
    )
    assert [(part.vat_rate, part.amount_minor) for part in result.allowances] == [
        (Decimal(20), 500)
    ]


def test_a_hundred_percent_off_leaves_nothing_and_no_vat():
    result = compute(
        [line(price="100"), line("-1", "40", "10")],
        currency="EUR",
        discounts=[DiscountInput(percent=Decimal(100))],
    )
    assert (result.net_minor, result.vat_minor, result.total_minor) == (0, 0, 0)


def test_nothing_is_zero():
    result = compute([], currency="EUR")
    assert (result.total_minor, result.breakdown) == (0, ())
    assert str(compute([line("-0", "5")], currency="EUR").total_minor) == "0"


@given(lines_of_all_kinds, currencies)
def test_the_bases_add_up_to_the_net_and_the_net_and_vat_to_the_total(lines, currency):
    result = compute(lines, currency=currency)
    assert sum(group.basis_minor for group in result.breakdown) == result.net_minor
    assert sum(total.net_minor for total in result.lines) == result.net_minor
    assert sum(group.vat_minor for group in result.breakdown) == result.vat_minor
    assert result.total_minor == result.net_minor + result.vat_minor
    for group in result.breakdown:
        exact = Fraction(group.basis_minor) * Fraction(group.vat_rate) / 100
        assert abs(group.vat_minor - exact) <= Fraction(1, 2)


@given(lines_of_all_kinds, st.randoms(use_true_random=False), currencies)
def test_the_order_of_the_lines_does_not_matter(lines, random, currency):
    shuffled = random.sample(lines, len(lines))
    discounts = [DiscountInput(percent=Decimal("3.7"))]
    one = compute(lines, currency=currency, discounts=discounts)
    other = compute(shuffled, currency=currency, discounts=discounts)
    assert (one.breakdown, one.allowances, one.total_minor) == (
        other.breakdown,
        other.allowances,
        other.total_minor,
    )


@given(lines_of_all_kinds, currencies)
def test_a_credit_mirrors_its_invoice(lines, currency):
    result = compute(lines, currency=currency)
    credit = compute([replace(item, quantity=-item.quantity) for item in lines], currency=currency)
    assert (credit.net_minor, credit.vat_minor, credit.total_minor) == (
        -result.net_minor,
        -result.vat_minor,
        -result.total_minor,
    )


@given(positive_lines, decimals(0, 100, 2), currencies)
def test_a_percentage_off_the_document_is_exact_to_the_minor_unit(lines, percent, currency):
    result = compute(lines, currency=currency, discounts=[DiscountInput(percent=percent)])
    wanted = round_half_up(result.lines_minor * Fraction(percent) / 100)
    assert sum(part.amount_minor for part in result.allowances) == wanted
    assert result.net_minor == result.lines_minor - wanted
    assert all(group.basis_minor >= 0 for group in result.breakdown)


@given(positive_lines, st.integers(0, 10**9), currencies)
def test_an_amount_off_the_document_is_exact_to_the_minor_unit(lines, off, currency):
    plain = compute(lines, currency=currency)
    assume(plain.net_minor)
    off %= plain.net_minor + 1
    discount = DiscountInput(amount=Decimal(off) / sub_unit(currency))
    result = compute(lines, currency=currency, discounts=[discount])
    assert result.net_minor == plain.net_minor - off
    assert all(part.amount_minor >= 0 for part in result.allowances)


@given(
    st.integers(-(10**12), 10**12),
    st.dictionaries(st.text(max_size=3), st.integers(1, 10**9), min_size=1, max_size=9),
)
def test_a_split_is_exact_and_fair(amount, weights):
    parts = split(amount, weights)
    assert sum(parts.values()) == amount
    whole = sum(weights.values())
    for key, part in parts.items():
        assert abs(part - Fraction(amount * weights[key], whole)) < 1


# ─ Sales whose prices include VAT


@given(st.integers(-(10**12), 10**12), st.sampled_from([Decimal(0), *RATES, Decimal(100)]))
def test_a_basis_from_a_gross_is_the_nearest_one(gross, rate):
    basis = basis_from_gross(gross, rate)
    total = basis + vat_of(basis, rate)
    step = 1 if gross >= 0 else -1
    beyond = basis + step
    assert abs(total) <= abs(gross) < abs(beyond + vat_of(beyond, rate))
    assert abs(gross - total) <= 1


@st.composite
def any_gross_line(draw):
    made = draw(any_line(quantity=decimals(0.25, 50000, 2)))
    # A percentage leaves no room for the last cent where six decimals are too coarse.
    assume(not made.discount_percent or made.quantity <= 1000)
    if not made.discount_percent and draw(st.booleans()):
        gross = made.quantity * made.unit_price
        made = replace(made, discount_amount=(gross / 3).quantize(Decimal("0.01")))
        assume(made.discount_amount * 2 < gross)
    return made


@given(st.lists(any_gross_line(), min_size=1, max_size=8), currencies, decimals(0, 40, 1))
def test_a_tax_inclusive_sale_keeps_its_gross_total_wherever_a_basis_gives_it(
    lines, currency, percent
):
    discounts = [DiscountInput(percent=percent)] if percent else []
    restated = net_lines_from_gross(lines, currency=currency, discounts=discounts)
    agreed = compute(lines, currency=currency, discounts=discounts)
    assert restated.gross_minor == agreed.net_minor
    # What the gross of each group can be, given that VAT is rounded once per group.
    reachable = sum(
        basis + vat_of(basis, group.vat_rate)
        for group in agreed.breakdown
        for basis in [basis_from_gross(group.basis_minor, group.vat_rate)]
    )
    result = compute(restated.lines, currency=currency, discounts=restated.discounts)
    assert result.total_minor == reachable
    assert restated.difference_minor == reachable - agreed.net_minor
    assert abs(restated.difference_minor) <= len(agreed.breakdown)


def test_a_tax_inclusive_sale_of_one_hundred_euros():
    restated = net_lines_from_gross([line("3", "33.333333")], currency="EUR")
    result = compute(restated.lines, currency="EUR")
    assert (result.net_minor, result.vat_minor, result.total_minor) == (83_33, 16_67, 100_00)
    assert restated.difference_minor == 0


def test_lines_that_come_to_nothing_keep_a_price_before_vat():
    free = line("2", "120", discount_percent=Decimal(100))
    restated = net_lines_from_gross([line("0", "120"), free], currency="EUR")
    assert [item.unit_price for item in restated.lines] == [Decimal(100), Decimal(100)]
    assert restated.difference_minor == 0


def test_so_many_pieces_that_six_decimals_are_too_coarse_take_the_odd_cent_as_a_discount():
    restated = net_lines_from_gross([line("1234567.89", "0.037")], currency="EUR")
    result = compute(restated.lines, currency="EUR")
    assert restated.difference_minor == 0
    assert result.total_minor == restated.gross_minor == 45_679_01
    assert 0 < result.lines[0].discount_minor < 100


def test_a_gross_that_no_basis_gives_says_by_how_much_it_differs():
    restated = net_lines_from_gross([line("1", "0.03")], currency="EUR")
    assert compute(restated.lines, currency="EUR").total_minor == 2
    assert restated.difference_minor == -1


# ─ Refusals


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (line(rate="0", vat_category="S"), "rate above zero"),
        (line(rate="20", vat_category="E"), "rate above zero"),
        (line(rate="0", vat_category="X"), "not a VAT category"),
        (line(rate="-1"), "cannot be negative"),
        (line("1.23456"), "more than 4 decimals"),
        (line(price="0.1234567"), "more than 6 decimals"),
        (line(price="NaN"), "not a number"),
        (line("Infinity"), "not a number"),
        (line(discount_percent=Decimal(-1)), "cannot be negative"),
        (line(discount_amount=Decimal("100.01")), "larger than its line"),
        (line(discount_amount=Decimal(1), discount_percent=Decimal(1)), "not both"),
    ],
)
def test_a_bad_line_is_refused_with_a_sentence(bad, says):
    with pytest.raises(TotalsRefused, match=says):
        compute([bad], currency="EUR")


@pytest.mark.parametrize(
    "bad",
    [
        line("10000000000"),
        line(price="100000000000"),
        line("999999999", "999999999"),
        line(discount_percent=Decimal("100.5")),
    ],
)
def test_what_passes_the_bounds_is_refused(bad):
    with pytest.raises(AmountTooLarge, match="passes"):
        compute([bad], currency="EUR")


def test_many_lines_may_not_pass_the_largest_total_either():
    with pytest.raises(AmountTooLarge):
        compute([line("1", "9000000000", "20")] * 12, currency="EUR")
    largest = compute([line("10", str(MAX_TOTAL / 10), "0")], currency="EUR")
    assert largest.total_minor == int(MAX_TOTAL * 100)


@pytest.mark.parametrize(
    ("discount", "says"),
    [
        (DiscountInput(amount=Decimal("100.01")), "larger than"),
        (DiscountInput(amount=Decimal(-1)), "cannot be negative"),
        (DiscountInput(amount=Decimal(1), percent=Decimal(1)), "not both"),
    ],
)
def test_a_bad_document_discount_is_refused(discount, says):
    with pytest.raises(TotalsRefused, match=says):
        compute([line()], currency="EUR", discounts=[discount])


def test_discounts_that_are_too_large_together_are_refused():
    half = DiscountInput(percent=Decimal(60))
    with pytest.raises(TotalsRefused, match="together"):
        compute([line()], currency="EUR", discounts=[half, half])


def test_a_line_outside_the_scope_of_vat_stands_alone():
    outside = line(rate="0", vat_category="O")
    assert compute([outside], currency="EUR").total_minor == 100_00
    with pytest.raises(TotalsRefused, match="two invoices"):
        compute([outside, line()], currency="EUR")


def test_an_unknown_currency_is_named():
    with pytest.raises(TotalsRefused, match="XYZ is not a currency"):
        compute([line()], currency="XYZ")
