"""Pipedrive's stand-in, as the kit serves it: its API, its refusals, and controls of its own.

POST    /_sandbox/edits/NAME            calls the method NAME of the world with these arguments
GET     /_sandbox/history/NAME.csv      clients, invoices or payments; ?until=YYYY-MM-DD
GET     /_sandbox/history/deals.json    the invoice's number by deal id; ?until=YYYY-MM-DD
"""

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import parse_qs

from integrations.sandbox.kit.control import as_json
from integrations.sandbox.kit.stand_in import Answer
from integrations.sandbox.pipedrive import endpoints  # noqa: F401  registers the handlers
from integrations.sandbox.pipedrive.api import Api, refusal_body
from integrations.sandbox.pipedrive.deals import QUEUE_DAYS
from integrations.sandbox.pipedrive.history import COLUMNS, history_csv, invoiced_deals
from integrations.sandbox.pipedrive.world import UnknownObject, World

EDITS: Final = (
    "add_deal",
    "add_product",
    "add_organization",
    "archive_deal",
    "change_deal",
    "change_organization",
    "change_person",
    "change_product",
    "delete_deal",
    "delete_organization",
    "hide",
    "lose_deal",
    "merge_organizations",
    "rename_option",
    "reopen_deal",
    "set_discounts",
    "set_installments",
    "set_plan",
    "set_lines",
    "show",
    "win_deal",
)


_HISTORY: Final = (*(f"{name}.csv" for name in COLUMNS), "deals.json")


class PipedriveStandIn:
    def __init__(self, world: World) -> None:
        self.world = world
        self.api = Api(world)

    def token_of(self, headers: Mapping[str, str]) -> str:
        token = headers.get("x-api-token", "")
        given = headers.get("Authorization", "")
        return token or (given.removeprefix("Bearer ") if given.startswith("Bearer ") else "")

    def answer(self, method: str, path: str, query: str, body: bytes) -> Answer:
        return self.api.answer(method, path, query, body)

    def route_name(self, path: str) -> str:
        return self.api.route_name(path)

    def refusal(self, status: int, error: str, info: str) -> Answer:
        return Answer(status, refusal_body(error, info, status if status < 500 else None))

    def summary(self) -> dict[str, Any]:
        return _summary(self.world)

    def control(self, method: str, parts: list[str], query: str, given: dict[str, Any]) -> Answer:
        match (method, *parts):
            case ("POST", "edits", name) if name in EDITS:
                return _edit(self.world, name, given)
            case ("GET", "history", name) if name in _HISTORY:
                return _history(self.world, name, query)
        raise LookupError(parts)


def default_until(world: World) -> date:
    """The first day whose won deals the old accounting has not invoiced."""
    return world.today - timedelta(days=QUEUE_DAYS + 1)


def _edit(world: World, name: str, given: dict[str, Any]) -> Answer:
    try:
        with world.lock:
            numbers = given.pop("numbers", ())
            kind = (given.pop("kind"),) if name in ("hide", "show") else ()
            result = getattr(world, name)(*kind, *numbers, **given)
            return as_json(200, {"result": result})
    except (UnknownObject, TypeError, KeyError, ValueError, ArithmeticError) as error:
        return as_json(400, {"error": str(error)})


def _history(world: World, name: str, query: str) -> Answer:
    given = parse_qs(query).get("until")
    try:
        until = date.fromisoformat(given[0]) if given else default_until(world)
    except ValueError:
        return as_json(400, {"error": "until must be a day, YYYY-MM-DD."})
    with world.lock:
        if name == "deals.json":
            return as_json(200, invoiced_deals(world, until))
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
            "edits": EDITS,
        }
