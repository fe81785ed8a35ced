"""A deal without an organisation: a person chooses who is billed."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from billing_portal.changes import last_change
from billing_portal.idempotency import new_key
from invoices.deals.choosing import ChoiceRefused, choose_client, follow_merges, take_choice_back
from invoices.deals.drafting import draft_from_deal
from invoices.deals.lacking import missing_for
from invoices.invoicing.deal_basis import reason_not_to_issue
from invoices.models import Client, Deal, Invoice
from tests.confirm import confirm, token_on
from tests.factories import make_client, make_client_type, make_company, make_deal, make_user
from tests.race import at_once

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 24)


@pytest.fixture(autouse=True)
def company(db):
    return make_company()


@pytest.fixture
def orphan():
    return make_deal(client=None, title="Audit without a client")


def address(deal):
    return reverse("invoices:deal-client", args=[deal.pk])


def lacks(deal):
    return [each.field for each in missing_for([Deal.objects.get(pk=deal.pk)])[deal.pk]]


def named_in_crm(deal, client):
    """As an import leaves it that found an organisation."""
    Deal.objects.filter(pk=deal.pk).update(client_in_crm=client)


def test_a_client_is_chosen_and_the_deal_says_who_chose_it_and_is_billed(
    clerk_client, clerk, orphan
):
    client = make_client(name="Brûlerie des Îles")
    page = clerk_client.get(reverse("invoices:deal", args=[orphan.pk])).text
    assert address(orphan) in page
    found = clerk_client.get(address(orphan), {"q": "brulerie des iles"}).text
    assert "Brûlerie des Îles" in found
    answer = confirm(clerk_client, address(orphan), {"client": client.pk})
    assert answer["Location"] == reverse("invoices:deal", args=[orphan.pk])
    orphan.refresh_from_db()
    assert (orphan.client, orphan.client_chosen_by) == (client, clerk)
    page = clerk_client.get(answer["Location"]).text
    assert f"chosen by {clerk.name}" in page
    assert reverse("invoices:draft-deal", args=[orphan.pk]) in page
    assert draft_from_deal(deal_id=orphan.pk, by=clerk, on=ON).client == client
    assert last_change(orphan, since=orphan.client_chosen_at).who == clerk.name


def test_the_list_and_its_chips_lead_to_the_choice(clerk_client, manager_client, orphan):
    page = clerk_client.get(reverse("invoices:deals")).text
    assert page.count(f'href="{address(orphan)}"') == 2
    assert "Choose the client" in page
    # Who may not choose is led to the deal, as before.
    assert address(orphan) not in manager_client.get(reverse("invoices:deals")).text
    deal_page = reverse("invoices:deal", args=[orphan.pk])
    assert address(orphan) not in manager_client.get(deal_page).text
    assert manager_client.post(address(orphan), {"client": 1}).status_code == 403


def test_a_merged_client_is_found_by_its_name_and_leads_to_its_account(clerk, clerk_client, orphan):
    account = make_client(name="Groupe Ardent")
    merged = make_client(name="Menuiserie Le Goff", merged_into=account)
    found = clerk_client.get(address(orphan), {"q": "le goff"}).text
    assert f'value="{account.pk}"' in found
    assert f'value="{merged.pk}"' not in found
    assert choose_client(deal_id=orphan.pk, client_id=merged.pk, by=clerk, on=ON).client == account


def test_a_chosen_client_that_is_merged_later_leads_to_its_account_too(clerk, orphan):
    chosen, account = make_client(), make_client()
    theirs = make_deal(client=chosen)
    choose_client(deal_id=orphan.pk, client_id=chosen.pk, by=clerk, on=ON)
    Client.objects.filter(pk=chosen.pk).update(merged_into=account)
    with transaction.atomic():
        follow_merges(ON)
    orphan.refresh_from_db()
    theirs.refresh_from_db()
    assert (orphan.client, theirs.client) == (account, chosen)


def test_a_new_client_is_made_on_the_way_and_leads_back_to_the_deal(clerk_client, orphan):
    page = clerk_client.get(address(orphan)).text
    new = f"{reverse('invoices:client-new')}?next={address(orphan)}"
    assert f'href="{new}"' in page
    given = {
        "name": "Tout neuf", "client_type": make_client_type().pk, "country": "FR",
        "currency": "EUR", "language": "fr", "terms_kind": "net", "terms_days": "30",
        "next": address(orphan), "once": new_key(),
    }  # fmt: skip
    answer = clerk_client.post(reverse("invoices:client-new"), given)
    made = Client.objects.get(name="Tout neuf")
    assert answer["Location"] == f"{address(orphan)}?client={made.pk}"
    make_client(name="Another one")
    page = clerk_client.get(answer["Location"]).text
    assert "Tout neuf" in page
    assert "Another one" not in page


def test_a_choice_is_taken_back_as_long_as_nothing_was_drafted(clerk_client, clerk, orphan):
    client = make_client()
    confirm(clerk_client, address(orphan), {"client": client.pk})
    confirm(clerk_client, address(orphan), {"act": "back"})
    orphan.refresh_from_db()
    assert (orphan.client, orphan.client_chosen_by, orphan.client_chosen_at) == (None, None, None)
    choose_client(deal_id=orphan.pk, client_id=client.pk, by=clerk, on=ON)
    token = token_on(clerk_client.get(address(orphan)))
    draft_from_deal(deal_id=orphan.pk, by=clerk, on=ON)
    sent = {"act": "back", "once": new_key(), "confirmed": token}
    answer = clerk_client.post(address(orphan), sent)
    assert answer.status_code == 422
    assert "A draft of this deal exists: discard it first." in answer.text
    page = clerk_client.get(reverse("invoices:deal", args=[orphan.pk])).text
    assert f"chosen by {clerk.name}" in page
    assert "Take the choice back" not in page
    orphan.refresh_from_db()
    assert orphan.client == client


def test_a_deal_with_an_organisation_or_not_won_is_not_chosen_for(clerk, clerk_client):
    client = make_client()
    for deal, words in (
        (make_deal(), "The CRM gives this deal an organisation"),
        (make_deal(client=None, status="open"), "The deal is not won."),
    ):
        before = deal.client
        with pytest.raises(ChoiceRefused, match=words):
            choose_client(deal_id=deal.pk, client_id=client.pk, by=clerk, on=ON)
        deal.refresh_from_db()
        assert deal.client == before
        answer = clerk_client.get(address(deal))
        assert answer["Location"] == reverse("invoices:deal", args=[deal.pk])


def test_a_second_click_chooses_once_and_a_form_without_its_key_not_at_all(clerk_client, orphan):
    client = make_client()
    token = token_on(clerk_client.get(address(orphan)))
    sent = {"client": client.pk, "once": new_key(), "confirmed": token}
    assert clerk_client.post(address(orphan), {**sent, "once": ""}).status_code == 400
    assert clerk_client.post(address(orphan), sent).status_code == 303
    orphan.refresh_from_db()
    at = orphan.client_chosen_at
    assert clerk_client.post(address(orphan), sent).status_code == 303
    orphan.refresh_from_db()
    assert orphan.client_chosen_at == at


# ─ The CRM names somebody after all ─────────────────────────────────────────────────────────────
def test_another_client_in_the_crm_is_a_difference_that_a_person_decides(
    clerk, clerk_client, orphan
):
    ours, theirs = make_client(name="Ours"), make_client(name="Theirs")
    choose_client(deal_id=orphan.pk, client_id=ours.pk, by=clerk, on=ON)
    named_in_crm(orphan, theirs)
    assert "other_client" in lacks(orphan)
    queue = clerk_client.get(reverse("invoices:deals")).text
    assert "Another client in the CRM" in queue
    assert f'href="{address(orphan)}"' in queue
    # Kept: said once, until the CRM names yet another one.
    confirm(clerk_client, address(orphan), {"client": ours.pk})
    assert lacks(orphan) == []
    named_in_crm(orphan, make_client(name="A third"))
    assert "other_client" in lacks(orphan)
    named_in_crm(orphan, theirs)
    confirm(clerk_client, address(orphan), {"act": "back"})
    orphan.refresh_from_db()
    assert (orphan.client, orphan.client_in_crm, orphan.client_chosen_at) == (theirs, None, None)
    assert lacks(orphan) == []


def test_an_organisation_of_the_same_account_is_no_difference(clerk, orphan):
    account = make_client()
    choose_client(deal_id=orphan.pk, client_id=account.pk, by=clerk, on=ON)
    named_in_crm(orphan, make_client(merged_into=account))
    assert lacks(orphan) == []


def test_a_draft_waits_for_the_decision_when_the_crm_names_another(clerk, orphan):
    from invoices.deals.changes import changing, take_over

    ours, theirs = make_client(name="Ours"), make_client(name="Theirs")
    choose_client(deal_id=orphan.pk, client_id=ours.pk, by=clerk, on=ON)
    draft = draft_from_deal(deal_id=orphan.pk, by=clerk, on=ON)
    with transaction.atomic(), changing([orphan.pk], ON):
        named_in_crm(orphan, theirs)
    assert "Client: Ours, now Theirs." in reason_not_to_issue(draft)
    take_over(invoice_id=draft.pk, by=clerk, on=ON)
    assert reason_not_to_issue(draft) == ""
    assert Invoice.objects.get(pk=draft.pk).client == theirs


def test_the_database_keeps_no_choice_without_a_client(clerk, orphan):
    choose_client(deal_id=orphan.pk, client_id=make_client().pk, by=clerk, on=ON)
    with pytest.raises(IntegrityError), transaction.atomic():
        Deal.objects.filter(pk=orphan.pk).update(client=None)


# ─ Two people ───────────────────────────────────────────────────────────────────────────────────
def test_the_second_of_two_who_chose_is_told_of_the_first(clerk_client, admin_client, orphan):
    first, second = make_client(name="First"), make_client(name="Second")
    token = token_on(admin_client.get(address(orphan)))
    confirm(clerk_client, address(orphan), {"client": first.pk})
    sent = {"client": second.pk, "once": new_key(), "confirmed": token}
    answer = admin_client.post(address(orphan), sent)
    assert answer.status_code == 422
    assert "changed it meanwhile" in answer.text
    assert "First" in answer.text
    orphan.refresh_from_db()
    assert orphan.client == first


@pytest.mark.django_db(transaction=True)
def test_two_who_choose_at_once_choose_once(client, clerk):
    orphan = make_deal(client=None)
    client.force_login(clerk, backend="allauth.account.auth_backends.AuthenticationBackend")
    token = token_on(client.get(address(orphan)))
    sent = [
        {"client": make_client().pk, "once": new_key(), "confirmed": token} for _each in range(2)
    ]
    told = at_once(*(lambda given=given: client.post(address(orphan), given) for given in sent))
    assert sorted(answer.status_code for answer in told) == [303, 422]
    orphan.refresh_from_db()
    assert orphan.client is not None


@pytest.mark.django_db(transaction=True)
def test_a_draft_and_its_undoing_at_once_leave_a_draft_with_its_client_or_none():
    make_company()
    clerk, orphan, chosen = make_user(), make_deal(client=None), make_client()
    choose_client(deal_id=orphan.pk, client_id=chosen.pk, by=clerk, on=ON)
    at_once(
        lambda: draft_from_deal(deal_id=orphan.pk, by=clerk, on=ON),
        lambda: take_choice_back(deal_id=orphan.pk, by=clerk, on=ON),
    )
    orphan.refresh_from_db()
    assert Invoice.objects.billing().filter(deal=orphan).exists() == (orphan.client == chosen)
