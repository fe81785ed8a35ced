"""What a platform answers, read without trust."""

from __future__ import annotations

import pytest

from integrations.platform.adapter import address_of, directory_of
from integrations.platform.mapping import (
    OddAnswer,
    addresses_in,
    filename_in,
    flow_of,
    flows_in,
    moment_of,
)

SIREN = "552100554"


@pytest.mark.parametrize("flow_id", ["", None, "../x", "a/b", "x" * 37, "a?b", {"a": 1}])
def test_a_flow_whose_id_cannot_be_asked_for_is_none(flow_id):
    with pytest.raises(OddAnswer):
        flow_of({"flowId": flow_id})
    assert (
        flows_in({"results": [{"flowId": flow_id}, None, {"flowId": "good-1"}]})[0].id == "good-1"
    )


def test_odd_parts_are_left_out():
    flow = flow_of(
        {
            "flowId": "1",
            "acknowledgement": {"status": "Perhaps", "details": ["x", {"reasonCode": 5}]},
            "updatedAt": "yesterday",
        }
    )
    assert (flow.acknowledged, flow.updated_at, flow.details[1]["reasonCode"]) == ("", None, "5")
    assert flows_in({"results": "x"}) == []
    assert moment_of("2026-11-24T10:00:00") is None
    assert moment_of("2026-11-24T10:00:00Z") is not None


def test_addresses_are_of_the_siren_alone_and_of_open_platforms():
    rows = [
        {"siren": SIREN, "addressingIdentifier": "OLD", "platform": {"platformStatus": "Disabled"}},
        {"siren": SIREN, "addressingIdentifier": SIREN, "platform": {"platformStatus": "Enabled"}},
        {"siren": "999999999", "addressingIdentifier": "999999999"},
        {"siren": SIREN},
    ]  # fmt: skip
    assert addresses_in({"results": rows}, SIREN) == [SIREN]


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('attachment;filename="F 1.pdf"', "F 1.pdf"),
        ("attachment; filename=../../etc/passwd", "passwd"),
        ("attachment; filename*=UTF-8''a%20b.xml", "a_20b.xml"),
        ("", ""),
    ],
)
def test_names_of_files_bear_no_path(disposition, name):
    assert filename_in(disposition) == name


@pytest.mark.parametrize(
    ("typed", "address", "directory"),
    [
        ("https://api.pa.example", "https://api.pa.example/flow-service",
         "https://api.pa.example/directory-service"),
        ("https://api.pa.example/flow-service/v1/flows", "https://api.pa.example/flow-service",
         "https://api.pa.example/directory-service"),
        ("https://pa.example/afnor-flow/v1", "https://pa.example/afnor-flow",
         "https://pa.example/afnor-flow"),
    ],
)  # fmt: skip
def test_addresses_are_taken_as_people_paste_them(typed, address, directory):
    assert address_of(typed) == address
    assert directory_of(address) == directory
