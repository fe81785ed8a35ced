"""From an accepted quote to invoices, never beyond what was accepted without saying so."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from invoices.documents.totals import compute
from invoices.invoicing import drafting as invoices_drafting
from invoices.invoicing import issuing
from invoices.invoicing.crediting import issue_credit_note
from invoices.invoicing.drafting import DraftRefused, void_draft
from invoices.invoicing.readiness import warnings_before_issue
from invoices.models import Deal, Invoice, QuoteEvent
from invoices.quotes import converting
from invoices.quotes.converting import bill_deposit, bill_lines, bill_rest, bill_whole
from invoices.quotes.refusals import Exceeds, QuoteRefused
from tests.factories import make_deal, make_unprinted
from tests.invoices.quotes.making import (
    CHOICES,
    TODAY,
    accepted_quote,
    line,
    send_quote,
    unprinted_acceptance,
)
from tests.race import at_once

pytestmark = pytest.mark.django_db
DAY = {"by": None, "on": TODAY}


def standing(quote):
    return converting.standing(quote.acceptance, converting.alive(quote))


def test_whole_it_is_one_draft_with_what_was_accepted():
    quote = accepted_quote(lines=CHOICES)
    invoice = bill_whole(quote_id=quote.pk, **DAY)
    assert invoice.is_draft
    assert sorted(invoice.lines.values_list("unit_price", flat=True)) == [50, 400, 1000]
    assert invoice.total_minor == quote.acceptance.total_minor
    assert invoice.client == quote.client
    assert invoice.title == "Site office app"
    assert standing(quote).left_minor == 0
    with pytest.raises(QuoteRefused, match="already"):
        bill_whole(quote_id=quote.pk, **DAY)


def test_only_what_was_accepted_is_billed():
    quote = send_quote()
    with pytest.raises(QuoteRefused, match="accepted"):
        bill_whole(quote_id=quote.pk, **DAY)


def test_a_deposit_has_a_line_for_each_rate_of_vat():
    quote = accepted_quote(lines=[line("1000"), line("500", rate="5.5")])
    invoice = bill_deposit(quote_id=quote.pk, percent=Decimal(30), **DAY)
    rows = {row.vat_rate: row for row in invoice.lines.all()}
    assert rows[Decimal("20.00")].net_minor == 300_00
    assert rows[Decimal("5.50")].net_minor == 150_00
    assert quote.number in rows[Decimal("20.00")].description
    assert invoice.lines.first().description.startswith("Acompte de 30")


def test_a_deposit_of_an_amount_is_that_amount_with_vat():
    quote = accepted_quote(lines=[line("1000")])
    assert bill_deposit(quote_id=quote.pk, amount_minor=500_00, **DAY).total_minor == 500_00


@pytest.mark.parametrize(
    "asked",
    [{"percent": Decimal(0)}, {"percent": Decimal("-1")}, {"percent": Decimal(101)},
     {"amount_minor": 0}, {"amount_minor": -1}, {"percent": Decimal(1), "amount_minor": 1}],
)  # fmt: skip
def test_a_deposit_of_nothing_or_too_much_is_refused(asked):
    quote = accepted_quote()
    with pytest.raises(QuoteRefused):
        bill_deposit(quote_id=quote.pk, **asked, **DAY)
    assert not Invoice.objects.exists()


def test_deposit_lines_and_rest_together_make_what_was_accepted():
    quote = accepted_quote(lines=[line("1000"), line("90", quantity=10)])
    make_unprinted(bill_deposit(quote_id=quote.pk, percent=Decimal(30), **DAY))
    second = quote.acceptance.lines.get(quantity=10)
    bill_lines(quote_id=quote.pk, quantities={second.pk: Decimal(4)}, **DAY)
    rest = bill_rest(quote_id=quote.pk, **DAY)
    assert standing(quote).left_minor == 0
    # The whole of the first line, six of the second, less the deposit.
    assert rest.net_minor == 1000_00 + 540_00 - 570_00
    with pytest.raises(QuoteRefused):
        bill_rest(quote_id=quote.pk, **DAY)


def test_beyond_what_was_accepted_somebody_has_to_say_so_and_it_is_kept():
    quote = accepted_quote(lines=[line("1000")])
    bill_deposit(quote_id=quote.pk, percent=Decimal(60), **DAY)
    with pytest.raises(Exceeds) as asked:
        bill_deposit(quote_id=quote.pk, percent=Decimal(60), **DAY)
    assert "€240.00 more than the €1,200.00" in str(asked.value)
    assert Invoice.objects.count() == 1
    # Agreeing to another excess agrees to nothing.
    with pytest.raises(Exceeds):
        bill_deposit(quote_id=quote.pk, percent=Decimal(70), agreed=asked.value.token, **DAY)
    bill_deposit(quote_id=quote.pk, percent=Decimal(60), agreed=asked.value.token, **DAY)
    assert quote.events.get(kind=QuoteEvent.Kind.EXCEEDED).data["amount_minor"] == 240_00


def test_a_discarded_draft_and_a_whole_credit_free_their_part_again(clerk):
    quote = accepted_quote(lines=[line("1000")])
    draft = bill_whole(quote_id=quote.pk, **DAY)
    void_draft(invoice_id=draft.pk, by=None, on=TODAY)
    assert standing(quote).billed_minor == 0
    again = bill_whole(quote_id=quote.pk, **DAY)
    issuing.issue(invoice_id=again.pk, by=clerk, on=TODAY)
    issue_credit_note(invoice_id=again.pk, reason="Wrong", by=clerk, on=TODAY)
    assert standing(quote).billed_minor == 0
    assert bill_whole(quote_id=quote.pk, **DAY).is_draft


@pytest.mark.django_db(transaction=True)
def test_two_who_bill_it_whole_at_once_make_one_draft():
    quote = accepted_quote()
    found = at_once(*[lambda: bill_whole(quote_id=quote.pk, **DAY)] * 3)
    assert sum(isinstance(each, Invoice) for each in found) == 1
    assert Invoice.objects.count() == 1


def test_a_draft_changed_beyond_the_quote_says_so_before_it_is_issued():
    quote = accepted_quote(lines=[line("1000")])
    draft = bill_whole(quote_id=quote.pk, **DAY)
    assert not [each for each in warnings_before_issue(draft, TODAY) if each.field == "quote"]
    invoices_drafting.save_draft(
        invoice_id=draft.pk,
        header={},
        lines=[{"description": "More", "quantity": 1, "unit_price": 1500, "vat_rate": 20}],
        by=None,
    )
    draft.refresh_from_db()
    (said,) = [each for each in warnings_before_issue(draft, TODAY) if each.field == "quote"]
    assert "€600.00 more" in said.text


def test_the_deal_of_a_quote_is_billed_by_it_and_leaves_the_queue():
    from invoices.deals.drafting import draft_from_deal

    deal = make_deal()
    quote = accepted_quote(deal=deal)
    deposit = bill_deposit(quote_id=quote.pk, percent=Decimal(30), **DAY)
    assert (deposit.deal, deposit.plan_step) == (deal, 1)
    make_unprinted(deposit)
    assert bill_rest(quote_id=quote.pk, **DAY).plan_step == 2
    assert deal not in Deal.objects.to_bill()
    with pytest.raises(DraftRefused):
        draft_from_deal(deal_id=deal.pk, by=None, on=TODAY)


def test_a_deal_that_was_billed_itself_is_not_billed_by_its_quote_too():
    from invoices.deals.drafting import draft_from_deal

    deal = make_deal()
    quote = send_quote(deal=deal)
    draft_from_deal(deal_id=deal.pk, by=None, on=TODAY)
    from tests.invoices.quotes.making import accept

    accept(quote)
    with pytest.raises(QuoteRefused, match="deal itself"):
        bill_whole(quote_id=quote.pk, **DAY)


PRICES = st.decimals(min_value="0.01", max_value="9999", places=2)


class AnyQuote(TestCase):
    @settings(max_examples=15)
    @given(
        lines=st.lists(
            st.tuples(PRICES, st.integers(1, 9), st.sampled_from([20, 10, Decimal("5.5")])),
            min_size=1,
            max_size=5,
        ),
        shares=st.lists(st.integers(1, 40), min_size=1, max_size=2),
    )
    def test_deposits_and_the_rest_never_pass_what_was_accepted(self, lines, shares):
        quote = unprinted_acceptance(
            lines=[line(price, quantity=n, rate=rate) for price, n, rate in lines]
        )
        for share in shares:
            try:
                make_unprinted(bill_deposit(quote_id=quote.pk, percent=Decimal(share), **DAY))
            except QuoteRefused:
                # A share of a few cents rounds to nothing.
                continue
        bill_rest(quote_id=quote.pk, **DAY)
        # To the unit, with VAT: the final invoice bears the VAT that the deposits did not.
        net = sum(each.invoice.net_minor for each in converting.alive(quote))
        assert net == quote.acceptance.net_minor
        assert standing(quote).left_minor == 0


def test_a_part_of_a_line_with_an_amount_off_takes_its_part_of_it():
    quote = accepted_quote(
        lines=[line("100", quantity=3, discount_amount=Decimal("30"), discount_percent=Decimal(0))]
    )
    (only,) = quote.acceptance.lines.all()
    inputs = converting.input_of(only, Decimal(1))
    assert compute([inputs], currency="EUR").net_minor == 90_00
