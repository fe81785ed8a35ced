"""The part of Pipedrive's API v2 (and of v1, what v2 lacks) that the portal uses.

Paths, parameters, envelopes and field names are those of the official specification, which the
tests check. Where the provider's manners are not known, this side is the stricter one, so that a
careless client fails here first: unknown parameters, a limit above 500, a value of the wrong JSON
type and a custom field that does not exist are refused with 400.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from integrations.sandbox.kit.stand_in import Answer
from integrations.sandbox.pipedrive.parameters import (
    Query,
    Refusal,
    bad_cursor,
    dump,
    flag,
    integer,
    integers,
    list_body,
    moment_text,
    one_body,
    read_cursor,
    read_limit,
    write_cursor,
)
from integrations.sandbox.pipedrive.shapes import Json
from integrations.sandbox.pipedrive.world import World

MAX_CUSTOM_FIELDS: Final = 15


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


def route(
    path: str, parameters: str = "", *, cost: int, method: str = "GET"
) -> Callable[[Handler], Handler]:
    """Registers a handler. `path` is as specified, with its prefix; v1 also answers below /api."""
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


_Extra = Callable[[World, Json], Any]


def _constants(value: int | None, names: str) -> dict[str, _Extra]:
    return {name: lambda world, thing: value for name in names.split()}


def _count_deals(link: str, status: str) -> _Extra:
    statuses = ("won", "lost") if status == "closed" else (status,)

    def count(world: World, thing: Json) -> int:
        return sum(
            deal[link] == thing["id"] and deal["status"] in statuses and not deal["is_deleted"]
            for deal in world.deals.values()
        )

    return count


_COMMON: Final = {
    **_constants(None, "next_activity_id last_activity_id smart_bcc_email"),
    **_constants(
        0,
        """files_count notes_count followers_count email_messages_count activities_count
        done_activities_count undone_activities_count""",
    ),
}


def _of_contact(link: str) -> dict[str, _Extra]:
    statuses = ("open", "closed", "won", "lost")
    return {
        **_COMMON,
        **{f"{status}_deals_count": _count_deals(link, status) for status in statuses},
        **{f"related_{status}_deals_count": lambda world, thing: 0 for status in statuses},
    }


EXTRAS: Final[dict[str, dict[str, _Extra]]] = {
    "deal": {
        **_COMMON,
        **_constants(None, "last_incoming_mail_time last_outgoing_mail_time source_lead_id"),
        **_constants(0, "participants_count"),
        "products_count": lambda world, deal: len(world.lines_of(deal["id"])),
        "first_won_time": lambda world, deal: deal["won_time"],
    },
    "organization": {
        **_of_contact("org_id"),
        "people_count": lambda world, organization: sum(
            person["org_id"] == organization["id"] for person in world.persons.values()
        ),
    },
    "person": {
        **_of_contact("person_id"),
        **_constants(0, "participant_open_deals_count participant_closed_deals_count"),
        **_constants(None, "last_incoming_mail_time last_outgoing_mail_time"),
        **_constants(None, "marketing_status doi_status"),
    },
}


class Api:
    def __init__(self, world: World) -> None:
        self.world = world

    def answer(self, method: str, path: str, query: str, body: bytes) -> Answer:
        """The caller has checked the token."""
        path = path.rstrip("/")
        matches = [(r, m) for r in _ROUTES if (m := r.pattern.fullmatch(path))]
        found = next(((r, m) for r, m in matches if r.method == method), None)
        if found is None:
            status = 405 if matches else 404
            info = f"{method} {path} is not served by this stand-in."
            return Answer(status, refusal_body("Unknown method or path", info))
        known, match = found
        try:
            parameters = self._parameters(known, query)
            payload = self._payload(method, body)
            arguments = tuple(
                int(part) if part.isdecimal() else part for part in match.groups() if part
            )
            with self.world.lock:
                written = known.handler(self, parameters, payload, arguments)
            return Answer(200, written, known.cost)
        except Refusal as refusal:
            text = refusal_body(refusal.error, refusal.info)
            return Answer(refusal.status, text, known.cost)

    @staticmethod
    def route_name(path: str) -> str:
        """The specification's path for a real one; the path itself if none fits."""
        path = path.rstrip("/")
        return next((known.name for known in _ROUTES if known.pattern.fullmatch(path)), path)

    @staticmethod
    def _parameters(known: Route, query: str) -> Query:
        given: Query = {}
        for name, value in parse_qsl(query, keep_blank_values=True):
            if name in given:
                raise Refusal(400, "Bad request", f"The parameter {name} is given twice.")
            given[name] = value
        if unknown := given.keys() - known.parameters:
            names = ", ".join(sorted(unknown))
            raise Refusal(400, "Bad request", f"{known.name} has no parameter {names}.")
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
        limit = read_limit(query)
        descending = direction == "desc"

        def place(thing: Json) -> tuple[Any, int]:
            return (thing[sort_by], thing["id"])

        hidden = self.world.hidden
        seen = [thing for thing in things if (kind, thing["id"]) not in hidden]
        rows = sorted(seen, key=place, reverse=descending)
        if "cursor" in query:
            after = read_cursor(query["cursor"], sort_by, direction)
            try:
                rows = [r for r in rows if (place(r) < after if descending else place(r) > after)]
            except TypeError:
                raise bad_cursor() from None
        shown = rows[:limit]
        following = None
        if len(rows) > limit:
            following = write_cursor(sort_by, direction, place(shown[-1]))
        ready = self.world.ready
        return list_body((shape(r) if shape else ready(kind, r) for r in shown), following)

    def select(
        self, query: Query, things: Iterable[Json], links: tuple[str, ...]
    ) -> Iterator[Json]:
        """The rows that the usual filters leave."""
        if "filter_id" in query:
            raise Refusal(404, "Filter not found", "This stand-in keeps no filters.")
        wanted = {name: integer(name, query[name]) for name in links if name in query}
        ids = set(integers("ids", query["ids"])) if "ids" in query else None
        since = moment_text(query, "updated_since")
        until = moment_text(query, "updated_until")
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
        labels = flag(query, "include_option_labels")
        label_objects = flag(query, "include_labels")
        keys = query["custom_fields"].split(",") if "custom_fields" in query else None
        extra = query["include_fields"].split(",") if "include_fields" in query else []
        if keys is not None and len(keys) > MAX_CUSTOM_FIELDS:
            raise Refusal(400, "Bad request", "custom_fields takes at most 15 keys.")
        extras = EXTRAS.get(kind, {})
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
            return dump(written)

        return shape

    def one(
        self, query: Query, kind: str, things: dict[int, Json], thing_id: int, fields: list[Json]
    ) -> bytes:
        thing = things.get(thing_id)
        if thing is None or (thing["is_deleted"] and not self.world.recently_deleted(thing)):
            raise Refusal(404, f"{kind.capitalize()} not found", f"There is no {kind} {thing_id}.")
        if (kind, thing_id) in self.world.hidden:
            raise Refusal(403, "Forbidden", "You do not have permission to see this.")
        shape = self.shaper(query, kind, fields)
        return one_body(shape(thing) if shape else self.world.ready(kind, thing))


def registered_routes() -> list[Route]:
    """What is served, once `endpoints` has been imported."""
    return list(_ROUTES)
