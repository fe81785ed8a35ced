"""The part of Pipedrive's API v2 (and of v1, what v2 lacks) that the portal uses.

Paths, parameters, envelopes and field names are those of the official specification, which the
tests check. Where the provider's manners are not known, this side is the stricter one, so that a
careless client fails here first: unknown parameters, a limit above 500, a value of the wrong JSON
type and a custom field that does not exist are refused with 400.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from urllib.parse import parse_qsl

from .shapes import Json, parse_stamp, stamp
from .world import World

MAX_IDS: Final = 100
MAX_CUSTOM_FIELDS: Final = 15

Query = dict[str, str]


class Refusal(Exception):
    def __init__(self, status: int, error: str, info: str = "") -> None:
        super().__init__(error)
        self.status, self.error, self.info = status, error, info


@dataclass
class Answer:
    status: int
    body: bytes
    cost: int = 0
    content_type: str = "application/json; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)


def refusal_body(error: str, info: str, code: int | None = None) -> bytes:
    body: Json = {"success": False, "error": error, "error_info": info, "data": None}
    if code is not None:
        body = {"success": False, "error": error, "errorCode": code, "error_info": info}
    return json.dumps(body, ensure_ascii=False).encode()


Handler = Callable[["Api", Query, Json, tuple[int | str, ...]], bytes]


@dataclass(frozen=True)
class Route:
    method: str
    pattern: re.Pattern[str]
    name: str
    parameters: frozenset[str]
    cost: int
    handler: Handler


_ROUTES: Final[list[Route]] = []


def _route(path: str, parameters: str = "", *, cost: int, method: str = "GET") -> Any:
    """`path` is the specification's, with its prefix; v1 also answers below /api."""
    pattern = path.replace("{id}", r"(\d+)").replace("{field_code}", r"(\w+)")
    prefix = "(?:/api)?" if path.startswith("/v1") else ""

    def register(handler: Handler) -> Handler:
        _ROUTES.append(
            Route(
                method,
                re.compile(f"{prefix}{pattern}"),
                path,
                frozenset(parameters.split()),
                cost,
                handler,
            )
        )
        return handler

    return register


