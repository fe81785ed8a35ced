"""What the CRM no longer shows, stamps that lie, and imports that stopped: over HTTP."""

from __future__ import annotations

import pytest

from billing_portal.notices import in_words
from integrations.connecting import connect_crm
from integrations.core.runs import start_sync
from integrations.models import ExternalLink, SyncRun
from invoices.deals.drafting import draft_from_deal
from invoices.invoicing.deal_basis import reason_not_to_issue
from invoices.models import Client, Contact, Deal
from tests.integrations.crm.doing import TODAY, local, picture, some, sync

pytestmark = pytest.mark.django_db


def texts(run):
    return " ".join(row.text for row in run.refusals.all())


def test_hidden_deals_stay_as_they_are_and_a_person_is_asked(crm, sandbox):
    sync(crm, full=True)
    before = picture()
    to_bill = set(Deal.objects.to_bill().values_list("pk", flat=True))
    sandbox.world.hide("deal", *some(sandbox, 60))
    run = sync(crm, full=True)
    assert run.state == SyncRun.State.DONE
    assert run.updated == 0
    assert picture() == before
    assert set(Deal.objects.to_bill().values_list("pk", flat=True)) == to_bill
    crm.refresh_from_db()
    assert crm.missing["deal"]["missing"] == 60
    assert "no longer visible" in texts(run)


def test_asked_for_one_by_one_hidden_deals_are_hidden_and_deleted_ones_deleted(
    crm,
    sandbox,
):
    sync(crm, full=True)
    numbers = some(sandbox, 40)
    sandbox.world.hide("deal", *numbers[:30])
    for number in numbers[30:]:
        del sandbox.world.deals[number]
    run = start_sync(connection_id=crm.pk, full=True, by=None, enqueue=False, check_missing=True)
    from integrations.core.runs import claim
    from integrations.crm.importing import carry_out
    from integrations.registry import open_crm

    run = carry_out(claim(run.pk), open_crm=open_crm)
    assert run.updated == 10
    assert all(local("deal", n, Deal).status == "deleted" for n in numbers[30:])
    assert all(local("deal", n, Deal).status != "deleted" for n in numbers[:30])
    assert ExternalLink.objects.filter(kind="deal", hidden_at__isnull=False).count() == 30
    crm.refresh_from_db()
    assert "deal" not in crm.missing
    # Known by now: it is said once, and no number is looked up again.
    sandbox.reset_counts()
    again = sync(crm, full=True)
    assert texts(again).count("no longer visible") == 0
    assert sandbox.count("/api/v2/deals/{id}") == 0


def test_a_deal_that_came_back_is_billed_again(crm, sandbox):
    """Whatever marked our row as deleted, an unchanged fingerprint does not keep it so."""
    sync(crm, full=True)
    (number,) = some(sandbox, 1, status="won")
    deal = local("deal", number, Deal)
    Deal.objects.filter(pk=deal.pk).update(status="deleted")
    sync(crm, full=True)
    assert local("deal", number, Deal).status == "won"


@pytest.mark.parametrize(("kind", "model"), [("organization", Client), ("person", Contact)])
def test_hidden_clients_and_contacts_are_not_gone(crm, sandbox, kind, model):
    sync(crm, full=True)
    links = ExternalLink.objects.filter(kind=kind).order_by("pk")
    living = set(model.objects.filter(gone_at=None).values_list("pk", flat=True))
    link = next(link for link in links if link.local_id in living)
    sandbox.world.hide(kind, int(link.external_id))
    run = sync(crm, full=True)
    assert model.objects.get(pk=link.local_id).gone_at is None
    assert "no longer visible" in texts(run)
    sandbox.world.show(kind, int(link.external_id))
    sync(crm, full=True)
    link.refresh_from_db()
    assert link.hidden_at is None


@pytest.mark.parametrize(("kind", "model"), [("organization", Client), ("person", Contact)])
def test_clients_and_contacts_marked_as_gone_come_back(crm, sandbox, kind, model):
    from django.utils import timezone

    sync(crm, full=True)
    link = next(
        link
        for link in ExternalLink.objects.filter(kind=kind)
        if model.objects.filter(pk=link.local_id, gone_at=None).exists()
    )
    model.objects.filter(pk=link.local_id).update(gone_at=timezone.now())
    sync(crm, full=True)
    assert model.objects.get(pk=link.local_id).gone_at is None


