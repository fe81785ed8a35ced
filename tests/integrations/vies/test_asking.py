"""Asking VIES over HTTP: what it says, what goes wrong, and what is kept of either."""

from __future__ import annotations

import logging

import pytest

from integrations.registry import VAT_REGISTER
from integrations.vies import client
from integrations.vies.client import Bounds
from invoices.clients import vat_checks, vat_register
from invoices.models import VatCheck
from tests import clock
from tests.factories import make_client, make_company

GERMAN = "DE833179165"
OURS = "FR44732829320"
ON = clock.days_ago(0)


def ask(vat_id, requester=OURS):
    return VAT_REGISTER.ask(vat_id, requester=requester)


def test_our_register_is_the_one_that_clients_are_asked_of(vies):
    assert vat_register.ask(GERMAN, requester="").valid is True
    assert vies.register.asked == [{"countryCode": "DE", "vatNumber": "833179165"}]


@pytest.mark.parametrize(
    ("vat_id", "name"),
    [
        (GERMAN, ""),
        ("ATU72982347", "Ennsbrücke Handels GmbH"),
        ("EL121553981", "ΑΙΓΑΙΟ ΕΜΠΟΡΙΚΗ ΑΕ"),
        ("NL031144123B01", "WATERLAND ADVIES B.V."),
        ("XI803586288", "LAGAN FREIGHT LTD"),
        ("FR96552100554", "PAPETERIES DE LA VILAINE"),
    ],
)
def test_a_valid_id_has_its_name_and_a_consultation_number(vies, vat_id, name):
    answer = ask(vat_id)
    assert (answer.valid, answer.name, answer.trouble) == (True, name, None)
    assert answer.consultation.startswith("WAPIAAAA")
    assert ask(vat_id, requester="").consultation == ""
    assert vies.register.asked[0] == {
        "countryCode": vat_id[:2],
        "vatNumber": vat_id[2:],
        "requesterMemberStateCode": "FR",
        "requesterNumber": "44732829320",
    }


def test_an_id_that_nobody_has_is_not_valid(vies):
    answer = ask("DE129273398")
    assert (answer.valid, answer.name) == (False, "")
    assert answer.consultation


ERRORS = {
    "MS_UNAVAILABLE": "The register of Germany did not answer.",
    "TIMEOUT": "The register of Germany did not answer.",
    "MS_MAX_CONCURRENT_REQ": "The register of Germany is asked by too many at this moment.",
    "GLOBAL_MAX_CONCURRENT_REQ": "VIES is asked by too many at this moment.",
    "SERVICE_UNAVAILABLE": "VIES is out of service at this moment.",
    "IP_BLOCKED": "VIES has blocked this question (IP_BLOCKED)",
    "SOMETHING_NEW": "VIES reports a fault of its own (SOMETHING_NEW).",
}


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_of_vies_is_no_answer_about_the_id(vies, error):
    vies.register.trouble("DE", error)
    answer = ask(GERMAN)
    assert answer.valid is None
    assert str(answer.trouble).startswith(ERRORS[error])
    assert error in answer.raw
    # The next question is answered.
    assert ask(GERMAN).valid is True


def test_our_own_id_that_vies_refuses_is_named(vies):
    vies.register.strike_off(OURS)
    answer = ask(GERMAN)
    assert answer.valid is None
    assert f"our own VAT id, {OURS}," in str(answer.trouble)


FAULTS = {
    "429": "VIES is asked by too many",
    "500": "VIES is out of service",
    "503": "VIES has trouble of its own (503)",
    "401": "does not answer as VIES does (401)",
    "html_403": "does not answer as VIES does (403)",
    "not_json": "is not VIES data",
    "empty": "sent an empty answer",
    "truncated": "broke off",
    "dropped": "broke off",
}


@pytest.mark.parametrize("kind", FAULTS)
def test_whatever_goes_wrong_on_the_way_is_told_and_asked_once(vies, kind):
    vies.inject(kind)
    answer = ask(GERMAN)
    assert answer.valid is None
    assert FAULTS[kind] in str(answer.trouble)
    assert "token" not in str(answer.trouble)
    assert "import" not in str(answer.trouble)
    assert vies.count() == 1


def test_a_register_that_keeps_silent_is_not_waited_for_long(vies, monkeypatch):
    monkeypatch.setattr(client, "BOUNDS", Bounds(timeout=(1.0, 0.2)))
    vies.inject("slow", delay=1.5)
    assert "did not answer in time" in str(ask(GERMAN).trouble)


def test_by_default_a_person_waits_twenty_seconds_at_most():
    assert sum(client.BOUNDS.timeout) <= 20
    assert client.BOUNDS.body_seconds <= 20


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"hello": 1}, "neither that the id is valid nor that it is not"),
        ({"valid": True}, "another id"),
        ({"valid": True, "countryCode": "DE", "vatNumber": "129273398"}, "another id"),
        ({"name": "x" * 2**20}, "larger than 1 MB"),
        ([1, 2], "is not VIES data"),
    ],
)
def test_an_answer_in_another_shape_is_none(vies, body, text):
    vies.register.say(body)
    answer = ask(GERMAN)
    assert answer.valid is None
    assert text in str(answer.trouble)
    assert len(answer.raw) <= 4_000


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("https://10.0.0.7/vies", "private network"),
        ("http://127.0.0.1:1/vies", "is this machine"),
        ("http://vies.example.com", "https://"),
        ("nothing at all", "not a web address"),
    ],
)
def test_nothing_is_sent_into_our_own_network(settings, url, text):
    settings.DEMO = settings.DEBUG = False
    settings.VIES_URL = url
    assert text in str(ask(GERMAN).trouble)


def test_the_real_register_is_the_default(settings):
    assert settings.VIES_URL == "https://ec.europa.eu/taxation_customs/vies/rest-api"


def test_no_line_of_a_log_says_who_was_asked_about(vies, caplog):
    caplog.set_level(logging.DEBUG)
    ask("ATU72982347")
    vies.register.trouble("AT", "MS_UNAVAILABLE")
    ask("ATU72982347")
    assert "72982347" not in caplog.text
    assert "Ennsbrücke" not in caplog.text


@pytest.mark.django_db
def test_signs_that_a_database_refuses_are_not_in_the_way(vies):
    make_company()
    vies.register.say(
        {
            "countryCode": "AT", "vatNumber": "U72982347", "valid": True,
            "name": "A\u0000B\ud800 GmbH", "address": "1\u0007\n2",
        }
    )  # fmt: skip
    client = make_client(country="AT", vat_id="ATU72982347")
    kept = vat_checks.finish(vat_checks.begin(client_id=client.pk, by=None, on=ON))
    kept.refresh_from_db()
    assert (kept.answer, kept.name) == (VatCheck.Answer.VALID, "AB GmbH")
    assert kept.address_line == "1, 2"
