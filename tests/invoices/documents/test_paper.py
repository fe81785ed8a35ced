"""The frozen document: what is stored, and what is hashed."""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoices.documents.paper import (
    Buyer,
    Paper,
    PaperAllowance,
    PaperLine,
    PaperMalformed,
    PaperVat,
    Seller,
    canonical_bytes,
)

days = st.dates(date(1990, 1, 1), date(2100, 1, 1))
amounts = st.integers(-(10**15), 10**15)
numbers = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9)
texts = st.text(max_size=20)
address = st.lists(texts, max_size=3).map(tuple)
categories = st.sampled_from(["S", "Z", "E", "AE", "K", "G", "O"])
papers = st.builds(
    Paper,
    currency=st.sampled_from(["EUR", "JPY", "TND"]),
    seller=st.builds(Seller, name=texts, address=address, iban=texts),
    buyer=st.builds(Buyer, name=texts, address=address, vat_id=texts),
    lines=st.lists(
        st.builds(
            PaperLine,
            description=texts,
            quantity=numbers,
            unit_price=numbers,
            net_minor=amounts,
            vat_category=categories,
            vat_rate=numbers,
            discount_percent=numbers,
            discount_minor=amounts,
        ),
        max_size=3,
    ).map(tuple),
    breakdown=st.lists(
        st.builds(PaperVat, basis_minor=amounts, vat_minor=amounts, vat_rate=numbers), max_size=3
    ).map(tuple),
    allowances=st.lists(
        st.builds(PaperAllowance, amount_minor=amounts, label=texts, percent=numbers), max_size=2
    ).map(tuple),
    net_minor=amounts,
    vat_minor=amounts,
    total_minor=amounts,
    kind=st.sampled_from(["invoice", "credit_note"]),
    language=st.sampled_from(["fr", "en"]),
    number=texts,
    issue_date=st.none() | days,
    due_date=st.none() | days,
    corrects_date=st.none() | days,
    exemptions=address,
    vat_on_debits=st.booleans(),
    vat_minor_in_eur=st.none() | amounts,
    notes=texts,
)


def small_paper(**fields):
    return Paper(
        currency="EUR",
        seller=Seller(name="Kerlann Conseil"),
        buyer=Buyer(name="Brasserie du Port"),
        lines=(),
        breakdown=(),
        net_minor=0,
        vat_minor=0,
        total_minor=0,
        **fields,
    )


@given(papers)
def test_a_paper_survives_storage_exactly(paper):
    stored = json.loads(json.dumps(paper.to_json()))
    again = Paper.from_json(stored)
    assert again == paper
    assert canonical_bytes(again) == canonical_bytes(paper) == canonical_bytes(stored)


@given(papers, st.randoms(use_true_random=False))
def test_the_hashed_bytes_do_not_depend_on_the_order_in_which_a_database_keeps_keys(paper, random):
    stored = paper.to_json()
    keys = list(stored)
    random.shuffle(keys)
    assert canonical_bytes({key: stored[key] for key in keys}) == canonical_bytes(paper)


def test_equal_decimals_are_one_snapshot():
    one, other = (
        small_paper(
            allowances=(PaperAllowance(amount_minor=1, percent=Decimal(text)),),
        )
        for text in ("20", "20.00")
    )
    assert canonical_bytes(one) == canonical_bytes(other)
    zero = PaperLine(
        description="", quantity=Decimal("-0.00"), unit_price=Decimal("1E+3"), net_minor=0
    )
    stored = replace(small_paper(), lines=(zero,)).to_json()
    assert stored["lines"][0]["quantity"] == "0"
    assert stored["lines"][0]["unit_price"] == "1000"


def test_any_change_changes_the_bytes():
    paper = small_paper(number="F-1", issue_date=date(2026, 9, 25))
    for changed in (
        replace(paper, number="F-2"),
        replace(paper, issue_date=date(2026, 9, 26)),
        replace(paper, buyer=Buyer(name="Brasserie du Port ")),
        replace(paper, total_minor=1),
    ):
        assert canonical_bytes(changed) != canonical_bytes(paper)


def test_the_bytes_of_a_paper_are_these_for_ever():
    """Hash chains rest on them: a change here breaks every archive."""
    paper = small_paper(number="F-1", issue_date=date(2026, 9, 25), exemptions=("É",))
    assert canonical_bytes(paper) == (
        b'{"breakdown":[],"buyer":{"name":"Brasserie du Port"},"currency":"EUR",'
        b'"exemptions":["\\u00c9"],"issue_date":"2026-09-25","lines":[],"net_minor":0,'
        b'"number":"F-1","seller":{"name":"Kerlann Conseil"},"total_minor":0,"vat_minor":0}'
    )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"surprise": 1}, "unknown fields: surprise"),
        ({"total_minor": "12"}, "paper.total_minor is '12'"),
        ({"total_minor": True}, "paper.total_minor is True"),
        ({"issue_date": "2026-02-30"}, "paper.issue_date"),
        ({"kind": "pro forma"}, "paper.kind"),
        ({"buyer": "Me"}, "paper.buyer"),
        ({"lines": [{"description": "x"}]}, r"paper.lines\[0\]"),
        (
            {"lines": [{"description": "", "quantity": "?", "unit_price": "1", "net_minor": 0}]},
            r"paper.lines\[0\].quantity",
        ),
    ],
)
def test_a_snapshot_that_is_no_paper_is_refused_with_the_place(change, says):
    with pytest.raises(PaperMalformed, match=says):
        Paper.from_json({**small_paper().to_json(), **change})


def test_a_snapshot_without_a_required_field_is_refused():
    stored = small_paper().to_json()
    del stored["buyer"]
    with pytest.raises(PaperMalformed, match="buyer"):
        Paper.from_json(stored)
