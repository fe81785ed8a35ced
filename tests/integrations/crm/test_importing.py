"""Imports over real HTTP from the stand-in: what becomes of each thing, and nothing twice."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing_portal.accounts.models import User
from billing_portal.notices import in_words
from integrations import tasks
from integrations.connecting import ConnectRefused, connect_crm
from integrations.core.runs import SyncRefused, claim, start_sync
from integrations.crm.importing import carry_out, dry_run
from integrations.models import Connection, ExternalLink, FieldMapping, SyncRefusal, SyncRun
from integrations.registry import open_crm
from integrations.sandbox import Limits, Sandbox, build_world
from invoices.invoicing.deal_basis import reason_not_to_issue
from invoices.models import (
    CatalogueItem,
    Client,
    Contact,
    Deal,
    DealLine,
    Invoice,
    Pipeline,
    Stage,
)
from tests import crash
from tests.factories import make_client, make_company, make_user
from tests.integrations.crm.doing import TODAY, local, picture, sync
from tests.race import at_once

# All of it


def test_a_full_import_brings_in_what_is_there(crm, sandbox):
    run = sync(crm, full=True)
    world = sandbox.world
    assert run.state == SyncRun.State.DONE
    living = [d for d in world.deals.values() if not d["is_deleted"]]
    # Refused: the deal in a currency of the company's own, and the one with a 12-digit price.
    assert Deal.objects.count() == len(living) - 2
    assert run.refused == 2
    assert Client.objects.filter(gone_at=None).count() == sum(
        not o["is_deleted"] for o in world.organizations.values()
    )
    assert Pipeline.objects.count() == len(world.pipelines)
    assert Stage.objects.count() == len(world.stages)
    assert DealLine.objects.exclude(unit="").exists()
    assert run.progress["deals"]["total"] == run.progress["deals"]["done"]
    crm.refresh_from_db()
    assert crm.cursors["deals"] == max(d["update_time"] for d in living if not d["is_archived"])


def test_a_second_full_import_changes_nothing(crm):
    sync(crm, full=True)
    before = picture()
    run = sync(crm, full=True)
    assert picture() == before
    assert (run.created, run.updated) == (0, 0)
    assert run.unchanged > 300


def test_an_import_that_finds_nothing_new_asks_little_and_writes_only_its_own_run(crm, sandbox):
    sync(crm, full=True)
    sandbox.reset_counts()
    before = picture()
    run = start_sync(connection_id=crm.pk, full=False, by=None, enqueue=False)
    with CaptureQueriesContext(database) as queries:
        carry_out(claim(run.pk), open_crm=open_crm)
    assert sandbox.count() <= 12
    assert picture() == before
    writes = [q["sql"] for q in queries if q["sql"].split()[0] in ("INSERT", "UPDATE", "DELETE")]
    assert {sql.split('"')[1] for sql in writes} <= {
        "integrations_syncrun",
        "integrations_connection",
    }
    run.refresh_from_db()
    assert (run.created, run.updated, run.refused) == (0, 0, 0)


@pytest.mark.slow
def test_requests_of_a_full_import_stay_within_the_budget(db):
    make_company()
    with Sandbox(build_world(today=TODAY, deals=3_000)) as sandbox:
        connection = connect_crm(base_url=sandbox.base_url, api_token=sandbox.token)
        sandbox.reset_counts()
        run = sync(connection, full=True)
        differing = sandbox.count("/api/v2/deals/{id}/discounts")
        with_lines = sum(bool(lines) for lines in sandbox.world.lines.values())
        assert sandbox.count() - differing <= 23 * with_lines / 1_000 + 17
        assert run.requests == sandbox.count()
        values = sandbox.world.deals
        wrong = [
            n
            for n, lines in sandbox.world.lines.items()
            if lines
            and not values[n]["is_deleted"]
            and round(sum(x["sum"] for x in lines if x["is_enabled"]), 2) != values[n]["value"]
        ]
        assert differing == len(wrong)


def test_the_number_of_deals_is_known_before_they_are_read(crm, sandbox):
    sandbox.inject("401", path="/api/v2/deals")
    sync(crm, full=True)
    sandbox.faults.clear()
    connect_crm(base_url=sandbox.base_url, api_token=sandbox.token)
    seen = []
    run = start_sync(connection_id=crm.pk, full=True, by=None, enqueue=False)
    carry_out(
        claim(run.pk),
        open_crm=open_crm,
        on_progress=lambda run: seen.append(run.progress.get("deals")),
    )
    living = [d for d in sandbox.world.deals.values() if not (d["is_deleted"] or d["is_archived"])]
    assert sandbox.count("/v1/deals/summary") == 2
    assert max(place["total"] for place in seen if place) >= len(living)


# The odd cases


def test_the_odd_organisations_are_kept(crm, sandbox):
    sync(crm, full=True)
    odd = sandbox.world.awkward
    assert not local("organization", odd["organization_without_address"], Client).has_address
    assert local("organization", odd["organization_without_vat_id"], Client).vat_id == ""
    markup = local("organization", odd["organization_with_markup_and_emoji"], Client)
    assert markup.name == "Crêperie <b>Ti Gwenn</b> & Fils 🥞"
    bomb = local("organization", odd["organization_with_template_code"], Client)
    assert bomb.name == '{{ 7*7 }} Conseil {% now "Y" %}'


def test_an_unknown_option_becomes_an_unclassified_client_with_a_notice(crm, sandbox):
    run = sync(crm, full=True)
    number = sandbox.world.awkward["organization_with_unknown_option"]
    client = local("organization", number, Client)
    assert client.client_type.name == "Unclassified"
    notice = run.refusals.get(kind="organization", external_id=str(number))
    assert notice.taken
    assert "999" in notice.text
    row = FieldMapping.objects.get(target="client_type")
    assert row.unknown == {"999": client.name}


def test_a_deleted_organisation_that_deals_still_name_comes_in_as_gone(crm, sandbox):
    run = sync(crm, full=True)
    client = local("organization", sandbox.world.awkward["organization_deleted"], Client)
    assert client.gone_at is not None
    assert client.deals.exists()
    assert run.state == SyncRun.State.DONE


def test_the_odd_deals_are_kept_or_refused_in_words(crm, sandbox):
    run = sync(crm, full=True)
    odd = sandbox.world.awkward
    reasons = {row.external_id: row.text for row in run.refusals.filter(taken=False)}
    assert "KRL" in reasons[str(odd["deal_in_unknown_currency"])]
    assert "€123,456,789,012.34" in reasons[str(odd["deal_with_12_digit_price"])]
    orphan = local("deal", odd["deal_without_organization"], Deal)
    assert orphan.client is None
    assert any("no organisation" in in_words(note) for note in orphan.import_notes)
    long = local("deal", odd["deal_with_5000_character_comment"], Deal)
    assert len(long.lines.first().description) == 2_000
    assert any("cut to 2,000 characters" in in_words(note) for note in long.import_notes)
    assert local("deal", odd["deal_archived_and_won"], Deal).archived
    assert local("deal", odd["deal_with_tax_inclusive_lines"], Deal).tax_method == "inclusive"
    assert local("deal", odd["deal_with_extra_discounts"], Deal).discounts.count() == 2
    assert local("deal", odd["deal_with_disabled_line"], Deal).lines.filter(enabled=False).exists()
    assert "{% for x in" in local("deal", odd["deal_with_template_bomb"], Deal).title
    deleted = [odd["deal_deleted"], odd["deal_deleted_long_ago"]]
    assert not ExternalLink.objects.filter(kind="deal", external_id__in=map(str, deleted)).exists()


def test_mapped_fields_reach_the_client(crm, sandbox):
    sync(crm, full=True)
    for number, profile in list(sandbox.world.profiles.items())[:40]:
        client = local("organization", number, Client)
        assert client.terms_days == profile.terms_days
        assert client.terms_kind == ("eom_after" if profile.end_of_month else "net")
        assert client.language == {"French": "fr", "English": "en"}[profile.language]
        assert client.siren == profile.siren
        assert client.country == profile.country
        assert client.client_type.name == profile.client_type


# Changes


def test_a_changed_deal_comes_in_with_its_lines(crm, sandbox):
    sync(crm, full=True)
    number = next(iter(sandbox.world.lines))
    sandbox.world.set_lines(number, [{"item_price": 250, "quantity": 3}])
    run = sync(crm)
    assert run.updated == 1
    assert [line.unit_price for line in local("deal", number, Deal).lines.all()] == [250]


def test_lines_changed_without_a_trace_are_found_by_a_full_import(crm, sandbox):
    sync(crm, full=True)
    number = next(iter(sandbox.world.lines))
    sandbox.world.set_lines(number, [{"item_price": 77}], bump=False)
    assert sync(crm).updated == 0
    assert sync(crm, full=True).updated == 1
    assert local("deal", number, Deal).lines.get().unit_price == 77


def test_a_deal_won_and_reopened_follows(crm, sandbox):
    sync(crm, full=True)
    number = next(n for n, d in sandbox.world.deals.items() if d["status"] == "open")
    sandbox.world.win_deal(number)
    sync(crm)
    assert local("deal", number, Deal).won_on is not None
    sandbox.world.reopen_deal(number)
    sync(crm)
    deal = local("deal", number, Deal)
    assert (deal.status, deal.won_on) == ("open", None)


def test_a_deal_that_is_archived_stays_the_same_deal(crm, sandbox):
    sync(crm, full=True)
    number = next(n for n, d in sandbox.world.deals.items() if d["status"] == "won")
    before = local("deal", number, Deal).pk
    sandbox.world.archive_deal(number)
    sync(crm)
    deal = local("deal", number, Deal)
    assert (deal.pk, deal.archived) == (before, True)


def test_a_deleted_deal_keeps_its_invoice_and_tells_the_draft(crm, sandbox):
    sync(crm, full=True)
    number = next(n for n, d in sandbox.world.deals.items() if d["status"] == "won" and d["org_id"])
    deal = local("deal", number, Deal)
    draft = Invoice.objects.create(client=deal.client, deal=deal, currency="EUR")
    sandbox.world.delete_deal(number)
    sync(crm)
    deal.refresh_from_db()
    assert deal.status == Deal.Status.DELETED
    assert deal.lines.exists()
    assert draft.deal_id == deal.pk
    assert draft.events.get().data["deal_changed"]["now"]["status"] == "deleted"
    assert "Deleted in the CRM" in reason_not_to_issue(draft)


def test_a_restored_deal_comes_back(crm, sandbox):
    sync(crm, full=True)
    number = next(n for n, d in sandbox.world.deals.items() if d["status"] == "won")
    sandbox.world.delete_deal(number)
    sync(crm)
    sandbox.world.change_deal(number, is_deleted=False)
    sync(crm)
    assert local("deal", number, Deal).status == Deal.Status.WON


def test_a_draft_is_told_when_its_deal_changes_and_is_not_changed(crm, sandbox):
    sync(crm, full=True)
    number = next(n for n, d in sandbox.world.deals.items() if d["status"] == "won" and d["org_id"])
    deal = local("deal", number, Deal)
    draft = Invoice.objects.create(client=deal.client, deal=deal, currency="EUR", title="Ours")
    sandbox.world.change_deal(number, probability=90)
    sync(crm)
    assert not draft.events.exists()
    sandbox.world.set_lines(number, [{"item_price": 1}])
    sync(crm)
    assert "sum_minor" in draft.events.get().data["deal_changed"]["now"]
    sync(crm, full=True)
    assert draft.events.count() == 1
    draft.refresh_from_db()
    assert draft.title == "Ours"


def test_what_finance_filled_in_stays_where_the_crm_is_empty(crm, sandbox):
    sync(crm, full=True)
    number = sandbox.world.awkward["organization_without_vat_id"]
    client = local("organization", number, Client)
    client.vat_id, client.note = "FR44732829320", "calls first"
    client.save()
    sandbox.world.change_organization(number, name="Brasserie du Quai")
    sync(crm)
    client.refresh_from_db()
    assert (client.name, client.vat_id, client.note) == (
        "Brasserie du Quai",
        "FR44732829320",
        "calls first",
    )


def test_a_renamed_option_changes_no_client(crm, sandbox):
    sync(crm, full=True)
    key = sandbox.world.keys["client_type"]
    before = list(Client.objects.order_by("pk").values_list("client_type"))
    sandbox.world.rename_option(key, 32, "Petite entreprise")
    sync(crm, full=True)
    assert list(Client.objects.order_by("pk").values_list("client_type")) == before


def test_a_deleted_organisation_is_marked_by_a_full_import(crm, sandbox):
    sync(crm, full=True)
    number = next(iter(sandbox.world.organizations))
    client = local("organization", number, Client)
    sandbox.world.delete_organization(number)
    sync(crm)
    client.refresh_from_db()
    assert client.gone_at is None
    run = sync(crm, full=True)
    client.refresh_from_db()
    assert client.gone_at is not None
    assert client.merged_into is None
    assert run.updated == 1
    assert sync(crm, full=True).updated == 0


def test_of_merged_organisations_the_deals_move_and_the_loser_points_to_the_winner(crm, sandbox):
    sync(crm, full=True)
    loser, winner = [
        n
        for n, o in sandbox.world.organizations.items()
        if not o["is_deleted"] and any(d["org_id"] == n for d in sandbox.world.deals.values())
    ][:2]
    lost, won = local("organization", loser, Client), local("organization", winner, Client)
    moved = sandbox.world.merge_organizations(loser, winner)
    sync(crm)
    lost.refresh_from_db()
    assert lost.gone_at is not None
    assert lost.merged_into == won
    assert all(local("deal", number, Deal).client == won for number in moved)
    assert not lost.contacts.filter(gone_at=None).exists()


def test_a_person_who_changes_employer_does_not_merge_anything(crm, sandbox):
    sync(crm, full=True)
    person = next(p for p in sandbox.world.persons.values() if p["org_id"])
    old = local("organization", person["org_id"], Client)
    other = next(
        n
        for n, o in sandbox.world.organizations.items()
        if n != person["org_id"] and not o["is_deleted"]
    )
    sandbox.world.change_person(person["id"], org_id=other)
    sync(crm)
    assert local("person", person["id"], Contact).client == local("organization", other, Client)
    old.refresh_from_db()
    assert old.gone_at is None


def test_a_token_that_sees_hardly_anything_deletes_nothing(crm, sandbox):
    sync(crm, full=True)
    keep = set(list(sandbox.world.organizations)[:5])
    for number, organization in sandbox.world.organizations.items():
        if number not in keep:
            organization["is_deleted"] = True
    before = Client.objects.filter(gone_at=None).count()
    run = sync(crm, full=True)
    assert Client.objects.filter(gone_at=None).count() == before
    assert "no longer visible" in run.refusals.get(kind="organization", taken=True).text


# People


def test_users_become_owners_who_cannot_sign_in(crm, sandbox):
    sync(crm, full=True)
    owner = local("user", sandbox.world.users[1]["id"], User)
    assert owner.role == User.Role.SALES
    assert not owner.has_usable_password()
    assert not local("user", sandbox.world.users[-1]["id"], User).is_active


def test_somebody_who_works_here_keeps_name_and_role(crm, sandbox):
    thing = sandbox.world.users[1]
    boss = make_user(email=thing["email"].upper(), name="The boss", role=User.Role.ADMINISTRATOR)
    sync(crm, full=True)
    thing["name"] = "Somebody else"
    sync(crm, full=True)
    boss.refresh_from_db()
    assert local("user", thing["id"], User) == boss
    assert (boss.name, boss.role) == ("The boss", User.Role.ADMINISTRATOR)
    assert boss.has_usable_password()


# Clients that were here before


def test_a_client_of_the_same_name_is_adopted_and_not_doubled(crm, sandbox):
    organization = next(iter(sandbox.world.organizations.values()))
    ours = make_client(name=organization["name"].upper(), siren="", vat_id="")
    sync(crm, full=True)
    assert local("organization", organization["id"], Client) == ours
    assert Client.objects.filter(name__iexact=organization["name"]).count() == 1


def test_of_two_clients_of_the_same_name_neither_is_adopted(crm, sandbox):
    organization = next(iter(sandbox.world.organizations.values()))
    ours = [make_client(name=organization["name"], siren="", vat_id="") for _ in range(2)]
    sync(crm, full=True)
    assert local("organization", organization["id"], Client) not in ours


# Trouble on the way


@pytest.mark.parametrize(
    "kind", ["429", "500", "503", "not_json", "truncated", "dropped", "html_403"]
)
def test_passing_trouble_is_waited_out(crm, sandbox, kind):
    for path in ("/api/v2/organizations", "/api/v2/deals", "/api/v2/deals/products"):
        sandbox.inject(kind, path=path)
    assert sync(crm, full=True).state == SyncRun.State.DONE


def test_an_enforced_burst_limit_is_respected(db, monkeypatch):
    monkeypatch.undo()
    from django.conf import settings

    settings.DEMO = True
    make_company()
    limits = Limits(burst=15, enforce=True)
    with Sandbox(build_world(today=TODAY, deals=130), limits=limits) as sandbox:
        connection = connect_crm(base_url=sandbox.base_url, api_token=sandbox.token)
        assert sync(connection, full=True).state == SyncRun.State.DONE
        refused = sum(request.status == 429 for request in sandbox.requests)
        assert refused <= 2


def test_a_401_pauses_the_connection_and_says_so(crm, sandbox):
    sandbox.inject("401", path="/api/v2/deals")
    run = sync(crm, full=True)
    crm.refresh_from_db()
    assert run.state == SyncRun.State.FAILED
    assert crm.state == Connection.State.PAUSED
    assert "API token" in crm.pause_text
    with pytest.raises(SyncRefused, match="API token"):
        sync(crm)
    connect_crm(base_url=sandbox.base_url, api_token=sandbox.token)
    again = sync(crm)
    assert again.state == SyncRun.State.DONE
    # It goes on with the deals: the organisations were done.
    assert again.full
    assert "organizations" not in again.progress


def test_trouble_that_lasts_stops_the_run_in_words_and_the_next_goes_on(crm, sandbox):
    sandbox.inject("500", times=50, path="/api/v2/deals/products")
    run = sync(crm, full=True)
    assert run.state == SyncRun.State.FAILED
    assert "trouble of its own" in SyncRun.objects.get(pk=run.pk).failure_text
    crm.refresh_from_db()
    assert crm.state == Connection.State.ACTIVE
    clients = Client.objects.count()
    assert clients
    sandbox.faults.clear()
    assert sync(crm).state == SyncRun.State.DONE
    assert Client.objects.count() >= clients
    assert Deal.objects.exists()


def test_a_stale_cursor_starts_again_from_the_last_moment_seen(crm, sandbox):
    run = start_sync(connection_id=crm.pk, full=True, by=None, enqueue=False)
    newest = sorted(d["update_time"] for d in sandbox.world.deals.values())[80]
    SyncRun.objects.filter(pk=run.pk).update(
        resume={"step": "deals", "since": None, "cursor": "bm90IGEgY3Vyc29y", "newest": newest}
    )
    assert carry_out(claim(run.pk), open_crm=open_crm).state == SyncRun.State.DONE
    assert Deal.objects.exists()


def test_a_fault_of_our_own_ends_the_run_in_words_and_is_not_hidden(crm, sandbox, monkeypatch):
    monkeypatch.setattr("integrations.crm.clients.fingerprint", lambda *values: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        sync(crm, full=True)
    assert "fault of the portal" in SyncRun.objects.get().failure_text


# One at a time


def test_a_second_import_is_refused_while_one_runs(crm):
    first = start_sync(connection_id=crm.pk, full=False, by=None, enqueue=False)
    with pytest.raises(SyncRefused, match="running already"):
        start_sync(connection_id=crm.pk, full=False, by=None, enqueue=False)
    assert claim(first.pk) is not None
    assert claim(first.pk) is None


@pytest.mark.django_db(transaction=True)
def test_of_two_who_start_at_once_one_is_refused_and_of_two_workers_one_gets_the_run(sandbox):
    make_company()
    crm = connect_crm(base_url=sandbox.base_url, api_token=sandbox.token)

    def start():
        return start_sync(connection_id=crm.pk, full=False, by=None, enqueue=False)

    ends = at_once(start, start, start)
    assert sorted(type(end).__name__ for end in ends) == ["SyncRefused", "SyncRefused", "SyncRun"]
    run = SyncRun.objects.get()
    taken = at_once(*[lambda: claim(run.pk)] * 3)
    assert len([each for each in taken if each is not None]) == 1


def test_a_run_that_gave_no_sign_of_life_is_taken_over_and_the_old_process_writes_no_more(crm):
    run = start_sync(connection_id=crm.pk, full=True, by=None, enqueue=False)
    old = claim(run.pk)
    SyncRun.objects.filter(pk=run.pk).update(beat_at=timezone.now() - timedelta(minutes=3))
    new = claim(run.pk)
    assert new is not None
    carry_out(old, open_crm=open_crm)
    assert not Client.objects.exists()
    assert SyncRun.objects.get(pk=run.pk).state == SyncRun.State.RUNNING
    assert carry_out(new, open_crm=open_crm).state == SyncRun.State.DONE


def test_the_worker_takes_a_run_and_the_sweep_finds_one_that_nobody_took(crm):
    run = start_sync(connection_id=crm.pk, full=True, by=None)
    from django_q.models import OrmQ

    assert OrmQ.objects.count() == 1
    tasks.sweep()
    assert OrmQ.objects.count() == 1
    SyncRun.objects.filter(pk=run.pk).update(queued_at=timezone.now() - timedelta(minutes=5))
    tasks.sweep()
    assert OrmQ.objects.count() == 2
    assert tasks.run_sync(run.pk) == "done"
    assert tasks.run_sync(run.pk) == "not taken"
    tasks.sync_changes()
    assert SyncRun.objects.filter(state="queued", full=False).count() == 1
    tasks.sync_changes()
    assert SyncRun.objects.filter(state="queued").count() == 1


def test_a_queued_task_vanishes_with_the_run_that_was_rolled_back(crm):
    from django.db import transaction
    from django_q.models import OrmQ

    with pytest.raises(RuntimeError), transaction.atomic():
        start_sync(connection_id=crm.pk, full=True, by=None)
        raise RuntimeError
    assert not OrmQ.objects.exists()
    assert not SyncRun.objects.exists()


def test_a_dry_run_counts_and_keeps_nothing(crm):
    before = picture()
    result = dry_run(crm, full=True, open_crm=open_crm)
    assert result.run.created > 300
    assert any("KRL" in row.text for row in result.refusals)
    assert picture() == before
    assert not SyncRun.objects.exists()
    assert not SyncRefusal.objects.exists()


# Connecting


def test_a_wrong_token_is_said_at_the_token(db, sandbox):
    with pytest.raises(ConnectRefused, match="does not know this token") as refusal:
        connect_crm(base_url=sandbox.base_url, api_token="wrong-token")
    assert refusal.value.field == "api_token"
    assert not Connection.objects.exists()


def test_the_token_of_another_company_is_refused(crm, sandbox):
    sandbox.world.company["company_domain"] = "rival"
    with pytest.raises(ConnectRefused, match="numbers would mix"):
        connect_crm(base_url=sandbox.base_url, api_token=sandbox.token)


def test_the_token_is_encrypted_in_the_database(crm, sandbox):
    with database.cursor() as cursor:
        cursor.execute("SELECT api_token FROM integrations_connection")
        assert sandbox.token not in cursor.fetchone()[0]


# Killed


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_killed_at_any_page_the_next_run_goes_on_and_the_end_is_the_same():
    """kill -9 of a real process after page 1, 2, 3 …; each next one takes over the silent run."""
    make_company()
    world = build_world(today=TODAY, deals=150)
    with Sandbox(world) as sandbox:
        connection = connect_crm(base_url=sandbox.base_url, api_token=sandbox.token)
        start_sync(connection_id=connection.pk, full=True, by=None, enqueue=False)
        deaths = 0
        # In turn: after each page that is new (three small ones are read again by every process),
        # and in the middle of a page's transaction.
        for turn in range(60):
            if SyncRun.objects.get().state == SyncRun.State.DONE:
                # The last one died after its last page.
                break
            child = subprocess.run(
                [sys.executable, "-c", _CHILD, *(("4", "0") if turn % 2 else ("0", "70"))],
                cwd=crash.ROOT,
                env=crash.environment(DEMO="1") | _keys(),
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            if child.returncode == 0:
                break
            assert child.returncode == -signal.SIGKILL, child.stderr
            deaths += 1
            # As if long silent: each child's clock begins anew, and ours has gone on meanwhile.
            SyncRun.objects.update(beat_at=timezone.now() - timedelta(hours=1))
        assert deaths >= 6
        run = SyncRun.objects.get()
        assert run.state == SyncRun.State.DONE
        kinds = (Client, Contact, Deal, Pipeline, Stage, User, CatalogueItem)
        assert run.created == sum(kind.objects.count() for kind in kinds)
        before = picture()
        assert sync(connection, full=True).updated == 0
        assert picture() == before


_CHILD = """
import os, signal, sys, django
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_portal.settings_for_tools")
django.setup()
from django.db import connection
from integrations.models import SyncRun
from integrations.pipedrive.client import Pipedrive
from integrations.crm.importing import carry_out
from integrations.core.runs import claim
from integrations.registry import open_crm
from tests.crash import DiesAt
# Several pages of each kind, out of a small world.
Pipedrive.changed.__kwdefaults__["limit"] = 80
left, statements = int(sys.argv[1]), int(sys.argv[2])
def page(run):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
run = claim(SyncRun.objects.get().pk)
assert run is not None
with connection.execute_wrapper(DiesAt(statements)):
    carry_out(run, open_crm=open_crm, on_progress=page)
"""


def _keys():
    from django.conf import settings

    return {"SECRET_KEY": settings.SECRET_KEY, "SALT_KEY": ",".join(settings.SALT_KEY)}
