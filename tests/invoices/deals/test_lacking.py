"""What a deal lacks before it can be billed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.translation import override

from invoices.clients import recipients
from invoices.deals import lacking
from invoices.deals.drafting import draft_from_deal
from invoices.invoicing import drafting, readiness
from invoices.models import Client, Deal
from tests.factories import make_client, make_company, make_deal

pytestmark = pytest.mark.django_db


def line(quantity=1, price="100", **fields):
    return {"quantity": Decimal(str(quantity)), "unit_price": Decimal(price), **fields}


def fields_of(deal):
    return {missing.field: missing for missing in lacking.missing_for([deal])[deal.pk]}


def test_a_complete_deal_lacks_nothing():
    make_company()
    deal = make_deal()
    assert lacking.missing_for([deal])[deal.pk] == []


@pytest.mark.parametrize(
    ("client", "deal", "field", "blocking"),
    [
        ({"city": ""}, {}, "address", True),
        ({"billing_email": ""}, {}, "billing_email", False),
        ({"country": "DE", "vat_id": "", "siren": ""}, {}, "vat_id", True),
        ({"siren": ""}, {}, "siren", False),
        ({"needs_purchase_order": True}, {}, "purchase_order", True),
        ({}, {"lines": (), "value_minor": 0}, "value", True),
        ({}, {"value_minor": 999_00}, "value", False),
        ({}, {"lines": (line(1, "-1000"),), "value_minor": -1000_00}, "value", True),
        ({}, {"lines": (), "value_minor": 100}, "lines", False),
        ({}, {"lines": (line(1, "1000", billing_frequency="monthly"),)}, "lines", False),
        ({"country": "US", "vat_id": ""}, {}, "vat", False),
    ],
)
def test_what_a_deal_lacks_is_named(client, deal, field, blocking):
    make_company()
    found = fields_of(make_deal(client=make_client(**client), **deal))
    assert found[field].blocking is blocking
    assert found[field].text


def test_how_often_a_line_recurs_is_said_in_the_readers_language():
    make_company()
    deal = make_deal(client=make_client(), lines=(line(1, "1000", billing_frequency="monthly"),))
    with override("fr"):
        assert "(chaque mois)" in fields_of(deal)["lines"].text


def test_lines_without_vat_among_others_need_the_article_of_law_before_the_draft_says_so():
    make_company()
    free = line(1, "100", tax_percent=Decimal(0))
    deal = make_deal(client=make_client(), lines=(line(1, "800"), free, free), value_minor=1000_00)
    assert fields_of(deal)["exempt"].text.startswith("Lines 2, 3 have no VAT")
    assert fields_of(deal)["exempt"].blocking
    assert not fields_of(deal)["exempt"].prevents_draft
    # The draft says which lines, and that somebody has to look: the deal did not name a reason.
    draft = draft_from_deal(deal_id=deal.pk, by=None, on=date(2026, 11, 24))
    assert [note for note in drafting.draft_notes(draft) if "exempt" in note] == [
        "Line 2 has no VAT in the deal, other lines have: it was taken as exempt.",
        "Line 3 has no VAT in the deal, other lines have: it was taken as exempt.",
    ]
    reasons = readiness.reasons_not_to_issue(draft, date(2026, 11, 24))
    assert "Lines 2, 3 are exempt from VAT: the note must name the article of law." in [
        reason.text for reason in reasons
    ]


def test_a_seller_without_vat_is_not_told_of_other_lines():
    make_company(vat_rate=Decimal(0))
    free = line(1, "100", tax_percent=Decimal(0))
    deal = make_deal(client=make_client(), lines=(free, free), value_minor=200_00)
    found = fields_of(deal)["exempt"].text
    assert found == "No VAT is charged: the note of the draft must name the article of law."


def test_a_client_that_the_crm_lost_is_a_warning():
    make_company()
    found = fields_of(make_deal(client=make_client(gone_at=timezone.now())))
    assert not found["client"].blocking


def test_recipients_are_the_billing_address_else_contacts_else_the_deals_contact():
    make_company()
    client = make_client(billing_email="")
    contact = client.contacts.create(name="A", email="a@client.example")
    deal = make_deal(client=client, contact=contact)
    assert recipients.recipients_for(deal) == ["a@client.example"]
    client.contacts.create(name="B", email="b@client.example", receives_invoices=True)
    assert recipients.recipients_for(Deal.objects.get(pk=deal.pk)) == ["b@client.example"]
    Client.objects.filter(pk=client.pk).update(billing_email="c@client.example")
    assert recipients.recipients_for(Deal.objects.get(pk=deal.pk)) == ["c@client.example"]


def test_a_queue_of_twenty_deals_takes_as_many_queries_as_one():
    make_company()

    def queries(count):
        for _ in range(count):
            make_deal(lines=(line(1, "600"), line(1, "400")))
        with CaptureQueriesContext(
            connection,
        ) as caught:
            deals = list(lacking.with_what_billing_needs(Deal.objects.to_bill()))
            assert len(lacking.missing_for(deals)) == len(deals)
        return len(caught)

    assert queries(1) == queries(20)
