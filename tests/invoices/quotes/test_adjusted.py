"""Discounts and charges on a whole quote: what is offered, chosen, accepted, and billed of it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from billing_portal.idempotency import new_key
from invoices.documents.adjustments import read, stored
from invoices.documents.paper import Paper
from invoices.documents.totals import TotalsRefused
from invoices.invoicing.drafting import save_draft, void_draft
from invoices.models import Invoice, QuoteBilling, VatBreakdown
from invoices.quotes import beginning, converting, drafting, links, sending
from invoices.quotes.answering import OtherTotal
from invoices.quotes.choices import totals_of
from invoices.quotes.converting import bill_deposit, bill_lines, bill_rest, bill_whole
from invoices.quotes.refusals import Exceeds, QuoteRefused
from tests.factories import make_unprinted
from tests.invoices.quotes.making import (
    CHOICES,
    TODAY,
    accept,
    accepted_quote,
    line,
    pick,
    send_quote,
    unprinted_acceptance,
    write_quote,
)

pytestmark = pytest.mark.django_db
D = Decimal
DAY = {"by": None, "on": TODAY}
TENTH = {"kind": "discount", "percent": "10", "reason": "Fidélité", "code": "95"}
FREIGHT = {"kind": "charge", "amount": "15", "reason": "Port", "code": "FC", "vat": "S:20"}
OFF = {"kind": "discount", "amount": "200", "code": "95"}
TWO = [line("1000", quantity=2), line("333.33", rate="5.5")]


def standing(quote):
    return converting.standing(quote.acceptance, converting.alive(quote))


def by_rate(quote):
    """Of the acceptance: net and VAT of each rate."""
    lines = quote.acceptance.lines.all()
    version = quote.acceptance.version
    totals = totals_of(lines, version.currency, version.adjustments)
    return {g.vat_rate: (g.basis_minor, g.vat_minor) for g in totals.breakdown}


def billed_by_rate(quote):
    found = {}
    for row in VatBreakdown.objects.filter(
        invoice__in=[each.invoice for each in converting.alive(quote)]
    ):
        net, vat = found.get(row.rate, (0, 0))
        found[row.rate] = (net + row.basis_minor, vat + row.vat_minor)
    return found


def quantities(quote, **wanted):
    rows = {f"p{row.unit_price:.0f}": row for row in quote.acceptance.lines.all()}
    return {rows[name].pk: D(str(quantity)) for name, quantity in wanted.items()}


# ─ Offered ──────────────────────────────────────────────────────────────────────────────────────
def test_a_percentage_follows_the_choice_and_an_amount_stands():
    quote = send_quote(lines=CHOICES, adjustments=[TENTH, FREIGHT])
    # 1,000, the ticked option of 50 and the proposed alternative of 400: a tenth off, 15 on.
    assert quote.version.net_minor == 1450_00 - 145_00 + 15_00
    accept(quote, pick(quote.version, "300"))
    quote.refresh_from_db()
    assert quote.acceptance.net_minor == 1300_00 - 130_00 + 15_00


def test_the_page_says_each_and_its_totals_add_up():
    quote = send_quote(lines=TWO, adjustments=[TENTH, FREIGHT])
    paper = Paper.from_json(quote.version.paper)
    assert sorted((each.label, each.signed_minor) for each in paper.allowances) == [
        ("Fidélité", -200_00),
        ("Fidélité", -33_33),
        ("Port", 15_00),
    ]
    assert paper.total_minor == quote.version.total_minor
    assert len(paper.lines) == 2


def test_a_choice_that_leaves_less_than_the_discount_is_not_sent():
    lines = [line("100"), line("500", role="option", proposed=True)]
    quote = write_quote(lines=lines, adjustments=[OFF])
    with pytest.raises(QuoteRefused, match="the least that he can choose"):
        sending.send(version_id=quote.version_id, recipients=[], by=None, on=TODAY)
    drafting.save_version(
        version_id=quote.version_id, header={"adjustments": [TENTH]}, lines=lines, by=None
    )
    sending.send(version_id=quote.version_id, recipients=[], by=None, on=TODAY)


def test_a_forged_choice_that_leaves_less_than_the_discount_is_refused_in_words():
    # The cheapest choice is right for the whole, not for the rate that the discount is pinned to.
    lines = [
        line("1000"),
        line("300", rate="5.5", role="alternative", section="A", proposed=True),
        line("310", role="alternative", section="A"),
    ]
    quote = send_quote(lines=lines, adjustments=[{**OFF, "vat": "S:5.5"}])
    with pytest.raises(OtherTotal, match="larger than"):
        accept(quote, pick(quote.version, "310"))
    quote.refresh_from_db()
    assert not hasattr(quote, "acceptance")


def test_too_much_off_is_told_where_it_is_typed_and_nothing_is_kept():
    quote = write_quote(lines=[line("100")], adjustments=[TENTH])
    problems = drafting.save_version(
        version_id=quote.version_id, header={"adjustments": [OFF]}, lines=[line("50")], by=None
    )
    assert list(problems) == ["adjustments"]
    quote.version.refresh_from_db()
    assert quote.version.adjustments == [TENTH]
    assert quote.version.lines.get().unit_price == 100


def test_what_left_is_frozen_and_copies_and_versions_have_it_too():
    quote = send_quote(adjustments=[TENTH])
    version = quote.version
    with pytest.raises(IntegrityError), transaction.atomic():
        type(version).objects.filter(pk=version.pk).update(adjustments=[])
    assert beginning.copy_quote(quote_id=quote.pk, **DAY).version.adjustments == [TENTH]
    newer = beginning.new_version(quote_id=quote.pk, **DAY)
    assert (newer.adjustments, newer.total_minor) == ([TENTH], version.total_minor)


# ─ Billed ───────────────────────────────────────────────────────────────────────────────────────
def test_whole_the_draft_bears_the_same_and_follows_its_lines():
    quote = accepted_quote(lines=TWO, adjustments=[TENTH, FREIGHT])
    invoice = bill_whole(quote_id=quote.pk, **DAY)
    assert invoice.adjustments == [TENTH, FREIGHT]
    assert invoice.total_minor == quote.acceptance.total_minor
    assert billed_by_rate(quote) == by_rate(quote)
    assert standing(quote).left_minor == 0


def test_a_deposit_is_of_the_total_after_discounts_by_each_rate():
    quote = accepted_quote(lines=TWO, adjustments=[TENTH, FREIGHT])
    deposit = bill_deposit(quote_id=quote.pk, percent=D(30), **DAY)
    rows = {row.rate: row.basis_minor for row in deposit.vat_breakdown.all()}
    assert rows == {D("20.00"): 544_50, D("5.50"): 90_00}
    assert deposit.adjustments == []
    final = bill_rest(quote_id=make_unprinted(deposit) and quote.pk, **DAY)
    assert final.is_final
    assert final.adjustments == [TENTH, FREIGHT]
    assert billed_by_rate(quote) == by_rate(quote)
    assert standing(quote).left_minor == 0


def test_chosen_lines_bear_their_part_and_the_last_the_rest():
    quote = accepted_quote(lines=TWO, adjustments=[TENTH, FREIGHT])
    first = bill_lines(quote_id=quote.pk, quantities=quantities(quote, p1000=1), **DAY)
    # Half of the discount at 20 % and half of the freight.
    assert first.net_minor == 1000_00 - 100_00 + 7_50
    words = [row.description for row in first.lines.filter(adjusts="discount")]
    assert words == ["Fidélité (10\u00a0%)"]
    second = bill_lines(quote_id=quote.pk, quantities=quantities(quote, p333=1), **DAY)
    assert second.net_minor == 333_33 - 33_33
    bill_rest(quote_id=quote.pk, **DAY)
    assert {rate: net for rate, (net, _vat) in billed_by_rate(quote).items()} == {
        rate: net for rate, (net, _vat) in by_rate(quote).items()
    }


def test_a_discarded_part_is_free_again():
    quote = accepted_quote(lines=TWO, adjustments=[TENTH, FREIGHT])
    first = bill_lines(quote_id=quote.pk, quantities=quantities(quote, p1000=1), **DAY)
    void_draft(invoice_id=first.pk, **DAY)
    rest = bill_rest(quote_id=quote.pk, **DAY)
    assert rest.adjustments == [TENTH, FREIGHT]
    assert billed_by_rate(quote) == by_rate(quote)


def test_more_than_was_accepted_is_asked_and_gives_a_percentage_of_that_too():
    quote = accepted_quote(lines=[line("100", quantity=10)], adjustments=[TENTH, {**OFF}])
    with pytest.raises(Exceeds) as asked:
        bill_lines(quote_id=quote.pk, quantities=quantities(quote, p100=12), **DAY)
    assert asked.value.over_minor == 216_00
    invoice = bill_lines(
        quote_id=quote.pk, quantities=quantities(quote, p100=12), agreed=asked.value.token, **DAY
    )
    assert invoice.net_minor == 1200_00 - 120_00 - 200_00


def test_a_draft_whose_discount_was_taken_away_exceeds_and_says_so_at_the_next():
    quote = accepted_quote(lines=[line("100", quantity=10)], adjustments=[TENTH])
    first = bill_lines(quote_id=quote.pk, quantities=quantities(quote, p100=5), **DAY)
    lines = [
        {"description": "x", "unit_price": D(100), "quantity": D(5), "vat_rate": D(20)},
    ]
    assert save_draft(invoice_id=first.pk, header={"adjustments": []}, lines=lines, by=None) == {}
    with pytest.raises(Exceeds) as asked:
        bill_rest(quote_id=quote.pk, **DAY)
    assert asked.value.over_minor == 60_00


def test_a_line_in_odd_parts_comes_to_what_was_accepted():
    quote = accepted_quote(lines=[line("0.335", quantity=300, rate=0), line("333.33", quantity=3)])
    for _n in range(2):
        bill_lines(quote_id=quote.pk, quantities=quantities(quote, p333="1.5"), **DAY)
    nets = [each.invoice.net_minor for each in converting.alive(quote)]
    assert nets == [500_00, 499_99]
    last = Invoice.objects.latest("pk")
    assert [row.description for row in last.lines.filter(adjusts="discount")] == ["Arrondi"]


# ─ Any quote ────────────────────────────────────────────────────────────────────────────────────
PRICES = st.decimals(D("0.01"), D("2000"), places=2)
RATES = st.sampled_from([20, 10, D("5.5")])
LINES = st.lists(
    st.tuples(PRICES, st.integers(1, 5), RATES, st.sampled_from([0, 0, 5, 33])),
    min_size=1,
    max_size=5,
)
SHARES = st.lists(
    st.one_of(
        st.builds(lambda p: {"kind": "discount", "percent": str(p)}, st.decimals(1, 30, places=2)),
        st.builds(lambda a: {"kind": "discount", "amount": str(a)}, st.decimals(1, 9, places=2)),
        st.builds(lambda p: {"kind": "charge", "percent": str(p)}, st.decimals(1, 30, places=2)),
        st.builds(
            lambda a, rate: {"kind": "charge", "amount": str(a), **({"vat": rate} if rate else {})},
            st.decimals(1, 90, places=2),
            st.sampled_from(["", "S:20", "S:2.1"]),
        ),
    ),
    max_size=4,
)


def any_quote(lines, adjustments):
    try:
        return unprinted_acceptance(
            lines=[
                line(price, quantity=n, rate=rate, discount_percent=D(off))
                for price, n, rate, off in lines
            ],
            adjustments=stored(read(adjustments)),
        )
    except (AssertionError, TotalsRefused):
        # More off than there is: nothing of the sort is offered.
        return None


class AnyQuote(TestCase):
    @settings(max_examples=40, deadline=None)
    @given(lines=LINES, adjustments=SHARES, data=st.data())
    def test_its_parts_make_it_to_the_cent_at_every_rate(self, lines, adjustments, data):
        quote = any_quote(lines, adjustments)
        if quote is None:
            return
        for _n in range(data.draw(st.integers(0, 4))):
            left = [
                row
                for row in converting.left_of_lines(quote.acceptance, converting.alive(quote))
                if row.left
            ]
            if not left:
                break
            row = data.draw(st.sampled_from(left))
            part = data.draw(st.sampled_from([D(1), row.left, row.left / 2]))
            try:
                bill_lines(quote_id=quote.pk, quantities={row.line.pk: min(part, row.left)}, **DAY)
            except QuoteRefused:
                # Of a cent and its discount nothing is left to bill.
                continue
            assert standing(quote).billed_minor <= quote.acceptance.total_minor + 9
        try:
            bill_rest(quote_id=quote.pk, **DAY)
        except QuoteRefused:
            alive = converting.alive(quote)
            if any(row.left for row in converting.left_of_lines(quote.acceptance, alive)):
                return
        accepted, billed = by_rate(quote), billed_by_rate(quote)
        parts = QuoteBilling.objects.filter(quote=quote).count()
        for rate, (net, vat) in accepted.items():
            got_net, got_vat = billed.get(rate, (0, 0))
            assert got_net == net
            # VAT is rounded once in each invoice, as the law has it.
            assert abs(got_vat - vat) <= parts

    @settings(max_examples=30, deadline=None)
    @given(
        lines=LINES,
        adjustments=SHARES,
        shares=st.lists(st.integers(1, 40), min_size=1, max_size=2),
    )
    def test_deposits_and_the_final_make_net_and_vat_of_every_rate(
        self, lines, adjustments, shares
    ):
        quote = any_quote(lines, adjustments)
        if quote is None or quote.acceptance.total_minor < 100:
            return
        for share in shares:
            make_unprinted(bill_deposit(quote_id=quote.pk, percent=D(share), **DAY))
        bill_rest(quote_id=quote.pk, **DAY)
        assert billed_by_rate(quote) == by_rate(quote)
        assert standing(quote).left_minor == 0


# ─ Pages ────────────────────────────────────────────────────────────────────────────────────────
def test_the_editor_adds_and_removes_one_and_keeps_what_is_typed(clerk_client):
    quote = write_quote(lines=[line("1000")])
    url = reverse("invoices:quote-edit", args=[quote.pk])
    form = {
        "title": "Work",
        "recipients": "",
        "valid_until": "31/12/2026",
        "terms": "net:30",
        "language": "fr",
        "currency": "EUR",
        "note": "",
        "deposit": "",
        "lines-TOTAL_FORMS": "0",
        "adjust-TOTAL": "0",
    }
    page = clerk_client.post(url, {**form, "act": "discount"}).text
    assert 'name="adjust-0-value"' in page
    row = {"adjust-TOTAL": "1", "adjust-0-kind": "discount", "adjust-0-code": "95"}
    wrong = clerk_client.post(url, {**form, **row, "adjust-0-value": "ten", "once": new_key()})
    assert (wrong.status_code, "ten" in wrong.text) == (422, True)
    given = {**form, **row, "adjust-0-value": "12,5", "adjust-0-reason": "Fidélité"}
    given |= {
        "lines-TOTAL_FORMS": "1",
        "lines-0-description": "Audit",
        "lines-0-quantity": "2",
        "lines-0-unit": "DAY",
        "lines-0-unit_price": "500",
        "lines-0-vat": "S:20",
        "lines-0-nature": "services",
        "lines-0-role": "included",
        "lines-0-section": "",
    }
    live = clerk_client.post(reverse("invoices:quote-totals", args=[quote.pk]), given).text
    assert "€875.00" in live
    clerk_client.post(url, {**given, "once": new_key()})
    quote.version.refresh_from_db()
    assert quote.version.adjustments == [
        {"kind": "discount", "percent": "12.5", "reason": "Fidélité", "code": "95"}
    ]
    assert quote.version.net_minor == 875_00


def test_the_client_reads_each_and_a_choice_that_leaves_too_little_says_so(client):
    lines = [
        line("1000"),
        line("300", rate="5.5", role="alternative", section="A", proposed=True),
        line("310", role="alternative", section="A"),
    ]
    quote = send_quote(lines=lines, adjustments=[{**OFF, "vat": "S:5.5", "reason": "Geste"}])
    base = links.path_of(quote.version)
    page = client.get(base).text
    assert "Geste" in page
    other = pick(quote.version, "310")
    answer = client.post(f"{base}total/", {"group-0": list(other)}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert "disabled" in answer.text
    given = {"group-0": list(other), "name": "Zoé", "power": "on", "read": "0"}
    refused = client.post(f"{base}accept/", given)
    assert refused.status_code == 422
    printed = client.post(f"{base}pdf/", {"group-0": list(other)})
    assert (printed.status_code, "text/html" in printed["Content-Type"]) == (422, True)


def test_a_new_version_says_what_became_of_a_discount(client):
    quote = send_quote(lines=[line("1000")], adjustments=[TENTH])
    newer = beginning.new_version(quote_id=quote.pk, **DAY)
    drafting.save_version(
        version_id=newer.pk,
        header={"adjustments": [{**OFF, "reason": "Geste"}]},
        lines=[line("1000")],
        by=None,
    )
    sending.send(version_id=newer.pk, recipients=["gaelle@guerin.example"], by=None, on=TODAY)
    newer.refresh_from_db()
    page = client.get(links.path_of(newer)).text
    assert "Fidélité" in page
    assert "Geste" in page
