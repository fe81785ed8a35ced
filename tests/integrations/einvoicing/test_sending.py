"""An invoice goes to the platform once, whatever goes wrong on the way."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations import tasks
from integrations.models import Connection
from integrations.platform import client
from integrations.registry import open_platform
from integrations.einvoicing import sending
from integrations.einvoicing.receiving import receive
from invoices.models import InvoiceEvent, LifecycleStatus, PlatformFlow, Transmission
from tests.transmitted import make_transmission

FLOWS = "/flow-service/v1/flows"
State = PlatformFlow.State


@pytest.fixture
def transmission(connection):
    return make_transmission()


def ripen():
    """As if every wait were over."""
    past = timezone.now() - timedelta(hours=3)
    PlatformFlow.objects.exclude(state=State.SENT).update(next_attempt_at=past)
    PlatformFlow.objects.filter(claimed_until__isnull=False).update(claimed_until=past)


def poll(connection):
    connection.refresh_from_db()
    with open_platform(connection, attempts=1) as platform:
        return receive(connection, platform)


def test_sent_once_and_followed_to_the_client(platform, connection, transmission):
    assert tasks.send_to_platform() == 1
    transmission.refresh_from_db()
    flow = transmission.flow
    assert flow.state == State.SENT
    assert platform.world.files[flow.platform_id].tracking_id == flow.tracking_id
    assert platform.world.files[flow.platform_id].sha256 == flow.sha256
    counts = poll(connection)
    assert (counts.messages, counts.failed) == (3, 0)
    transmission.refresh_from_db()
    assert (transmission.status_code, transmission.group) == ("203", "client")
    assert transmission.deposited_at < transmission.received_at < transmission.available_at
    said = InvoiceEvent.objects.filter(invoice=transmission.invoice, kind="platform")
    assert sorted(event.data["what"] for event in said) == [
        "asked", "sent", "status", "status", "status",
    ]  # fmt: skip
    # Again and again: nothing new, nothing sent.
    assert tasks.send_to_platform() == 0
    assert poll(connection).messages == 0
    assert platform.count(FLOWS, method="POST") == 1
