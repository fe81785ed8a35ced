"""Organisations, persons and users of Pipedrive as ours (pure)."""

from __future__ import annotations

import re
from typing import Any

from django.utils.translation import gettext as _

from billing_portal.notices import Notice
from integrations.core.http import Json
from integrations.crm.contract import Address, ClientValues, ContactValues, PersonOfCrm
from integrations.crm.fields import Found, Rules, read_mapped
from integrations.crm.values import (
    Refused,
    country_code,
    cut,
    email_of,
    external_id,
    object_id,
    one_line,
    primary,
)


def mapped(entity: str, thing: Json, rules: Rules) -> Found:
    """What the mapped fields hold; those of a company's own stand under `custom_fields`."""
    custom = thing.get("custom_fields")

    def raw_of(code: str) -> Any:
        value = custom.get(code) if isinstance(custom, dict) else None
        return thing.get(code) if value is None else value

    return read_mapped(entity, rules, raw_of)


def title_of(thing: Json) -> str:
    title = thing.get("title") or thing.get("name")
    return one_line(title)[:255] if isinstance(title, str) else ""


def client_values(thing: Json, rules: Rules) -> ClientValues:
    """Raises Refused for an object without an id."""
    number = external_id(thing)
    found = mapped("organization", thing, rules)
    name = cut(one_line(str(thing.get("name") or "")), 255, Notice("crm.the_name"), found.notices)
    if not name:
        name = _("Organisation %(number)s") % {"number": number}
        found.notices.append(Notice("crm.no_name"))
    address = address_of(thing.get("address"), found.notices)
    return ClientValues(number, name, object_id(thing.get("owner_id")), address, found)


def address_of(raw: Any, notices: list[Notice]) -> Address:
    if isinstance(raw, str):
        raw = {"value": raw}
    if not isinstance(raw, dict):
        return Address()

    def part(name: str) -> str:
        value = raw.get(name)
        return one_line(value) if isinstance(value, str) else ""

    whole, city, postal_code = part("value"), part("locality"), part("postal_code")
    street = " ".join(filter(None, (part("street_number"), part("route"))))
    country = country_code(part("country"))
    if not street and whole:
        street, city, postal_code, country = _split_address(whole, city, postal_code, country)
    if part("country") and not country:
        notices.append(Notice("crm.country_unknown", text=part("country")[:60]))
    address = Notice("crm.the_address")
    return Address(
        cut(street, 255, address, notices),
        cut(part("subpremise"), 255, address, notices),
        cut(postal_code, 20, Notice("crm.the_postal_code"), notices),
        cut(city or part("admin_area_level_2"), 120, Notice("crm.the_town"), notices),
        country,
    )


def _split_address(
    whole: str, city: str, postal_code: str, country: str
) -> tuple[str, str, str, str]:
    """Somebody typed the address in one line: “12 rue X, 44000 Nantes, France”."""
    parts = [part.strip() for part in whole.split(",") if part.strip()]
    if len(parts) > 1 and (code := country_code(parts[-1])):
        country = country or code
        parts.pop()
    for place in range(len(parts) - 1, 0, -1):
        if town := re.fullmatch(r"([A-Z]{0,2}-?\d{4,6})\s+(\D.*)", parts[place]):
            city, postal_code = city or town[2], postal_code or town[1]
            del parts[place:]
            break
    return ", ".join(parts), city, postal_code, country


def contact_values(thing: Json, rules: Rules) -> ContactValues:
    """Raises Refused for an object without an id."""
    number = external_id(thing)
    found = mapped("person", thing, rules)
    name = cut(one_line(str(thing.get("name") or "")), 255, Notice("crm.the_name"), found.notices)
    written = primary(thing.get("emails"))
    email = email_of(written)
    if written and not email:
        found.notices.append(Notice("crm.email_wrong", text=written[:80]))
    job_title = thing.get("job_title")
    return ContactValues(
        number,
        object_id(thing.get("org_id")),
        name or _("Person %(number)s") % {"number": number},
        email,
        primary(thing.get("phones"))[:60],
        one_line(job_title)[:120] if isinstance(job_title, str) else "",
        found,
    )


def user_values(thing: Json) -> PersonOfCrm:
    """Raises Refused for one without an email: a person here is known by it."""
    number = external_id(thing)
    name = one_line(str(thing.get("name") or ""))[:255]
    email = email_of(str(thing.get("email") or ""))
    if not email:
        raise Refused("crm.user_without_email")
    active = thing.get("active_flag") is not False and thing.get("is_deleted") is not True
    return PersonOfCrm(number, name, email, active)
