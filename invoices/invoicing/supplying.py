"""Where a document delivers and where its services are: what may be typed, and what a page says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _

from invoices.models import Client
from invoices.models.supplied import SUPPLIED, TIES, DeliveredTo, Supplied

_LONGEST: Final = {
    "delivery_address": 500,
    "delivery_postal_code": 20,
    "delivery_city": 120,
    "tie_address": 300,
    "tie_postal_code": 20,
}


@dataclass(frozen=True)
class Delivered:
    """Where goods go, as a page says it: `address` ends with postal code and city. Without a
    country it is taken for one of the buyer's; empty where they go to the buyer's own address."""

    address: tuple[str, ...] = ()
    postal_code: str = ""
    city: str = ""
    country: str = ""


def delivered_of(client: Client, document: Supplied | None = None) -> Delivered:
    kind = document.delivered_to if document is not None else DeliveredTo.USUAL
    if kind == DeliveredTo.CLIENT:
        return Delivered()
    said: Any = document if kind == DeliveredTo.OTHER else client
    country = said.delivery_country
    if not country and said.delivery_postal_code:
        country = client.country
    city = " ".join(filter(None, (said.delivery_postal_code, said.delivery_city)))
    lines = (*said.delivery_address.splitlines(), city)
    return Delivered(
        tuple(filter(None, (line.strip() for line in lines))),
        said.delivery_postal_code,
        said.delivery_city,
        country,
    )


def place_of_service(document: Supplied) -> tuple[str, ...]:
    """Where something stands or happens, as a page says it; its country stands beside."""
    if not document.tie:
        return ()
    lines = (*document.tie_address.splitlines(), document.tie_postal_code)
    return tuple(filter(None, (line.strip() for line in lines)))


def supplied_problems(header: Mapping[str, Any], document: Supplied) -> dict[str, str]:
    """What is wrong with these fields of a head, those left out being as they are."""
    said = {name: str(header.get(name, getattr(document, name))) for name in SUPPLIED}
    problems = {
        name: _("At most %(limit)s characters.") % {"limit": limit}
        for name, limit in _LONGEST.items()
        if len(said[name]) > limit
    }
    if said["delivered_to"] not in DeliveredTo.values:
        problems["delivered_to"] = _("Choose where it is delivered.")
    elif said["delivered_to"] == DeliveredTo.OTHER and not _is_country(said["delivery_country"]):
        problems["delivery_country"] = _("Choose the country of the delivery.")
    if said["tie"] not in ("", *dict(TIES)):
        problems["tie"] = _("Choose what ties the service to a place.")
    elif said["tie"] and not _is_country(said["tie_country"]):
        problems["tie_country"] = _("Choose the country in which the service takes place.")
    return problems


def tidied(given: Mapping[str, Any]) -> dict[str, Any]:
    """Without an address that the choice beside it leaves out."""
    found = dict(given)
    if found.get("delivered_to", DeliveredTo.OTHER) != DeliveredTo.OTHER:
        found |= {name: "" for name in SUPPLIED if name.startswith("delivery_")}
    if "tie" in found and not found["tie"]:
        found |= {name: "" for name in SUPPLIED if name.startswith("tie_")}
    return found


def _is_country(code: str) -> bool:
    return len(code) == 2 and code.isascii() and code.isalpha() and code.isupper()
