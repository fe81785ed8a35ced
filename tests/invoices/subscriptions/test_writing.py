"""A subscription is begun and changed; what was billed by it stays."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from invoices.deals.changes import change_shown
from invoices.deals.drafting import draft_from_deal
from invoices.deals.lacking import missing_for
from invoices.invoicing.drafting import DraftRefused
from invoices.models import Deal, Invoice, Subscription
from invoices.subscriptions import beginning, from_deals, making, running, writing
from invoices.subscriptions.standing import SubscriptionRefused
from tests.factories import make_company, make_deal, make_draft
from tests.invoices.quotes.making import accepted_quote
from tests.invoices.subscriptions.making import TODAY, line, save, started, write

pytestmark = pytest.mark.django_db
JANUARY = date(2026, 1, 1)


def problems_of(subscription, lines=None, **header):
    return writing.save_subscription(
        subscription_id=subscription.pk,
        header=header,
        lines=[dict(each) for each in lines or [line("100")]],
        by=None,
        on=TODAY,
    )


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ({"every": 0}, "every"),
        ({"unit": "day"}, "unit"),
        ({"way": "pray"}, "way"),
        ({"currency": "ZZZ"}, "currency"),
        ({"ends_on": date(2025, 1, 1)}, "ends_on"),
        ({"ends_on": date(2027, 1, 1), "most_periods": 3}, "most_periods"),
        ({"most_periods": 0}, "most_periods"),
        ({"whole_from": date(2026, 3, 1)}, "whole_from"),
        ({"starts_on": date(2199, 1, 1), "whole_from": date(2199, 1, 1)}, "starts_on"),
        ({"recipients": ["nobody"]}, "recipients"),
        ({"title": "x" * 256}, "title"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_saved(header, field):
    found = write()
    before = Subscription.objects.filter(pk=found.pk).values().get()
    assert field in problems_of(found, **header)
    assert Subscription.objects.filter(pk=found.pk).values().get() == before


def test_the_calendar_and_the_currency_stay_once_something_was_billed():
    found = started(on=JANUARY)
    making.make_due(JANUARY)
    problems = problems_of(found, every=3, currency="USD", starts_on=JANUARY)
    assert set(problems) == {"every", "currency"}
    assert "most_periods" not in problems_of(found, most_periods=1)
    found = started(on=JANUARY)
    making.make_due(date(2026, 2, 1))
    assert "most_periods" in problems_of(found, most_periods=1)
    assert "ends_on" in problems_of(found, ends_on=date(2026, 2, 1))


def test_before_anything_was_billed_its_start_can_be_moved_with_its_lines():
    found = started(on=JANUARY)
    assert not problems_of(
        found, [line("70")], starts_on=date(2026, 5, 5), whole_from=date(2026, 5, 5), month_day=5
    )
    assert [version.first_day for version in found.versions.all()] == [date(2026, 5, 5)]
    making.make_due(date(2026, 5, 5))
    assert Invoice.objects.get().net_minor == 70_00


def test_saved_by_somebody_else_meanwhile_it_is_not_overwritten():
    found = started(on=JANUARY)
    seen = found.updated_at
    making.make_due(JANUARY)
    with pytest.raises(SubscriptionRefused, match="meanwhile"):
        writing.save_subscription(
            subscription_id=found.pk, header={}, lines=[line("1")], by=None, on=TODAY, seen=seen
        )


def test_lines_that_were_planned_for_later_give_way():
    found = started(on=JANUARY)
    making.make_due(JANUARY)
    save(found, [line("300")], from_number=6)
    save(found, [line("200")], from_number=3)
    assert [version.first_day for version in found.versions.all()] == [JANUARY, date(2026, 3, 1)]


# ─ Ways to one ──────────────────────────────────────────────────────────────────────────────────
def test_it_repeats_an_invoice_from_where_its_period_ends():
    make_company()
    draft = make_draft(
        lines=((2, "50"),), service_from=date(2026, 10, 1), service_until=date(2026, 12, 31)
    )
    found = beginning.from_invoice(invoice_id=draft.pk, by=None, on=TODAY)
    assert (found.starts_on, found.unit, found.every) == (date(2027, 1, 1), "month", 3)
    assert (found.client, found.repeats, found.status) == (draft.client, draft, "draft")
    assert found.next_net_minor == 100_00
    assert found.yearly_minor == 400_00


def test_it_bills_an_accepted_quote_again_and_again():
    quote = accepted_quote()
    found = beginning.from_quote(quote_id=quote.pk, by=None, on=TODAY)
    assert (found.quote, found.next_net_minor) == (quote, 1000_00)


def test_a_copy_goes_on_where_the_other_ends_at_the_prices_it_had_come_to():
    found = started(on=JANUARY)
    running.raise_prices(
        subscription_id=found.pk,
        first_day=date(2026, 2, 1),
        percent=Decimal(5),
        yearly=False,
        by=None,
        on=JANUARY,
    )
    making.make_due(date(2026, 2, 1))
    running.end(subscription_id=found.pk, last_day=date(2026, 2, 28), by=None, on=TODAY)
    copied = beginning.copy(subscription_id=found.pk, by=None, on=TODAY)
    assert (copied.starts_on, copied.next_net_minor) == (date(2026, 3, 1), 105_00)


# ─ From a deal ──────────────────────────────────────────────────────────────────────────────────
def recurring(price="50", **more):
    return {
        "quantity": Decimal(1),
        "unit_price": Decimal(price),
        "billing_frequency": "monthly",
        "billing_cycles": 12,
        "billing_starts_on": date(2027, 1, 15),
        **more,
    }


def once(price="1000"):
    return {"quantity": Decimal(1), "unit_price": Decimal(price)}


def test_recurring_lines_of_a_deal_become_a_subscription_and_the_draft_holds_the_others():
    make_company()
    deal = make_deal(lines=(once(), recurring(), recurring("10")))
    [found] = from_deals.begin(deal_id=deal.pk, by=None, on=TODAY)
    assert (found.unit, found.every, found.most_periods) == ("month", 1, 12)
    assert (found.starts_on, found.next_net_minor, found.deal) == (date(2027, 1, 15), 60_00, deal)
    assert draft_from_deal(deal_id=deal.pk, by=None, on=TODAY).net_minor == 1000_00
    with pytest.raises(SubscriptionRefused, match="begun already"):
        from_deals.begin(deal_id=deal.pk, by=None, on=TODAY)


def test_lines_of_another_rhythm_or_length_are_another_subscription():
    make_company()
    deal = make_deal(
        lines=(recurring(), recurring(billing_frequency="annually"), recurring(billing_cycles=None))
    )
    found = from_deals.begin(deal_id=deal.pk, by=None, on=TODAY)
    assert [(each.unit, each.most_periods) for each in found] == [
        ("month", 12),
        ("year", 12),
        ("month", None),
    ]


def test_a_deal_of_nothing_else_leaves_the_queue_until_its_subscription_is_discarded():
    make_company()
    deal = make_deal(lines=(recurring(),))
    assert deal in Deal.objects.to_bill()
    [found] = from_deals.begin(deal_id=deal.pk, by=None, on=TODAY)
    assert deal not in Deal.objects.to_bill()
    with pytest.raises(DraftRefused, match="its subscription bills them"):
        draft_from_deal(deal_id=deal.pk, by=None, on=TODAY)
    running.discard(subscription_id=found.pk, by=None, on=TODAY)
    assert deal in Deal.objects.to_bill()
    assert not any(each.prevents_draft for each in missing_for([deal])[deal.pk])


def test_a_draft_that_holds_a_recurring_line_waits_for_a_person():
    make_company()
    deal = make_deal(lines=(once(), recurring()))
    draft = draft_from_deal(deal_id=deal.pk, by=None, on=TODAY)
    before = change_shown(draft).facts
    from_deals.begin(deal_id=deal.pk, by=None, on=TODAY)
    draft.refresh_from_db()
    assert draft.deal_basis.differs
    assert change_shown(draft).facts != before


def test_a_deal_without_recurring_lines_begins_none():
    make_company()
    with pytest.raises(SubscriptionRefused, match="No line"):
        from_deals.begin(deal_id=make_deal().pk, by=None, on=TODAY)