class Api:
    def __init__(self, world: World) -> None:
        self.world = world

    def answer(self, method: str, path: str, query: str, body: bytes) -> tuple[str, Answer]:
        """The route's name (for counting) and the answer; the caller has checked the token."""
        path = path.rstrip("/")
        matches = [(r, m) for r in _ROUTES if (m := r.pattern.fullmatch(path))]
        route_and_match = next(((r, m) for r, m in matches if r.method == method), None)
        if route_and_match is None:
            status = 405 if matches else 404
            info = f"{method} {path} is not served by this stand-in."
            return path, Answer(status, refusal_body("Unknown method or path", info))
        route, match = route_and_match
        try:
            parameters = self._parameters(route, query)
            payload = self._payload(method, body)
            arguments = tuple(
                int(part) if part.isdecimal() else part for part in match.groups() if part
            )
            with self.world.lock:
                return route.name, Answer(
                    200, route.handler(self, parameters, payload, arguments), route.cost
                )
        except Refusal as refusal:
            text = refusal_body(refusal.error, refusal.info)
            return route.name, Answer(refusal.status, text, route.cost)

    @staticmethod
    def route_name(path: str) -> str:
        """The specification's path for a real one; the path itself if none fits."""
        path = path.rstrip("/")
        return next((route.name for route in _ROUTES if route.pattern.fullmatch(path)), path)

    @staticmethod
    def _parameters(route: Route, query: str) -> Query:
        given: Query = {}
        for name, value in parse_qsl(query, keep_blank_values=True):
            if name in given:
                raise Refusal(400, "Bad request", f"The parameter {name} is given twice.")
            given[name] = value
        if unknown := given.keys() - route.parameters:
            names = ", ".join(sorted(unknown))
            raise Refusal(400, "Bad request", f"{route.name} has no parameter {names}.")
        return given

    @staticmethod
    def _payload(method: str, body: bytes) -> Json:
        if method == "GET":
            return {}
        try:
            payload = json.loads(body)
        except ValueError:
            payload = None
        if not isinstance(payload, dict):
            raise Refusal(400, "Bad request", "The body must be a JSON object.")
        return payload

    # Lists

    def page(
        self,
        query: Query,
        kind: str,
        things: Iterable[Json],
        *,
        sorts: tuple[str, ...] = ("id", "update_time", "add_time"),
        shape: Callable[[Json], bytes] | None = None,
    ) -> bytes:
        """One page in the asked order. The cursor names the last row seen, so that rows that come
        and go between two pages neither hide nor repeat another."""
        sort_by = query.get("sort_by", "id")
        if sort_by not in sorts:
            raise Refusal(400, "Bad request", f"sort_by must be one of {', '.join(sorts)}.")
        direction = query.get("sort_direction", "asc")
        if direction not in ("asc", "desc"):
            raise Refusal(400, "Bad request", "sort_direction must be asc or desc.")
        limit = _limit(query)
        descending = direction == "desc"

        def place(thing: Json) -> tuple[Any, int]:
            return (thing[sort_by], thing["id"])

        rows = sorted(things, key=place, reverse=descending)
        if "cursor" in query:
            after = _read_cursor(query["cursor"], sort_by, direction)
            try:
                rows = [r for r in rows if (place(r) < after if descending else place(r) > after)]
            except TypeError:
                raise _bad_cursor() from None
        shown = rows[:limit]
        following = None
        if len(rows) > limit:
            following = _write_cursor(sort_by, direction, place(shown[-1]))
        ready = self.world.ready
        return _list_body((shape(r) if shape else ready(kind, r) for r in shown), following)

    def select(
        self, query: Query, things: Iterable[Json], links: tuple[str, ...]
    ) -> Iterator[Json]:
        """The rows that the usual filters leave."""
        if "filter_id" in query:
            raise Refusal(404, "Filter not found", "This stand-in keeps no filters.")
        wanted = {name: _integer(name, query[name]) for name in links if name in query}
        ids = set(_integers("ids", query["ids"])) if "ids" in query else None
        since, until = _moment(query, "updated_since"), _moment(query, "updated_until")
        for thing in things:
            if ids is not None and thing["id"] not in ids:
                continue
            if since and thing["update_time"] < since:
                continue
            if until and thing["update_time"] >= until:
                continue
            if all(thing[name] == value for name, value in wanted.items()):
                yield thing

    def shaper(
        self, query: Query, kind: str, definitions: list[Json]
    ) -> Callable[[Json], bytes] | None:
        """How to write an object when a parameter asks for less or more than all of it."""
        labels = _flag(query, "include_option_labels")
        label_objects = _flag(query, "include_labels")
        keys = query["custom_fields"].split(",") if "custom_fields" in query else None
        extra = query["include_fields"].split(",") if "include_fields" in query else []
        if keys is not None and len(keys) > MAX_CUSTOM_FIELDS:
            raise Refusal(400, "Bad request", "custom_fields takes at most 15 keys.")
        extras = _EXTRAS.get(kind, {})
        if unknown := set(extra) - extras.keys():
            names = ", ".join(sorted(unknown))
            raise Refusal(400, "Bad request", f"include_fields does not know {names}.")
        if not (labels or label_objects or keys is not None or extra):
            return None
        options = {
            definition["field_code"]: {o["id"]: o["label"] for o in definition["options"] or ()}
            for definition in definitions
            if definition["field_type"] in ("enum", "set")
        }

        def labelled(key: str, value: Any) -> Any:
            if not labels or value is None or key not in options:
                return value
            if isinstance(value, list):
                return [{"id": one, "label": options[key].get(one)} for one in value]
            return {"id": value, "label": options[key].get(value)}

        def shape(thing: Json) -> bytes:
            custom = {
                key: labelled(key, value)
                for key, value in thing["custom_fields"].items()
                if keys is None or key in keys
            }
            written = {**thing, "custom_fields": custom}
            if label_objects:
                written["labels"] = []
            for name in extra:
                written[name] = extras[name](self.world, thing)
            return _dump(written)

        return shape

    def one(
        self, query: Query, kind: str, things: dict[int, Json], thing_id: int, fields: list[Json]
    ) -> bytes:
        thing = things.get(thing_id)
        if thing is None or (thing["is_deleted"] and not self.world.recently_deleted(thing)):
            raise Refusal(404, f"{kind.capitalize()} not found", f"There is no {kind} {thing_id}.")
        shape = self.shaper(query, kind, fields)
        return _one_body(shape(thing) if shape else self.world.ready(kind, thing))


