"""What a period costs: parts sum to their whole, and rises are taken of the price before."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from invoices.documents.totals import LineInput, compute
from invoices.invoicing.draft_lines import DraftLine
from invoices.subscriptions.periods import MONTH, Period, Schedule
from invoices.subscriptions.pricing import Rise, part_of, raised, shared_out
from invoices.subscriptions.upcoming import Contents, Version, invoice_of, upcoming, yearly_net


def line(price, *, quantity="1", **more):
    amounts = LineInput(
        quantity=Decimal(quantity), unit_price=Decimal(price), vat_rate=Decimal(20), **more
    )
    return DraftLine("Hosting", "MON", amounts)


@st.composite
def cut_up(draw):
    """The parts into which a whole period of some days was cut, in order."""
    first = draw(st.dates(date(2020, 1, 1), date(2040, 1, 1)))
    length = draw(st.integers(1, 400))
    last = first + timedelta(days=length - 1)
    inside = st.integers(1, length - 1) if length > 1 else st.nothing()
    cuts = sorted(draw(st.sets(inside, max_size=6))) if length > 1 else []
    edges = [0, *cuts, length]
    return [
        Period(n, first + timedelta(days=a), first + timedelta(days=b - 1), first, last)
        for n, (a, b) in enumerate(pairwise(edges), 1)
    ]


@settings(max_examples=200)
@given(cut_up(), st.integers(-(10**9), 10**9))
def test_the_parts_of_a_period_sum_to_the_whole(parts, net_minor):
    assert sum(part_of(net_minor, part) for part in parts) == net_minor


@settings(max_examples=100)
@given(cut_up(), st.integers(0, 10**9))
def test_a_part_is_within_a_cent_of_its_share(parts, net_minor):
    for part in parts:
        share = Decimal(net_minor * part.days) / part.whole_days
        assert abs(part_of(net_minor, part) - share) <= 1


@settings(max_examples=60)
@given(
    cut_up(),
    st.decimals("-9999", "9999", places=4),
    st.decimals("0", "9999", places=3),
    st.sampled_from(["EUR", "JPY", "TND"]),
)
def test_lines_of_part_periods_are_lines_of_a_document(parts, quantity, price, currency):
    whole = [line(price, quantity=quantity, discount_percent=Decimal("12.5"))]
    wanted = compute([each.amounts for each in whole], currency=currency).net_minor
    nets = []
    for part in parts:
        lines = shared_out(whole, part, currency=currency, language="fr")
        nets.append(compute([each.amounts for each in lines], currency=currency).net_minor)
        assert lines[0].amounts.unit_price >= 0
    assert sum(nets) == wanted


def test_a_part_period_says_how_it_came_about():
    period = Period(1, date(2027, 1, 15), date(2027, 1, 31), date(2027, 1, 1), date(2027, 1, 31))
    [found] = shared_out([line("310")], period, currency="EUR", language="fr")
    assert found.amounts.unit_price == Decimal("170")
    assert found.description == (
        "Hosting\nAu prorata\u202f: 17 jours sur 31, période entière 310,00\u00a0€"
    )
    [english] = shared_out([line("310")], period, currency="EUR", language="en")
    assert english.description.endswith("Pro rata: 17 of 31 days, whole period €310.00")


def test_a_description_as_long_as_may_be_gives_way_to_what_is_said_of_the_part():
    period = Period(1, date(2027, 1, 15), date(2027, 1, 31), date(2027, 1, 1), date(2027, 1, 31))
    long = DraftLine("x" * 2000, "MON", line("310").amounts)
    [found] = shared_out([long], period, currency="EUR", language="en")
    assert len(found.description) <= 2000
    assert found.description.endswith("€310.00")


# ─ Rises ────────────────────────────────────────────────────────────────────────────────────────
def price_on(day, rises, *, price="100", since=date(2026, 1, 1)):
    found = raised(line(price).amounts, rises, since=since, until=day, currency="EUR")
    return found.unit_price


def test_a_yearly_rise_is_taken_of_the_price_before_and_rounded_to_the_cent():
    rises = [Rise(date(2027, 1, 1), Decimal("2.7"), yearly=True)]
    assert price_on(date(2026, 12, 31), rises) == Decimal(100)
    assert price_on(date(2027, 1, 1), rises) == Decimal("102.70")
    # 102.70 × 1.027 = 105.4729
    assert price_on(date(2028, 1, 1), rises) == Decimal("105.47")
    assert price_on(date(2028, 12, 31), rises) == Decimal("105.47")


def test_a_rise_of_a_day_once_and_a_fall():
    rises = [Rise(date(2027, 3, 1), Decimal(10)), Rise(date(2027, 6, 1), Decimal(-5))]
    assert price_on(date(2027, 3, 1), rises) == Decimal(110)
    assert price_on(date(2030, 1, 1), rises) == Decimal("104.5")


def test_a_price_of_more_decimals_keeps_them():
    rises = [Rise(date(2027, 1, 1), Decimal(3))]
    assert price_on(date(2027, 1, 1), rises, price="0.0125") == Decimal("0.0129")


def test_a_rise_that_was_called_off_raises_nothing_more():
    rises = [Rise(date(2027, 1, 1), Decimal(10), yearly=True, ends_before=date(2028, 1, 1))]
    assert price_on(date(2030, 1, 1), rises) == Decimal(110)


def test_prices_typed_for_a_day_begin_with_that_day():
    schedule = Schedule(MONTH, 1, date(2026, 1, 1), date(2026, 1, 1), 1)
    contents = Contents(
        schedule,
        "EUR",
        "fr",
        prorated=True,
        versions=[
            Version(date(2026, 1, 1), [line("100")]),
            Version(date(2027, 2, 1), [line("300")]),
        ],
        rises=[Rise(date(2027, 1, 1), Decimal(10), yearly=True)],
    )
    nets = {each.period.first: each.totals.net_minor for each in upcoming(contents, 1, 26)}
    assert nets[date(2026, 12, 1)] == 100_00
    assert nets[date(2027, 1, 1)] == 110_00
    assert nets[date(2027, 2, 1)] == 300_00
    assert nets[date(2028, 1, 1)] == 330_00
    assert yearly_net(contents, date(2027, 2, 1)) == 12 * 300_00


def test_what_cannot_be_added_up_says_so_and_others_go_on():
    schedule = Schedule(MONTH, 1, date(2026, 1, 1), date(2026, 1, 1), 1)
    contents = Contents(
        schedule,
        "EUR",
        "fr",
        prorated=True,
        versions=[Version(date(2026, 1, 1), [line("9999999999")])],
        rises=[Rise(date(2026, 2, 1), Decimal(900))],
    )
    first, second = upcoming(contents, 1, 2)
    assert first.totals is not None
    assert second.totals is None
    assert second.refusal
    assert invoice_of(contents, second.period).refusal == second.refusal
