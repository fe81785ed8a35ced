"""Goods or services: asked per line, judged, printed, and kept by what comes after."""

from __future__ import annotations

import html
from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from billing_portal.money import from_minor
from invoices.deals.changes import changing, take_over
from invoices.deals.drafting import draft_from_deal
from invoices.invoicing import drafting, issuing
from invoices.invoicing.crediting import issue_credit_note
from invoices.invoicing.readiness import reasons_not_to_issue
from invoices.models import Company, Deal, ExemptionReason, Invoice
from tests.factories import make_client, make_company, make_deal, make_draft, make_user

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 24)
UNTAXED = {"quantity": Decimal(1), "unit_price": Decimal(1000), "tax_percent": Decimal(0)}


def line(nature, category="S", rate=20, **more):
    return {
        "description": "It",
        "unit_price": Decimal(100),
        "vat_category": category,
        "vat_rate": Decimal(rate),
        "nature": nature,
        **more,
    }


def draft_of(*lines, client=None, **header):
    draft = make_draft(client=client)
    problems = drafting.save_draft(invoice_id=draft.pk, header=header, lines=lines, by=None)
    assert problems == {}
    draft.refresh_from_db()
    return draft


def in_germany():
    return make_client(country="DE", vat_id="DE129273398", postal_code="10115")


def reasons(draft, *fields):
    return [each for each in reasons_not_to_issue(draft, ON) if each.field in fields]


@pytest.mark.parametrize(
    ("natures", "said"),
    [(["goods"], "goods"), (["services"], "services"), (["goods", "services"], "mixed")],
)
def test_the_document_says_what_is_supplied(natures, said):
    draft = draft_of(*(line(each) for each in natures))
    issued = issuing.issue(invoice_id=draft.pk, by=None, on=ON)
    assert issued.paper["nature"] == said


def test_goods_to_germany_need_their_own_reason_and_their_day():
    draft = draft_of(line("goods", "AE", 0), line("services", "K", 0), client=in_germany())
    told = [(each.text, each.anchor) for each in reasons(draft, "vat", "service_from")]
    assert told == [
        (
            "Line 2 is delivered within the EU: give the day on which it left, as service from.",
            "#id_service_from",
        ),
        (
            "Line 1 is of goods and says “Reverse charge”: it is for services to businesses of "
            "other states of the Union.",
            "#id_lines-0-nature",
        ),
        (
            "Line 2 is of services and says “Within the EU”: it is for goods sent to businesses of "
            "other states of the Union.",
            "#id_lines-1-nature",
        ),
    ]
    right = draft_of(
        line("services", "AE", 0), line("goods", "K", 0), client=in_germany(), service_from=ON
    )
    assert reasons(right, "vat", "service_from", "vat_id") == []
    issued = issuing.issue(invoice_id=right.pk, by=None, on=ON)
    assert issued.paper["nature"] == "mixed"
    assert len(issued.paper["exemptions"]) == 2


def test_no_other_nature_is_taken():
    draft = make_draft()
    problems = drafting.save_draft(invoice_id=draft.pk, header={}, lines=[line("both")], by=None)
    assert problems == {"lines.0.nature": "Choose goods or services."}


def test_a_company_that_sells_goods_bills_its_deals_as_goods():
    make_company()
    Company.objects.update(usual_nature="goods")
    deal = make_deal(client=in_germany(), tax_method="none", lines=(UNTAXED,), value_minor=1000_00)
    row = draft_from_deal(deal_id=deal.pk, by=None, on=ON).lines.get()
    assert (row.nature, row.vat_category, row.vat_rate) == ("goods", "K", 0)


def test_a_credit_note_is_of_what_its_invoice_was():
    whole = issuing.issue(
        invoice_id=draft_of(line("goods"), line("services", rate=10)).pk, by=None, on=ON
    )
    note = issue_credit_note(invoice_id=whole.pk, reason="All of it", by=None, on=ON)
    assert [row.nature for row in note.lines.all()] == ["goods", "services"]
    assert note.paper["nature"] == "mixed"
    # By an amount: what is at one rate is of one nature, or nobody knows.
    for natures, wanted in ((("goods", "goods"), "goods"), (("goods", "services"), "")):
        invoice = issuing.issue(
            invoice_id=draft_of(*(line(each) for each in natures)).pk, by=None, on=ON
        )
        part = issue_credit_note(
            invoice_id=invoice.pk, amount=from_minor(60_00, "EUR"), reason="Some", by=None, on=ON
        )
        assert part.lines.get().nature == wanted
        assert part.paper.get("nature", "") == wanted


def test_a_deal_whose_title_changed_takes_nothing_from_the_lines():
    make_company()
    clerk = make_user()
    reason = ExemptionReason.objects.order_by("pk").first()
    deal = make_deal(client=make_client(), title="Before", lines=(UNTAXED,), value_minor=1000_00)
    draft = draft_from_deal(deal_id=deal.pk, by=None, on=ON)
    drafting.save_draft(
        invoice_id=draft.pk,
        header={},
        lines=[
            line("goods", "E", 0, exemption_id=reason.pk),
            line("goods", price_missing=True, unit_price=0),
        ],
        by=clerk,
    )
    with changing([deal.pk], ON):
        Deal.objects.filter(pk=deal.pk).update(title="After")
    take_over(invoice_id=draft.pk, by=clerk, on=ON)
    draft.refresh_from_db()
    assert draft.title == "After"
    rows = list(draft.lines.all())
    assert [row.nature for row in rows] == ["goods", "goods"]
    assert rows[0].exemption == reason
    assert rows[1].price_missing


def test_the_editor_asks_and_keeps_it(clerk_client):
    draft = draft_of(line("goods"))
    page = html.unescape(clerk_client.get(reverse("invoices:edit", args=[draft.pk])).text)
    assert '<option value="goods" selected>Goods</option>' in page
    assert 'data-vat-goods="S:20"' in page
    assert Invoice.objects.get(pk=draft.pk).lines.get().nature == "goods"
