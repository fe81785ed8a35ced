"""What our client asks Pipedrive, judged by the stand-in and, where it is, by the specification."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import date

import pytest
import yaml

from integrations.core.http import ProviderError
from integrations.pipedrive.client import Pipedrive, base_url_of
from integrations.sandbox import Sandbox, build_world
from tests.integrations.core.test_http import serving
from tests.shared import SHARED


@contextmanager
def answering(body):
    """A client of a server that gives this one answer."""
    with (
        serving((200, json.dumps(body).encode(), {})) as (url, _seen),
        Pipedrive(url, "token", attempts=1) as client,
    ):
        yield client


SPECS = SHARED / "specs" / "pipedrive"


@pytest.fixture(autouse=True)
def _demo(settings):
    settings.DEMO = True


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(build_world(today=date(2026, 11, 24), deals=620)) as running:
        yield running


@pytest.fixture
def client(sandbox):
    sandbox.reset_counts()
    with Pipedrive(sandbox.base_url, sandbox.token, attempts=2, sleep=lambda s: None) as client:
        yield client


@pytest.mark.parametrize(
    ("pasted", "address"),
    [
        ("kerlann", "https://kerlann.pipedrive.com"),
        ("kerlann.pipedrive.com/pipeline/1", "https://kerlann.pipedrive.com"),
        ("https://kerlann.pipedrive.com/api/v2", "https://kerlann.pipedrive.com"),
        ("https://api.pipedrive.com/v1", "https://api.pipedrive.com"),
        ("https://proxy.example.com/crm/api/v2/", "https://proxy.example.com/crm"),
    ],
)
def test_what_people_paste_becomes_an_address(pasted, address):
    assert base_url_of(pasted) == address


def test_pages_follow_the_cursor_five_hundred_at_a_time(client, sandbox):
    first = client.changed("deal", since=None, cursor=None)
    second = client.changed("deal", since=None, cursor=first.next_cursor)
    assert len(first.items) == 500
    assert second.next_cursor is None
    assert {d["id"] for d in first.items}.isdisjoint(d["id"] for d in second.items)
    assert sandbox.count("/api/v2/deals") == 2


def test_the_lines_of_a_hundred_deals_take_one_request_even_if_they_fill_pages(client, sandbox):
    ids = [d["id"] for d in client.changed("deal", since=None, cursor=None).items][:100]
    lines = client.lines(ids)
    assert {line["deal_id"] for line in lines} <= set(ids)
    assert len(lines) == sum(len(sandbox.world.lines_of(n)) for n in ids)


def test_an_organisation_that_does_not_exist_is_none(client):
    assert client.one("organization", 999_999) is None


def test_an_archived_deal_is_only_in_the_archive(client, sandbox):
    number = sandbox.world.awkward["deal_archived_and_won"]
    assert client.some("deal", [number]) == []
    assert client.some("deal", [number], archived=True)[0]["id"] == number


@pytest.mark.parametrize(
    "body",
    [
        {"success": False, "data": []},
        {"data": []},
        {"success": True, "data": "x"},
        {"success": True, "data": [1, 2]},
        {"success": True, "data": [], "additional_data": {"next_cursor": 7}},
    ],
)
def test_an_answer_of_another_shape_is_an_error_in_words(body):
    with answering(body) as client, pytest.raises(ProviderError, match="not in the shape"):
        client.changed("deal", since=None, cursor=None)


def test_a_cursor_that_leads_to_itself_ends_with_an_error():
    body = {"success": True, "data": [], "additional_data": {"next_cursor": "again"}}
    with answering(body) as client, pytest.raises(ProviderError, match="not in the shape"):
        client.pipelines()


def test_every_request_is_one_that_the_official_specification_knows(client, sandbox):
    if not SPECS.exists():
        pytest.skip("The provider's specification is not on this machine.")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    v2 = yaml.load((SPECS / "pipedrive-v2.yaml").read_text(), Loader=loader)["paths"]
    v1 = yaml.load((SPECS / "pipedrive-v1.yaml").read_text(), Loader=loader)["paths"]
    client.me(), client.users(), client.deal_count(), client.pipelines(), client.stages()
    for entity in ("organization", "person", "deal"):
        client.fields(entity)
        client.changed(entity, since="2026-01-01T00:00:00Z", cursor=None)
        client.some(entity, [1, 2])
    client.changed("deal", since=None, cursor=None, archived=True)
    (
        client.lines([1, 2]),
        client.discounts(1),
        client.products([1, 2]),
        client.one("organization", 1),
    )
    for request in sandbox.requests:
        known = v1 if request.route.startswith("/v1") else v2
        path = request.route.removeprefix("/v1").removeprefix("/api/v2")
        spec = known.get(path) or known.get(f"/api/v2{path}")
        assert spec and "get" in spec, request
        names = {p["name"] for p in spec["get"].get("parameters", ())}
        asked = {part.partition("=")[0] for part in request.query.split("&") if part}
        assert asked <= names, request
