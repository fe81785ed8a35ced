"""The catalogue: its pages, what the editors of lines get of it, and where it is used."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from billing_portal.idempotency import new_key
from invoices.catalogue.picking import offers
from invoices.catalogue.usage import usage_of
from invoices.company.exemptions import Exemptions
from invoices.invoicing.issuing import issue
from invoices.invoicing.views.editor import InvoiceEditor
from invoices.models import CatalogueItem, Company, InvoiceLine
from tests.confirm import confirm
from tests.factories import make_client, make_company, make_draft, make_item
from tests.invoices.invoicing.test_draft_pages import HTMX, edit_url, posted

pytestmark = pytest.mark.django_db


def save(client, item=None, **fields):
    url = reverse("invoices:item-edit", args=[item.pk]) if item else reverse("invoices:item-new")
    given = {"code": "AUDIT", "name": "Audit", "unit": "DAY", "nature": "services", "vat": "S:20"}
    return client.post(url, {**given, "once": new_key(), **fields})


def test_an_item_is_added_changed_and_its_code_is_unique_whatever_its_capitals(clerk_client):
    make_company()
    assert (
        save(
            clerk_client, price_EUR="1 150,5", other_currency="usd", other_price="1200"
        ).status_code
        == 303
    )
    item = CatalogueItem.objects.get()
    assert {p.currency: p.unit_price for p in item.prices.all()} == {
        "EUR": Decimal("1150.5"),
        "USD": Decimal("1200"),
    }
    assert (item.vat_category, item.vat_rate, item.unit) == ("S", 20, "DAY")
    assert save(clerk_client, item, code="audit", name="Audit of books", vat="").status_code == 303
    item.refresh_from_db()
    assert (item.name, item.vat_category, item.prices.count()) == ("Audit of books", "", 0)
    again = save(clerk_client, code="Audit ")
    assert again.status_code == 422 and "another item’s code" in again.text
    for wrong in (
        {"price_EUR": "-1"},
        {"other_price": "5"},
        {"other_currency": "XQX", "other_price": "1"},
    ):
        assert save(clerk_client, code="B", **wrong).status_code == 422
    assert CatalogueItem.objects.count() == 1


def test_archived_it_is_no_longer_offered_and_found_only_where_asked_for(clerk_client):
    company = make_company()
    item = make_item(code="OLD-1", name="Ancienne prestation")
    make_item(code="NEW", name="Nouvelle prestation")
    page = reverse("invoices:item", args=[item.pk])
    url = reverse("invoices:item-archive", args=[item.pk])
    confirm(clerk_client, url, at=page)
    item.refresh_from_db()
    assert item.is_archived
    found, _more = offers("prestation", client=make_client(), currency="EUR", company=company)
    assert [offer.item.code for offer in found] == ["NEW"]
    listed = reverse("invoices:catalogue")
    assert "OLD-1" not in clerk_client.get(listed).text
    assert "OLD-1" in clerk_client.get(listed, {"state": "archived", "q": "ancienne old"}).text
    assert "No item fits" in clerk_client.get(listed, {"q": "nowhere"}).text


def options(client, buyer, **query):
    return client.get(reverse("invoices:item-choices", args=[buyer.pk]), query).text


def test_an_item_has_the_price_of_the_currency_and_never_one_that_was_converted(clerk_client):
    make_company()
    make_item(code="CONS", name="Conseil", prices={"EUR": "1150"})
    buyer = make_client()
    assert 'data-price="1150.00"' in options(clerk_client, buyer, q="cons", currency="EUR")
    dollars = options(clerk_client, buyer, q="cons", currency="USD")
    assert 'data-price=""' in dollars
    assert "CONS has no price in USD (only in EUR): the price was left blank" in dollars


@pytest.mark.parametrize(
    ("buyer", "vat"),
    [
        ({}, "S:10"),
        ({"country": "GP", "postal_code": "97100", "vat_id": "", "siren": ""}, "S:2.1"),
        ({"country": "DE", "vat_id": "DE136695976", "siren": ""}, "AE:0"),
        ({"country": "US", "vat_id": "", "siren": ""}, "O:0"),
    ],
)
def test_the_vat_of_an_item_gives_way_to_the_clients_situation(clerk_client, buyer, vat):
    make_company()
    make_item(code="LOW", name="Reduced", vat_category="S", vat_rate=10)
    assert f'data-vat="{vat}"' in options(clerk_client, make_client(**buyer), currency="EUR")


def test_an_exempt_item_brings_its_reason_and_a_franchise_charges_nothing(clerk_client):
    make_company()
    why = next(r for r in Exemptions().on(timezone.localdate()) if r.category == "E")
    make_item(code="TEACH", vat_category="E", exemption=why)
    make_item(code="OTHER", vat_category="S", vat_rate=20)
    assert f'data-vat="E:0:{why.pk}"' in options(clerk_client, make_client(), currency="EUR")
    Company.objects.update(vat_regime="franchise")
    assert 'data-vat="S:' not in options(clerk_client, make_client(), currency="EUR")


def test_a_line_points_at_its_item_and_keeps_its_own_words(clerk_client, clerk):
    item = make_item(code="CONS", name="Conseil", prices={"EUR": "1150"})
    draft = make_draft()
    line = {"description": "Conseil à Nantes", "unit_price": "1100", "item": item.pk}
    forged = {"description": "Forged", "unit_price": "1", "item": "999999999"}
    assert (
        clerk_client.post(edit_url(draft), posted(draft, line, forged), headers=HTMX).status_code
        == 200
    )
    first, second = draft.lines.all()
    assert (first.item_id, second.item_id) == (item.pk, None)
    save(clerk_client, item, name="Renamed", price_EUR="2000")
    first.refresh_from_db()
    assert (first.description, first.unit_price) == ("Conseil à Nantes", 1100)
    # What was kept while typing goes on pointing at it.
    assert InvoiceEditor.stored(draft, timezone.localdate()).lines[0].item == str(item.pk)
    issued = issue(invoice_id=draft.pk, by=clerk, on=timezone.localdate())
    usage = usage_of(item, clerk)
    assert [invoice.pk for invoice in usage.invoices] == [issued.pk]
    assert [(b.currency, b.quantity, b.net_minor) for b in usage.billed] == [("EUR", 1, 1100_00)]
    page = clerk_client.get(reverse("invoices:item", args=[item.pk])).text
    assert issued.number in page and "1,100.00" in page
    # Beneath the triggers: nobody moves the link of an issued line.
    with pytest.raises(Exception, match="issued"):
        InvoiceLine.objects.filter(pk=first.pk).update(item=None)


def test_queries_do_not_grow_with_the_catalogue(clerk_client, django_assert_max_num_queries):
    make_company()
    buyer = make_client()
    for n in range(30):
        make_item(code=f"C-{n}", prices={"EUR": "1", "USD": "2"})
    with django_assert_max_num_queries(12):
        page = clerk_client.get(reverse("invoices:catalogue")).text
    assert len(re.findall("row-link", page)) == 30
    with django_assert_max_num_queries(10):
        text = options(clerk_client, buyer, q="c", currency="EUR")
    assert text.count("data-price") == 12 and "type on" in text
    # A code that is typed whole comes first.
    assert re.search(r'data-words="([^"]*)"', options(clerk_client, buyer, q="c-3")) is not None
    assert "C-3 " in options(clerk_client, buyer, q="C-3").split("</li>")[0]
