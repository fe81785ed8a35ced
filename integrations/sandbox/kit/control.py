"""The controls under `/_sandbox/`: the same as the Python API of `Sandbox`, for other processes.

GET     /_sandbox/                      what is in there, as the stand-in tells it
GET     /_sandbox/requests              requests by method and route; DELETE forgets them
POST    /_sandbox/faults                {"kind": "429", "times": 2, "path": "/api/v2/deals", ...}
GET     /_sandbox/faults                those still waiting; DELETE drops them

Whatever else there is belongs to the stand-in. A write must say `Content-Type: application/json`,
which a page in a browser cannot do unasked.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Protocol

from integrations.sandbox.kit.faults import KINDS, Fault, Faults
from integrations.sandbox.kit.stand_in import Answer, StandIn


class Controlled(Protocol):
    """What the controls reach of a running stand-in."""

    stand_in: StandIn
    faults: Faults

    def counts(self) -> Mapping[str, int]: ...

    def reset_counts(self) -> None: ...


def control(
    sandbox: Controlled, method: str, target: str, content_type: str, body: bytes
) -> Answer:
    path, _, query = target.partition("?")
    parts = path.strip("/").split("/")[1:]
    if method == "POST" and content_type.partition(";")[0].strip() != "application/json":
        return as_json(415, {"error": "Write with Content-Type: application/json."})
    try:
        given: Any = json.loads(body) if body else {}
    except ValueError:
        return as_json(400, {"error": "The body is no JSON."})
    if not isinstance(given, dict):
        return as_json(400, {"error": "The body must be a JSON object."})
    match (method, *parts):
        case ("GET",):
            return as_json(200, {**sandbox.stand_in.summary(), "faults": KINDS})
        case ("GET", "requests"):
            return as_json(200, sandbox.counts())
        case ("DELETE", "requests"):
            sandbox.reset_counts()
            return as_json(200, {})
        case ("GET", "faults"):
            return as_json(200, {"waiting": [asdict(f) for f in sandbox.faults.waiting()]})
        case ("DELETE", "faults"):
            sandbox.faults.clear()
            return as_json(200, {})
        case ("POST", "faults"):
            try:
                sandbox.faults.add(Fault(**given))
            except (TypeError, ValueError) as error:
                return as_json(400, {"error": str(error)})
            return as_json(201, {"waiting": len(sandbox.faults.waiting())})
    try:
        return sandbox.stand_in.control(method, parts, query, given)
    except LookupError:
        return as_json(404, {"error": f"There is no {method} {path}. See GET /_sandbox/."})


def as_json(status: int, thing: Mapping[Any, Any]) -> Answer:
    return Answer(status, json.dumps(thing, ensure_ascii=False, indent=1).encode())
