"""What five real deals would become under a mapping, before it is saved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from billing_portal.notices import Notice
from integrations.crm.contract import Crm, DealParts, DealValues, Thing
from integrations.crm.fields import Found, Rules
from integrations.crm.suggesting import terms_text
from integrations.crm.values import Refused
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
    notices: list[Notice]


def examples(crm: Crm, rules: Rules) -> list[Example]:
    """The five won deals that changed last. Raises ProviderError."""
    deals = crm.last_won(DEALS)
    parts = crm.parts_of(deals)
    organizations = _by_id(crm, "organization", [deal.organization_id for deal in deals])
    people = {}
    if rules.of("person"):
        people = _by_id(crm, "person", [deal.person_id for deal in deals])
    types = ClientType.objects.in_bulk()
    return [_example(crm, deal, parts, organizations, people, rules, types) for deal in deals]


def _by_id(crm: Crm, entity: str, numbers: list[int | None]) -> dict[int, Thing]:
    ids = sorted({number for number in numbers if number})
    things = crm.some(entity, ids) if ids else []
    return {thing.id: thing for thing in things if thing.id is not None}


def _example(
    crm: Crm,
    deal: Thing,
    parts: DealParts,
    organizations: dict[int, Thing],
    people: dict[int, Thing],
    rules: Rules,
    types: dict[int, ClientType],
) -> Example:
    found = Found()
    name, refusal, read = "", "", None
    if organization := organizations.get(deal.organization_id or 0):
        client = crm.client_values(organization, rules)
        name = client.name
        _add(found, client.found)
    if person := people.get(deal.person_id or 0):
        _add(found, crm.mapped("person", person, rules))
    try:
        read = crm.deal_values(deal, parts, rules)
    except Refused as refused:
        refusal = str(refused)
    else:
        _add(found, read.found)
    return Example(
        number=deal.id or 0,
        title=deal.title,
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
