"""The stand-in for VIES, over real sockets."""

from __future__ import annotations

from datetime import date

import pytest
import requests

from integrations.sandbox import build_world
from integrations.sandbox.demo import demo_vies, traders_of
from integrations.sandbox.vies.register import KNOWN
from integrations.sandbox.vies.stand_in import ViesSandbox
from invoices.tax.vat_ids import state_of


@pytest.fixture
def running():
    with ViesSandbox() as sandbox:
        yield sandbox


def ask(sandbox, vat_id, **more):
    body = {"countryCode": vat_id[:2], "vatNumber": vat_id[2:], **more}
    return requests.post(f"{sandbox.vies_url}/check-vat-number", json=body, timeout=5).json()


def test_its_ids_pass_their_own_check_digits():
    assert [vat_id for vat_id in KNOWN if not state_of(vat_id)] == []


def test_it_answers_in_the_shape_of_the_service(running):
    answer = ask(running, "NL031144123B01")
    assert set(answer) == {
        "countryCode", "vatNumber", "requestDate", "valid", "requestIdentifier", "name", "address",
        "traderNameMatch", "traderStreetMatch", "traderPostalCodeMatch", "traderCityMatch",
        "traderCompanyTypeMatch",
    }  # fmt: skip
    assert (answer["valid"], answer["requestIdentifier"]) == (True, "")
    named = ask(running, "XI000", requesterMemberStateCode="FR", requesterNumber="44732829320")
    assert (named["valid"], named["name"]) == (False, "---")
    assert named["requestIdentifier"].startswith("WAPIAAAA")


@pytest.mark.parametrize("vat_id", ["GB803586288", "DE", "CHE1"])
def test_what_is_no_id_of_a_state_is_invalid_input(running, vat_id):
    answer = ask(running, vat_id)
    assert answer == {"actionSucceed": False, "errorWrappers": [{"error": "INVALID_INPUT"}]}


def test_other_processes_control_it_over_http(running):
    control = f"{running.base_url}/_sandbox"
    requests.post(
        f"{control}/edits/trouble", json={"state": "NL", "error": "TIMEOUT", "times": 2}, timeout=5
    )
    assert ask(running, "NL031144123B01")["errorWrappers"] == [{"error": "TIMEOUT"}]
    requests.delete(f"{control}/edits", timeout=5)
    assert ask(running, "NL031144123B01")["valid"]
    requests.post(f"{control}/edits/strike_off", json={"vat_id": "NL031144123B01"}, timeout=5)
    assert not ask(running, "NL031144123B01")["valid"]
    new = {"vat_id": "LU24799844", "name": "N", "address": "A"}
    requests.post(f"{control}/edits/enter", json=new, timeout=5)
    assert ask(running, "LU24799844")["name"] == "N"
    for path, given, status in (("trouble", {"no": 1}, 400), ("rob", {}, 404)):
        answer = requests.post(f"{control}/edits/{path}", json=given, timeout=5)
        assert answer.status_code == status
    assert requests.get(f"{running.base_url}/elsewhere", timeout=5).status_code == 404
    assert "LU24799844" in requests.get(f"{control}/", timeout=5).json()["ids"]


def test_the_demo_knows_its_customers_but_for_one_and_luxembourg_fails_at_first():
    world = build_world(today=date(2026, 11, 24), deals=130)
    customers = traders_of(world)
    assert len(customers) > 50
    with demo_vies(world, 0) as sandbox:
        unknown = set(customers) - set(sandbox.register.traders)
        assert [vat_id[:2] for vat_id in unknown] == ["BE"]
        luxembourg = next(vat_id for vat_id in customers if vat_id.startswith("LU"))
        assert ask(sandbox, luxembourg)["errorWrappers"] == [{"error": "MS_UNAVAILABLE"}]
        assert ask(sandbox, luxembourg)["valid"]
