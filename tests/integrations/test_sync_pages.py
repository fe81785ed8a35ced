"""The pages of the integrations, as each role sees them and as they answer when things go wrong."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from billing_portal.idempotency import new_key
from integrations.connecting import connect_crm
from integrations.core.runs import claim, start_sync
from integrations.crm.importing import carry_out
from integrations.models import Connection, SyncRefusal, SyncRun
from integrations.registry import open_crm
from tests.factories import make_user

INDEX = "/integrations/"
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _demo(settings):
    settings.DEMO = True


def import_all(connection):
    run = start_sync(connection_id=connection.pk, full=True, by=None, enqueue=False)
    return carry_out(claim(run.pk), open_crm=open_crm)


# Who may what

PAGES = ["index", "pipedrive", "mapping", "mapping_preview"]


@pytest.mark.parametrize("name", PAGES)
def test_managers_and_sales_do_not_see_the_integrations(name, manager_client, sales_client):
    for browser in (manager_client, sales_client):
        assert browser.get(reverse(f"integrations:{name}")).status_code == 403
        assert browser.post(reverse("integrations:start")).status_code == 403


def test_finance_starts_imports_but_does_not_connect(clerk_client, crm):
    assert clerk_client.get(INDEX).status_code == 200
    assert clerk_client.get(reverse("integrations:mapping")).status_code == 403
    entry = {"base_url": "https://x.pipedrive.com", "api_token": "abcdef"}
    assert clerk_client.post(reverse("integrations:pipedrive"), entry).status_code == 403
    assert "An administrator connects" in clerk_client.get(reverse("integrations:pipedrive")).text


def test_everybody_signed_in_sees_a_word_of_health_and_only_some_a_link(
    client, sales_client, admin_client, crm
):
    url = reverse("integrations:health")
    assert client.get(url).status_code == 302
    word = sales_client.get(url).text
    assert "nothing imported yet" in word
    assert "href" not in word
    assert f'href="{INDEX}"' in admin_client.get(url).text


# First time


def test_the_first_time_says_what_this_is_and_the_first_step(admin_client, clerk_client):
    page = admin_client.get(INDEX).text
    assert "Nothing is connected yet" in page
    assert reverse("integrations:pipedrive") in page
    assert "Ask an administrator" in clerk_client.get(INDEX).text
    assert admin_client.get(reverse("integrations:mapping")).status_code == 302


def test_connecting_tries_the_token_and_leads_to_the_imports(admin_client, sandbox):
    url = reverse("integrations:pipedrive")
    entry = {"base_url": sandbox.base_url, "api_token": sandbox.token}
    answer = admin_client.post(url, entry, follow=True)
    assert answer.redirect_chain[-1][0] == INDEX
    assert "Connected to Kerlann Conseil" in answer.text
    assert sandbox.token not in answer.text


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ({"api_token": "wrong-token"}, "does not know this token"),
        ({"api_token": "two words"}, "one word of letters"),
        ({"base_url": "http://127.0.0.1:1"}, "does not accept connections"),
        ({"base_url": "https://10.1.2.3"}, "private network"),
        ({"base_url": "nonsense nonsense"}, "not a web address"),
        ({"api_token": ""}, "This field is required"),
    ],
)
def test_what_is_wrong_with_a_connection_is_said_and_nothing_kept(
    admin_client, sandbox, monkeypatch, entry, sentence
):
    monkeypatch.setattr("integrations.core.http.time.sleep", lambda seconds: None)
    good = {"base_url": sandbox.base_url, "api_token": sandbox.token}
    answer = admin_client.post(reverse("integrations:pipedrive"), {**good, **entry})
    assert answer.status_code == 422
    assert sentence in answer.text
    assert not Connection.objects.exists()
    assert sandbox.token not in answer.text


@pytest.mark.parametrize("kind", ["not_json", "html_403", "500", "empty", "truncated", "dropped"])
def test_a_host_that_answers_oddly_gets_a_sentence(admin_client, sandbox, monkeypatch, kind):
    monkeypatch.setattr("integrations.core.http.time.sleep", lambda seconds: None)
    sandbox.inject(kind, times=2, path="/v1/users/me")
    entry = {"base_url": sandbox.base_url, "api_token": sandbox.token}
    assert admin_client.post(reverse("integrations:pipedrive"), entry).status_code == 422
    sandbox.faults.clear()


# Imports


def test_a_double_click_starts_one_import(clerk_client, crm):
    entry = {"once": "a-key-of-the-form", "full": "1"}
    first = clerk_client.post(reverse("integrations:start"), entry)
    second = clerk_client.post(reverse("integrations:start"), entry)
    run = SyncRun.objects.get()
    assert run.full
    assert first["Location"] == second["Location"] == reverse("integrations:run", args=[run.pk])


def test_a_second_import_leads_to_the_running_one_with_a_reason(clerk_client, crm):
    clerk_client.post(reverse("integrations:start"), {"once": "one"})
    answer = clerk_client.post(reverse("integrations:start"), {"once": "two"}, follow=True)
    assert "running already" in answer.text
    assert SyncRun.objects.count() == 1


def test_a_paused_connection_says_why_and_what_to_do(admin_client, crm):
    reason = "Pipedrive does not accept the API token any more."
    Connection.objects.update(state="paused", pause_reason=reason)
    answer = admin_client.post(reverse("integrations:start"), {"once": "x"}, follow=True)
    assert reason in answer.text
    assert "Connect again" in answer.text
    assert "Pipedrive: imports rest" in admin_client.get(reverse("integrations:health")).text


def test_a_running_import_is_polled_and_the_last_answer_stops_it(clerk_client, crm):
    run = start_sync(connection_id=crm.pk, full=True, by=None, enqueue=False)
    taken = claim(run.pk)
    SyncRun.objects.update(step="deals", progress={"deals": {"done": 500, "total": 900}})
    url = reverse("integrations:run", args=[run.pk])
    page = clerk_client.get(url)
    assert 'hx-trigger="every 1s"' in page.text
    assert "500 of 900 deals" in page.text
    figures = clerk_client.get(url, {"quarter": "1"}, headers=HTMX)
    assert "<html" not in figures.text
    assert 'id="announce"' in figures.text
    assert 'id="announce"' not in clerk_client.get(url, {"quarter": "2"}, headers=HTMX).text
    # The top bar asks more often too, and once more when the import has ended.
    health = clerk_client.get(reverse("integrations:health"), headers=HTMX).text
    assert "importing" in health
    assert 'hx-trigger="load delay:4s"' in health
    assert "HX-Trigger" not in figures.headers
    SyncRun.objects.update(resume=taken.resume, progress={}, step="")
    carry_out(SyncRun.objects.select_related("connection").get(), open_crm=open_crm)
    last = clerk_client.get(url, headers=HTMX)
    assert last.status_code == 286
    assert "health-changed" in last.headers["HX-Trigger"]
    assert "load delay" not in clerk_client.get(reverse("integrations:health"), headers=HTMX).text
    assert "hx-trigger" not in last.text
    assert 'id="run-results" hx-swap-oob="outerHTML"' in last.text
    assert "KRL" in last.text


def test_the_figures_of_an_import_add_up_among_themselves_and_to_its_steps(clerk_client, imported):
    run = SyncRun.objects.get()
    kinds = (run.created, run.updated, run.unchanged, run.refused)
    page = clerk_client.get(reverse("integrations:run", args=[run.pk])).text
    figures, steps = page[page.index('class="figures"') :].split('class="sub-steps"')
    shown = [int(each.replace(",", "")) for each in re.findall(r"<b[^>]*>([\d,]+)</b>", figures)]
    assert shown == [sum(kinds), *kinds]
    handled = re.findall(r'class="num muted">([\d,]+)</span>', steps.partition("</ul>")[0])
    assert sum(int(each.replace(",", "")) for each in handled) == sum(kinds)


def test_refusals_are_in_words_with_a_link_into_the_crm(clerk_client, imported, sandbox):
    page = clerk_client.get(INDEX).text
    number = sandbox.world.awkward["deal_in_unknown_currency"]
    assert "“KRL” is not a currency the portal knows" in page
    assert f'href="{sandbox.base_url}/deal/{number}"' in page
    run = SyncRun.objects.get()
    csv = clerk_client.get(reverse("integrations:refused_csv", args=[run.pk]))
    assert "KRL" in b"".join(csv.streaming_content).decode()


def test_names_from_the_crm_are_never_markup_on_a_page(clerk_client, imported):
    run = SyncRun.objects.get()
    SyncRefusal.objects.create(
        run=run,
        kind="deal",
        external_id="javascript:1",
        label="<script>x</script>",
        reason="{{ 7*7 }}",
    )
    page = clerk_client.get(reverse("integrations:run", args=[run.pk])).text
    assert "&lt;script&gt;x" in page
    assert "{{ 7*7 }}" in page
    assert 'href="javascript' not in page


def test_a_run_that_no_worker_takes_says_so(clerk_client, crm):
    run = start_sync(connection_id=crm.pk, full=False, by=None, enqueue=False)
    SyncRun.objects.update(queued_at=timezone.now() - timedelta(minutes=1))
    assert (
        "No worker has taken it"
        in clerk_client.get(reverse("integrations:run", args=[run.pk])).text
    )


def test_a_run_that_goes_on_after_another_says_what_was_done_before(clerk_client, crm, sandbox):
    sandbox.inject("401", path="/api/v2/deals")
    carry_out(
        claim(start_sync(connection_id=crm.pk, full=True, by=None, enqueue=False).pk),
        open_crm=open_crm,
    )
    sandbox.faults.clear()
    connect_crm(base_url=sandbox.base_url, api_token=sandbox.token)
    run = start_sync(connection_id=crm.pk, full=False, by=None, enqueue=False)
    carry_out(claim(run.pk), open_crm=open_crm)
    page = clerk_client.get(reverse("integrations:run", args=[run.pk])).text
    assert page.count("done before") == 3


def test_everything_on_the_schedule_exists():
    from django.utils.module_loading import import_string

    from integrations.schedules import SCHEDULES

    for entry in SCHEDULES:
        assert callable(import_string(entry["func"]))
        assert ("minutes" in entry) != ("cron" in entry)


def test_silence_of_the_imports_is_noticed(clerk_client, imported):
    SyncRun.objects.update(finished_at=timezone.now() - timedelta(hours=3))
    assert "over an hour" in clerk_client.get(reverse("integrations:health")).text
    assert "worker probably does not run" in clerk_client.get(INDEX).text


@pytest.mark.parametrize("many", [1, 30])
def test_the_number_of_queries_does_not_depend_on_the_rows(
    clerk_client, crm, many, django_assert_max_num_queries
):
    for _ in range(many):
        run = SyncRun.objects.create(
            connection=crm,
            state="done",
            finished_at=timezone.now(),
            refused=1,
            started_by=make_user(),
        )
        SyncRefusal.objects.create(run=run, kind="deal", external_id="1", reason="x")
    clerk_client.get(INDEX)
    with django_assert_max_num_queries(16):
        clerk_client.get(INDEX)


# ─ What waits for a person ──────────────────────────────────────────────────────────────────────


def fragment(browser, path="/"):
    return browser.get(
        "/integrations/health/", headers={**HTMX, "HX-Current-URL": f"http://testserver{path}"}
    ).text


def test_a_paused_connection_is_on_the_desk_and_counted_beside_the_menu(admin_client, crm):
    Connection.objects.update(state="paused", pause={"code": "http.token", "values": {}})
    text = fragment(admin_client)
    assert 'id="desk-integrations"' in text
    assert "does not accept the API token" in text
    assert "Connect again" in text
    assert 'id="count-integrations"' in text
    # Any other page has no place for the list.
    assert "desk-integrations" not in fragment(admin_client, "/invoices/")


def test_what_was_paused_is_told_in_the_language_of_whoever_reads_it(admin_client, crm):
    Connection.objects.update(
        state="paused", pause={"code": "http.token", "values": {"provider": "Pipedrive"}}
    )
    admin_client.cookies["django_language"] = "fr"
    from django.utils import translation

    with translation.override("fr"):
        assert "jeton" in Connection.objects.get().pause_text
    with translation.override("en-gb"):
        assert "API token" in Connection.objects.get().pause_text


def test_the_desk_asks_the_provider_page_once(clerk_client, imported):
    text = clerk_client.get("/").text
    assert text.count("/integrations/health/") == 1
    assert 'id="desk-health"' in text


def test_refused_objects_are_on_the_desk_until_they_are_read(clerk_client, imported):
    text = fragment(clerk_client)
    assert "objects of Pipedrive were refused" in text
    assert "Look" in text


def test_missing_objects_are_asked_about_and_looked_up_on_request(clerk_client, imported):
    Connection.objects.update(missing={"deal": {"missing": 60, "all": 120}})
    text = fragment(clerk_client)
    assert "60 objects of Pipedrive are no longer visible" in text
    assert "Look each up" in clerk_client.get(INDEX).text
    clerk_client.post("/integrations/pipedrive/sync/", {"check_missing": "1", "once": new_key()})
    run = SyncRun.objects.first()
    assert (run.full, run.check_missing) == (True, True)


def test_a_schedule_that_nobody_runs_or_that_fails_is_on_the_desk(clerk_client, imported):
    from django_q.models import Schedule, Task

    hour = timedelta(hours=2)
    Schedule.objects.create(
        name="Mail that waits",
        schedule_type="I",
        func="x.y",
        next_run=timezone.now() - hour,
        repeats=-1,
    )
    failed = Task.objects.create(
        id="f" * 32,
        name="n",
        func="x.z",
        started=timezone.now(),
        stopped=timezone.now(),
        success=False,
    )
    Schedule.objects.create(
        name="alerts-hourly",
        func="x.z",
        next_run=timezone.now() + hour,
        repeats=-1,
        task=failed.id,
    )
    text = fragment(clerk_client)
    assert "The worker does not run" in text
    assert "alerts-hourly" in text
    row = Schedule.objects.get(func="x.z")
    clerk_client.post(f"/integrations/schedules/{row.pk}/run/")
    row.refresh_from_db()
    assert row.next_run <= timezone.now()


def test_a_deal_opens_in_the_crm_for_those_who_see_it(clerk_client, client, imported):
    from integrations.models import ExternalLink

    link = ExternalLink.objects.filter(kind="deal").first()
    answer = clerk_client.get(f"/integrations/deals/{link.local_id}/")
    assert answer["Location"] == f"{imported.base_url}/deal/{link.external_id}"
    client.force_login(make_user(role="sales"))
    assert client.get(f"/integrations/deals/{link.local_id}/").status_code == 404
    link.delete()
    answer = clerk_client.get(f"/integrations/deals/{link.local_id}/", follow=True)
    assert "did not come from the CRM" in answer.text
