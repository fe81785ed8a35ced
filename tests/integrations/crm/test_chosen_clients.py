"""A client that a person chose for a deal, and what imports over HTTP make of it."""

from __future__ import annotations

import threading
from datetime import date

import pytest
from django.db import connection, transaction

from integrations.crm.deals import _DEAL_FIELDS
from invoices.deals.choosing import choose_client
from invoices.models import Client, Deal
from tests.factories import make_client, make_user
from tests.integrations.crm.doing import local, picture, some, sync
from tests.race import at_once

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 24)


@pytest.fixture
def orphan(crm, sandbox):
    """A won deal of which the CRM names no organisation, its number, and the client chosen."""
    (number,) = some(sandbox, 1, status="won")
    sandbox.world.change_deal(number, org_id=None)
    sync(crm, full=True)
    deal = local("deal", number, Deal)
    assert deal.client is None
    chosen = make_client(name="Chosen by a person")
    choose_client(deal_id=deal.pk, client_id=chosen.pk, by=make_user(), on=ON)
    return number, chosen


def organisation(sandbox):
    return next(n for n, o in sandbox.world.organizations.items() if not o["is_deleted"])


@pytest.mark.parametrize("full", [False, True])
def test_an_import_keeps_the_choice_while_the_crm_names_nobody(
    crm,
    sandbox,
    orphan,
    full,
):
    number, chosen = orphan
    before = picture()
    assert sync(crm, full=True).updated == 0
    assert picture() == before
    sandbox.world.change_deal(number, title="Changed elsewhere")
    assert sync(crm, full=full).updated == 1
    deal = local("deal", number, Deal)
    assert (deal.title, deal.client, deal.client_in_crm) == ("Changed elsewhere", chosen, None)
    assert deal.client_chosen_at is not None


def test_another_organisation_is_kept_beside_the_choice_until_a_person_decides(
    crm,
    sandbox,
    orphan,
):
    number, chosen = orphan
    named = organisation(sandbox)
    sandbox.world.change_deal(number, org_id=named)
    sync(crm)
    deal = local("deal", number, Deal)
    theirs = local("organization", named, Client)
    assert (deal.client, deal.client_in_crm, deal.client_differs) == (chosen, theirs, True)
    before = picture()
    assert sync(crm, full=True).updated == 0
    assert picture() == before
    # It is gone again: nothing is left to decide.
    sandbox.world.change_deal(number, org_id=None)
    sync(crm)
    deal = local("deal", number, Deal)
    assert (deal.client, deal.client_in_crm, deal.client_differs) == (chosen, None, False)


def test_the_organisation_of_the_chosen_client_raises_nothing(crm, sandbox, orphan):
    number, _chosen = orphan
    named = organisation(sandbox)
    client = local("organization", named, Client)
    deal = local("deal", number, Deal)
    choose_client(deal_id=deal.pk, client_id=client.pk, by=make_user(), on=ON)
    sandbox.world.change_deal(number, org_id=named)
    sync(crm)
    deal.refresh_from_db()
    assert (deal.client, deal.client_differs) == (client, False)


def test_a_chosen_client_whose_organisation_is_merged_leads_to_the_winner(
    crm,
    sandbox,
    orphan,
):
    number, _chosen = orphan
    deals = sandbox.world.deals.values()
    loser, winner = [
        n
        for n, o in sandbox.world.organizations.items()
        if not o["is_deleted"] and any(d["org_id"] == n for d in deals)
    ][:2]
    deal = local("deal", number, Deal)
    lost = local("organization", loser, Client)
    choose_client(deal_id=deal.pk, client_id=lost.pk, by=make_user(), on=ON)
    sandbox.world.merge_organizations(loser, winner)
    sync(crm)
    deal.refresh_from_db()
    assert deal.client == local("organization", winner, Client)


@pytest.mark.django_db(transaction=True)
def test_a_choice_made_while_a_page_of_deals_is_written_is_not_lost(
    crm,
    sandbox,
    monkeypatch,
):
    """The import has read the deal without a client: whoever chooses now waits for its commit."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer")
    from integrations.crm import deals

    (number,) = some(sandbox, 1, status="won")
    sandbox.world.change_deal(number, org_id=None)
    sync(crm, full=True)
    deal, chosen, clerk = local("deal", number, Deal), make_client(), make_user()
    sandbox.world.change_deal(number, title="Changed elsewhere")
    read, write = threading.Event(), deals._write

    def slowly(context, page):
        read.set()
        # Long enough for the other to commit, were it not to wait.
        threading.Event().wait(1.0)
        write(context, page)

    monkeypatch.setattr(deals, "_write", slowly)

    def choosing():
        read.wait(20)
        with transaction.atomic():
            return choose_client(deal_id=deal.pk, client_id=chosen.pk, by=clerk, on=ON)

    run, answer = at_once(lambda: sync(crm), choosing)
    assert not isinstance(run, Exception), run
    assert not isinstance(answer, Exception), answer
    deal.refresh_from_db()
    assert (deal.title, deal.client) == ("Changed elsewhere", chosen)


def test_an_import_writes_no_column_of_the_choice_but_what_the_crm_names():
    ours = {"client_chosen_by", "client_chosen_at", "client_chosen_over"}
    assert ours.isdisjoint(_DEAL_FIELDS)
