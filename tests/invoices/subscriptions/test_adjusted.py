"""Discounts and charges on the whole of each period of a subscription."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from invoices.documents.totals import LineInput
from invoices.invoicing import drafting
from invoices.invoicing.draft_lines import DraftLine
from invoices.models import Invoice
from invoices.subscriptions import beginning, making, running, writing
from invoices.subscriptions.periods import MONTH, Period, Schedule
from invoices.subscriptions.pricing import Rise
from invoices.subscriptions.upcoming import Contents, Version, contents_of, invoice_of, upcoming
from tests.factories import make_draft
from tests.invoices.quotes.making import accepted_quote
from tests.invoices.subscriptions.making import TODAY, line, save, started, write

D = Decimal
TENTH = {"kind": "discount", "percent": "10", "reason": "Fidélité", "code": "95"}
FREIGHT = {"kind": "charge", "amount": "15", "reason": "Port", "code": "FC", "vat": "S:20"}
OFF = {"kind": "discount", "amount": "31", "code": "95"}
DAY = {"by": None, "on": TODAY}
JANUARY = date(2026, 1, 1)


def made(subscription, on):
    return [row.billings.get().invoice for row in making.make_all(subscription.pk, on)]


@pytest.mark.django_db
def test_they_repeat_in_each_period_and_the_preview_is_what_is_made():
    found = started(lines=[line("100")], adjustments=[TENTH, FREIGHT], most_periods=4)
    coming = [each.totals for each in upcoming(contents_of(found), 1, 12)]
    invoices = made(found, date(2026, 4, 1))
    assert [each.net_minor for each in invoices] == [105_00] * 4
    assert [each.total_minor for each in invoices] == [each.total_minor for each in coming]
    assert invoices[0].adjustments == [TENTH, FREIGHT]
    assert invoices[0].lines.filter(adjusts="discount").get().description == "Fidélité"
    found.refresh_from_db()


@pytest.mark.django_db
def test_a_part_period_bears_its_days_of_each_and_a_whole_one_the_percentage():
    found = started(
        lines=[line("310")],
        adjustments=[TENTH, OFF],
        starts_on=date(2026, 1, 15),
        whole_from=date(2026, 2, 1),
    )
    part, whole = made(found, date(2026, 2, 1))
    # 17 of 31 days: 170.00, less 17.00, less 17.00.
    assert part.net_minor == 136_00
    words = sorted(part.lines.filter(adjusts="discount").values_list("description", flat=True))
    assert words == ["Fidélité (10\u00a0%)", "Remise"]
    assert whole.net_minor == 310_00 - 31_00 - 31_00
    assert whole.adjustments == [TENTH, OFF]


@pytest.mark.django_db
def test_they_change_with_the_lines_from_a_period_on():
    found = started(lines=[line("100")], adjustments=[TENTH])
    made(found, JANUARY)
    save(found, [line("100")], adjustments=[OFF], from_number=3)
    # The same again is nothing new.
    assert found.versions.count() == 2
    save(found, [line("100")], adjustments=[OFF], from_number=3)
    assert found.versions.count() == 2
    nets = [each.net_minor for each in made(found, date(2026, 4, 1))]
    assert nets == [90_00, 69_00, 69_00]
    # A header that says nothing of them leaves them.
    save(found, [line("200")], from_number=5)
    assert made(found, date(2026, 5, 1))[0].net_minor == 169_00


def test_a_rise_moves_what_a_percentage_comes_to_and_no_percentage_nor_amount():
    schedule = Schedule(MONTH, 1, JANUARY, JANUARY, 1)
    lines = [DraftLine("Hosting", "MON", LineInput(D(1), D(100), D(20)))]
    contents = Contents(
        schedule,
        "EUR",
        "fr",
        prorated=True,
        versions=[Version(JANUARY, lines, [TENTH, OFF])],
        rises=[Rise(date(2027, 1, 1), D(10), yearly=True)],
    )
    nets = [each.totals.net_minor for each in upcoming(contents, 12, 2)]
    assert nets == [100_00 - 10_00 - 31_00, 110_00 - 11_00 - 31_00]


@pytest.mark.django_db
def test_too_much_off_is_told_and_nothing_is_kept():
    found = write(lines=[line("100")], adjustments=[TENTH])
    problems = writing.save_subscription(
        subscription_id=found.pk,
        header={"adjustments": [{**OFF, "amount": "500"}]},
        lines=[line("100")],
        **DAY,
    )
    assert "larger than" in problems["lines"]
    assert found.versions.get().adjustments == [TENTH]


@pytest.mark.django_db
def test_what_begins_from_an_invoice_a_quote_or_a_copy_has_them():
    quote = accepted_quote(adjustments=[TENTH])
    from_quote = beginning.from_quote(quote_id=quote.pk, **DAY)
    assert from_quote.versions.get().adjustments == [TENTH]
    draft = make_draft()
    lines = [{"description": "x", "unit_price": D(100), "vat_rate": D(20)}]
    header = {"adjustments": [TENTH, FREIGHT]}
    assert drafting.save_draft(invoice_id=draft.pk, header=header, lines=lines, by=None) == {}
    repeats = beginning.from_invoice(invoice_id=draft.pk, **DAY)
    version = repeats.versions.get()
    assert version.adjustments == [TENTH, FREIGHT]
    assert version.lines.count() == 1
    copy = beginning.copy(subscription_id=repeats.pk, **DAY)
    assert copy.versions.get().adjustments == [TENTH, FREIGHT]
    assert copy.next_net_minor == Invoice.objects.get(pk=draft.pk).net_minor == 105_00


@pytest.mark.django_db
def test_they_are_typed_in_the_editor_and_the_page_shows_what_is_coming(clerk_client):
    found = write(lines=[line("100")], adjustments=[TENTH])
    running.start(subscription_id=found.pk, **DAY)
    page = clerk_client.get(reverse("invoices:subscription-edit", args=[found.pk]))
    assert 'name="adjust-0-value" value="10"' in page.text.replace("\n", " ")
    shown = clerk_client.get(reverse("invoices:subscription", args=[found.pk])).text
    assert "Fidélité" in shown


@st.composite
def cut_up(draw):
    first = draw(st.dates(date(2020, 1, 1), date(2040, 1, 1)))
    length = draw(st.integers(1, 400))
    last = first + timedelta(days=length - 1)
    cuts = sorted(draw(st.sets(st.integers(1, length - 1), max_size=5))) if length > 1 else []
    edges = [0, *cuts, length]
    return [
        Period(n, first + timedelta(days=a), first + timedelta(days=b - 1), first, last)
        for n, (a, b) in enumerate(pairwise(edges), 1)
    ]


LINES = st.lists(
    st.tuples(st.decimals("50", "2000", places=2), st.sampled_from([D(20), D(10), D("5.5")])),
    min_size=1,
    max_size=4,
)
ADJUSTMENTS = st.lists(
    st.sampled_from(
        [
            TENTH,
            FREIGHT,
            {"kind": "discount", "percent": "7.35"},
            {"kind": "discount", "amount": "12.34"},
            {"kind": "charge", "percent": "3.3"},
            {"kind": "charge", "amount": "9.99", "vat": "S:2.1"},
        ]
    ),
    max_size=4,
)


@settings(max_examples=100, deadline=None)
@given(cut_up(), LINES, ADJUSTMENTS)
def test_the_parts_of_a_period_make_the_whole_at_every_rate(parts, lines, adjustments):
    whole_period = Period(
        1,
        parts[0].whole_first,
        parts[0].whole_last,
        parts[0].whole_first,
        parts[0].whole_last,
    )
    contents = Contents(
        Schedule(MONTH, 1, JANUARY, JANUARY, 1),
        "EUR",
        "fr",
        prorated=True,
        versions=[
            Version(
                date(2019, 1, 1),
                [DraftLine("x", "MON", LineInput(D(1), price, rate)) for price, rate in lines],
                adjustments,
            )
        ],
    )

    def nets(period):
        found = invoice_of(contents, period)
        assert found.totals is not None, found.refusal
        return {g.vat_rate: g.basis_minor for g in found.totals.breakdown}

    summed: dict[Decimal, int] = {}
    for part in parts:
        for rate, net in nets(part).items():
            summed[rate] = summed.get(rate, 0) + net
    assert {rate: net for rate, net in summed.items() if net} == {
        rate: net for rate, net in nets(whole_period).items() if net
    }
