"""An invoice goes to the platform once, whatever goes wrong on the way."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations import tasks
from integrations.connecting import connect_platform
from integrations.einvoicing import sending
from integrations.einvoicing.receiving import receive
from integrations.models import Connection
from integrations.platform import adapter, client
from integrations.registry import open_platform
from invoices.einvoicing.transmitting import TransmitRefused, send_again
from invoices.models import (
    ClientRoute,
    IncomingInvoice,
    InvoiceEvent,
    LifecycleStatus,
    PlatformFlow,
    Transmission,
)
from tests.factories import make_client
from tests.transmitted import BUYER, make_transmission

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


def sent_flows(platform):
    return [file for file in platform.world.files.values() if file.direction == "Out"]


@pytest.mark.parametrize("kind", ["dropped", "truncated", "empty", "not_json"])
def test_taken_without_an_answer_is_looked_up_and_not_sent_twice(
    platform, connection, transmission, kind
):
    """The platform took it; the answer never came, or was none."""
    platform.inject(kind, path=FLOWS)
    if kind in ("empty", "not_json"):
        # These answers come instead of the platform's own work: nothing was taken.
        expected_posts, before = 2, 0
    else:
        expected_posts, before = 1, 1
    assert tasks.send_to_platform() == 0
    transmission.flow.refresh_from_db()
    assert transmission.flow.state == State.UNCLEAR
    assert len(sent_flows(platform)) == before
    # Not ripe: left in peace.
    assert tasks.send_to_platform() == 0
    ripen()
    assert tasks.send_to_platform() == 1
    assert len(sent_flows(platform)) == 1
    assert platform.count(FLOWS, method="POST") == expected_posts


def test_an_error_of_the_platform_is_looked_up_before_the_next_try(
    platform, connection, transmission
):
    platform.inject("500", path=FLOWS, times=1)
    assert tasks.send_to_platform() == 0
    ripen()
    # The look-up fails too: then nothing is sent.
    platform.inject("500", path=f"{FLOWS}/search", times=9)
    assert tasks.send_to_platform() == 0
    assert platform.count(FLOWS, method="POST") == 1
    platform.faults.clear()
    ripen()
    assert tasks.send_to_platform() == 1
    assert [f.tracking_id for f in sent_flows(platform)] == [transmission.flow.tracking_id]


def test_killed_after_handing_over(platform, connection, transmission, monkeypatch):
    """The process ends between the platform's answer and our writing it down."""
    monkeypatch.setattr(sending, "_taken", lambda flow, found: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        tasks.send_to_platform()
    monkeypatch.undo()
    assert len(sent_flows(platform)) == 1
    # Its claim still runs: nobody touches it.
    assert tasks.send_to_platform() == 0
    ripen()
    assert tasks.send_to_platform() == 1
    assert len(sent_flows(platform)) == 1
    assert platform.count(FLOWS, method="POST") == 1


def test_a_platform_that_is_away_leaves_it_waiting_under_one_key(
    platform, connection, transmission
):
    Connection.objects.update(base_url="http://127.0.0.1:9/flow-service")
    assert tasks.send_to_platform() == 0
    flow = PlatformFlow.objects.get()
    assert (flow.state, flow.attempts) == (State.WAITING, 1)
    assert "does not accept connections" in flow.trouble_text
    Connection.objects.update(base_url=f"{platform.base_url}/flow-service")
    ripen()
    assert tasks.send_to_platform() == 1
    assert sent_flows(platform)[0].tracking_id == flow.tracking_id


def test_wrong_credentials_rest_until_somebody_connects_again(platform, connection, transmission):
    platform.inject("401", path=FLOWS)
    assert tasks.send_to_platform() == 0
    connection.refresh_from_db()
    assert connection.state == Connection.State.PAUSED
    assert PlatformFlow.objects.get().state == State.WAITING
    assert tasks.send_to_platform() == 0
    connect_platform(base_url=platform.base_url, api_token=platform.token)
    assert tasks.send_to_platform() == 1


def test_what_the_door_turns_away_needs_somebody_and_may_be_sent_again(
    platform, connection, transmission
):
    platform.world.refuse_next("UNPROCESSABLE_ENTITY", "We take no invoices on Sundays.")
    assert tasks.send_to_platform() == 0
    transmission.refresh_from_db()
    assert (transmission.flow.state, transmission.group) == (State.REFUSED, "failed")
    assert "on Sundays" in transmission.flow.trouble_text
    ripen()
    # Nothing goes by itself any more.
    assert tasks.send_to_platform() == 0
    send_again(transmission_id=transmission.pk, by=None)
    transmission.refresh_from_db()
    assert transmission.group == "waiting"
    assert tasks.send_to_platform() == 1
    assert sent_flows(platform)[0].tracking_id == transmission.flow.tracking_id
    with pytest.raises(TransmitRefused, match="on its way already"):
        send_again(transmission_id=transmission.pk, by=None)


def test_checks_that_fail_later_need_somebody(platform, connection, transmission):
    platform.world.fail_next("InvalidSchema", "line 12")
    tasks.send_to_platform()
    assert poll(connection).acknowledged == 1
    transmission.refresh_from_db()
    assert (transmission.group, transmission.reason_code) == ("failed", "InvalidSchema")
    assert "line 12" in transmission.flow.trouble_text
    assert poll(connection).acknowledged == 0


def test_two_workers_take_a_row_once(platform, connection, transmission):
    with open_platform(connection) as first:
        claimed = sending._claim(transmission.flow_id)
        assert sending.send(transmission.flow_id, first, connection) == "untouched"
        # The first one's lease ran out, a second one sent it: the first writes nothing more.
        ripen()
        assert sending.send(transmission.flow_id, first, connection) == State.SENT
        assert not sending._mark_unclear(claimed)


def test_a_file_that_cannot_be_fetched_holds_nobody_up(platform, connection, transmission):
    tasks.send_to_platform()
    platform.inject("500", route=f"{FLOWS}/{{flowId}}")
    counts = poll(connection)
    assert (counts.messages, counts.failed) == (2, 1)
    counts = poll(connection)
    assert (counts.messages, counts.failed) == (1, 0)
    transmission.refresh_from_db()
    assert transmission.status_code == "203"


def test_twice_late_and_about_strangers(platform, connection, transmission):
    tasks.send_to_platform()
    poll(connection)
    number = transmission.invoice.number
    later = timezone.now() + timedelta(minutes=1)
    flow_id = platform.world.say(number, "205", at=later.isoformat())
    platform.world.deliver_again(flow_id)
    early = timezone.now() - timedelta(days=1)
    platform.world.say(number, "204", at=early.isoformat())
    platform.world.say("F-NOBODY", "205")
    platform.world.bring("<no", "broken.xml")
    assert poll(connection).messages == 5
    transmission.refresh_from_db()
    assert transmission.status_code == "205"
    assert transmission.taken_up_at == early.replace(microsecond=0)
    unknown = LifecycleStatus.objects.filter(transmission=None)
    assert sorted(row.number for row in unknown) == ["", "F-NOBODY"]
    assert all(row.problem_text for row in unknown)


def test_many_pages_are_read_to_the_end(platform, connection, monkeypatch):
    monkeypatch.setattr(client, "PAGE", 3)
    monkeypatch.setattr(adapter, "PAGE", 3)
    for n in range(8):
        platform.world.say(f"F-{n}", "205")
    counts = poll(connection)
    assert counts.messages == 8
    assert poll(connection).messages == 0


def test_suppliers_invoices_are_kept_and_nothing_more(platform, connection):
    platform.world.bring(b"%PDF-1.7", "../F 1.pdf", type="SupplierInvoice", syntax="Factur-X")
    assert poll(connection).incoming == 1
    assert poll(connection).incoming == 0
    row = IncomingInvoice.objects.get()
    assert (row.filename, bytes(row.content), row.size) == ("F 1.pdf", b"%PDF-1.7", 8)


def test_the_directory_is_asked_by_siren_and_answers_for_it_alone(platform, connection):
    platform.world.enter(BUYER, [BUYER, f"{BUYER}_COMPTA"])
    known, unknown = make_client(siren=BUYER), make_client(siren="732829320")
    without = make_client(siren="")
    tasks.ask_directory()
    rows = {row.client_id: row for row in ClientRoute.objects.all()}
    assert rows[known.pk].found is True
    assert rows[known.pk].offered == [BUYER, f"{BUYER}_COMPTA"]
    assert rows[unknown.pk].found is False
    assert without.pk not in rows
    asked = platform.count("/directory-service/v1/directory-line/search")
    tasks.ask_directory()
    assert platform.count("/directory-service/v1/directory-line/search") == asked


def test_it_is_all_kept_when_nobody_has_connected_a_platform(db):
    make_transmission()
    assert tasks.send_to_platform() == 0
    tasks.poll_platform()
    tasks.ask_directory()
    assert Transmission.objects.get().group == "waiting"
