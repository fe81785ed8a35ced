"""Client credentials of a platform: fetched, kept, fetched again, and told in words when wrong."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from django.db import connection as database
from django.urls import reverse
from django.utils import timezone

from billing_portal.idempotency import new_key
from integrations import tasks
from integrations.connecting import ConnectRefused, connect_platform
from integrations.core.tokens import Kept
from integrations.models import Connection
from integrations.platform.client import NAME, PlatformClient
from integrations.sandbox.platform.stand_in import TOKEN, PlatformSandbox
from invoices.models import PlatformFlow
from tests.factories import make_company
from tests.race import at_once
from tests.transmitted import BUYER, make_transmission

LOGIN = ("kerlann & fils", "s3cret/of:kerlann")


@pytest.fixture
def platform(settings, monkeypatch):
    settings.DEMO = True
    monkeypatch.setitem(PlatformClient.__init__.__kwdefaults__, "attempts", 1)
    # As the header has them (RFC 6749, 2.3.1).
    with PlatformSandbox(
        {BUYER: [BUYER]}, login=("kerlann+%26+fils", "s3cret%2Fof%3Akerlann")
    ) as running:
        yield running


def connect(platform, **more):
    make_company()
    given = {"token_url": platform.token_url, "client_id": LOGIN[0], "client_secret": LOGIN[1]}
    return connect_platform(base_url=platform.base_url, **{**given, **more})


@pytest.mark.django_db
def test_one_token_is_fetched_used_and_fetched_again_when_it_ends(platform, caplog):
    caplog.set_level(logging.DEBUG)
    connection = connect(platform)
    asked = platform.count(TOKEN)
    sent = make_transmission()
    assert tasks.send_to_platform() == 1
    tasks.poll_platform()
    tasks.poll_platform()
    assert platform.count(TOKEN) == asked + 1
    sent.refresh_from_db()
    assert sent.status_code == "203"
    # It ends before its time: refused, fetched once, and asked again.
    platform.forget_tokens()
    tasks.poll_platform()
    assert platform.count(TOKEN) == asked + 2
    connection.refresh_from_db()
    assert connection.state == Connection.State.ACTIVE
    # Nearly over: fetched before anything is refused.
    Connection.objects.update(access_until=timezone.now() + timedelta(seconds=30))
    tasks.poll_platform()
    assert platform.count(TOKEN) == asked + 3
    connection.refresh_from_db()
    # Neither in what is logged nor in the clear in the database.
    with database.cursor() as cursor:
        cursor.execute("SELECT client_secret, access_token FROM integrations_connection")
        kept = cursor.fetchone()
    for secret in (LOGIN[1], connection.access_token):
        assert secret not in caplog.text
        assert all(secret not in str(each) for each in kept)


@pytest.mark.django_db
def test_a_wrong_secret_is_said_beside_its_field_and_a_withdrawn_one_rests(platform, admin_client):
    with pytest.raises(ConnectRefused, match="does not accept this client id") as refused:
        connect(platform, client_secret="another")
    assert refused.value.field == "client_secret"
    with pytest.raises(ConnectRefused, match="not both"):
        connect(platform, api_token="a-token")
    with pytest.raises(ConnectRefused, match="its address, its id and its secret"):
        connect(platform, client_id="")
    page = admin_client.post(
        reverse("integrations:platform"),
        {
            "account_name": "Armor", "base_url": platform.base_url, "client_id": "x",
            "token_url": platform.token_url,
            "client_secret": "not-that-one", "once": new_key(),
        },
    )  # fmt: skip
    assert page.status_code == 422
    assert "does not accept this client id" in page.text
    assert "not-that-one" not in page.text
    assert not Connection.objects.exists()
    connect(platform)
    sent = make_transmission()
    # Withdrawn at the platform while an invoice waits: it rests, and says what to do.
    platform.login = ("somebody", "else")
    assert tasks.send_to_platform() == 0
    row = Connection.objects.get()
    assert row.state == Connection.State.PAUSED
    assert "does not accept this client id and secret" in row.pause_text
    assert "invalid_client" in row.pause_text
    sent.flow.refresh_from_db()
    assert sent.flow.state == PlatformFlow.State.WAITING
    assert (
        "does not accept this client id" in admin_client.get(reverse("integrations:platform")).text
    )


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["500", "dropped", "not_json"])
def test_a_login_in_trouble_sends_nothing_and_rests_nothing(platform, kind):
    connect(platform)
    sent = make_transmission()
    # For the directory, which holds nothing up, and for the file.
    platform.inject(kind, path=TOKEN, times=2)
    assert tasks.send_to_platform() == 0
    assert Connection.objects.get().state == Connection.State.ACTIVE
    # Nothing left, so nothing has to be looked up: the next sweep sends.
    sent.flow.refresh_from_db()
    assert sent.flow.state == PlatformFlow.State.WAITING
    PlatformFlow.objects.update(next_attempt_at=None)
    assert tasks.send_to_platform() == 1


@pytest.mark.django_db(transaction=True)
def test_many_at_once_fetch_one_token(platform):
    connection = connect(platform)
    asked = platform.count(TOKEN)
    found = at_once(*[lambda: Kept(connection, NAME).current()] * 4)
    assert platform.count(TOKEN) == asked + 1
    assert len(set(found)) == 1