# ─ Imports that stopped ─────────────────────────────────────────────────────────────────────────


def test_a_full_import_after_a_failed_import_of_changes_is_full(crm, sandbox):
    sync(crm, full=True)
    sandbox.inject("401", route="/api/v2/deals")
    assert sync(crm).state == SyncRun.State.FAILED
    connect_crm(base_url=sandbox.base_url, api_token=sandbox.token)
    link = ExternalLink.objects.filter(kind="organization").first()
    organization = sandbox.world.organizations[int(link.external_id)]
    # A rename that no stamp tells of: only reading everything finds it.
    organization["name"] = "Renamed"
    sandbox.world._ready.clear()
    run = sync(crm, full=True)
    assert run.full
    assert Client.objects.get(pk=link.local_id).name == "Renamed"
    assert "no longer visible" not in texts(run)


def test_a_resumed_full_import_says_what_it_could_not_tell(crm, sandbox):
    sync(crm, full=True)
    sandbox.inject("401", route="/api/v2/deals")
    assert sync(crm, full=True).state == SyncRun.State.FAILED
    connect_crm(base_url=sandbox.base_url, api_token=sandbox.token)
    (number,) = some(sandbox, 1, status="open")
    del sandbox.world.deals[number]
    gone = next(iter(sandbox.world.persons))
    del sandbox.world.persons[gone]
    run = sync(crm, full=True)
    assert run.state == SyncRun.State.DONE
    assert "no longer visible" not in texts(run)
    assert "went on where an earlier one had stopped" in texts(run)
    # The deals were read whole by this run, so of them it can tell.
    assert local("deal", number, Deal).status == "deleted"
    run = sync(crm, full=True)
    assert "went on where" not in texts(run)


# ─ Stamps ───────────────────────────────────────────────────────────────────────────────────────


def test_a_stamp_in_the_future_hides_no_later_change(crm, sandbox):
    first, second = some(sandbox, 2, status="open")
    sandbox.world.deals[first]["update_time"] = "2099-12-13T10:00:00Z"
    sandbox.world._ready.clear()
    sync(crm, full=True)
    crm.refresh_from_db()
    assert crm.cursors["deals"] < "2099"
    sandbox.world.change_deal(second, title="Seen")
    sandbox.world.deals[second]["update_time"] = "2099-01-01T00:00:00Z"
    sync(crm)
    assert local("deal", second, Deal).title == "Seen"


def test_a_place_that_was_left_in_the_future_is_mended(crm, sandbox):
    sync(crm, full=True)
    crm.cursors["deals"] = "2099-12-13T10:00:00Z"
    crm.save()
    sync(crm, full=False)
    crm.refresh_from_db()
    assert crm.cursors["deals"] < "2099"


# ─ What can no longer be read ───────────────────────────────────────────────────────────────────


def test_a_deal_that_became_unreadable_is_out_of_date_and_not_billed(crm, sandbox, clerk):
    from invoices.deals.lacking import missing_for

    sync(crm, full=True)
    (number,) = some(sandbox, 1, status="won")
    before = local("deal", number, Deal)
    sandbox.world.change_deal(number, currency="PTS")
    assert sync(crm).refused == 1
    deal = local("deal", number, Deal)
    assert deal.currency == before.currency
    assert "PTS" in in_words(deal.outdated)
    reasons = [each for each in missing_for([deal])[deal.pk] if each.prevents_draft]
    assert any("PTS" in each.text for each in reasons)
    sandbox.world.change_deal(number, currency=before.currency)
    sync(crm)
    assert local("deal", number, Deal).outdated == {}


def test_a_draft_is_told_when_its_deal_can_no_longer_be_read(crm, sandbox, clerk):
    sync(crm, full=True)
    number = next(
        n
        for n in some(sandbox, 90, status="won")
        if Deal.objects.to_bill().filter(pk=local("deal", n, Deal).pk).exists()
        and sandbox.world.deals[n]["currency"] == "EUR"
    )
    draft = draft_from_deal(deal_id=local("deal", number, Deal).pk, by=clerk, on=TODAY)
    sandbox.world.change_deal(number, currency="PTS")
    sync(crm)
    sync(crm)
    assert draft.events.filter(data__has_key="deal_changed").count() == 1
    assert "can no longer be read" in reason_not_to_issue(draft)
