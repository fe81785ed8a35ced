"""The stand-in for an approved platform answers as the norm's own files say (XP Z12-013, 1.1.0)."""

from __future__ import annotations

import copy
import json

import jsonschema
import pytest
import requests
from lxml import etree

from integrations.sandbox.platform.stand_in import PlatformSandbox
from tests.shared import SHARED

AFNOR = SHARED / "specs" / "afnor"
pytestmark = pytest.mark.skipif(not AFNOR.exists(), reason="the norm's files are not here")
BUYER = "552100554"
CII = (
    (AFNOR / "use-cases" / "UC1" / "UC1_F202500003_00-INV_20250701_CII.xml").read_bytes()
    if (AFNOR.exists())
    else b""
)


@pytest.fixture(scope="module")
def flow_service():
    return json.loads((AFNOR / "flow-service-1.1.0.json").read_text())


@pytest.fixture(scope="module")
def directory_service():
    return json.loads((AFNOR / "directory-service-1.1.0.json").read_text())


@pytest.fixture
def sandbox():
    with PlatformSandbox({BUYER: [BUYER, f"{BUYER}_COMPTA"], f"1{BUYER[1:]}": []}) as running:
        yield running


def strict(specification, name):
    """A schema of the norm in which nothing may stand that it does not name."""
    whole = copy.deepcopy(specification)
    for schema in whole["components"]["schemas"].values():
        if "properties" in schema and "allOf" not in schema:
            schema.setdefault("additionalProperties", False)
    # A part of another schema cannot be strict by itself, and one length is shorter than a value.
    full = whole["components"]["schemas"].get("FullFlowInfo")
    if full:
        for part in full["allOf"]:
            part.pop("additionalProperties", None)
        whole["components"]["schemas"]["FlowInfo"].pop("additionalProperties", None)
    return {"$ref": f"#/components/schemas/{name}", "components": whole["components"]}


def ask(sandbox, method, path, **given):
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    return requests.request(
        method, f"{sandbox.base_url}{path}", headers=headers, timeout=10, **given
    )


def create(sandbox, content=CII, **info):
    given = {"flowSyntax": "CII", "trackingId": "ours-1", "name": "F.xml", **info}
    parts = {
        "flowInfo": (None, json.dumps(given), "application/json"),
        "file": ("F.xml", content, "application/xml"),
    }
    return ask(sandbox, "POST", "/flow-service/v1/flows", files=parts)


def test_flows_are_created_searched_and_read_as_the_norm_says(sandbox, flow_service):
    made = create(sandbox)
    assert made.status_code == 202
    jsonschema.validate(made.json(), strict(flow_service, "FullFlowInfo"))
    asked = {"limit": 100, "where": {"updatedAfter": "2020-01-01T00:00:00Z"}}
    found = ask(sandbox, "POST", "/flow-service/v1/flows/search", json=asked)
    assert found.status_code == 200
    jsonschema.validate(found.json(), strict(flow_service, "SearchFlowContent"))
    # The invoice, and what became of it: 200, 202, 203.
    assert [flow["flowType"] for flow in found.json()["results"]] == [
        "CustomerInvoice", *["CustomerInvoiceLC"] * 3,
    ]  # fmt: skip
    flow_id = found.json()["results"][1]["flowId"]
    shown = ask(sandbox, "GET", f"/flow-service/v1/flows/{flow_id}")
    jsonschema.validate(shown.json(), strict(flow_service, "Flow"))
    file = ask(sandbox, "GET", f"/flow-service/v1/flows/{flow_id}?docType=Original")
    schema = etree.XMLSchema(
        etree.parse(AFNOR / "cdar-xsd" / "CrossDomainAcknowledgementAndResponse_100pD22B.xsd")
    )
    schema.assertValid(etree.fromstring(file.content))
    assert "attachment;filename=" in file.headers["Content-Disposition"]


def test_what_we_ask_is_what_the_norm_takes(sandbox, flow_service, directory_service):
    from integrations.einvoicing.contract import Outgoing
    from integrations.platform.mapping import info_of

    file = Outgoing("key", "F.pdf", "Factur-X", "0" * 64, b"x", "B2B")
    jsonschema.validate(info_of(file), strict(flow_service, "FlowInfo"))
    asked = {"limit": 100, "where": {"trackingId": "key"}}
    jsonschema.validate(asked, strict(flow_service, "SearchFlowParams"))
    asked = {"filters": {"siren": {"op": "contains", "value": BUYER}}, "limit": 50, "ignore": 0}
    jsonschema.validate(asked, strict(directory_service, "searchDirectoryLine"))


def test_directory_lines_are_those_of_the_norm(sandbox, directory_service):
    asked = {"filters": {"siren": {"op": "contains", "value": BUYER}}, "limit": 50, "ignore": 0}
    found = ask(sandbox, "POST", "/directory-service/v1/directory-line/search", json=asked)
    assert found.status_code == 200
    jsonschema.validate(
        found.json(), strict(directory_service, "directoryLineSearchPost200Response")
    )
    assert [row["addressingIdentifier"] for row in found.json()["results"]] == [
        BUYER, f"{BUYER}_COMPTA",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("act", "status"),
    [
        (lambda s: create(s, content=b""), 400),
        (lambda s: create(s, sha256="0" * 64), 422),
        (lambda s: create(s, flowSyntax="DOC"), 400),
        (lambda s: (create(s), create(s))[1], 422),
        (lambda s: ask(s, "POST", "/flow-service/v1/flows/search", json={"where": {}}), 400),
        (lambda s: ask(s, "GET", "/flow-service/v1/flows/none"), 404),
        (lambda s: requests.get(f"{s.base_url}/flow-service/v1/flows/none", timeout=10), 401),
        (lambda s: (s.inject("500"), create(s))[1], 500),
        (lambda s: (s.inject("429"), create(s))[1], 429),
    ],
)
def test_refusals_have_the_form_of_the_norm(sandbox, flow_service, act, status):
    answer = act(sandbox)
    assert answer.status_code == status
    jsonschema.validate(answer.json(), strict(flow_service, "Error"))