# Deals

_LIST = "limit cursor"
_SORT = "sort_by sort_direction"
_SHAPE = "include_fields custom_fields include_option_labels include_labels"
_DEALS = (
    "filter_id ids owner_id person_id org_id pipeline_id stage_id status updated_since "
    f"updated_until {_SORT} include_fields custom_fields {_LIST}"
)
_DEAL_LINKS = ("owner_id", "person_id", "org_id", "pipeline_id", "stage_id")
_STATUSES = frozenset(("open", "won", "lost", "deleted"))


def _deals(api: Api, query: Query, archived: bool) -> bytes:
    statuses = set(query["status"].split(",")) if "status" in query else _STATUSES - {"deleted"}
    if unknown := statuses - _STATUSES:
        raise Refusal(400, "Bad request", f"There is no status {', '.join(sorted(unknown))}.")
    recently_deleted = api.world.recently_deleted

    def served(deal: Json) -> bool:
        if deal["is_archived"] != archived:
            return False
        if deal["is_deleted"]:
            return "deleted" in statuses and recently_deleted(deal)
        return deal["status"] in statuses

    deals = filter(served, api.select(query, api.world.deals.values(), _DEAL_LINKS))
    shape = api.shaper(query, "deal", api.world.deal_fields)
    return api.page(query, "deal", deals, shape=shape)


