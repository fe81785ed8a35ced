"""A local stand-in for an approved platform: flow service and directory of XP Z12-013, 1.1.0.

    with PlatformSandbox({"552100554": ["552100554"]}) as sandbox:
        connect_platform(base_url=sandbox.base_url, api_token=sandbox.token)
        sandbox.world.say("F-2026-0001", "205")
        sandbox.inject("dropped", path="/flow-service/v1/flows")   # took it, and hung up

What it answers is checked against the norm's own files in tests/integrations/sandbox. Over HTTP:
POST /_sandbox/edits/say {"number": …, "code": "205"}, and likewise `bring`, `deliver_again`,
`fail_next`, `enter`, `tell_story`.
"""

from __future__ import annotations

import base64
import hmac
import json
import re
import time
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qs, unquote

from integrations.sandbox.kit.control import as_json
from integrations.sandbox.kit.faults import Fault
from integrations.sandbox.kit.limits import Limits
from integrations.sandbox.kit.server import DEFAULT_TOKEN, Request, Sandbox
from integrations.sandbox.kit.stand_in import Answer
from integrations.sandbox.platform.world import File, Refused, World, stamp

FLOWS: Final = "/flow-service/v1/flows"
LINES: Final = "/directory-service/v1/directory-line/search"
TOKEN: Final = "/oauth/token"  # noqa: S105  a path
EDITS: Final = (
    *("say", "bring", "deliver_again", "fail_next", "refuse_next", "enter", "tell_story"),
)
_SYNTAXES: Final = ("CII", "UBL", "Factur-X", "CDAR", "FRR")
_FILTERS: Final = frozenset(
    [
        *("updatedAfter", "updatedBefore", "processingRule", "flowType", "flowDirection"),
        *("trackingId", "ackStatus"),
    ]
)


