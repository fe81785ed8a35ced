"""The search box finds by number, name, title or amount, within what the person may see."""

from __future__ import annotations

from datetime import date

import pytest
from django.urls import reverse
from django.utils import timezone

from billing_portal.accounts.models import User
from invoices.clients.merging import merge_clients
from invoices.models import Payment
from reports.search.search import PER_GROUP, search
from tests.factories import make_client, make_company, make_deal, make_invoice, make_user
from tests.invoices.subscriptions import making as subscriptions


@pytest.fixture(autouse=True)
def company(db):
    return make_company()


def found(text, user):
    return {group.key: group.rows for group in search(text, user).groups}


def test_an_exact_number_leads_straight_to_its_page(clerk_client):
    invoice = make_invoice(number="F-2026-0744")
    make_invoice(number="F-2026-07441")
    for typed in ("F-2026-0744", " f-2026-0744 "):
        answer = clerk_client.get(reverse("reports:search"), {"q": typed})
        assert answer.status_code == 302
        assert str(invoice.pk) in answer["Location"]


def test_the_end_or_the_beginning_of_a_number_finds_it(clerk):
    first = make_invoice(number="F-2026-0744")
    make_invoice(number="F-2025-0001")
    assert found("0744", clerk)["numbers"] == [first]
    assert found("f-2026", clerk)["numbers"] == [first]


def test_names_are_found_by_their_beginning_first_and_then_inside(clerk):
    inside = make_client(name="Les Verreries de Lorraine")
    begins = make_client(name="Verreries Haute")
    assert found("verreries", clerk)["clients"] == [begins, inside]


def test_an_amount_is_found_as_it_is_typed(clerk):
    invoice = make_invoice(total_minor=1234_50)
    yen = make_invoice(total_minor=1234, currency="JPY")
    for typed in ("1234,50", "1234.50", "1,234.50", "1 234,50", "€1,234.50"):
        assert found(typed, clerk)["amounts"] == [invoice], typed
    assert found("1234", clerk)["amounts"] == [yen]
    payment = Payment.objects.create(
        client=invoice.client, received_on=date(2026, 1, 2), currency="EUR", amount_minor=777_00
    )
    assert found("777", clerk)["payments"] == [payment]


def test_deals_and_titles_are_found(clerk):
    deal = make_deal(title="Audit de cybersécurité")
    invoice = make_invoice(title="Refonte du moteur", purchase_order="PO-4711")
    assert found("cybers", clerk)["deals"] == [deal]
    assert found("po-4711", clerk)["titles"] == [invoice]
    assert found("refonte", clerk)["titles"] == [invoice]


def test_sales_find_only_what_is_theirs(sales_client):
    seller = User.objects.get(role="sales")
    make_invoice(number="F-2026-0001", client=make_client(name="Secret & Co"), total_minor=999_00)
    make_deal(title="Secret deal")
    mine = make_deal(title="Secret of mine", owner=seller)
    assert found("secret", seller) == {"deals": [mine]}
    assert found("999", seller) == {}
    answer = sales_client.get(reverse("reports:search"), {"q": "F-2026-0001"})
    assert "Nothing found" in answer.text


@pytest.mark.parametrize("typed", ["", "x", "   ", "\0"])
def test_too_little_is_answered_with_what_can_be_typed(clerk_client, typed):
    answer = clerk_client.get(reverse("reports:search"), {"q": typed})
    assert "at least two characters" in answer.text


@pytest.mark.parametrize(
    "typed",
    ["%%", "__", "'; DROP TABLE", "9" * 400, "<script>", "\ud7ff\uffff", "1e999", "--5", "-"],
)
def test_odd_input_is_no_error(clerk_client, typed):
    make_invoice()
    answer = clerk_client.get(reverse("reports:search"), {"q": typed})
    assert answer.status_code == 200
    assert "<script>" not in answer.text


def test_each_group_is_bounded(clerk):
    client = make_client(name="Many")
    for _ in range(PER_GROUP + 2):
        make_invoice(client=client)
    (group,) = [g for g in search("many", clerk).groups if g.key == "titles"]
    assert len(group.rows) == PER_GROUP
    assert group.more


def test_the_page_shows_the_groups(clerk_client):
    make_client(name="Métallurgie du Rhône")
    make_deal(title="Métallurgie, phase 2")
    page = clerk_client.get(reverse("reports:search"), {"q": "métallurgie"}).text
    assert "Métallurgie du Rhône" in page
    assert "Métallurgie, phase 2" in page


@pytest.mark.parametrize("typed", ["Belvallee", "belval", "vallée S"])
def test_the_name_of_a_merged_client_finds_the_account_it_became(typed, clerk):
    account = make_client(name="Groupe Orion")
    merged = make_client(name="Belvallée SAS")
    merge_clients(loser_id=merged.pk, winner_id=account.pk, at=timezone.now())
    assert found(typed, clerk)["clients"] == [account]
    assert found("orion", clerk)["clients"] == [account]


def test_subscriptions_are_found_by_title_and_client(clerk):
    running = subscriptions.started(client=make_client(name="Verreries"), title="Hosting")
    assert found("hosting", clerk)["subscriptions"] == [running]
    assert found("verrer", clerk)["subscriptions"] == [running]
    assert "subscriptions" not in found("hosting", make_user(role=User.Role.SALES))
