"""What VIES answers, read: only a plain yes or no about the very id is an answer."""

from __future__ import annotations

import json

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from billing_portal.notices import Notice, in_words
from integrations.vies.client import error_in
from integrations.vies.mapping import LONGEST_RAW, answer_of

GERMAN = "DE833179165"
OURS = "FR44732829320"
GOOD = {
    "countryCode": "DE",
    "vatNumber": "833179165",
    "requestDate": "2026-11-25T09:00:00.123Z",
    "valid": True,
    "requestIdentifier": "WAPIAAAAaEDkvhHx",
    "name": "---",
    "address": "---",
}


def read(body, vat_id=GERMAN):
    return answer_of(body, vat_id=vat_id, requester=OURS)


def test_a_state_that_tells_no_name_has_none():
    answer = read(GOOD)
    assert (answer.valid, answer.name, answer.address) == (True, "", "")
    assert answer.consultation == "WAPIAAAAaEDkvhHx"
    assert json.loads(answer.raw) == GOOD


def test_name_and_address_are_kept_as_they_are_told():
    told = {**GOOD, "name": " KERLANN\u0000  GmbH ", "address": "\nQuai 1\n\n44000   NANTES\n"}
    answer = read(told)
    assert (answer.name, answer.address) == ("KERLANN GmbH", "Quai 1\n44000 NANTES")


def test_greece_and_northern_ireland_write_letters_of_their_own():
    for letters, number in (("EL", "121553981"), ("XI", "803586288")):
        body = {**GOOD, "countryCode": letters, "vatNumber": number}
        assert read(body, letters + number).valid


@pytest.mark.parametrize(
    "change",
    [
        {"valid": None}, {"valid": "true"}, {"valid": 1}, {"countryCode": "AT"},
        {"vatNumber": "833179166"}, {"vatNumber": None}, {"countryCode": None},
        {"actionSucceed": False}, {"errorWrappers": [{"error": "MS_UNAVAILABLE"}]},
        {"userError": "MS_UNAVAILABLE"},
    ],
)  # fmt: skip
def test_what_is_no_plain_answer_about_this_id_is_none(change):
    answer = read({**GOOD, **change})
    assert answer.valid is None
    assert answer.trouble is not None


def test_an_error_says_nothing_about_the_id_even_beside_a_no():
    body = {"valid": False, "actionSucceed": False, "errorWrappers": [{"error": "TIMEOUT"}]}
    answer = read(body)
    assert answer.valid is None
    assert str(answer.trouble) == "The register of Germany did not answer."


@pytest.mark.parametrize(
    "body",
    [
        {"errorWrappers": "MS"}, {"errorWrappers": [None, {"error": 5}, {"error": ""}]},
        {"userError": "VALID"}, {"userError": "INVALID"}, {"userError": 3}, {},
    ],
)  # fmt: skip
def test_what_names_no_error_is_none(body):
    assert error_in(body) == ""


@pytest.mark.parametrize("language", ["en-gb", "fr"])
@pytest.mark.parametrize(
    "code",
    [
        "MS_UNAVAILABLE", "TIMEOUT", "MS_MAX_CONCURRENT_REQ", "MS_MAX_CONCURRENT_REQ_TIME",
        "GLOBAL_MAX_CONCURRENT_REQ", "GLOBAL_MAX_CONCURRENT_REQ_TIME", "SERVICE_UNAVAILABLE",
        "SERVER_BUSY", "INVALID_INPUT", "INVALID_REQUESTER_INFO", "VAT_BLOCKED", "IP_BLOCKED",
        "VOW-ERR-11", "UNKNOWN",
    ],
)  # fmt: skip
def test_each_error_is_a_sentence_in_the_readers_language(code, language):
    with translation.override(language):
        kept = read({"actionSucceed": False, "errorWrappers": [{"error": code}]}).trouble
        assert isinstance(kept, Notice)
        text = in_words(json.loads(json.dumps(kept.kept())))
        assert " " in text
        assert "%(" not in text
        if "MS_" in code:
            assert ("Allemagne" if language == "fr" else "Germany") in text


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NAMES = [*GOOD, "actionSucceed", "errorWrappers", "userError"]


@given(st.dictionaries(st.sampled_from(NAMES), anything))
def test_whatever_it_sends_is_read_bounded_and_never_taken_for_a_yes(change):
    body = {**GOOD, **change}
    answer = read(body)
    if answer.valid is not None:
        assert answer.valid is body["valid"]
        assert (body["countryCode"], body["vatNumber"]) != (None, None)
        assert not error_in(body)
    assert len(answer.raw) <= LONGEST_RAW
    for text, most in ((answer.name, 255), (answer.address, 500), (answer.consultation, 40)):
        assert len(text) <= most
        assert "\0" not in text
        text.encode()
