"""The stand-in for Pipedrive, over real sockets, judged by the official specification."""

import copy
import csv
import functools
import io
import json
import subprocess
import sys
import time
from collections import Counter, defaultdict
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random
from statistics import median

import jsonschema
import pytest
import requests
import yaml
from stdnum.be import vat as belgian_vat
from stdnum.de import vat as german_vat
from stdnum.fr import siren as french_siren
from stdnum.fr import tva as french_vat
from stdnum.gb import vat as british_vat
from stdnum.lu import tva as luxembourg_vat

from integrations.sandbox import (
    DEFAULT_TOKEN,
    Limits,
    Sandbox,
    build_world,
    history,
    invoiced_deals,
    payment_behaviour,
    running,
)
from integrations.sandbox.kit.faults import KINDS
from integrations.sandbox.pipedrive.api import registered_routes
from integrations.sandbox.pipedrive.keeping import UnreadableWorld, load_world, save_world
from integrations.sandbox.pipedrive.shapes import deal_value, line_sum
from tests.shared import ROOT, SHARED

SPECIFICATIONS = SHARED / "specs" / "pipedrive"
TODAY = date(2026, 11, 24)
UNTIL = TODAY - timedelta(days=21)

# The specification forgets to say that these may be null; its texts, or the service itself, do.
NULL_TOO = {
    "expected_close_date",
    "last_name",
    "lost_time",
    "next_cursor",
    "org_id",
    "person_id",
    "picture_id",
    "won_time",
    # An organisation without one, and parts of one that were not filled in.
    "address",
    "admin_area_level_1",
    "admin_area_level_2",
    "locality",
    "sublocality",
    "route",
    "street_number",
    "subpremise",
    "postal_code",
}


