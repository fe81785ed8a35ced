"""How a client must be reached, and why: one pure function over facts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from billing_portal.notices import Notice, day
from invoices.documents.paper import OF_FRANCE
from invoices.models.clients import BuyerKind
from invoices.models.einvoicing import Way
from invoices.tax.territories import territory_of


@dataclass(frozen=True)
class Facts:
    buyer_kind: str
    country: str
    postal_code: str
    siren: str
    vat_id: str
    # Whether a mail address of the client is on file.
    has_mail: bool
    # Of the seller: only one in France is obliged.
    seller_country: str = "FR"
    # What the directory said: None for nothing yet, and the addresses that it names.
    found: bool | None = None
    offered: tuple[str, ...] = ()
    asked_on: date | None = None
    # The address in use, "" for the SIREN.
    address: str = ""
    forced: str = ""
    forced_reason: str = ""


@dataclass(frozen=True)
class Route:
    way: str
    # Code and values, put into words for whoever reads it.
    reason: Notice
    # The electronic address, where the way is the platform.
    address: str = ""
    # What to do, as a word of the page: siren, mail, address or "".
    lacks: str = ""
    # Addresses that the directory names instead of the one in use.
    other_addresses: tuple[str, ...] = field(default=())


def route_of(facts: Facts) -> Route:
    """Never a guess: where a fact is missing the way is not known, and the reason says which."""
    by_rule = _by_rule(facts)
    if not facts.forced:
        return by_rule
    notice = Notice("route.forced", reason=facts.forced_reason)
    address = facts.address or facts.siren if facts.forced == Way.PLATFORM else ""
    return Route(facts.forced, notice, address=address)


def _by_rule(facts: Facts) -> Route:
    if facts.seller_country not in OF_FRANCE:
        return _without_platform(facts, Notice("route.seller_abroad"))
    territory = territory_of(facts.country, facts.postal_code)
    if facts.buyer_kind == BuyerKind.CONSUMER:
        return _without_platform(facts, Notice("route.consumer"))
    if not territory.in_france:
        return _without_platform(facts, Notice("route.abroad", country=facts.country))
    if not facts.siren:
        return Route(Way.UNKNOWN, Notice("route.no_siren"), lacks="siren")
    if facts.buyer_kind == BuyerKind.PUBLIC:
        return _by_platform(facts, "route.public")
    if facts.found is False and not facts.vat_id:
        return _without_platform(facts, Notice("route.no_vat"))
    if facts.found is False:
        return Route(Way.UNKNOWN, Notice("route.not_in_directory"), address=_address(facts))
    if facts.found is None and not facts.vat_id:
        return Route(Way.UNKNOWN, Notice("route.not_asked"), address=_address(facts))
    return _by_platform(facts, "route.directory" if facts.found else "route.vat")


def _by_platform(facts: Facts, code: str) -> Route:
    address = _address(facts)
    if facts.found and facts.offered and address not in facts.offered:
        others = facts.offered
        notice = Notice("route.address_gone", address=address, others=list(others[:3]))
        return Route(Way.PLATFORM, notice, address, lacks="address", other_addresses=others)
    asked = {"day": day(facts.asked_on)} if facts.asked_on else {"day": ""}
    return Route(Way.PLATFORM, Notice(code, **asked), address)


def _without_platform(facts: Facts, why: Notice) -> Route:
    if facts.has_mail:
        return Route(Way.MAIL, why)
    return Route(Way.POST, Notice("route.no_mail", why=why), lacks="mail")


def _address(facts: Facts) -> str:
    return facts.address or facts.siren
