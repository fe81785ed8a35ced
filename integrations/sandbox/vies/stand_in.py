"""The stand-in for VIES, as the kit serves it: one call, and controls of its own.

POST    /_sandbox/edits/NAME    strike_off, enter, trouble or say of `Register`, with its arguments
DELETE  /_sandbox/edits         drops the troubles that still wait

It answers as the service does: an error comes with 200 and `actionSucceed: false`; some states tell
no name; a consultation number is given to those who say who asks. It takes no token.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from integrations.sandbox.kit.control import as_json
from integrations.sandbox.kit.limits import Limits
from integrations.sandbox.kit.server import Sandbox
from integrations.sandbox.kit.stand_in import Answer
from integrations.sandbox.vies.register import SILENT, STATES, Register, Trader

PREFIX: Final = "/taxation_customs/vies/rest-api"
CHECK: Final = f"{PREFIX}/check-vat-number"
EDITS: Final = ("strike_off", "enter", "trouble", "say")


class ViesStandIn:
    def __init__(self, register: Register) -> None:
        self.register = register

    def token_of(self, headers: Mapping[str, str]) -> str:
        return ""

    def answer(self, method: str, path: str, query: str, body: bytes) -> Answer:
        if (method, path) != ("POST", CHECK):
            return _error(404, "NOT_FOUND")
        try:
            asked = json.loads(body)
        except ValueError:
            asked = None
        if not isinstance(asked, dict):
            return _error(400, "INVALID_INPUT")
        question = {name: str(value) for name, value in asked.items()}
        self.register.note(question)
        for said in self.register.to_say():
            return Answer(200, json.dumps(said).encode())
        return self._check(question)

    def _check(self, asked: dict[str, str]) -> Answer:
        state, number = asked.get("countryCode", ""), asked.get("vatNumber", "")
        if state not in STATES or not number:
            return _error(200, "INVALID_INPUT")
        requester = asked.get("requesterMemberStateCode", "") + asked.get("requesterNumber", "")
        if requester and self.register.find(requester) is None:
            return _error(200, "INVALID_REQUESTER_INFO")
        if error := self.register.error_of(state):
            return _error(200, error)
        found = self.register.find(state + number)
        told = found is not None and state not in SILENT
        return as_json(
            200,
            {
                "countryCode": state,
                "vatNumber": number,
                "requestDate": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "valid": found is not None,
                "requestIdentifier": self.register.consultation() if requester else "",
                "name": found.name if found and told else "---",
                "address": found.address if found and told else "---",
                **{
                    f"trader{what}Match": "NOT_PROCESSED"
                    for what in ("Name", "Street", "PostalCode", "City", "CompanyType")
                },
            },
        )

    def route_name(self, path: str) -> str:
        return path

    def refusal(self, status: int, error: str, info: str) -> Answer:
        return _error(status, "SERVICE_UNAVAILABLE", info)

    def summary(self) -> dict[str, Any]:
        return {"stands_in_for": "VIES", "ids": sorted(self.register.traders), "edits": EDITS}

    def control(self, method: str, parts: list[str], query: str, given: dict[str, Any]) -> Answer:
        match (method, *parts):
            case ("POST", "edits", name) if name in EDITS:
                try:
                    getattr(self.register, name)(**given)
                except TypeError as error:
                    return as_json(400, {"error": str(error)})
                return as_json(200, {})
            case ("DELETE", "edits"):
                self.register.forget_troubles()
                return as_json(200, {})
        raise LookupError(parts)


def _error(status: int, code: str, message: str = "") -> Answer:
    wrapped = {"error": code, **({"message": message} if message else {})}
    return as_json(status, {"actionSucceed": False, "errorWrappers": [wrapped]})


class ViesSandbox(Sandbox):
    """VIES on a real socket; `sandbox.register` takes edits while it runs."""

    def __init__(self, traders: dict[str, Trader] | None = None, *, port: int = 0) -> None:
        self.register = Register(traders)
        super().__init__(ViesStandIn(self.register), port=port, token="", limits=Limits())

    @property
    def vies_url(self) -> str:
        return f"{self.base_url}{PREFIX}"