class Client:
    """What a test needs of HTTP: the token, and JSON that comes back."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.session = requests.Session()
        self.session.headers["x-api-token"] = sandbox.token

    def get(self, path, **parameters):
        return self.session.get(self.sandbox.base_url + path, params=parameters, timeout=10)

    def data(self, path, **parameters):
        answer = self.get(path, **parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def everything(self, path, **parameters):
        """All rows of all pages."""
        rows, cursor = [], None
        while True:
            page = self.get(path, **parameters, **({"cursor": cursor} if cursor else {})).json()
            rows += page["data"]
            cursor = page["additional_data"]["next_cursor"]
            if cursor is None:
                return rows

    def patch(self, path, body):
        return self.session.patch(self.sandbox.base_url + path, json=body, timeout=10)


@pytest.fixture(scope="module")
def world():
    """For reading only."""
    return build_world(today=TODAY)


@pytest.fixture(scope="module")
def shared(world):
    with Sandbox(world) as sandbox:
        yield Client(sandbox)


@pytest.fixture
def client():
    """A small world of its own, for a test that changes it."""
    with Sandbox(build_world(today=TODAY, deals=120)) as sandbox:
        yield Client(sandbox)


@pytest.fixture(scope="module")
def books(world):
    return history(world, UNTIL)


# The specification


@functools.cache
def specification(version):
    path = SPECIFICATIONS / f"pipedrive-{version}.yaml"
    if not path.exists():
        pytest.skip(f"The official specification is not at {path}.")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(path.read_text(encoding="utf-8"), loader)


def operation(route):
    version = "v1" if route.name.startswith("/v1") else "v2"
    path = route.name.removeprefix("/v1").removeprefix("/api/v2")
    return specification(version)["paths"][path][route.method.lower()]


def as_json_schema(schema, version="v2", name=""):
    """OpenAPI 3.0 writes null its own way."""
    if isinstance(schema, list):
        return [as_json_schema(one, version) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        target = specification(version)
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        return as_json_schema(target, version, name)
    schema = copy.copy(schema)
    nullable = schema.pop("nullable", False) or name in NULL_TOO
    for key in ("example", "examples", "default"):
        schema.pop(key, None)
    for key in ("allOf", "oneOf", "anyOf", "items", "additionalProperties"):
        if key in schema:
            schema[key] = as_json_schema(schema[key], version)
    if "properties" in schema:
        schema["properties"] = {
            key: as_json_schema(value, version, key) for key, value in schema["properties"].items()
        }
    if nullable and "type" in schema:
        schema["type"] = [schema["type"], "null"]
    if nullable and "enum" in schema:
        schema["enum"] = [*schema["enum"], None]
    return schema


def fields_shown(schema, example):
    """Every field name that the specification mentions for an answer, at any depth."""
    # Those of include_fields that CALLS asks for; and instalments, which take a cursor, must give
    # one, though their answer is written down without it.
    names = {"products_count", "first_won_time", "additional_data", "next_cursor"}
    if isinstance(schema, dict):
        names |= set(schema.get("properties", {}))
        for value in schema.values():
            names |= fields_shown(value, None)
    elif isinstance(schema, list):
        for value in schema:
            names |= fields_shown(value, None)
    if isinstance(example, dict):
        names |= set(example)
        for value in example.values():
            names |= fields_shown(None, value)
    elif isinstance(example, list):
        for value in example:
            names |= fields_shown(None, value)
    return names


def fields_used(answer):
    if isinstance(answer, list):
        return set().union(*map(fields_used, answer)) if answer else set()
    if not isinstance(answer, dict):
        return set()
    names = set(answer)
    for key, value in answer.items():
        if key != "custom_fields":
            names |= fields_used(value)
    return names


CALLS = {
    "/api/v2/deals": [
        {"limit": 500},
        {"limit": 500, "status": "deleted"},
        {"ids": "1,2,3", "include_fields": "products_count,first_won_time"},
    ],
    "/api/v2/deals/archived": [{"limit": 500}],
    "/api/v2/deals/{id}": [{}],
    "/api/v2/deals/products": [{"deal_ids": ",".join(map(str, range(1, 101))), "limit": 500}],
    "/api/v2/deals/{id}/products": [{}],
    "/api/v2/deals/{id}/discounts": [{}],
    "/api/v2/deals/installments": [{"deal_ids": "DEAL_WITH_INSTALLMENTS"}],
    "/api/v2/organizations": [{"limit": 500}],
    "/api/v2/persons": [{"limit": 500}],
    "/api/v2/products": [{"limit": 500}],
}
AT = {
    "/api/v2/deals/{id}": "deal_with_extra_discounts",
    "/api/v2/deals/{id}/products": "deal_with_recurring_line",
    "/api/v2/deals/{id}/discounts": "deal_with_extra_discounts",
    "/api/v2/organizations/{id}": "organization_without_address",
    "/v1/users/{id}": 21_400_101,
}
ROUTES = {f"{route.method} {route.name}": route for route in registered_routes()}


@pytest.mark.parametrize("name", ROUTES)
def test_an_answer_is_as_the_official_specification_says(name, client, shared):
    route = ROUTES[name]
    described = operation(route)
    described_answer = described["responses"]["200" if "200" in described["responses"] else 200]
    content = described_answer["content"]["application/json"]
    version = "v1" if route.name.startswith("/v1") else "v2"
    example = content.get("example") or content.get("examples")
    awkward = (
        client.sandbox.world.awkward if route.method == "PATCH" else shared.sandbox.world.awkward
    )
    at = AT.get(route.name, 1)
    path = route.name.replace("{id}", str(awkward.get(at, at)))
    if "{field_code}" in path:
        key = {"dealFields": "service_period", "organizationFields": "client_type"}
        kind = path.split("/")[3]
        keys = shared.sandbox.world.keys
        path = path.replace("{field_code}", keys[key[kind]] if kind in key else "name")
    if route.method == "PATCH":
        answers = [
            client.patch(path, {"title": "Autre titre", "expected_close_date": "2027-01-31"})
        ]
    else:
        answers = []
        for parameters in CALLS.get(route.name, [{}]):
            given = {
                key: str(awkward["deal_with_installments"])
                if value == "DEAL_WITH_INSTALLMENTS"
                else value
                for key, value in parameters.items()
            }
            answers.append(shared.get(path, **given))
    for answer in answers:
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"].startswith("application/json")
        body = answer.json()
        assert body["data"], "An empty answer would prove nothing."
        jsonschema.validate(body, as_json_schema(content["schema"], version))
        assert fields_used(body) <= fields_shown(content["schema"], example)


@pytest.mark.parametrize("name", ROUTES)
def test_the_parameters_and_the_cost_are_those_of_the_specification(name):
    route = ROUTES[name]
    described = operation(route)
    in_query = {p["name"] for p in described.get("parameters", []) if p["in"] == "query"}
    assert route.parameters == in_query
    assert route.cost == described["x-token-cost"]


def test_a_wrong_token_is_answered_as_the_specification_says(shared):
    content = specification("v1")["paths"]["/users/me"]["get"]["responses"]
    schema = content.get("401", content.get(401))["content"]["application/json"]["schema"]
    for headers in ({}, {"x-api-token": "wrong"}, {"x-api-token": "clé"}):
        headers = {key: value.encode() for key, value in headers.items()}
        answer = requests.get(
            shared.sandbox.base_url + "/api/v2/deals", headers=headers, timeout=10
        )
        assert answer.status_code == 401
        assert answer.json()["error"] == "unauthorized access"
        assert answer.json()["errorCode"] == 401
        jsonschema.validate(answer.json(), as_json_schema(schema, "v1"))


def test_the_token_in_the_address_is_not_accepted(shared):
    url = f"{shared.sandbox.base_url}/api/v2/deals?api_token={DEFAULT_TOKEN}"
    assert requests.get(url, timeout=10).status_code == 401


# Lists


@pytest.mark.parametrize("sort_by", ["id", "update_time", "add_time"])
@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_the_pages_together_give_every_deal_once_and_in_order(shared, world, sort_by, direction):
    rows = shared.everything("/api/v2/deals", limit=333, sort_by=sort_by, sort_direction=direction)
    ids = [row["id"] for row in rows]
    expected = {
        d["id"] for d in world.deals.values() if not d["is_deleted"] and not d["is_archived"]
    }
    assert len(ids) == len(set(ids))
    assert set(ids) == expected
    assert [r[sort_by] for r in rows] == sorted(
        (r[sort_by] for r in rows), reverse=direction == "desc"
    )


def test_a_hundred_come_where_no_limit_is_given(shared):
    assert len(shared.data("/api/v2/deals")) == 100


def test_the_lines_of_a_hundred_deals_come_in_pages_of_their_own(shared, world):
    ids = sorted(world.lines)[:100]
    parameters = {"deal_ids": ",".join(map(str, ids))}
    lines = shared.everything("/api/v2/deals/products", limit=40, **parameters)
    assert Counter(line["deal_id"] for line in lines) == {
        deal: len(world.lines[deal]) for deal in ids
    }


def test_a_deal_changed_between_two_pages_comes_again_and_hides_no_other(client):
    parameters = {"limit": 50, "sort_by": "update_time"}
    first = client.get("/api/v2/deals", **parameters).json()
    moved = first["data"][0]["id"]
    client.sandbox.world.change_deal(moved, title="Titre revu")
    cursor = first["additional_data"]["next_cursor"]
    rest = client.everything("/api/v2/deals", **parameters)
    following = client.get("/api/v2/deals", **parameters, cursor=cursor).json()["data"]
    assert following[0]["id"] == rest[49]["id"]
    assert rest[-1]["id"] == moved


def test_only_what_changed_since_a_moment_is_listed(client):
    world = client.sandbox.world
    before = max(deal["update_time"] for deal in world.deals.values())
    changed = world.change_deal(3, title="Titre revu")
    assert changed["update_time"] > before
    since = {"updated_since": changed["update_time"]}
    assert [d["id"] for d in client.data("/api/v2/deals", **since)] == [3]
    until = {"updated_until": changed["update_time"], "limit": 500}
    assert 3 not in {d["id"] for d in client.data("/api/v2/deals", **until)}


def test_deals_are_filtered_by_status_owner_organisation_and_stage(shared, world):
    some = world.deals[world.awkward["deal_with_extra_discounts"]]
    for name, value in (
        ("status", "won"),
        ("owner_id", some["owner_id"]),
        ("org_id", some["org_id"]),
        ("person_id", some["person_id"]),
        ("pipeline_id", some["pipeline_id"]),
        ("stage_id", some["stage_id"]),
    ):
        rows = shared.everything("/api/v2/deals", limit=500, **{name: value})
        expected = {
            d["id"]
            for d in world.deals.values()
            if d[name] == value and not d["is_deleted"] and not d["is_archived"]
        }
        assert {row["id"] for row in rows} == expected
        assert some["id"] in expected


def test_custom_fields_can_be_narrowed_and_labelled(shared, world):
    organization_id = world.awkward["organization_without_address"]
    key = world.keys["client_type"]
    parameters = {"ids": organization_id, "custom_fields": key, "include_option_labels": "true"}
    (row,) = shared.data("/api/v2/organizations", **parameters)
    assert row["custom_fields"] == {key: {"id": 32, "label": "SME"}}


@pytest.mark.parametrize(
    ("path", "parameters", "status"),
    [
        ("/api/v2/deals", {"limit": 501}, 400),
        ("/api/v2/deals", {"limit": 0}, 400),
        ("/api/v2/deals", {"limit": "many"}, 400),
        ("/api/v2/deals", {"cursor": "bm9uc2Vuc2U"}, 400),
        ("/api/v2/deals", {"cursor": "%%%"}, 400),
        ("/api/v2/deals", {"cursor": "WyJpZCIsICJhc2MiLCAieCIsIDFd"}, 400),
        ("/api/v2/deals", {"status": "gone"}, 400),
        ("/api/v2/deals", {"sort_by": "title"}, 400),
        ("/api/v2/deals", {"updated_since": "yesterday"}, 400),
        ("/api/v2/deals", {"updated_since": "2026-11-24 10:00:00"}, 400),
        ("/api/v2/deals", {"start": 0}, 400),
        ("/api/v2/deals", {"filter_id": 5}, 404),
        ("/api/v2/deals", {"custom_fields": ",".join("abcdefghijklmnop")}, 400),
        ("/api/v2/deals/products", {}, 400),
        ("/api/v2/deals/products", {"deal_ids": ",".join(map(str, range(101)))}, 400),
        ("/api/v2/deals/999999", {}, 404),
        ("/api/v2/deals/999999/products", {}, 404),
        ("/api/v2/nothing", {}, 404),
    ],
)
def test_a_careless_request_is_refused_with_a_reason(shared, path, parameters, status):
    answer = shared.get(path, **parameters)
    assert answer.status_code == status
    body = answer.json()
    assert body["success"] is False
    assert body["error_info"]


# Writing back


def test_a_patch_changes_only_what_it_names(client):
    world = client.sandbox.world
    deal_id = world.awkward["deal_with_extra_discounts"]
    before = copy.deepcopy(world.deals[deal_id])
    key = world.keys["purchase_order"]
    answer = client.patch(f"/api/v2/deals/{deal_id}", {"custom_fields": {key: "BC-7"}})
    assert answer.status_code == 200
    after = client.data(f"/api/v2/deals/{deal_id}")
    assert after["custom_fields"] == {**before["custom_fields"], key: "BC-7"}
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"custom_fields", "update_time"}


def test_a_deal_is_won_and_opened_again_by_patch(client):
    deal = next(d for d in client.sandbox.world.deals.values() if d["status"] == "open")
    won = client.patch(f"/api/v2/deals/{deal['id']}", {"status": "won"}).json()["data"]
    assert won["status"] == "won"
    assert won["won_time"] == won["close_time"]
    again = client.patch(f"/api/v2/deals/{deal['id']}", {"status": "open"}).json()["data"]
    assert again["won_time"] is None


@pytest.mark.parametrize(
    "body",
    [
        {"value": "12"},
        {"value": True},
        {"person_id": 999_999},
        {"user_id": 1},
        {"status": "gone"},
        {"custom_fields": {"0" * 40: "x"}},
        {"custom_fields": {"PURCHASE_ORDER": 7}},
        {"custom_fields": {"PURCHASE_ORDER": "x" * 256}},
        {"custom_fields": {"SERVICE_PERIOD": "2026-01-01"}},
    ],
)
def test_a_careless_patch_is_refused_and_changes_nothing(client, body):
    world = client.sandbox.world
    if "custom_fields" in body:
        body = {
            "custom_fields": {
                world.keys.get(key.lower(), key): value
                for key, value in body["custom_fields"].items()
            }
        }
    before = copy.deepcopy(world.deals[1])
    assert client.patch("/api/v2/deals/1", body).status_code == 400
    assert world.deals[1] == before


def test_an_archived_deal_cannot_be_changed(client):
    deal_id = client.sandbox.world.awkward["deal_archived_and_won"]
    assert client.patch(f"/api/v2/deals/{deal_id}", {"title": "x"}).status_code == 403


# What people in the CRM do


def test_a_merge_moves_the_deals_and_the_loser_disappears(client):
    world = client.sandbox.world
    loser = world.deals[world.awkward["deal_with_extra_discounts"]]["org_id"]
    winner = world.awkward["organization_merged_into"]
    moved = world.merge_organizations(loser, winner)
    assert moved
    for deal_id in moved:
        assert world.deals[deal_id]["org_id"] == winner
    assert client.data("/api/v2/organizations", ids=loser) == []
    assert client.data(f"/api/v2/organizations/{loser}")["is_deleted"] is True


def test_edits_of_deals_show_at_once(client):
    world = client.sandbox.world
    deal_id = world.add_deal(
        title="Nouvelle mission",
        org_id=1,
        lines=[
            {"item_price": 800, "quantity": 2.5, "discount": 10},
            {"item_price": 100, "is_enabled": False},
        ],
    )
    assert client.data(f"/api/v2/deals/{deal_id}")["value"] == 1800
    world.win_deal(deal_id)
    assert client.data(f"/api/v2/deals/{deal_id}")["status"] == "won"
    world.set_lines(deal_id, [{"item_price": 1000}])
    world.set_discounts(deal_id, [{"type": "percentage", "amount": 10, "description": "Remise"}])
    assert client.data(f"/api/v2/deals/{deal_id}")["value"] == 900
    assert [r["sum"] for r in client.data(f"/api/v2/deals/{deal_id}/products")] == [1000]
    world.archive_deal(deal_id)
    assert client.data("/api/v2/deals", ids=deal_id) == []
    assert [d["id"] for d in client.data("/api/v2/deals/archived", ids=deal_id)] == [deal_id]
    lost = world.add_deal(title="Autre")
    world.lose_deal(lost)
    assert client.data(f"/api/v2/deals/{lost}")["status"] == "lost"
    world.delete_deal(lost)
    assert client.data("/api/v2/deals", ids=lost) == []
    assert [d["id"] for d in client.data("/api/v2/deals", ids=lost, status="deleted")] == [lost]


def test_lines_can_change_without_the_deal_being_touched(client):
    world = client.sandbox.world
    before = world.deals[1]["update_time"]
    world.set_lines(1, [{"item_price": 1}], bump=False)
    assert client.data("/api/v2/deals/1")["update_time"] == before
    assert client.data("/api/v2/deals/1")["value"] == 1


def test_an_option_is_renamed(client):
    world = client.sandbox.world
    world.rename_option(world.keys["client_type"], 32, "PME")
    fields = {f["field_code"]: f for f in client.data("/api/v2/organizationFields")}
    labels = {o["id"]: o["label"] for o in fields[world.keys["client_type"]]["options"]}
    assert labels[32] == "PME"


def test_the_control_surface_does_the_same_over_http(client):
    control = client.sandbox.base_url + "/_sandbox"
    summary = requests.get(f"{control}/", timeout=10).json()
    assert summary["deals"]["won"]
    edit = requests.post(
        f"{control}/edits/change_deal", json={"deal_id": 1, "title": "A"}, timeout=10
    )
    assert edit.json()["result"]["title"] == "A"
    assert client.data("/api/v2/deals/1")["title"] == "A"
    for bad, body in (
        ("edits/change_deal", {"deal_id": 1, "colour": "red"}),
        ("edits/change_deal", {"deal_id": 999_999}),
        ("edits/win_deal", {}),
        ("faults", {"kind": "fire"}),
    ):
        assert requests.post(f"{control}/{bad}", json=body, timeout=10).status_code == 400
    assert requests.post(f"{control}/edits/now", json={}, timeout=10).status_code == 404
    assert requests.post(f"{control}/edits/win_deal", data="{}", timeout=10).status_code == 415
    requests.post(f"{control}/faults", json={"kind": "503", "path": "/api/v2/deals"}, timeout=10)
    assert client.get("/v1/users").status_code == 200
    assert client.get("/api/v2/deals").status_code == 503
    assert requests.get(f"{control}/requests", timeout=10).json()["GET /api/v2/deals"] == 1
    requests.delete(f"{control}/requests", timeout=10)
    assert client.sandbox.count() == 0


# Trouble on purpose, and budgets


def test_requests_are_counted_by_route(client):
    client.get("/api/v2/deals/1")
    client.get("/api/v2/deals/2")
    client.get("/api/v1/users/me")
    assert client.sandbox.counts() == {"GET /api/v2/deals/{id}": 2, "GET /v1/users/me": 1}
    assert client.sandbox.count("/api/v2/deals/{id}", method="GET") == 2


def test_one_connection_serves_many_requests(client):
    for _ in range(3):
        answer = client.get("/api/v2/deals", limit=1)
        assert answer.raw.version == 11
        assert "close" not in answer.headers.get("Connection", "")


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_spoils_as_many_requests_as_asked_and_no_more(client, kind):
    client.sandbox.inject(kind, times=2, path="/api/v2/deals", skip=1, delay=0.15)
    assert client.get("/api/v2/deals").status_code == 200
    for _ in range(2):
        started = time.monotonic()
        if kind in ("truncated", "dropped"):
            with pytest.raises(requests.exceptions.RequestException):
                client.get("/api/v2/deals")
            continue
        answer = client.get("/api/v2/deals")
        if kind.isdecimal():
            assert answer.status_code == int(kind)
        elif kind == "html_403":
            assert answer.status_code == 403
            assert "text/html" in answer.headers["Content-Type"]
        elif kind in ("not_json", "empty"):
            assert answer.status_code == 200
            with pytest.raises(ValueError, match="Expecting value"):
                json.loads(answer.text)
        else:
            assert time.monotonic() - started >= 0.15
    assert client.data("/api/v2/deals")


def test_a_fault_can_be_bound_to_one_route(client):
    client.sandbox.inject("500", route="/api/v2/deals")
    assert client.get("/api/v2/deals/products", deal_ids=1).status_code == 200
    assert client.get("/api/v2/deals").status_code == 500


def test_after_the_end_no_open_connection_is_served():
    sandbox = Sandbox(build_world(today=TODAY, deals=60)).start()
    client = Client(sandbox)
    assert client.get("/v1/users").status_code == 200
    sandbox.stop()
    with pytest.raises(requests.exceptions.ConnectionError):
        client.get("/v1/users")


def test_retry_after_is_there_only_if_asked_for(client):
    client.sandbox.inject("429", retry_after=3)
    assert client.get("/api/v2/deals").headers["Retry-After"] == "3"
    client.sandbox.inject("429")
    assert "Retry-After" not in client.get("/api/v2/deals").headers


def test_the_burst_budget_is_kept_when_it_is_enforced():
    limits = Limits(burst=3, enforce=True)
    with Sandbox(build_world(today=TODAY, deals=60), limits=limits) as sandbox:
        client = Client(sandbox)
        answers = [client.get("/v1/users/me") for _ in range(4)]
    assert [a.status_code for a in answers] == [200, 200, 200, 429]
    assert [a.headers["x-ratelimit-remaining"] for a in answers] == ["2", "1", "0", "0"]


def test_the_daily_budget_counts_the_cost_of_each_request():
    limits = Limits(daily_tokens=25, enforce=True)
    with Sandbox(build_world(today=TODAY, deals=60), limits=limits) as sandbox:
        client = Client(sandbox)
        left = [
            client.get(path).headers["x-daily-ratelimit-token-remaining"]
            for path in ("/api/v2/deals/1", "/api/v2/deals", "/api/v2/deals/archived")
        ]
        assert left == ["24", "14", "0"]
        assert client.get("/v1/users/me").status_code == 429


# The company


def test_the_same_seed_and_day_give_the_same_world(world):
    twin = build_world(today=TODAY)
    for name in ("organizations", "persons", "deals", "lines", "discounts", "awkward", "keys"):
        assert getattr(twin, name) == getattr(world, name)
    assert history(twin, UNTIL) == history(world, UNTIL)
    assert build_world(today=TODAY, seed=5).deals != world.deals


@pytest.mark.parametrize("deals", [60, 300, 1_500, 4_000])
def test_the_number_of_deals_is_as_asked(deals):
    world = build_world(today=TODAY, deals=deals)
    assert sum(not deal["is_deleted"] for deal in world.deals.values()) == deals


def test_too_few_deals_for_the_odd_cases_is_refused():
    with pytest.raises(ValueError, match="odd cases"):
        build_world(today=TODAY, deals=10)


def test_the_company_is_of_a_believable_size(world):
    statuses = Counter(d["status"] for d in world.deals.values())
    assert 0.6 < statuses["won"] / len(world.deals) < 0.7
    assert 60 < statuses["open"] < 200
    assert len(world.organizations) == 150
    assert 180 < len(world.persons) < 260
    assert len(world.users) == 6
    assert len({o["name"] for o in world.organizations.values()}) == 150
    currencies = Counter(d["currency"] for d in world.deals.values())
    assert {"EUR", "USD", "GBP"} < currencies.keys()
    assert currencies["EUR"] > 0.85 * len(world.deals)


def test_nothing_has_happened_after_yesterday(world):
    for things in (world.deals, world.organizations, world.persons):
        for thing in things.values():
            assert thing["add_time"] <= thing["update_time"] < TODAY.isoformat()
    for deal in world.deals.values():
        if deal["status"] != "open":
            assert deal["add_time"] < deal["close_time"] <= deal["update_time"]


def test_identifiers_of_companies_pass_their_checks(world):
    checks = {
        "FR": french_vat.is_valid,
        "BE": belgian_vat.is_valid,
        "DE": german_vat.is_valid,
        "GB": british_vat.is_valid,
        "LU": luxembourg_vat.is_valid,
    }
    for profile in world.profiles.values():
        if profile.country == "FR":
            assert french_siren.is_valid(profile.siren)
        if profile.country != "US" and profile.vat_id:
            assert checks[profile.country](profile.vat_id), profile


def test_a_value_is_the_sum_of_the_enabled_lines_less_the_discounts(world):
    for deal_id, lines in world.lines.items():
        for line in lines:
            assert Decimal(str(line["sum"])) == line_sum(line)
        value = Decimal(str(world.deals[deal_id]["value"]))
        assert value == deal_value(lines, world.discounts.get(deal_id, []))
        assert len({line["tax_method"] for line in lines}) == 1
        assert 1 <= len(lines) <= 5


def test_a_number_has_no_more_than_two_decimals(world):
    for lines in world.lines.values():
        for line in lines:
            for name in ("sum", "item_price", "quantity"):
                assert Decimal(str(line[name])).as_tuple().exponent >= -2


def won_lately(world):
    return [
        deal
        for deal in world.deals.values()
        if deal["status"] == "won"
        and not deal["is_deleted"]
        and deal["won_time"][:10] >= UNTIL.isoformat()
    ]


def what_is_lacking(world, deal):
    organization = world.organizations.get(deal["org_id"])
    if organization is None:
        return "organization"
    if organization["address"] is None:
        return "address"
    if (
        not organization["custom_fields"][world.keys["vat_id"]]
        and organization["address"]["country"] == "France"
    ):
        return "vat id"
    if deal["currency"] not in ("EUR", "USD", "GBP"):
        return "currency"
    return "" if world.lines_of(deal["id"]) else "lines"


def test_between_twelve_and_twenty_deals_wait_to_be_billed_and_five_lack_something(world):
    queue = won_lately(world)
    assert 12 <= len(queue) <= 20
    lacking = Counter(filter(None, (what_is_lacking(world, deal) for deal in queue)))
    assert lacking == {"organization": 1, "address": 1, "vat id": 1, "currency": 1, "lines": 1}
    assert all(deal["value"] > 0 for deal in queue)


def test_the_awkward_organisations_are_served(shared, world):
    listed = {o["id"]: o for o in shared.everything("/api/v2/organizations", limit=500)}
    awkward = world.awkward
    assert listed[awkward["organization_without_address"]]["address"] is None
    without = listed[awkward["organization_without_vat_id"]]["custom_fields"]
    assert without[world.keys["vat_id"]] is None
    assert without[world.keys["siren"]]
    markup = listed[awkward["organization_with_markup_and_emoji"]]["name"]
    assert "<b>" in markup
    assert "🥞" in markup
    template = listed[awkward["organization_with_template_code"]]["name"]
    assert "{{" in template
    assert "{%" in template
    assert len(listed[awkward["organization_with_250_characters"]]["name"]) == 250
    strange = listed[awkward["organization_with_unknown_option"]]
    known = {
        option["id"]
        for f in shared.everything("/api/v2/organizationFields")
        for option in f["options"] or ()
    }
    assert strange["custom_fields"][world.keys["client_type"]] not in known
    assert awkward["organization_deleted"] not in listed
    assert awkward["organization_merged_away"] not in listed
    assert awkward["organization_merged_into"] in listed
    for name in ("organization_deleted", "organization_merged_away"):
        assert shared.data(f"/api/v2/organizations/{awkward[name]}")["is_deleted"] is True
    assert "<img" in shared.data(f"/api/v2/persons/{awkward['person_with_markup']}")["name"]


def test_the_awkward_deals_are_served(shared, world):
    at = world.awkward

    def deal(name):
        return shared.data(f"/api/v2/deals/{at[name]}")

    def lines(name):
        return shared.data(f"/api/v2/deals/{at[name]}/products")

    assert lines("deal_without_lines") == []
    assert deal("deal_without_lines")["value"] > 0
    assert deal("deal_without_organization")["org_id"] is None
    assert deal("deal_in_unknown_currency")["currency"] == "KRL"
    currencies = {c["code"]: c for c in shared.data("/v1/currencies")}
    assert currencies["KRL"]["is_custom_flag"] is True
    assert len(lines("deal_with_5000_character_comment")[0]["comments"]) == 5_000
    assert min(line["item_price"] for line in lines("deal_with_negative_line")) < 0
    assert lines("deal_with_12_digit_price")[0]["item_price"] == 123456789012.34
    assert deal("deal_of_zero_value")["value"] == 0
    assert "{%" in deal("deal_with_template_bomb")["title"]
    assert deal("deal_archived_and_won")["is_archived"] is True
    assert {r["tax_method"] for r in lines("deal_with_tax_inclusive_lines")} == {"inclusive"}
    assert {r["tax_method"] for r in lines("deal_with_tax_method_none")} == {"none"}
    assert False in {r["is_enabled"] for r in lines("deal_with_disabled_line")}
    assert {r["billing_frequency"] for r in lines("deal_with_recurring_line")} == {"monthly"}
    discounts = shared.data(f"/api/v2/deals/{at['deal_with_extra_discounts']}/discounts")
    assert {d["type"] for d in discounts} == {"percentage", "amount"}
    total = sum(r["sum"] for r in lines("deal_with_extra_discounts") if r["is_enabled"])
    assert deal("deal_with_extra_discounts")["value"] < total
    deleted = {d["id"] for d in shared.everything("/api/v2/deals", status="deleted")}
    assert at["deal_deleted"] in deleted
    assert at["deal_deleted_long_ago"] not in deleted
    won = shared.data("/api/v2/deals", org_id=at["organization_deleted"], status="won")
    assert won
    assert shared.data("/api/v2/deals", org_id=at["organization_merged_into"], status="won")


# The old accounting


def test_every_deal_won_before_the_day_was_invoiced_once(world, books):
    numbers = invoiced_deals(world, UNTIL)
    expected = {
        deal["id"]
        for deal in world.deals.values()
        if deal["status"] == "won"
        and not deal["is_deleted"]
        and deal["org_id"]
        and deal["value"] > 0
        and deal["currency"] != "KRL"
        and deal["won_time"][:10] < UNTIL.isoformat()
    }
    assert numbers.keys() == expected
    invoices = {row["number"]: row for row in books["invoices"]}
    for deal_id, number in numbers.items():
        invoice, deal = invoices[number], world.deals[deal_id]
        won = date.fromisoformat(deal["won_time"][:10])
        assert 0 <= (date.fromisoformat(invoice["issued_on"]) - won).days <= 10
        assert invoice["title"] == deal["title"]
        assert invoice["client"] == world.organizations[deal["org_id"]]["name"]
    waiting = {deal["id"] for deal in won_lately(world)}
    assert not waiting & numbers.keys()


def test_invoices_add_up_and_are_numbered_without_gaps_in_date_order(books):
    by_year = defaultdict(list)
    for row in books["invoices"]:
        net, vat, total = (Decimal(row[name]) for name in ("net", "vat", "total"))
        assert total == net + vat
        assert total > 0
        assert row["issued_on"] <= row["due_on"]
        assert row["issued_on"] < TODAY.isoformat()
        by_year[row["issued_on"][:4]].append(row)
    for year, rows in by_year.items():
        assert [r["number"] for r in rows] == [
            f"KC-{year}-{place:04d}" for place in range(1, len(rows) + 1)
        ]
        assert [r["issued_on"] for r in rows] == sorted(r["issued_on"] for r in rows)


def test_vat_is_a_fifth_and_none_abroad(books):
    types = {row["name"]: row["client_type"] for row in books["clients"]}
    for row in books["invoices"]:
        rate = 0 if types[row["client"]] == "International" else Decimal("0.2")
        assert abs(Decimal(row["net"]) * rate - Decimal(row["vat"])) <= Decimal("0.01")


def test_payments_and_credits_never_exceed_the_invoice(books):
    invoices = {r["number"]: r for r in books["invoices"] if r["kind"] == "invoice"}
    settled = Counter()
    for row in books["payments"]:
        invoice = invoices[row["invoice"]]
        assert row["currency"] == invoice["currency"]
        assert invoice["issued_on"] < row["received_on"] <= TODAY.isoformat()
        assert Decimal(row["amount"]) > 0
        settled[row["invoice"]] += Decimal(row["amount"])
    corrections = [r for r in books["invoices"] if r["kind"] == "credit_note"]
    for row in corrections:
        assert row["issued_on"] > invoices[row["corrects"]]["issued_on"]
        settled[row["corrects"]] += Decimal(row["total"])
    for number, amount in settled.items():
        assert amount <= Decimal(invoices[number]["total"])
    assert 0.005 < len(corrections) / len(invoices) < 0.04
    in_two = Counter(Counter(r["invoice"] for r in books["payments"]).values())[2]
    assert 0.02 < in_two / len(invoices) < 0.09
    fully = sum(settled[n] == Decimal(r["total"]) for n, r in invoices.items())
    assert 0.8 < fully / len(invoices) < 0.98


def days_late(books):
    """Of settled invoices by client type: (due date, days after it of the last payment)."""
    types = {row["name"]: row["client_type"] for row in books["clients"]}
    last = {}
    for row in books["payments"]:
        last[row["invoice"]] = max(last.get(row["invoice"], ""), row["received_on"])
    found = defaultdict(list)
    for row in books["invoices"]:
        if row["number"] in last:
            due = date.fromisoformat(row["due_on"])
            days = (date.fromisoformat(last[row["number"]]) - due).days
            found[types[row["client"]]].append((due, days))
    return found


ORDER = ["Public sector", "International", "Large account", "SME", "Start-up", "Non-profit"]


@pytest.mark.parametrize("today", [TODAY, date(2027, 1, 15), date(2027, 4, 2), date(2027, 6, 30)])
def test_client_types_pay_in_the_stated_order_of_lateness(today):
    world = build_world(today=today)
    late = days_late(history(world, today - timedelta(days=21)))
    medians = [median(days for _, days in late[client_type]) for client_type in ORDER]
    if today == TODAY:
        assert medians == sorted(set(medians), reverse=True)
    # On another day other deals are drawn: neighbours may then be a day apart the wrong way.
    assert all(earlier >= later - 1 for earlier, later in pairwise(medians))
    deciles = {t: sorted(d for _, d in late[t])[int(len(late[t]) * 0.9)] for t in ORDER}
    assert 60 <= deciles["Public sector"] <= 105
    assert deciles["Start-up"] > 1.7 * deciles["Non-profit"]
    for client_type in ORDER:
        assert any(days < 0 for _, days in late[client_type])


def test_smes_pay_later_and_later(books):
    late = days_late(books)["SME"]
    half_years = defaultdict(list)
    for due, days in late:
        half_years[(TODAY - due).days // 183].append(days)
    assert median(half_years[0]) >= median(half_years[3]) + 4


def test_one_client_has_lost_its_good_habit(world, books):
    name = world.organizations[world.awkward["client_later_than_its_habit"]]["name"]
    due = {
        r["number"]: date.fromisoformat(r["due_on"])
        for r in books["invoices"]
        if r["client"] == name
    }
    before, since = [], []
    for row in books["payments"]:
        if row["invoice"] in due:
            days = (date.fromisoformat(row["received_on"]) - due[row["invoice"]]).days
            recent = (TODAY - due[row["invoice"]]).days < 150
            (since if recent else before).append(days)
    assert len(before) >= 12
    assert len(since) >= 2
    assert median(since) >= median(before) + 15


def test_payment_behaviour_is_late_by_type_size_and_time():
    rng = Random(1)

    def typical(client_type, total=12_000.0, due=TODAY - timedelta(days=30)):
        days_after_due = payment_behaviour(client_type, today=TODAY)
        drawn = [days_after_due(rng, total, due + timedelta(days=k % 7)) for k in range(2_000)]
        assert any(days is None for days in drawn)
        return median(days for days in drawn if days is not None)

    assert typical("Public sector") > typical("International") > typical("Start-up")
    assert typical("Large account", 300_000.0) > typical("Large account", 3_000.0)
    assert typical("SME") >= typical("SME", due=TODAY - timedelta(days=800)) + 7
    assert typical("Cabinet d'un type inconnu") == pytest.approx(7, abs=2)


@pytest.mark.parametrize(
    ("name", "header"),
    [
        (
            "clients",
            "name client_type country currency language payment_terms_days billing_email vat_id "
            "siren owner_email",
        ),
        (
            "invoices",
            "number kind client issued_on due_on currency net vat total corrects title",
        ),
        ("payments", "invoice received_on amount currency reference method"),
    ],
)
def test_the_export_has_the_columns_of_the_import(shared, books, name, header):
    answer = requests.get(
        f"{shared.sandbox.base_url}/_sandbox/history/{name}.csv",
        params={"until": UNTIL.isoformat()},
        timeout=10,
    )
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert list(rows[0]) == header.split()
    assert rows == books[name]


def test_clients_of_the_export_are_the_organisations_with_their_owners(world, books):
    names = {o["name"] for o in world.organizations.values()}
    emails = {user["email"] for user in world.users}
    for row in books["clients"]:
        assert row["name"] in names
        assert row["owner_email"] in emails
        assert row["language"] in ("fr", "en")
        assert row["payment_terms_days"].isdecimal()


def test_the_invoice_of_each_deal_can_be_asked_for(shared, world):
    url = f"{shared.sandbox.base_url}/_sandbox/history/deals.json?until={UNTIL}"
    numbers = requests.get(url, timeout=10).json()
    assert {int(deal): number for deal, number in numbers.items()} == invoiced_deals(world, UNTIL)


def test_a_world_is_the_same_after_a_rest_in_a_file(client, tmp_path):
    world = client.sandbox.world
    world.win_deal(world.add_deal(title="Ajoutée", lines=[{"item_price": 7}]))
    save_world(world, tmp_path / "var" / "world.json")
    back = load_world(tmp_path / "var" / "world.json")
    for name in ("today", "organizations", "persons", "deals", "lines", "discounts", "stages"):
        assert getattr(back, name) == getattr(world, name)
    assert history(back, TODAY) == history(world, TODAY)
    assert back.add_deal(title="Encore une") not in world.deals


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"today": "2026-01-01"}'])
def test_a_file_that_holds_no_world_is_refused_in_a_sentence(tmp_path, text):
    path = tmp_path / "world.json"
    path.write_text(text)
    with pytest.raises(UnreadableWorld, match="remove it to begin anew"):
        load_world(path)


@pytest.mark.parametrize("path", ["deals", "organizations", "persons"])
def test_every_additional_field_of_the_specification_can_be_asked_for(shared, path):
    parameters = specification("v2")["paths"][f"/{path}"]["get"]["parameters"]
    (pattern,) = (p["schema"]["pattern"] for p in parameters if p["name"] == "include_fields")
    names = pattern.removeprefix("^(").split(")")[0].split("|")
    row = shared.data(f"/api/v2/{path}", limit=1, include_fields=",".join(names))[0]
    assert set(names) <= row.keys()


# Starting it


def test_it_starts_on_a_free_port_for_the_length_of_a_block():
    with running(build_world(today=TODAY, deals=60)) as base_url:
        headers = {"x-api-token": DEFAULT_TOKEN}
        me = requests.get(f"{base_url}/v1/users/me", headers=headers, timeout=10).json()["data"]
        assert me["company_name"] == "Kerlann Conseil"
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(base_url, timeout=2)


def test_it_needs_no_django():
    code = "import sys, integrations.sandbox.__main__; print('django' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == "False"


def start(*options):
    command = [sys.executable, "-m", "integrations.sandbox", "--port", "0", "--deals", "60"]
    process = subprocess.Popen([*command, *options], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    return process, process.stdout.readline().split(" at ")[1].split()[0]


def stop(process):
    process.terminate()
    process.communicate(timeout=10)
    return process.returncode


def test_the_process_serves_goes_on_where_it_stopped_and_leaves_when_told(tmp_path):
    kept = ("--state", str(tmp_path / "world.json"))
    process, base_url = start("--today", "2026-11-24", *kept)
    try:
        edit = {"deal_id": 1, "title": "Renommée"}
        requests.post(f"{base_url}/_sandbox/edits/change_deal", json=edit, timeout=10)
    finally:
        assert stop(process) == 0
    process, base_url = start(*kept)
    try:
        assert requests.get(f"{base_url}/_sandbox/", timeout=10).json()["today"] == "2026-11-24"
        headers = {"x-api-token": DEFAULT_TOKEN}
        deal = requests.get(f"{base_url}/api/v2/deals/1", headers=headers, timeout=10).json()
        assert deal["data"]["title"] == "Renommée"
    finally:
        assert stop(process) == 0


def test_a_taken_port_is_said_in_a_sentence():
    with running(build_world(today=TODAY, deals=60)) as base_url:
        port = base_url.rsplit(":", 1)[1]
        done = subprocess.run(
            [sys.executable, "-m", "integrations.sandbox", "--port", port, "--deals", "60"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("The stand-in cannot start:")
