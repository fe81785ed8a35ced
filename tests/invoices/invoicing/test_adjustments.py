"""Discounts and charges on the whole of an invoice, and what is held back of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_portal.money import from_minor
from invoices.accounting import books, pages
from invoices.documents.adjustments import Adjustment, Sort, as_line, parts_of, read, stored
from invoices.documents.facturx.agreement import disagreements
from invoices.documents.paper import Paper
from invoices.documents.totals import TotalsRefused, compute
from invoices.invoicing import drafting, issuing
from invoices.invoicing.correcting import draft_correction
from invoices.invoicing.creditable import CreditLine
from invoices.invoicing.crediting import issue_credit_note
from invoices.invoicing.freezing import IssueRefused
from invoices.invoicing.readiness import reasons_not_to_issue
from invoices.models import Invoice, VatBreakdown
from invoices.payments.recording import record_payment
from tests.factories import make_draft
from tests.invoices.accounting.bookkeeping import balances, journal
from tests.invoices.invoicing.test_draft_pages import LINE, posted

D = Decimal
ON = date(2026, 11, 24)
DAY = {"by": None, "on": ON}
LINES = [
    {"description": "Audit", "unit_price": D("1000"), "vat_rate": D(20), "nature": "services"},
    {"description": "Poutre", "unit_price": D("333.33"), "vat_rate": D(10), "nature": "goods"},
]
BOTH = [
    {"kind": "discount", "percent": "10", "reason": "Fidélité", "code": "95"},
    {"kind": "charge", "amount": "15", "reason": "Port", "code": "FC", "vat": "S:20"},
]


def saved(lines=LINES, draft=None, **header):
    draft = draft or make_draft()
    problems = drafting.save_draft(invoice_id=draft.pk, header=header, lines=lines, by=None)
    assert problems == {}
    return Invoice.objects.get(pk=draft.pk)


def issued(**header):
    return issuing.issue(invoice_id=saved(**header).pk, **DAY)


def groups(invoice):
    return {
        row.rate: (row.basis_minor, row.vat_minor)
        for row in VatBreakdown.objects.filter(invoice=invoice)
    }


def test_page_e_invoice_rows_and_journal_say_the_same(db):
    invoice = issued(adjustments=BOTH)
    # 133.33 off, 100.00 of it at 20 % and 33.33 at 10 %; 15.00 more at 20 %.
    assert groups(invoice) == {D(20): (915_00, 183_00), D(10): (300_00, 30_00)}
    assert invoice.total_minor == 1428_00
    paper = Paper.from_json(invoice.paper)
    assert [(each.label, each.signed_minor) for each in paper.allowances] == [
        ("Fidélité", -33_33),
        ("Fidélité", -100_00),
        ("Port", 15_00),
    ]
    assert len(paper.lines) == 2
    xml = bytes(invoice.documents.get(kind="xml").content)
    assert disagreements(xml, paper) == []
    assert xml.count(b"<ram:ReasonCode>95</ram:ReasonCode>") == 2
    found = balances(journal()[0])
    assert found["709000"] == 133_33
    assert found["708500"] == -15_00
    assert found["706000"] == -1000_00
    assert [*books.verify(), *pages.check()] == []


def test_a_whole_credit_note_cancels_every_rate_and_parts_never_exceed(db):
    invoice = issued(adjustments=BOTH)
    lines = list(invoice.lines.all())
    # The first line without its discount is more than its rate has, with the charge that is there.
    with pytest.raises(IssueRefused):
        issue_credit_note(
            invoice_id=invoice.pk, lines=[CreditLine(lines[1].pk, 333_33)], reason="x", **DAY
        )
    part = [CreditLine(lines[1].pk, 100_00), CreditLine(lines[2].pk, -10_00)]
    first = issue_credit_note(invoice_id=invoice.pk, lines=part, reason="x", **DAY)
    assert Paper.from_json(first.paper).allowances[0].percent == 0
    rest = issue_credit_note(invoice_id=invoice.pk, reason="x", **DAY)
    invoice.refresh_from_db()
    assert invoice.status == "settled"
    for rate, (basis, vat) in groups(invoice).items():
        given_back = [groups(note).get(rate, (0, 0)) for note in (first, rest)]
        assert (basis, vat) == tuple(map(sum, zip(*given_back, strict=True)))
    charge = [each for each in Paper.from_json(rest.paper).allowances if each.is_charge]
    assert [each.amount_minor for each in charge] == [15_00]
    assert {account: minor for account, minor in balances(journal()[0]).items() if minor} == {}
    assert [*books.verify(), *pages.check()] == []


def test_a_correction_takes_them_over_and_a_change_of_lines_moves_the_percentage(db):
    invoice = issued(adjustments=BOTH)
    draft = draft_correction(invoice_id=invoice.pk, move_payments=False, **DAY)
    assert (draft.adjustments, draft.total_minor) == (BOTH, invoice.total_minor)
    saved([{**LINES[0], "unit_price": D(500)}], draft)
    draft.refresh_from_db()
    assert draft.net_minor == 500_00 - 50_00 + 15_00
    assert draft.lines.filter(adjusts="discount").count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "discount", "amount": "5000"},
        {"kind": "discount", "amount": "0.001"},
        {"kind": "discount"},
        {"kind": "discount", "percent": "101"},
        {"kind": "charge", "amount": "-1"},
        {"kind": "discount", "percent": "10", "amount": "5"},
        {"kind": "rebate", "percent": "10"},
        {"kind": "charge", "amount": "many"},
        {"kind": "discount", "amount": "5", "vat": "S:5.5"},
    ],
)
def test_what_cannot_be_shared_is_told_and_nothing_is_saved(db, wrong):
    draft = make_draft()
    before = draft.total_minor
    problems = drafting.save_draft(
        invoice_id=draft.pk, header={"adjustments": [wrong]}, lines=LINES, by=None
    )
    assert len(problems["adjustments"]) > 10
    draft.refresh_from_db()
    assert (draft.adjustments, draft.total_minor) == ([], before)


sorts = st.builds(
    Sort,
    vat_category=st.just("S"),
    vat_rate=st.sampled_from([D(20), D(10), D("5.5")]),
    nature=st.sampled_from(["goods", "services"]),
)
values = st.one_of(
    st.builds(lambda p: {"percent": D(p).scaleb(-2)}, st.integers(1, 10_000)),
    st.builds(lambda a: {"amount": D(a).scaleb(-2)}, st.integers(1, 100_000)),
)
adjustments = st.lists(
    st.builds(
        lambda kind, value, only: Adjustment(kind, only=only, **value),
        st.sampled_from(["discount", "charge"]),
        values,
        st.sampled_from([None, None, ("S", D(20)), ("S", D("2.1"))]),
    ),
    max_size=4,
)


def test_they_are_typed_beside_the_lines(clerk_client):
    draft = make_draft()
    url = reverse("invoices:edit", args=[draft.pk])
    page = clerk_client.post(url, posted(draft, LINE, act="discount"))
    assert 'name="adjust-0-value"' in page.text
    row = {"adjust-TOTAL": "1", "adjust-0-kind": "discount", "adjust-0-code": "95"}
    wrong = clerk_client.post(url, posted(draft, LINE, **row, **{"adjust-0-value": "many"}))
    assert "is no discount" in wrong.text
    row |= {"adjust-0-value": "10", "adjust-0-reason": "Fidélité"}
    sums = clerk_client.post(
        reverse("invoices:totals", args=[draft.pk]), posted(draft, LINE, **row)
    )
    assert "Fidélité (10%)" in sums.text
    clerk_client.post(url, posted(draft, LINE, **row, retention_percent="5"))
    draft.refresh_from_db()
    assert (draft.net_minor, draft.retention_percent) == (720_00, 5)
    gone = clerk_client.post(url, posted(draft, LINE, **row, act="unadjust-0"))
    assert 'name="adjust-0-value"' not in gone.text


lines_of = st.lists(st.tuples(sorts, st.integers(-50_000, 500_000)), min_size=1, max_size=8)


@given(lines_of, adjustments)
@settings(max_examples=300)
def test_lines_less_discounts_and_charges_make_the_net(nets, given_ones):
    coded = [replace(a, code={"discount": "95", "charge": "FC"}[a.kind]) for a in given_ones]
    assert read(stored(given_ones)) == coded
    try:
        parts = parts_of(given_ones, nets, "EUR")
    except TotalsRefused:
        return
    assert all(part.minor > 0 for part in parts)
    taken = sum(part.line[0] * part.minor for part in parts)
    totals = compute([as_line(part, "EUR") for part in parts], currency="EUR")
    assert totals.net_minor == taken
    lines = sum(net for _sort, net in nets)
    for number, each in enumerate(given_ones):
        mine = sum(part.minor for part in parts if part.adjustment is given_ones[number])
        if each.amount:
            assert mine == each.amount * 100
        elif each.only is None:
            assert abs(mine - max(lines, 0) * each.percent / 100) <= D("0.5")
    # No rate is below zero that was not.
    for group in {sort[:2] for sort, _net in nets}:
        net = sum(net for sort, net in nets if sort[:2] == group)
        off = sum(
            part.minor
            for part in parts
            if part.sort[:2] == group and part.adjustment.kind == "discount"
        )
        assert off <= max(net, 0)


# ─ Retention ────────────────────────────────────────────────────────────────────────────────────
def test_a_retention_is_the_last_instalment_and_stands_on_an_account_of_its_own(db):
    invoice = issued(retention_percent=D(5), lines=[{**LINES[0], "unit_price": D(10_000)}])
    now, held = invoice.instalments.order_by("position")
    assert (now.amount_minor, held.amount_minor, held.is_retention) == (11_400_00, 600_00, True)
    assert held.due_date == invoice.due_date == date(2027, 11, 24)
    assert invoice.next_due == now.due_date
    paper = Paper.from_json(invoice.paper)
    assert "Retenue de garantie de 5" in paper.payment_terms
    assert not held.is_overdue(date(2027, 11, 24))
    amount = from_minor(11_400_00, "EUR")
    record_payment(
        client_id=invoice.client_id, amount=amount, received_on=ON, reference="", by=None,
        method="transfer", allocations=[(invoice.pk, amount)],
    )  # fmt: skip
    invoice.refresh_from_db()
    assert (invoice.outstanding_minor, invoice.next_due) == (600_00, held.due_date)
    found = balances(journal()[0])
    assert (found.get("411000", 0), found["411700"]) == (0, 600_00)
    issue_credit_note(invoice_id=invoice.pk, amount=from_minor(600_00, "EUR"), reason="x", **DAY)
    found = balances(journal()[0])
    assert (found.get("411000", 0), found.get("411700", 0)) == (0, 0)
    assert [*books.verify(), *pages.check()] == []


def test_more_than_the_law_allows_or_released_too_early_is_a_reason(db):
    def reasons(**header):
        return " ".join(reason.text for reason in reasons_not_to_issue(saved(**header), ON))

    assert "71-584" in reasons(retention_percent=D("5.5"))
    assert "after the day" in reasons(retention_percent=D(5), retention_on=date(2026, 12, 1))
    # The 60 days of L441-10 are those of the rest.
    assert reasons(retention_percent=D(5), retention_on=date(2028, 1, 1)) == ""
    assert "60" in reasons(retention_percent=D(5), due_date=date(2027, 11, 1))
