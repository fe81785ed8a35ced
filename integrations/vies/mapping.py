"""What VIES answers, as what we keep of it (pure)."""

from __future__ import annotations

import json
import re
from typing import Final

from billing_portal.notices import Notice
from integrations.core.http import Json, ProviderError
from integrations.vies.client import NAME, error_in
from invoices.clients.vat_register import Answer

# Some states tell neither name nor address: Germany and Spain among them.
_NOT_TOLD: Final = "---"
LONGEST_NAME, LONGEST_ADDRESS, LONGEST_RAW = 255, 500, 4_000
_STATE, _MANY, _VIES = "vies.state", "vies.state_busy", "vies.service"
_NOTICES: Final = {
    "MS_UNAVAILABLE": _STATE,
    "TIMEOUT": _STATE,
    "MS_MAX_CONCURRENT_REQ": _MANY,
    "MS_MAX_CONCURRENT_REQ_TIME": _MANY,
    "GLOBAL_MAX_CONCURRENT_REQ": "vies.busy",
    "GLOBAL_MAX_CONCURRENT_REQ_TIME": "vies.busy",
    "SERVICE_UNAVAILABLE": _VIES,
    "SERVER_BUSY": _VIES,
    "INVALID_INPUT": "vies.input",
    "INVALID_REQUESTER_INFO": "vies.requester",
    "VAT_BLOCKED": "vies.blocked",
    "IP_BLOCKED": "vies.blocked",
}


def answer_of(body: Json, *, vat_id: str, requester: str) -> Answer:
    """An error is no answer, whatever `valid` says beside it: the id may be good all the same."""
    raw = as_kept(body)
    if code := error_in(body):
        return Answer(None, trouble(code, vat_id=vat_id, requester=requester), raw=raw)
    valid = body.get("valid")
    if not isinstance(valid, bool):
        return Answer(None, Notice("vies.unreadable"), raw=raw)
    # A proof is one of this very id; nothing else may be taken for it.
    if f"{_text(body, 'countryCode')}{_plain(_text(body, 'vatNumber'))}".upper() != vat_id:
        return Answer(None, Notice("vies.another_id"), raw=raw)
    return Answer(
        valid,
        name=" ".join(_told(body, "name").split())[:LONGEST_NAME] if valid else "",
        address=_lines(_told(body, "address"))[:LONGEST_ADDRESS] if valid else "",
        consultation=_plain(_text(body, "requestIdentifier"))[:40],
        raw=raw,
    )


def trouble(code: str, *, vat_id: str, requester: str) -> Notice:
    notice = _NOTICES.get(code, "vies.error")
    return Notice(notice, state=vat_id[:2], vat_id=vat_id, requester=requester, error=code)


def failure(error: ProviderError, *, vat_id: str, requester: str) -> Notice:
    """Why there is no answer at all. What is said of a token and of imports fits no register."""
    if error.said and error.status in (400, 500):
        return trouble(error.said, vat_id=vat_id, requester=requester)
    if error.status == 429:
        return Notice("vies.busy")
    if error.status is not None and 300 <= error.status < 500:
        return Notice("vies.address", provider=NAME, status=error.status)
    return error.notice


def as_kept(body: Json) -> str:
    """The whole answer as evidence, in signs that every database takes."""
    return json.dumps(body, default=str)[:LONGEST_RAW]


def _text(body: Json, name: str) -> str:
    """Signs that a database refuses (NUL, half a surrogate pair) are left out."""
    value = body.get(name)
    text = value if isinstance(value, str) else ""
    return "".join(sign for sign in text if sign == "\n" or sign.isprintable()).strip()


def _told(body: Json, name: str) -> str:
    text = _text(body, name)
    return "" if text == _NOT_TOLD else text


def _plain(text: str) -> str:
    return re.sub(r"[^0-9A-Za-z+*]", "", text)


def _lines(text: str) -> str:
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)
