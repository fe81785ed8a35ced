"""The platform calls: whoever cannot show the secret is not heard, and no call is believed."""

from __future__ import annotations

import base64
import json

import pytest
from django.test import Client
from django.urls import reverse
from django_q.models import OrmQ

from billing_portal.idempotency import new_key
from integrations import tasks
from integrations.models import Connection, InboundEvent
from invoices.models import LifecycleStatus
from tests.transmitted import make_transmission

URL = "/integrations/platform/hook/"


def call(body, *, header=None, secret=""):
    if secret:
        header = "Basic " + base64.b64encode(f"portal:{secret}".encode()).decode()
    headers = {"Authorization": header} if header else {}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    # As strangers call: no session, no token of a form.
    return Client(enforce_csrf_checks=True).post(
        URL, content, content_type="application/json", headers=headers
    )


def test_a_call_makes_the_poll_come_at_once_and_says_nothing_itself(platform, connection):
    secret = connection.hook_secret
    sent = make_transmission()
    assert tasks.send_to_platform() == 1
    OrmQ.objects.all().delete()
    shown = platform.world.files[next(iter(platform.world.files))].shown()
    # What it claims here is no truth: the flow is told to have failed.
    lie = {"flowInfo": {**shown, "acknowledgement": {"status": "Error"}}}
    answer = call(lie, secret=secret)
    assert (answer.status_code, answer.content) == (200, b"")
    sent.flow.refresh_from_db()
    assert sent.flow.acknowledged != "Error"
    assert OrmQ.objects.count() == 1
    # Twice, and another of the same moment: kept once each, one poll for all.
    assert call(lie, secret=secret).status_code == 200
    assert call({"flowInfo": {**shown, "flowId": "nobody-knows"}}, secret=secret).status_code == 200
    assert call(b"\xff not JSON", header=f"Bearer {secret}").status_code == 200
    assert OrmQ.objects.count() == 1
    rows = InboundEvent.objects.values_list("about", "answered_at")
    assert sorted(rows) == sorted([(shown["flowId"], None), ("nobody-knows", None), ("", None)])
    tasks.poll_platform()
    sent.refresh_from_db()
    assert sent.status_code == "203"
    assert not InboundEvent.objects.filter(answered_at=None).exists()
    # Late, after all was read: nothing new comes of it, nor is it asked about again.
    before = LifecycleStatus.objects.count()
    assert call(lie, secret=secret).status_code == 200
    assert OrmQ.objects.count() == 1
    tasks.poll_platform()
    assert LifecycleStatus.objects.count() == before


def test_forged_calls_leave_no_trace(platform, connection):
    secret = connection.hook_secret
    for header in (None, "Basic", "Basic ???", "Bearer ", f"Bearer {secret}x", "Digest a"):
        assert call({}, header=header).status_code == 401
    assert call(b"x" * 70_000, secret=secret).status_code == 413
    assert Client().get(URL).status_code == 405
    # Before there is a secret nothing fits, not even nothing.
    Connection.objects.update(hook_secret="")
    assert call({}, header="Bearer ").status_code == 401
    assert not InboundEvent.objects.exists()
    assert not OrmQ.objects.exists()


@pytest.mark.django_db
def test_a_new_secret_ends_the_old_one(platform, connection, admin_client):
    old = connection.hook_secret
    page = admin_client.get(reverse("integrations:platform")).text
    assert old in page
    assert URL in page
    admin_client.post(reverse("integrations:platform-secret"), {"once": new_key()})
    assert call({}, secret=old).status_code == 401
    assert call({}, secret=Connection.objects.get().hook_secret).status_code == 200
