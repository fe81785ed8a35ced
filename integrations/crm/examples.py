"""What five real deals would become under a mapping, before it is saved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from integrations.core.http import Json
from integrations.crm.fields import Found, Rules, read_mapped
from integrations.crm.suggesting import terms_text
from integrations.crm.values import Refused
from integrations.models import Connection
from integrations.pipedrive import mapping
from integrations.pipedrive.client import Pipedrive
from integrations.pipedrive.mapping import DealValues
from invoices.models import ClientType

DEALS = 5


@dataclass(frozen=True)
class Example:
    number: int
    title: str
    refusal: str
    client: str
    client_type: ClientType | None
    values: dict[str, Any]
    terms: str
    deal: DealValues | None
    lines: int
    notices: list[str]


def examples(connection: Connection, rules: Rules) -> list[Example]:
    """The five won deals that changed last. Raises ProviderError."""
    with Pipedrive(connection.base_url, connection.api_token, attempts=2) as client:
        deals = client.changed(
            "deal", since=None, cursor=None, limit=DEALS, newest_first=True, status="won"
        ).items[:DEALS]
        numbers = [n for deal in deals if isinstance(n := deal.get("id"), int)]
        lines: dict[int, list[Json]] = {}
        for line in client.lines(numbers) if numbers else []:
            lines.setdefault(line.get("deal_id", 0), []).append(line)
        discounts = {
            deal["id"]: client.discounts(deal["id"])
            for deal in deals
            if mapping.asks_for_discounts(deal, lines.get(deal.get("id", 0), []))
        }
        organizations = _by_id(client, "organization", deals, "org_id")
        people = {}
        if rules.of("person"):
            people = _by_id(client, "person", deals, "person_id")
    types = ClientType.objects.in_bulk()
    return [_example(deal, lines, discounts, organizations, people, rules, types) for deal in deals]


def _by_id(client: Pipedrive, entity: str, deals: list[Json], key: str) -> dict[int, Json]:
    ids = sorted({n for deal in deals if isinstance(n := deal.get(key), int)})
    return {thing["id"]: thing for thing in client.some(entity, ids)} if ids else {}


def _example(
    deal: Json,
    lines: dict[int, list[Json]],
    discounts: dict[int, list[Json]],
    organizations: dict[int, Json],
    people: dict[int, Json],
    rules: Rules,
    types: dict[int, ClientType],
) -> Example:
    number = deal.get("id", 0)
    found = Found()
    name, refusal, read = "", "", None
    if organization := organizations.get(deal.get("org_id") or 0):
        client = mapping.client_values(organization, rules)
        name = client.name
        _add(found, client.found)
    if person := people.get(deal.get("person_id") or 0):
        _add(found, read_mapped(person, "person", rules))
    try:
        read = mapping.deal_values(
            deal, lines.get(number, []), discounts.get(number, []), {}, rules
        )
    except Refused as refused:
        refusal = str(refused)
    else:
        _add(found, read.found)
    return Example(
        number=number,
        title=mapping.title_of(deal),
        refusal=refusal,
        client=name,
        client_type=types.get(found.values.get("client_type", 0)),
        values=found.values,
        terms=terms_text(*found.values["payment_terms"]) if "payment_terms" in found.values else "",
        deal=read,
        lines=sum(line.enabled for line in read.lines) if read else 0,
        notices=found.notices,
    )


def _add(found: Found, more: Found) -> None:
    found.values |= more.values
    found.notices += more.notices
