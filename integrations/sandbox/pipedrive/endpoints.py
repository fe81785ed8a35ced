"""What is served at each path; importing this module registers the handlers with `Api`."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from integrations.sandbox.pipedrive.api import Api, route
from integrations.sandbox.pipedrive.parameters import (
    Query,
    Refusal,
    dump,
    integer,
    integers,
    list_body,
    one_body,
    read_limit,
    read_offset,
    write_cursor,
)
from integrations.sandbox.pipedrive.shapes import Json
from integrations.sandbox.pipedrive.world import World

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


@route("/api/v2/deals", f"{_DEALS} include_option_labels include_labels", cost=10)
def _list_deals(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    return _deals(api, query, archived=False)


@route("/api/v2/deals/archived", _DEALS, cost=20)
def _list_archived(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    return _deals(api, query, archived=True)


@route("/api/v2/deals/{id}", _SHAPE, cost=1)
def _deal(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    return api.one(query, "deal", api.world.deals, at[0], api.world.deal_fields)


@route("/api/v2/deals/products", f"deal_ids {_LIST} {_SORT}", cost=10)
def _products_of_deals(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    lines = (line for deal in _given_deals(api, query) for line in api.world.lines_of(deal))
    sorts = ("id", "deal_id", "add_time", "update_time", "order_nr")
    return api.page(query, "line", lines, sorts=sorts)


@route("/api/v2/deals/{id}/products", f"{_LIST} {_SORT}", cost=10)
def _products_of_deal(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    _known_deal(api, at[0])
    sorts = ("id", "add_time", "update_time", "order_nr")
    return api.page(query, "line", api.world.lines_of(at[0]), sorts=sorts)


@route("/api/v2/deals/{id}/discounts", cost=10)
def _discounts(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    _known_deal(api, at[0])
    return dump({"success": True, "data": api.world.discounts.get(at[0], [])})


@route("/api/v2/deals/installments", f"deal_ids {_LIST} {_SORT}", cost=10)
def _installments(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    world = api.world
    _in_plan(api, "installments")
    rows = (row for deal in _given_deals(api, query) for row in world.installments.get(deal, []))
    sorts = ("id", "billing_date", "deal_id")
    return api.page(query, "installment", rows, sorts=sorts)


def _in_plan(api: Api, feature: str) -> None:
    if feature in api.world.lacking:
        raise Refusal(403, "Forbidden", f"Your plan has no {feature}.")


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


@route("/api/v2/deals/{id}", cost=5, method="PATCH")
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
    return one_body(world.ready("deal", world.deals[at[0]]))


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
    known = {d["field_code"]: d for d in definitions if d["is_custom_field"]}
    for key, value in given.items():
        if key not in known:
            raise Refusal(400, "Bad request", f"{key}: there is no such custom field.")
        if value is not None and not _fits(known[key], value):
            kind = known[key]["field_type"]
            raise Refusal(400, "Bad request", f"{key}: wrong value for a field of type {kind}.")


def _fits(definition: Json, value: Any) -> bool:
    """Whether a value that is not null has the type, and the options, of its field."""
    options = [option["id"] for option in definition["options"] or ()]
    if isinstance(value, bool):
        return False
    match definition["field_type"]:
        case "enum":
            return value in options
        case "set":
            # An empty list is an error too: only null clears.
            return isinstance(value, list) and bool(value) and all(v in options for v in value)
        case "double":
            return isinstance(value, int | float)
        case "user" | "people" | "org":
            return isinstance(value, int)
        case "daterange":
            return isinstance(value, dict) and value.keys() == {"value", "until"}
        case "monetary":
            return isinstance(value, dict) and value.keys() == {"value", "currency"}
        case "varchar":
            return isinstance(value, str) and len(value) <= 255
    return isinstance(value, str)


def _known_deal(api: Api, deal_id: int) -> Json:
    deal = api.world.deals.get(deal_id)
    if deal is None or deal["is_deleted"]:
        raise Refusal(404, "Deal not found", f"There is no deal {deal_id}.")
    return deal


def _given_deals(api: Api, query: Query) -> list[int]:
    if not query.get("deal_ids"):
        raise Refusal(400, "Bad request", "deal_ids is required.")
    ids = integers("deal_ids", query["deal_ids"])
    deals = api.world.deals
    return [i for i in dict.fromkeys(ids) if i in deals and not deals[i]["is_deleted"]]


# Organisations, persons, and what changes seldom


@route(
    "/api/v2/organizations",
    f"filter_id ids owner_id updated_since updated_until {_SORT} {_SHAPE} {_LIST}",
    cost=10,
)
def _organizations(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    living = (o for o in api.world.organizations.values() if not o["is_deleted"])
    shape = api.shaper(query, "organization", api.world.organization_fields)
    return api.page(query, "organization", api.select(query, living, ("owner_id",)), shape=shape)


@route("/api/v2/organizations/{id}", _SHAPE, cost=1)
def _organization(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    world = api.world
    return api.one(query, "organization", world.organizations, at[0], world.organization_fields)


@route(
    "/api/v2/persons",
    f"filter_id ids owner_id org_id deal_id updated_since updated_until {_SORT} {_SHAPE} {_LIST}",
    cost=10,
)
def _persons(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    living = [p for p in api.world.persons.values() if not p["is_deleted"]]
    if "deal_id" in query:
        deal = api.world.deals.get(integer("deal_id", query["deal_id"]), {})
        living = [p for p in living if p["id"] == deal.get("person_id")]
    shape = api.shaper(query, "person", api.world.person_fields)
    return api.page(query, "person", api.select(query, living, ("owner_id", "org_id")), shape=shape)


@route("/api/v2/persons/{id}", _SHAPE, cost=1)
def _person(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    return api.one(query, "person", api.world.persons, at[0], api.world.person_fields)


@route(
    "/api/v2/products",
    f"owner_id ids filter_id updated_since custom_fields {_SORT} {_LIST}",
    cost=10,
)
def _products(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    sorts = ("id", "name", "add_time", "update_time")
    _in_plan(api, "products")
    products = (
        product
        for product in api.select(query, api.world.products.values(), ("owner_id",))
        if not product["is_deleted"]
    )
    return api.page(query, "product", products, sorts=sorts)


@route("/api/v2/products/{id}", cost=1)
def _product(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    return api.one(query, "product", api.world.products, at[0], [])


@route("/api/v2/pipelines", f"{_SORT} {_LIST}", cost=5)
def _pipelines(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    return api.page(query, "pipeline", api.world.pipelines.values())


@route("/api/v2/pipelines/{id}", cost=1)
def _pipeline(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    return api.one(query, "pipeline", api.world.pipelines, at[0], [])


@route("/api/v2/stages", f"pipeline_id {_SORT} {_LIST}", cost=5)
def _stages(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    stages = api.select(query, api.world.stages.values(), ("pipeline_id",))
    return api.page(query, "stage", stages, sorts=("id", "update_time", "add_time", "order_nr"))


@route("/api/v2/stages/{id}", cost=1)
def _stage(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    return api.one(query, "stage", api.world.stages, at[0], [])


def _fields(path: str, definitions: Callable[[World], list[Json]]) -> None:
    @route(f"/api/v2/{path}", f"include_fields {_LIST}", cost=10)
    def _list(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
        start = read_offset(query.get("cursor"))
        limit = read_limit(query)
        fields = definitions(api.world)
        shown = fields[start : start + limit]
        more = start + limit < len(fields)
        following = write_cursor("place", "asc", (start + limit, 0)) if more else None
        return list_body(map(dump, shown), following)

    @route(f"/api/v2/{path}/{{field_code}}", "include_fields", cost=1)
    def _single(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
        for definition in definitions(api.world):
            if definition["field_code"] == str(at[0]):
                return one_body(dump(definition))
        raise Refusal(404, "Field not found", f"There is no field {at[0]}.")


_fields("dealFields", lambda world: world.deal_fields)
_fields("organizationFields", lambda world: world.organization_fields)
_fields("personFields", lambda world: world.person_fields)


# Version 1


@route("/v1/users", cost=20)
def _users(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    return dump({"success": True, "data": api.world.users})


@route("/v1/users/me", cost=2)
def _me(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    return dump({"success": True, "data": {**api.world.users[0], **api.world.company}})


@route("/v1/users/{id}", cost=2)
def _user(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    for user in api.world.users:
        if user["id"] == at[0]:
            return dump({"success": True, "data": user})
    raise Refusal(404, "User not found or not accessible.")


@route("/v1/currencies", "term", cost=20)
def _currencies(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    term = query.get("term", "").casefold()
    found = [c for c in api.world.currencies if term in f"{c['code']} {c['name']}".casefold()]
    return dump({"success": True, "data": found})


@route("/v1/deals/summary", "status filter_id user_id pipeline_id stage_id", cost=40)
def _summary(api: Api, query: Query, payload: Json, at: tuple[Any, ...]) -> bytes:
    """The count alone: of the sums in many currencies nothing here makes use."""
    if "filter_id" in query:
        raise Refusal(404, "Filter not found", "This stand-in keeps no filters.")
    links = {"user_id": "owner_id", "pipeline_id": "pipeline_id", "stage_id": "stage_id"}
    wanted = {name: integer(given, query[given]) for given, name in links.items() if given in query}
    count = sum(
        not (deal["is_archived"] or deal["is_deleted"])
        and query.get("status", deal["status"]) == deal["status"]
        and all(deal[name] == value for name, value in wanted.items())
        for deal in api.world.deals.values()
    )
    return dump({"success": True, "data": {"total_count": count}})
