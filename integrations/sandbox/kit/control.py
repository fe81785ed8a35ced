"""The controls under `/_sandbox/`: the same as the Python API of `Sandbox`, for other processes.

GET     /_sandbox/                      what this world holds: counts, custom field keys, odd cases
GET     /_sandbox/requests              requests by method and route; DELETE forgets them
POST    /_sandbox/faults                {"kind": "429", "times": 2, "path": "/api/v2/deals", ...}
GET     /_sandbox/faults                those still waiting; DELETE drops them
POST    /_sandbox/edits/NAME            calls the method NAME of the world with these arguments
GET     /_sandbox/history/NAME.csv      clients, invoices or payments; ?until=YYYY-MM-DD
GET     /_sandbox/history/deals.json    the invoice's number by deal id; ?until=YYYY-MM-DD

A write must say `Content-Type: application/json`, which a page in a browser cannot do unasked.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

from integrations.sandbox.kit.faults import KINDS, Fault
from integrations.sandbox.pipedrive.api import Answer
from integrations.sandbox.pipedrive.deals import QUEUE_DAYS
from integrations.sandbox.pipedrive.history import COLUMNS, history_csv, invoiced_deals
from integrations.sandbox.pipedrive.world import UnknownObject, World

if TYPE_CHECKING:
    from integrations.sandbox.kit.server import Sandbox

EDITS: Final = (
    "add_deal",
    "add_organization",
    "archive_deal",
    "change_deal",
    "change_organization",
    "change_person",
    "delete_deal",
    "delete_organization",
    "lose_deal",
    "merge_organizations",
    "rename_option",
    "reopen_deal",
    "set_discounts",
    "set_lines",
    "win_deal",
)


_HISTORY: Final = (*(f"{name}.csv" for name in COLUMNS), "deals.json")


def control(sandbox: "Sandbox", method: str, target: str, content_type: str, body: bytes) -> Answer:
    path, _, query = target.partition("?")
    parts = path.strip("/").split("/")[1:]
    if method == "POST" and content_type.partition(";")[0].strip() != "application/json":
        return _answer(415, {"error": "Write with Content-Type: application/json."})
    try:
        given: Any = json.loads(body) if body else {}
    except ValueError:
        return _answer(400, {"error": "The body is no JSON."})
    if not isinstance(given, dict):
        return _answer(400, {"error": "The body must be a JSON object."})
    match (method, *parts):
        case ("GET",):
            return _answer(200, _summary(sandbox.world))
        case ("GET", "requests"):
            return _answer(200, sandbox.counts())
        case ("DELETE", "requests"):
            sandbox.reset_counts()
            return _answer(200, {})
        case ("GET", "faults"):
            return _answer(200, {"waiting": [asdict(f) for f in sandbox.faults.waiting()]})
        case ("DELETE", "faults"):
            sandbox.faults.clear()
            return _answer(200, {})
        case ("POST", "faults"):
            try:
                sandbox.faults.add(Fault(**given))
            except (TypeError, ValueError) as error:
                return _answer(400, {"error": str(error)})
            return _answer(201, {"waiting": len(sandbox.faults.waiting())})
        case ("POST", "edits", name) if name in EDITS:
            return _edit(sandbox.world, name, given)
        case ("GET", "history", name) if name in _HISTORY:
            return _history(sandbox.world, name, query)
    return _answer(404, {"error": f"There is no {method} {path}. See GET /_sandbox/."})


def default_until(world: World) -> date:
    """The first day whose won deals the old accounting has not invoiced."""
    return world.today - timedelta(days=QUEUE_DAYS + 1)


def _edit(world: World, name: str, given: dict[str, Any]) -> Answer:
    try:
        with world.lock:
            result = getattr(world, name)(**given)
            return _answer(200, {"result": result})
    except (UnknownObject, TypeError, KeyError, ValueError, ArithmeticError) as error:
        return _answer(400, {"error": str(error)})


def _history(world: World, name: str, query: str) -> Answer:
    given = parse_qs(query).get("until")
    try:
        until = date.fromisoformat(given[0]) if given else default_until(world)
    except ValueError:
        return _answer(400, {"error": "until must be a day, YYYY-MM-DD."})
    with world.lock:
        if name == "deals.json":
            return _answer(200, invoiced_deals(world, until))
        text = history_csv(world, until, name.removesuffix(".csv"))
    return Answer(200, text.encode(), content_type="text/csv; charset=utf-8")


def _summary(world: World) -> dict[str, Any]:
    with world.lock:
        return {
            "company": world.company["company_name"],
            "today": world.today.isoformat(),
            "seed": world.seed,
            "deals": dict(Counter(d["status"] for d in world.deals.values())),
            "organizations": len(world.organizations),
            "persons": len(world.persons),
            "custom_fields": world.keys,
            "awkward": world.awkward,
            "merged": world.merged,
            "history_until": default_until(world).isoformat(),
            "faults": KINDS,
            "edits": EDITS,
        }


def _answer(status: int, thing: Mapping[Any, Any]) -> Answer:
    return Answer(status, json.dumps(thing, ensure_ascii=False, indent=1).encode())