@_route("/api/v2/deals", f"{_DEALS} include_option_labels include_labels", cost=10)
def _list_deals(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    return _deals(api, query, archived=False)


@_route("/api/v2/deals/archived", _DEALS, cost=20)
def _list_archived(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    return _deals(api, query, archived=True)


@_route("/api/v2/deals/{id}", _SHAPE, cost=1)
def _deal(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    return api.one(query, "deal", api.world.deals, at[0], api.world.deal_fields)


@_route("/api/v2/deals/products", f"deal_ids {_LIST} {_SORT}", cost=10)
def _products_of_deals(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    lines = (line for deal in _given_deals(api, query) for line in api.world.lines_of(deal))
    sorts = ("id", "deal_id", "add_time", "update_time", "order_nr")
    return api.page(query, "line", lines, sorts=sorts)


@_route("/api/v2/deals/{id}/products", f"{_LIST} {_SORT}", cost=10)
def _products_of_deal(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    _known_deal(api, at[0])
    sorts = ("id", "add_time", "update_time", "order_nr")
    return api.page(query, "line", api.world.lines_of(at[0]), sorts=sorts)


@_route("/api/v2/deals/{id}/discounts", cost=10)
def _discounts(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    _known_deal(api, at[0])
    return _dump({"success": True, "data": api.world.discounts.get(at[0], [])})


@_route("/api/v2/deals/installments", f"deal_ids {_LIST} {_SORT}", cost=10)
def _installments(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    world = api.world
    rows = (row for deal in _given_deals(api, query) for row in world.installments.get(deal, []))
    sorts = ("id", "billing_date", "deal_id")
    return api.page(query, "installment", rows, sorts=sorts)


_PATCHABLE: Final[dict[str, tuple[type, ...]]] = {
    "title": (str,),
    "owner_id": (int,),
    "person_id": (int, type(None)),
    "org_id": (int, type(None)),
    "pipeline_id": (int,),
    "stage_id": (int,),
    "value": (int, float),
    "currency": (str,),
    "is_deleted": (bool,),
    "is_archived": (bool,),
    "status": (str,),
    "probability": (int, float, type(None)),
    "lost_reason": (str, type(None)),
    "visible_to": (int,),
    "expected_close_date": (str, type(None)),
    "label_ids": (list,),
    "custom_fields": (dict,),
}


@_route("/api/v2/deals/{id}", cost=5, method="PATCH")
def _change_deal(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    world = api.world
    deal = _known_deal(api, at[0])
    if deal["is_archived"]:
        raise Refusal(403, "Deal is archived", "An archived deal cannot be changed.")
    for name, value in payload.items():
        kinds = _PATCHABLE.get(name)
        if kinds is None:
            raise Refusal(400, "Bad request", f"A deal has no {name} that could be set.")
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise Refusal(400, "Bad request", f"{name}: wrong type of value.")
    _check_links(world, payload)
    _check_custom_fields(world.deal_fields, payload.get("custom_fields", {}))
    fields = dict(payload)
    status = fields.pop("status", None)
    if status is not None and status not in _STATUSES - {"deleted"}:
        raise Refusal(400, "Bad request", "status must be open, won or lost.")
    world.change_deal(at[0], **fields)
    if status is not None and status != deal["status"]:
        {"won": world.win_deal, "open": world.reopen_deal, "lost": world.lose_deal}[status](at[0])
    return _one_body(world.ready("deal", world.deals[at[0]]))


def _check_links(world: World, payload: Json) -> None:
    links: tuple[tuple[str, Iterable[int]], ...] = (
        ("org_id", world.organizations),
        ("person_id", world.persons),
        ("stage_id", world.stages),
        ("pipeline_id", world.pipelines),
        ("owner_id", [user["id"] for user in world.users]),
    )
    for name, known in links:
        if payload.get(name) is not None and payload[name] not in known:
            raise Refusal(400, "Bad request", f"{name}: there is none with that id.")


def _check_custom_fields(definitions: list[Json], given: Json) -> None:
    kinds = {d["field_code"]: d for d in definitions if d["is_custom_field"]}
    for key, value in given.items():
        if key not in kinds:
            raise Refusal(400, "Bad request", f"{key}: there is no such custom field.")
        kind = kinds[key]["field_type"]
        options = [option["id"] for option in kinds[key]["options"] or ()]
        right = {
            "enum": lambda v: v in options and not isinstance(v, bool),
            "set": lambda v: isinstance(v, list) and v and all(one in options for one in v),
            "double": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool),
            "people": lambda v: isinstance(v, int) and not isinstance(v, bool),
            "daterange": lambda v: isinstance(v, dict) and v.keys() == {"value", "until"},
            "monetary": lambda v: isinstance(v, dict) and v.keys() == {"value", "currency"},
        }.get(kind, lambda v: isinstance(v, str))
        if value is not None and not right(value):
            raise Refusal(400, "Bad request", f"{key}: wrong value for a field of type {kind}.")
        if kind == "varchar" and value is not None and len(value) > 255:
            raise Refusal(400, "Bad request", f"{key}: at most 255 characters.")


def _known_deal(api: Api, deal_id: int) -> Json:
    deal = api.world.deals.get(deal_id)
    if deal is None or deal["is_deleted"]:
        raise Refusal(404, "Deal not found", f"There is no deal {deal_id}.")
    return deal


def _given_deals(api: Api, query: Query) -> list[int]:
    if not query.get("deal_ids"):
        raise Refusal(400, "Bad request", "deal_ids is required.")
    ids = _integers("deal_ids", query["deal_ids"])
    deals = api.world.deals
    return [i for i in dict.fromkeys(ids) if i in deals and not deals[i]["is_deleted"]]


# Organisations, persons, and what changes seldom


@_route(
    "/api/v2/organizations",
    f"filter_id ids owner_id updated_since updated_until {_SORT} {_SHAPE} {_LIST}",
    cost=10,
)
def _organizations(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    living = (o for o in api.world.organizations.values() if not o["is_deleted"])
    shape = api.shaper(query, "organization", api.world.organization_fields)
    return api.page(query, "organization", api.select(query, living, ("owner_id",)), shape=shape)


@_route("/api/v2/organizations/{id}", _SHAPE, cost=1)
def _organization(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    world = api.world
    return api.one(query, "organization", world.organizations, at[0], world.organization_fields)


@_route(
    "/api/v2/persons",
    f"filter_id ids owner_id org_id deal_id updated_since updated_until {_SORT} {_SHAPE} {_LIST}",
    cost=10,
)
def _persons(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    living = [p for p in api.world.persons.values() if not p["is_deleted"]]
    if "deal_id" in query:
        deal = api.world.deals.get(_integer("deal_id", query["deal_id"]), {})
        living = [p for p in living if p["id"] == deal.get("person_id")]
    shape = api.shaper(query, "person", api.world.person_fields)
    return api.page(query, "person", api.select(query, living, ("owner_id", "org_id")), shape=shape)


@_route("/api/v2/persons/{id}", _SHAPE, cost=1)
def _person(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    return api.one(query, "person", api.world.persons, at[0], api.world.person_fields)


@_route(
    "/api/v2/products",
    f"owner_id ids filter_id updated_since custom_fields {_SORT} {_LIST}",
    cost=10,
)
def _products(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    sorts = ("id", "name", "add_time", "update_time")
    products = api.select(query, api.world.products.values(), ("owner_id",))
    return api.page(query, "product", products, sorts=sorts)


@_route("/api/v2/products/{id}", cost=1)
def _product(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    return api.one(query, "product", api.world.products, at[0], [])


@_route("/api/v2/pipelines", f"{_SORT} {_LIST}", cost=5)
def _pipelines(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    return api.page(query, "pipeline", api.world.pipelines.values())


@_route("/api/v2/pipelines/{id}", cost=1)
def _pipeline(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    return api.one(query, "pipeline", api.world.pipelines, at[0], [])


@_route("/api/v2/stages", f"pipeline_id {_SORT} {_LIST}", cost=5)
def _stages(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    stages = api.select(query, api.world.stages.values(), ("pipeline_id",))
    return api.page(query, "stage", stages, sorts=("id", "update_time", "add_time", "order_nr"))


@_route("/api/v2/stages/{id}", cost=1)
def _stage(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    return api.one(query, "stage", api.world.stages, at[0], [])


def _fields(path: str, definitions: Callable[[World], list[Json]]) -> None:
    @_route(f"/api/v2/{path}", f"include_fields {_LIST}", cost=10)
    def _list(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
        start = _read_offset(query.get("cursor"))
        limit = _limit(query)
        fields = definitions(api.world)
        shown = fields[start : start + limit]
        more = start + limit < len(fields)
        following = _write_cursor("place", "asc", (start + limit, 0)) if more else None
        return _list_body(map(_dump, shown), following)

    @_route(f"/api/v2/{path}/{{field_code}}", "include_fields", cost=1)
    def _single(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
        for definition in definitions(api.world):
            if definition["field_code"] == str(at[0]):
                return _one_body(_dump(definition))
        raise Refusal(404, "Field not found", f"There is no field {at[0]}.")


_fields("dealFields", lambda world: world.deal_fields)
_fields("organizationFields", lambda world: world.organization_fields)
_fields("personFields", lambda world: world.person_fields)


# Version 1


@_route("/v1/users", cost=20)
def _users(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    return _dump({"success": True, "data": api.world.users})


@_route("/v1/users/me", cost=2)
def _me(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    return _dump({"success": True, "data": {**api.world.users[0], **api.world.company}})


@_route("/v1/users/{id}", cost=2)
def _user(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    for user in api.world.users:
        if user["id"] == at[0]:
            return _dump({"success": True, "data": user})
    raise Refusal(404, "User not found or not accessible.")


@_route("/v1/currencies", "term", cost=20)
def _currencies(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    term = query.get("term", "").casefold()
    found = [c for c in api.world.currencies if term in f"{c['code']} {c['name']}".casefold()]
    return _dump({"success": True, "data": found})


# Small things

_Extra = Callable[[World, Json], Any]
_ZERO: Final[dict[str, _Extra]] = {
    name: lambda world, thing: 0
    for name in (
        "files_count notes_count followers_count email_messages_count activities_count "
        "done_activities_count undone_activities_count participants_count"
    ).split()
}
_EXTRAS: Final[dict[str, dict[str, _Extra]]] = {
    "deal": {
        **_ZERO,
        "products_count": lambda world, deal: len(world.lines_of(deal["id"])),
        "first_won_time": lambda world, deal: deal["won_time"],
        "source_lead_id": lambda world, deal: None,
    },
    "organization": {
        **_ZERO,
        "people_count": lambda world, organization: sum(
            p["org_id"] == organization["id"] for p in world.persons.values()
        ),
        "won_deals_count": lambda world, organization: sum(
            d["org_id"] == organization["id"] and d["status"] == "won" for d in world.deals.values()
        ),
    },
    "person": {**_ZERO},
}


def _dump(thing: Any) -> bytes:
    return json.dumps(thing, ensure_ascii=False).encode()


def _one_body(thing: bytes) -> bytes:
    return b'{"success":true,"data":' + thing + b"}"


def _list_body(things: Iterable[bytes], following: str | None) -> bytes:
    end = b'],"additional_data":{"next_cursor":' + _dump(following) + b"}}"
    return b'{"success":true,"data":[' + b",".join(things) + end


def _write_cursor(sort_by: str, direction: str, place: tuple[Any, int]) -> str:
    return base64.urlsafe_b64encode(_dump([sort_by, direction, *place])).decode().rstrip("=")


def _read_cursor(cursor: str, sort_by: str, direction: str) -> tuple[Any, int]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        sort, way, value, last_id = json.loads(base64.urlsafe_b64decode(padded))
        if (sort, way) == (sort_by, direction) and isinstance(last_id, int):
            return value, last_id
    except (binascii.Error, ValueError, TypeError):
        pass
    raise _bad_cursor()


def _bad_cursor() -> Refusal:
    return Refusal(400, "Bad request", "The cursor is not one that this list gave out.")


def _read_offset(cursor: str | None) -> int:
    return 0 if cursor is None else int(_read_cursor(cursor, "place", "asc")[0])


def _limit(query: Query) -> int:
    limit = _integer("limit", query.get("limit", "100"))
    if not 1 <= limit <= 500:
        raise Refusal(400, "Bad request", "limit must be between 1 and 500.")
    return limit


def _integer(name: str, text: str) -> int:
    if not re.fullmatch(r"-?\d{1,15}", text, re.ASCII):
        raise Refusal(400, "Bad request", f"{name} must be a number.")
    return int(text)


def _integers(name: str, text: str) -> list[int]:
    numbers = [_integer(name, part) for part in text.split(",")]
    if len(numbers) > MAX_IDS:
        raise Refusal(400, "Bad request", f"{name} takes at most {MAX_IDS} ids.")
    return numbers


def _flag(query: Query, name: str) -> bool:
    value = query.get(name, "false")
    if value not in ("true", "false"):
        raise Refusal(400, "Bad request", f"{name} must be true or false.")
    return value == "true"


def _moment(query: Query, name: str) -> str | None:
    """As text in the shape of `update_time`, so that the two compare as text."""
    if name not in query:
        return None
    try:
        moment = parse_stamp(query[name])
    except ValueError:
        raise Refusal(400, "Bad request", f"{name} must be an RFC 3339 moment.") from None
    # Our moments are whole seconds, so a fraction asks for the next one, in both parameters.
    return stamp(moment + timedelta(seconds=1) if moment.microsecond else moment)