class PlatformStandIn:
    def __init__(self, world: World) -> None:
        self.world = world

    def token_of(self, headers: Mapping[str, str]) -> str:
        given = next((v for k, v in headers.items() if k.lower() == "authorization"), "")
        return given.removeprefix("Bearer ").strip()

    def answer(self, method: str, path: str, query: str, body: bytes) -> Answer:
        try:
            match (method, path):
                case ("POST", p) if p == FLOWS:
                    return self._create(body)
                case ("POST", p) if p == f"{FLOWS}/search":
                    return self._search(body)
                case ("POST", p) if p == LINES:
                    return self._lines(body)
                case ("GET", p) if p.endswith("/v1/healthcheck"):
                    return Answer(200, b"")
                case ("GET", p) if p.startswith(f"{FLOWS}/"):
                    return self._file(unquote(p.removeprefix(f"{FLOWS}/")), query)
        except Refused as refusal:
            return _error(refusal.status, refusal.code, refusal.text)
        return _error(404, "MISSING_RESOURCE", "Requested resource is Not Found")

    # ─ Flows ────────────────────────────────────────────────────────────────────────────────────
    def _create(self, body: bytes) -> Answer:
        parts = _parts(body)
        try:
            info = json.loads(parts["flowInfo"][1])
            name, content = parts["file"]
        except (KeyError, ValueError):
            raise Refused(400, "MISSING_REQUIRED_FIELD", "Invalid request format") from None
        if not isinstance(info, dict) or info.get("flowSyntax") not in _SYNTAXES:
            raise Refused(400, "MISSING_REQUIRED_FIELD", "flowSyntax is required.")
        file = self.world.take(info, content, name)
        full = {
            "flowId": file.id,
            "submittedAt": stamp(file.submitted_at),
            "name": file.name,
            "flowSyntax": file.syntax,
            "sha256": file.sha256,
            **({"trackingId": file.tracking_id} if file.tracking_id else {}),
            **({"processingRule": file.rule} if file.rule_given else {}),
            **({"flowProfile": file.profile} if file.profile else {}),
        }
        return as_json(202, full)

    def _search(self, body: bytes) -> Answer:
        asked = _object(body)
        where, limit = asked.get("where"), asked.get("limit", 25)
        if not isinstance(where, dict) or not where or set(where) - _FILTERS:
            raise Refused(400, "MISSING_REQUIRED_FIELD", "At least one criterion is required.")
        if not isinstance(limit, int) or not 0 < limit <= 100:
            raise Refused(400, "INVALID_FIELD", "limit is at most 100.")
        with self.world.lock:
            found = [file for file in self.world.files.values() if _fits(file, where)]
            found.sort(key=lambda file: (file.updated_at, file.id))
            shown = [file.shown() for file in found[:limit]]
        return as_json(200, {"limit": limit, "filters": where, "results": shown})

    def _file(self, flow_id: str, query: str) -> Answer:
        wanted = parse_qs(query).get("docType", ["Metadata"])[0]
        with self.world.lock:
            file = self.world.files.get(flow_id)
        if file is None or wanted not in ("Metadata", "Original"):
            raise Refused(404, "MISSING_RESOURCE", "Requested resource is Not Found")
        if wanted == "Metadata":
            return as_json(200, file.shown())
        name = file.name.encode("ascii", "replace").decode().replace('"', "")
        disposition = f'attachment;filename="{name}"'
        return Answer(
            200,
            file.content,
            content_type="application/octet-stream",
            headers={"Content-Disposition": disposition},
        )

    # ─ The directory ────────────────────────────────────────────────────────────────────────────
    def _lines(self, body: bytes) -> Answer:
        asked = _object(body)
        siren = str(((asked.get("filters") or {}).get("siren") or {}).get("value") or "")
        if not re.fullmatch(r"\d{1,9}", siren):
            raise Refused(422, "UNPROCESSABLE_ENTITY", "A SIREN is needed.")
        with self.world.lock:
            rows = [
                _line(known, address)
                for known, addresses in sorted(self.world.directory.items())
                if siren in known
                for address in addresses
            ]
        start, limit = int(asked.get("ignore") or 0), int(asked.get("limit") or 50)
        shown = {
            "search": asked,
            "totalNumberOfResults": len(rows),
            "results": rows[start : start + limit],
        }
        return as_json(200, shown)

    # ─ For the kit ──────────────────────────────────────────────────────────────────────────────
    def route_name(self, path: str) -> str:
        if path.startswith(f"{FLOWS}/") and not path.endswith("/search"):
            return f"{FLOWS}/{{flowId}}"
        return path

    def refusal(self, status: int, error: str, info: str) -> Answer:
        codes = {401: "MISSING_TOKEN", 413: "FILE_SIZE_EXCEEDED", 429: "TOO_MANY_REQUESTS"}
        return _error(status, codes.get(status, "INTERNAL_ERROR"), info)

    def summary(self) -> dict[str, Any]:
        with self.world.lock:
            return {
                "stands_in_for": "an approved platform (XP Z12-013)",
                "flows": len(self.world.files),
                "invoices": sorted(self.world.deposited),
                "directory": self.world.directory,
                "edits": EDITS,
            }

    def control(self, method: str, parts: list[str], query: str, given: dict[str, Any]) -> Answer:
        match (method, *parts):
            case ("POST", "edits", name) if name in EDITS:
                try:
                    made = getattr(self.world, name)(**given)
                except (TypeError, ValueError, KeyError) as error:
                    return as_json(400, {"error": str(error)})
                return as_json(200, {"flowId": made} if made else {})
        raise LookupError(parts)


def _line(siren: str, address: str) -> dict[str, Any]:
    _siren, _mark, suffix = address.partition("_")
    return {
        "addressingIdentifier": address,
        "siren": siren,
        **({"addressingSuffix": suffix} if suffix else {}),
        "platform": {"platformType": "WK"},
    }


