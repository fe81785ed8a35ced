"""A deposit on a draft with discounts and charges, and the final invoice that deducts it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from invoices.accounting import books, pages
from invoices.documents.facturx.agreement import disagreements
from invoices.documents.paper import Paper
from invoices.invoicing import deposits, drafting, issuing
from invoices.invoicing.drafting import DraftRefused
from invoices.invoicing.readiness import reasons_not_to_issue
from invoices.models import Invoice
from tests.factories import make_draft, make_unprinted
from tests.invoices.invoicing.test_adjustments import BOTH, DAY, groups, saved

D = Decimal
pytestmark = pytest.mark.django_db


def deposit_on(draft, **share):
    return deposits.bill_deposit_on(invoice_id=draft.pk, **share, **DAY)


def summed(*invoices):
    found: dict[Decimal, tuple[int, int]] = {}
    for invoice in invoices:
        for rate, (net, vat) in groups(invoice).items():
            before = found.get(rate, (0, 0))
            found[rate] = (before[0] + net, before[1] + vat)
    return found


def test_it_is_of_what_is_left_after_discounts_and_bears_none_itself():
    draft = saved(adjustments=BOTH)
    deposit = deposit_on(draft, percent=D(30))
    # 915.00 at 20 % and 300.00 at 10 %.
    assert groups(deposit) == {D(20): (274_50, 54_90), D(10): (90_00, 9_00)}
    assert deposit.adjustments == []
    assert not deposit.lines.exclude(adjusts="").exists()
    assert all(row.net_minor > 0 for row in deposit.lines.all())
    # Who saves it again changes nothing.
    lines = [
        {"description": r.description, "unit_price": r.unit_price, "vat_rate": r.vat_rate,
         "nature": r.nature}
        for r in deposit.lines.all()
    ]  # fmt: skip
    assert drafting.save_draft(invoice_id=deposit.pk, header={}, lines=lines, by=None) == {}
    assert groups(deposit) == {D(20): (274_50, 54_90), D(10): (90_00, 9_00)}


def test_deposit_and_final_bear_the_whole_of_every_rate_on_page_e_invoice_and_in_the_books():
    draft = saved(adjustments=BOTH)
    whole = groups(draft)
    deposit = issuing.issue(invoice_id=deposit_on(draft, percent=D(30)).pk, **DAY)
    deposits.choose_deposits(invoice_id=draft.pk, deposit_ids=[deposit.pk], **DAY)
    # Saved again with another discount and back: the deposit stays deducted, at the end.
    saved(draft=draft, adjustments=BOTH[:1])
    saved(draft=draft, adjustments=BOTH)
    final = issuing.issue(invoice_id=draft.pk, **DAY)
    assert summed(deposit, final) == whole
    paper = Paper.from_json(final.paper)
    assert {each.label for each in paper.allowances} == {"Fidélité", "Port"}
    for invoice in (deposit, final):
        xml = bytes(invoice.documents.get(kind="xml").content)
        assert disagreements(xml, Paper.from_json(invoice.paper)) == []
    assert [*books.verify(), *pages.check()] == []


def test_an_amount_with_vat_is_that_amount_and_no_more_than_what_is_left():
    draft = saved(adjustments=[{"kind": "discount", "amount": "1000"}])
    assert deposit_on(draft, amount_minor=100_00).total_minor == 100_00
    with pytest.raises(DraftRefused, match="more than the draft bills"):
        deposit_on(draft, amount_minor=draft.total_minor + 1)


def test_a_discount_pinned_to_a_rate_leaves_nothing_of_it_to_a_deposit():
    draft = saved(adjustments=[{"kind": "discount", "percent": "100", "vat": "S:10"}])
    deposit = deposit_on(draft, percent=D(50))
    assert groups(deposit) == {D(20): (500_00, 100_00)}


def test_a_deposit_then_a_larger_discount_than_what_is_left_is_refused_in_words():
    draft = saved(adjustments=[])
    deposit = make_unprinted(deposit_on(draft, percent=D(80)))
    deposits.choose_deposits(invoice_id=draft.pk, deposit_ids=[deposit.pk], **DAY)
    saved(draft=draft, adjustments=[{"kind": "discount", "percent": "50"}])
    draft = Invoice.objects.get(pk=draft.pk)
    assert draft.total_minor < 0
    assert reasons_not_to_issue(draft, DAY["on"])


class AnyDraft(TestCase):
    @settings(max_examples=30, deadline=None)
    @given(
        prices=st.lists(
            st.tuples(
                st.decimals("20", "2000", places=2),
                st.sampled_from([D(20), D(10), D("5.5")]),
                st.sampled_from(["goods", "services"]),
            ),
            min_size=1,
            max_size=4,
        ),
        percent=st.decimals("0.5", "60", places=2),
        adjustments=st.lists(
            st.sampled_from(
                [
                    BOTH[0],
                    BOTH[1],
                    {"kind": "discount", "percent": "33.33"},
                    {"kind": "discount", "amount": "7.77"},
                    {"kind": "charge", "percent": "1.5"},
                    {"kind": "charge", "amount": "9.99", "vat": "S:2.1"},
                ]
            ),
            min_size=1,
            max_size=3,
        ),
    )
    def test_deposit_and_final_make_the_whole(self, prices, percent, adjustments):
        lines = [
            {"description": "x", "unit_price": price, "vat_rate": rate, "nature": nature}
            for price, rate, nature in prices
        ]
        draft = saved(lines, make_draft(), adjustments=adjustments)
        whole = groups(draft)
        deposit = make_unprinted(deposit_on(draft, percent=percent))
        assert all(net > 0 for net, _vat in groups(deposit).values())
        deposits.choose_deposits(invoice_id=draft.pk, deposit_ids=[deposit.pk], **DAY)
        assert summed(deposit, draft) == whole
