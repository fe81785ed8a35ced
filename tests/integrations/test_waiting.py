"""The desk says of the integrations that they are healthy only when nothing waits."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from django_q.models import Schedule

from integrations.models import Connection, FieldMapping, SyncRefusal, SyncRun
from invoices.models import Message
from tests.factories import make_invoice

pytestmark = pytest.mark.django_db


@pytest.fixture
def crm(db):
    """Connected, imported from a minute ago, and nothing of it waits."""
    connection = Connection.objects.create(
        provider="pipedrive",
        base_url="https://127.0.0.1:9",
        api_token="secret-token",
        state="active",
    )
    ended = timezone.now() - timedelta(minutes=1)
    SyncRun.objects.create(
        connection=connection, state="done", full=True, queued_at=ended, finished_at=ended
    )
    return connection


def fragment(browser):
    """What the desk's tile says, and the top bar."""
    text = browser.get(
        reverse("integrations:health"),
        headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/"},
    ).text
    begins, ends = text.index('id="desk-health"'), text.index('id="desk-integrations"')
    return text[begins:ends], text[:begins]


def test_healthy_is_said_when_nothing_waits(clerk_client, crm):
    tile, bar = fragment(clerk_client)
    assert "Healthy" in tile
    assert "is up to date" in bar
    assert "Healthy" in clerk_client.get(reverse("integrations:index")).text


def refused(crm):
    SyncRefusal.objects.create(
        run=crm.runs.get(), kind="deal", external_id="999", reason="Too long."
    )


def unknown_option(crm):
    FieldMapping.objects.create(
        connection=crm, target="client_type", unknown={"999": {"label": "Guild", "count": 1}}
    )


def no_longer_seen(crm):
    Connection.objects.update(missing={"deal": {"missing": 60, "all": 120}})


@pytest.mark.parametrize(
    ("happens", "named"),
    [
        (refused, "1 object of Pipedrive was refused"),
        (unknown_option, "1 option of Pipedrive has no meaning here yet"),
        (no_longer_seen, "60 objects of Pipedrive are no longer visible"),
    ],
)
def test_what_waits_at_a_connection_that_works_is_named(
    clerk_client, sales_client, crm, happens, named
):
    happens(crm)
    tile, bar = fragment(clerk_client)
    assert "Healthy" not in tile
    assert "1 point to settle" in tile
    assert f"Pipedrive: {named}" in bar
    page = clerk_client.get(reverse("integrations:index")).text
    assert "Healthy" not in page
    assert named in page
    # Who can do nothing about it is not asked.
    assert "is up to date" in sales_client.get(reverse("integrations:health")).text


def test_the_count_beside_what_waits_is_that_of_its_rows(clerk_client, crm):
    refused(crm)
    run = crm.runs.get()
    SyncRefusal.objects.create(run=run, kind="deal", external_id="1000", reason="Too long.")
    unknown_option(crm)
    page = clerk_client.get(
        reverse("integrations:health"),
        headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/"},
    ).text
    listed = page[page.index('id="desk-integrations"') :]
    assert "2 objects of Pipedrive were refused" in listed
    assert listed.count("<li>") == 2
    assert '<span class="count">2</span>' in listed
    assert re.search(r'id="count-integrations"[^>]*>\s*2', page)


def test_a_task_that_waits_is_no_health_and_not_the_fault_of_the_provider(clerk_client, crm):
    Schedule.objects.create(
        name="x",
        schedule_type="I",
        func="x.y",
        next_run=timezone.now() - timedelta(hours=2),
        repeats=-1,
    )
    tile, bar = fragment(clerk_client)
    assert "1 point to settle" in tile
    assert "Pipedrive is up to date" in bar


def test_the_tile_does_not_say_healthy_beside_emails_that_wait(clerk_client, crm):
    Message.objects.create(
        reason_key="m", kind="note", to=["a@example.com"], subject="s", state="failed"
    )
    tile, _bar = fragment(clerk_client)
    assert "Healthy" not in tile
    assert "Emails that need you" in tile


def test_the_tile_leads_those_who_may_to_the_integrations(clerk_client, manager_client, crm):
    make_invoice()
    link = f'<a class="kpi kpi-health" href="{reverse("integrations:index")}">'
    assert link in clerk_client.get("/").text
    assert "kpi-health" not in manager_client.get("/").text
