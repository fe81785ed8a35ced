from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from invoices.deals.instalments import shares_of
from invoices.invoicing.dues import worked_out

START = date(2026, 12, 1)


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=60), st.integers(0, 10**12))
def test_the_dues_make_the_total_and_none_is_off_its_share_by_more_than_rounding(parts, total):
    days = [(START + timedelta(days=n), minor) for n, minor in enumerate(parts)]
    dues = dict(worked_out(total, shares_of(days, total)))
    assert sum(dues.values()) == total
    for day, minor in days[:-1]:
        assert abs(dues.get(day, 0) - Decimal(total) * minor / sum(parts)) <= Decimal("0.5000001")
