"""Pipedrive as the portal's CRM: its client and its mappings behind the contract."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self

from django.utils.translation import gettext_lazy as _

from integrations.core.http import Json, ProviderError
from integrations.crm.contract import (
    Account,
    ClientValues,
    ContactValues,
    DealParts,
    DealValues,
    Definition,
    Hidden,
    Page,
    PersonOfCrm,
    Place,
    ProductValues,
    Thing,
)
from integrations.crm.fields import Found, Rules
from integrations.crm.values import object_id, one_line
from integrations.pipedrive import client as api
from integrations.pipedrive import deal_mapping, mapping, product_mapping
from integrations.pipedrive.client import MOST_IDS, PAGE, Pipedrive
from integrations.pipedrive.mapping import title_of

ADDRESS_HELP: Final = _("As in the browser: https://yourcompany.pipedrive.com")
TOKEN_HELP: Final = _(
    "In Pipedrive: your picture, Personal preferences, API. The portal sees what its owner may "
    "see, and keeps it encrypted."
)
# How a plan that lacks something answers is not documented; a bad token is 401.
NOT_FOR_US: Final = (402, 403, 404)
_PLACES: Final = {"deal": "deal", "organization": "organization", "person": "person"}


class PipedriveCrm:
    def __init__(self, base_url: str, api_token: str, **options: Any) -> None:
        self.client = Pipedrive(base_url, api_token, **options)
        # Units of products by number: asked for once in a run.
        self._units: dict[int, str] = {}
        self._no_instalments = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.client.http.close()

    @property
    def requests(self) -> int:
        return self.client.requests

    @property
    def clock(self) -> datetime | None:
        return self.client.http.clock

    def account(self) -> Account:
        me = self.client.me()
        return Account(
            one_line(str(me.get("company_name") or ""))[:255],
            one_line(str(me.get("company_domain") or ""))[:255],
        )

    # ─ What is small

    def fields(self, entity: str) -> list[Definition]:
        return list(_definitions(self.client.fields(entity)))

    def users(self) -> list[Thing]:
        return [_thing(each) for each in self.client.users()]

    def pipelines(self) -> list[Place]:
        return list(_places(self.client.pipelines()))

    def stages(self) -> list[Place]:
        return list(_places(self.client.stages()))

    # ─ What comes in pages

    def deal_count(self) -> int | None:
        return self.client.deal_count()

    def changed(
        self, entity: str, *, since: str | None, cursor: str | None, archived: bool = False
    ) -> Page:
        page = self.client.changed(entity, since=since, cursor=cursor, archived=archived)
        return Page([_thing(each) for each in page.items], page.next_cursor)

    def last_won(self, number: int) -> list[Thing]:
        page = self.client.changed(
            "deal", since=None, cursor=None, limit=number, newest_first=True, status="won"
        )
        return [_thing(each) for each in page.items[:number]]

    def some(self, entity: str, ids: Sequence[int]) -> list[Thing]:
        found = self.client.some(entity, ids)
        if entity == "deal" and (rest := sorted({*ids} - {each.get("id") for each in found})):
            found += self.client.some(entity, rest, archived=True)
        return [_thing(each) for each in found]

    def one(self, entity: str, number: int) -> Thing | None:
        try:
            found = self.client.one(entity, number)
        except ProviderError as error:
            if error.status == 403 and not error.retryable:
                raise Hidden from error
            raise
        return None if found is None else _thing(found)

    def parts_of(self, deals: Sequence[Thing]) -> DealParts:
        """Lines and extra discounts, in as few requests as the provider allows."""
        parts = DealParts(units=self._units)
        for batch in _batches(deals):
            for line in self.client.lines(batch):
                parts.lines.setdefault(line.get("deal_id", 0), []).append(line)
        for deal in deals:
            if deal.id and deal_mapping.asks_for_discounts(deal.raw, parts.lines.get(deal.id, [])):
                parts.discounts[deal.id] = self.client.discounts(deal.id)
        self._find_units([line for lines in parts.lines.values() for line in lines])
        self._find_instalments(deals, parts)
        return parts

    def _find_instalments(self, deals: Sequence[Thing], parts: DealParts) -> None:
        """Of won deals with lines, none of which recurs: no others can be billed in instalments."""
        ids = [
            deal.id
            for deal in deals
            if deal.id and deal_mapping.may_have_instalments(deal.raw, parts.lines.get(deal.id, []))
        ]
        for start in range(0, len(ids), MOST_IDS):
            if self._no_instalments:
                break
            batch = ids[start : start + MOST_IDS]
            try:
                rows = self.client.instalments(batch)
            except ProviderError as error:
                if error.retryable or error.status not in (400, *NOT_FOR_US):
                    raise
                self._no_instalments = True
            else:
                parts.instalments |= {number: [] for number in batch}
                for row in rows:
                    parts.instalments.setdefault(row.get("deal_id", 0), []).append(row)
        parts.no_instalments = self._no_instalments

    def _find_units(self, lines: list[Json]) -> None:
        products = {n for line in lines if isinstance(n := line.get("product_id"), int)}
        unknown = sorted(products - self._units.keys())
        for start in range(0, len(unknown), MOST_IDS):
            batch = unknown[start : start + MOST_IDS]
            self._units |= dict.fromkeys(batch, "")
            try:
                found = self.client.products(batch)
            except ProviderError as error:
                if error.retryable or error.status not in NOT_FOR_US:
                    raise
                # A plan without products: a unit less is no reason to refuse every deal.
                return
            for product in found:
                unit = product.get("unit")
                if isinstance(unit, str) and isinstance(product.get("id"), int):
                    self._units[product["id"]] = one_line(unit)[:40]

    # ─ What stands in them

    def person_values(self, thing: Thing) -> PersonOfCrm:
        return mapping.user_values(thing.raw)

    def client_values(self, thing: Thing, rules: Rules) -> ClientValues:
        return mapping.client_values(thing.raw, rules)

    def contact_values(self, thing: Thing, rules: Rules) -> ContactValues:
        return mapping.contact_values(thing.raw, rules)

    def deal_values(self, thing: Thing, parts: DealParts, rules: Rules) -> DealValues:
        number = thing.id or 0
        return deal_mapping.deal_values(
            thing.raw,
            parts.lines.get(number, []),
            parts.discounts.get(number, []),
            parts.units,
            rules,
            parts.instalments.get(number),
        )

    def product_values(self, thing: Thing) -> ProductValues:
        values = product_mapping.product_values(thing.raw)
        self._units[values.external_id] = values.unit
        return values

    def mapped(self, entity: str, thing: Thing, rules: Rules) -> Found:
        return mapping.mapped(entity, thing.raw, rules)


def object_url(base_url: str, account_domain: str, kind: str, number: str) -> str:
    """Where people see an object in the browser; "" for what has no page."""
    place = _PLACES.get(kind)
    if place is None or not number.isdecimal():
        return ""
    if base_url == "https://api.pipedrive.com" and account_domain:
        base_url = f"https://{account_domain}.pipedrive.com"
    return f"{base_url}/{place}/{number}"


address_of = api.base_url_of


def _thing(raw: Json) -> Thing:
    stamp = raw.get("update_time")
    number = raw.get("id")
    return Thing(
        raw,
        number if isinstance(number, int) and not isinstance(number, bool) else None,
        title_of(raw),
        stamp[:40] if isinstance(stamp, str) else "",
        raw.get("is_deleted") is True,
        object_id(raw.get("org_id")),
        object_id(raw.get("person_id")),
    )


def _places(things: list[Json]) -> Iterator[Place]:
    for thing in things:
        number = object_id(thing.get("id"))
        if number is None or thing.get("is_deleted") is True:
            continue
        order = thing.get("order_nr")
        position = order if isinstance(order, int) and abs(order) < 2**31 else 0
        name = title_of(thing) or str(number)
        yield Place(number, name, position, object_id(thing.get("pipeline_id")))


def _definitions(things: list[Json]) -> Iterator[Definition]:
    for thing in things:
        code = thing.get("field_code")
        if not isinstance(code, str) or not 0 < len(code) <= 80:
            continue
        yield Definition(
            code,
            one_line(str(thing.get("field_name") or code))[:255],
            str(thing.get("field_type") or "")[:30],
            thing.get("is_custom_field") is True,
            [
                {"id": each.get("id"), "label": one_line(str(each.get("label") or ""))[:255]}
                for each in thing.get("options") or ()
                if isinstance(each, dict) and isinstance(each.get("id"), (int, str))
            ],
        )


def _batches(deals: Sequence[Thing]) -> list[list[int]]:
    """Ids of deals with lines, so few that the lines fit on one page."""
    batches: list[list[int]] = []
    size = PAGE
    for deal in deals:
        count = deal.raw.get("products_count")
        if count == 0 or deal.deleted or deal.id is None:
            continue
        weight = count if isinstance(count, int) and count > 0 else 1
        if not batches or len(batches[-1]) == MOST_IDS or size + weight > PAGE:
            batches.append([])
            size = 0
        batches[-1].append(deal.id)
        size += weight
    return batches
