"""Products of the CRM become items of the catalogue; a deal's instalments the dues of its draft."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from billing_portal.idempotency import new_key
from integrations.sandbox import Sandbox, build_world
from invoices.catalogue.keeping import give_back
from invoices.deals.changes import take_over
from invoices.deals.drafting import draft_from_deal
from invoices.invoicing.deal_basis import changed_of
from invoices.invoicing.drafting import draft_notes
from invoices.invoicing.dues import dues_of
from invoices.models import CatalogueItem, Deal, DealBasis
from tests.factories import make_item, make_user
from tests.integrations.crm.doing import TODAY, local, sync

pytestmark = pytest.mark.django_db


@pytest.fixture
def sandbox():
    with Sandbox(build_world(today=TODAY, deals=60)) as running:
        yield running


def prices(item):
    return {row.currency: row.unit_price for row in item.prices.all()}


def test_products_come_in_once_and_follow_the_crm(crm, sandbox):
    world = sandbox.world
    sync(crm, full=True)
    assert CatalogueItem.objects.count() == len(world.products)
    item = local("product", 1, CatalogueItem)
    assert (item.code, item.unit, item.vat_category, item.vat_rate) == ("CONS-SR", "DAY", "S", 20)
    # Its nought may only mean that nobody typed a rate.
    assert CatalogueItem.objects.get(code="DEBOURS").vat_category == ""
    world.change_product(
        1, prices=[{"price": 1200, "currency": "EUR"}, {"price": 1300.125, "currency": "USD"}]
    )
    twin = world.add_product(name="Twin", code="cons-sr", prices=[{"price": -1, "currency": "EUR"}])
    sync(crm)
    item.refresh_from_db()
    assert prices(item) == {"EUR": 1200, "USD": Decimal("1300.125")}
    other = local("product", twin, CatalogueItem)
    assert other.code == f"cons-sr-{twin}" and prices(other) == {}
    before = list(CatalogueItem.objects.order_by("pk").values())
    sync(crm, full=True)
    assert list(CatalogueItem.objects.order_by("pk").values()) == before


def test_what_was_typed_here_is_not_overwritten_until_it_is_given_back(crm, sandbox, clerk_client):
    own = make_item(code="ux", name="Ours", prices={"EUR": "1"})
    sync(crm, full=True)
    own.refresh_from_db()
    # The same code: it is that product, and nothing of it was overwritten.
    assert (own.origin, own.name, prices(own)) == ("crm", "Ours", {"EUR": 1})
    item = local("product", 1, CatalogueItem)
    given = {
        "code": item.code,
        "name": "Our words",
        "unit": item.unit,
        "nature": "goods",
        "vat": "S:20",
        "price_EUR": "1150",
        "once": new_key(),
    }
    clerk_client.post(f"/catalogue/{item.pk}/edit/", given)
    sandbox.world.change_product(1, name="Their words", description="Theirs")
    sync(crm)
    item.refresh_from_db()
    assert (item.name, item.description, item.nature) == ("Our words", "Theirs", "goods")
    page = clerk_client.get(f"/catalogue/{item.pk}/").text
    assert "never overwritten: name." in page
    give_back(item_id=item.pk, by=None)
    item.refresh_from_db()
    assert (item.name, item.nature, item.kept_here) == ("Their words", "goods", [])


def test_what_is_gone_hidden_or_inactive_there_is_archived_and_never_deleted(crm, sandbox):
    world = sandbox.world
    sync(crm, full=True)
    world.change_product(1, is_deleted=True)
    world.hide("product", 2)
    world.change_product(3, is_linkable=False)
    sync(crm, full=True)
    states = [local("product", n, CatalogueItem).is_archived for n in (1, 2, 3, 4)]
    assert states == [True, True, True, False]
    assert CatalogueItem.objects.count() == len(world.products)
    world.change_product(3, is_linkable=True)
    sync(crm)
    assert not local("product", 3, CatalogueItem).is_archived


def won_deal(world, lines, **fields):
    organization = next(
        n for n, o in world.organizations.items() if o["name"] and not o["is_deleted"]
    )
    number = world.add_deal(title="Audit", org_id=organization, lines=lines, **fields)
    world.win_deal(number)
    return number


def drafted(deal_id):
    return draft_from_deal(deal_id=deal_id, by=make_user(), on=TODAY)


def at_home(deal):
    client = deal.client
    client.country, client.postal_code, client.buyer_kind = "FR", "44000", "business"
    client.save()


def test_a_line_of_a_deal_has_its_item_and_where_it_names_no_vat_the_items(crm, sandbox):
    world = sandbox.world
    lines = [
        {"product_id": 23, "item_price": 100, "tax": 0},
        {"product_id": 1, "item_price": 50, "tax": 0},
    ]
    number = won_deal(world, lines)
    sync(crm, full=True)
    CatalogueItem.objects.filter(code="DEPL").update(nature="goods")
    deal = local("deal", number, Deal)
    at_home(deal)
    draft = drafted(deal.pk)
    first, second = draft.lines.all()
    assert (first.item.code, first.vat_rate, first.nature) == ("DEPL", 10, "goods")
    assert (second.item.code, second.vat_rate, second.nature) == ("CONS-SR", 20, "services")
    # An item that changes is no change of the deal, and no change of its draft.
    CatalogueItem.objects.exclude(vat_category="").update(vat_rate=Decimal("5.5"), name="Other")
    world.change_deal(number, expected_close_date="2027-01-01")
    sync(crm, full=True)
    assert not DealBasis.objects.waiting().exists()
    assert draft.lines.first().vat_rate == 10


ROWS = [
    {"amount": 333.33, "billing_date": "2026-12-15", "description": "Début"},
    {"amount": 333.33, "billing_date": "2027-01-31", "description": "Milieu"},
    {"amount": 333.34, "billing_date": "2027-02-28", "description": "Fin"},
]


def test_instalments_become_the_dues_to_the_cent_and_their_change_is_told(crm, sandbox):
    world = sandbox.world
    number = won_deal(world, [{"item_price": 1000, "tax": 20}])
    world.set_installments(number, ROWS)
    sync(crm, full=True)
    deal = local("deal", number, Deal)
    at_home(deal)
    draft = drafted(deal.pk)
    # VAT goes with each; the last takes what rounding leaves.
    assert dues_of(draft, TODAY) == [
        (date(2026, 12, 15), 400_00),
        (date(2027, 1, 31), 400_00),
        (date(2027, 2, 28), 400_00),
    ]
    assert any("The deal has instalments" in note for note in draft_notes(draft))
    world.set_installments(
        number,
        [
            {"amount": 250, "billing_date": "2026-12-20"},
            {"amount": 750, "billing_date": "2027-03-01"},
        ],
    )
    sync(crm)
    (change,) = changed_of(draft).changes
    assert change.label == "Instalments" and "333.33" in change.was and "750.00" in change.now
    take_over(invoice_id=draft.pk, by=make_user(), on=TODAY)
    draft.refresh_from_db()
    assert dues_of(draft, TODAY) == [(date(2026, 12, 20), 300_00), (date(2027, 3, 1), 900_00)]


def test_instalments_that_do_not_add_up_are_kept_and_said(crm, sandbox):
    world = sandbox.world
    number = won_deal(world, [{"item_price": 1000, "tax": 20}])
    world.set_installments(number, ROWS[:2])
    sync(crm, full=True)
    deal = local("deal", number, Deal)
    at_home(deal)
    draft = drafted(deal.pk)
    assert draft.dues_typed == [] and deal.instalments.count() == 2
    assert any("come to €666.66, its lines to €1,000.00" in note for note in draft_notes(draft))


def test_a_plan_without_products_and_instalments_is_told_and_all_else_comes_in(crm, sandbox):
    world = sandbox.world
    number = won_deal(world, [{"item_price": 1000, "tax": 20}])
    world.set_plan(installments=False, products=False)
    run = sync(crm, full=True)
    assert run.state == "done" and not CatalogueItem.objects.exists()
    assert local("deal", number, Deal).lines.count() == 1
    told = " ".join(refusal.text for refusal in run.refusals.all())
    assert "did not show its products" in told and "did not show the instalments" in told
    world.set_plan()
    sync(crm, full=True)
    # Linked once the products are there.
    assert local("deal", number, Deal).lines.get().item is not None