def _fits(file: File, where: Mapping[str, Any]) -> bool:
    try:
        after, before = (
            datetime.fromisoformat(str(where[name]).replace("Z", "+00:00"))
            if name in where
            else None
            for name in ("updatedAfter", "updatedBefore")
        )
    except ValueError:
        raise Refused(400, "INVALID_FIELD", "A time is not one.") from None
    return (
        (after is None or file.updated_at > after)
        and (before is None or file.updated_at < before)
        and file.type in where.get("flowType", [file.type])
        and file.direction in where.get("flowDirection", [file.direction])
        and file.rule in where.get("processingRule", [file.rule])
        and where.get("trackingId", file.tracking_id) == file.tracking_id
        and where.get("ackStatus", file.acknowledged) == file.acknowledged
    )


def _parts(body: bytes) -> dict[str, tuple[str, bytes]]:
    """Of a form: name → (file name, content). The kit hands on no headers: the boundary is the
    first line."""
    boundary, _line_end, _rest = body.partition(b"\r\n")
    found = {}
    if not boundary.startswith(b"--"):
        return {}
    for part in body.split(boundary)[1:]:
        head, _gap, content = part.partition(b"\r\n\r\n")
        name = re.search(rb'name="([^"]+)"', head)
        file = re.search(rb'filename="([^"]*)"', head)
        if name:
            found[name[1].decode()] = (
                file[1].decode("utf-8", "replace") if file else "",
                content.removesuffix(b"\r\n"),
            )
    return found


def _object(body: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(body)
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        raise Refused(400, "INVALID_REQUEST", "Invalid request format")
    return asked


def _error(status: int, code: str, text: str) -> Answer:
    return as_json(status, {"errorCode": code, "errorMessage": text})


class PlatformSandbox(Sandbox):
    """An approved platform on a real socket; `sandbox.world` takes edits while it runs.

    With a `login` (client id, secret) only short tokens are good, which POST /oauth/token gives;
    `lifetime` is their seconds, and `sandbox.forget_tokens()` ends them before that.
    """

    def __init__(
        self,
        directory: Mapping[str, Iterable[str]] | None = None,
        *,
        stories: Mapping[str, Iterable[Any]] | None = None,
        login: tuple[str, str] | None = None,
        lifetime: int = 300,
        port: int = 0,
    ) -> None:
        self.world = World(directory, stories)
        self.login, self.lifetime = login, lifetime
        self._given: dict[str, float] = {}
        super().__init__(
            PlatformStandIn(self.world), port=port, token=DEFAULT_TOKEN, limits=Limits()
        )

    @property
    def token_url(self) -> str:
        return f"{self.base_url}{TOKEN}"

    def forget_tokens(self) -> None:
        self._given.clear()

    def takes(self, token: str) -> bool:
        if self.login is None:
            return super().takes(token)
        return self._given.get(token, 0.0) > time.monotonic()

    def answer(
        self, method: str, target: str, token: str, body: bytes
    ) -> tuple[Answer, Fault | None]:
        if self.login is None or target != TOKEN:
            return super().answer(method, target, token, body)
        fault = self.faults.take(TOKEN, TOKEN)
        answer = fault.answer(self.stand_in.refusal) if fault else None
        answer = answer or self._logged_in(method, token, body)
        self.requests.append(Request(method, TOKEN, TOKEN, "", answer.status))
        return answer, fault

    def _logged_in(self, method: str, header: str, body: bytes) -> Answer:
        """RFC 6749, 4.4: name and secret in a Basic header, and the grant in a form."""
        assert self.login is not None
        pair = base64.b64encode(":".join(self.login).encode()).decode()
        if not hmac.compare_digest(header.encode(), f"Basic {pair}".encode()):
            return as_json(401, {"error": "invalid_client", "error_description": "Unknown client"})
        if method != "POST" or parse_qs(body.decode()).get("grant_type") != ["client_credentials"]:
            return as_json(400, {"error": "unsupported_grant_type"})
        token = uuid.uuid4().hex
        self._given[token] = time.monotonic() + self.lifetime
        shown = {"access_token": token, "token_type": "Bearer", "expires_in": self.lifetime}
        return as_json(200, shown)
