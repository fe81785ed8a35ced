from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from invoices.documents.penalties import Rate, claim

DUE = date(2026, 8, 19)
RATES = [Rate(date(2026, 1, 1), Decimal("12.15"))]


def make_claim(**fields):
    given_fields = {
        "total_minor": 300_000,
        "due_date": DUE,
        "settled": [],
        "on": DUE + timedelta(days=42),
        "rates": RATES,
        "indemnity_minor": 4_000,
    }
    return claim(**{**given_fields, **fields})


def test_the_golden_claim_is_41_94_and_the_indemnity():
    found = make_claim()
    assert found.interest_minor == 4_194
    assert found.indemnity_minor == 4_000
    assert found.days_late == 42
    assert found.percents == (Decimal("12.15"),)


def test_due_that_very_day_is_not_late():
    assert make_claim(on=DUE) is None
    assert make_claim(on=DUE + timedelta(days=1)).days_late == 1


def test_what_was_paid_in_time_claims_nothing():
    assert make_claim(settled=[(DUE, 300_000)]) is None


def test_a_part_payment_bears_interest_until_the_day_it_arrived():
    half = make_claim(settled=[(DUE + timedelta(days=21), 150_000)])
    # 3,000.00 for 21 days, then 1,500.00 for 21 days, at 12.15 %.
    assert half.interest_minor == round(300_000 * 0.1215 * 21 / 365 + 150_000 * 0.1215 * 21 / 365)


def test_the_rate_changes_in_the_middle():
    rates = [*RATES, Rate(DUE + timedelta(days=11), Decimal("13.65"))]
    found = make_claim(rates=rates)
    # Ten days at the old rate: day 11 is the first of the new one.
    expected = 300_000 * (0.1215 * 10 + 0.1365 * 32) / 365
    assert found.interest_minor == round(expected)
    assert found.percents == (Decimal("12.15"), Decimal("13.65"))


def test_without_a_rate_the_interest_is_unknown_and_the_indemnity_is_not():
    found = make_claim(rates=[])
    assert found.interest_minor is None
    assert found.indemnity_minor == 4_000


def test_a_payment_that_was_taken_back_bears_interest_again():
    day = DUE + timedelta(days=10)
    found = make_claim(settled=[(DUE, 300_000), (day, -300_000)])
    assert found.days_late == 32
    assert found.interest_minor == round(300_000 * 0.1215 * 32 / 365)


@given(
    parts=st.lists(st.tuples(st.integers(0, 60), st.integers(1, 50_000)), max_size=6),
    rate_day=st.integers(-10, 60),
)
def test_the_claim_is_the_sum_over_its_days(parts, rate_day):
    rates = [*RATES, Rate(DUE + timedelta(days=rate_day), Decimal("8.4"))]
    settled = [(DUE + timedelta(days=n), amount) for n, amount in parts]
    found = make_claim(settled=settled, rates=rates)
    total = Decimal(0)
    for n in range(1, 43):
        day = DUE + timedelta(days=n)
        principal = 300_000 - sum(amount for when, amount in settled if when < day)
        rate = Decimal("8.4") if n >= rate_day else Decimal("12.15")
        total += max(0, principal) * rate / 36500
    assert abs(Decimal(found.interest_minor) - total) <= Decimal("0.5000001")
