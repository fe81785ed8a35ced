"""How clients are reached: the facts of a client, for the pure rule in einvoicing/routing.py."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from invoices.einvoicing import platforms
from invoices.einvoicing.routing import Facts, Route, route_of
from invoices.models import Client, ClientRoute, Company, Contact
from invoices.models.clients import BuyerKind
from invoices.models.einvoicing import Way

_COLUMNS: Final = (
    "pk", "buyer_kind", "country", "postal_code", "siren", "vat_id", "billing_email",
    "has_contact", "route__found", "route__offered", "route__asked_at", "route__address",
    "route__forced", "route__forced_reason", "route__siren",
)  # fmt: skip


# An answer of the directory is good for the day.
FRESH: Final = timedelta(hours=20)


class RouteRefused(Exception):
    """Nothing was changed; the message is written for staff."""


def stale() -> Q:
    """Clients whose answer is old, or is about another SIREN than they have now."""
    old = timezone.now() - FRESH
    return (
        Q(route__isnull=True)
        | Q(route__asked_at__isnull=True)
        | Q(route__asked_at__lt=old)
        | ~Q(route__siren=F("siren"))
    )


def can_be_asked_about() -> Q:
    return ~Q(siren="") & ~Q(buyer_kind=BuyerKind.CONSUMER)


def have_asked(client_id: int) -> None:
    """Somebody is about to issue to it: by the time of the click the answer is there."""
    if Client.objects.filter(stale(), can_be_asked_about(), pk=client_id).exists():
        platforms.ask_about(client_id)


def with_contacts(clients: QuerySet[Client]) -> QuerySet[Client]:
    """Whether a contact receives the invoices, beside each."""
    receives = Contact.objects.filter(
        ~Q(email=""), client=OuterRef("pk"), receives_invoices=True, gone_at__isnull=True
    )
    return clients.annotate(has_contact=Exists(receives))


def routes_of(
    clients: QuerySet[Client], company: Company | None = None
) -> Iterator[tuple[int, Route]]:
    """Each client's key and route, in the order of the query; one query for all."""
    company = company or Company.ours()
    country = company.country if company else "FR"
    rows = with_contacts(clients).values_list(*_COLUMNS)
    return ((row[0], route_of(_facts(row, country))) for row in rows.iterator(chunk_size=2_000))


def route_of_client(client: Client, company: Company | None = None) -> Route:
    return next(route for _pk, route in routes_of(Client.objects.filter(pk=client.pk), company))


def _facts(row: tuple[Any, ...], seller_country: str) -> Facts:
    (_pk, buyer_kind, country, postal_code, siren, vat_id, email, has_contact, found, offered,
     asked_at, address, forced, forced_reason, asked_siren) = row  # fmt: skip
    if asked_siren != siren:
        # The answer is about another number than the client has now.
        found, offered, asked_at = None, None, None
    return Facts(
        buyer_kind=buyer_kind,
        country=country,
        postal_code=postal_code,
        siren=siren,
        vat_id=vat_id,
        has_mail=bool(email or has_contact),
        seller_country=seller_country,
        found=found,
        offered=tuple(offered or ()),
        asked_on=timezone.localdate(asked_at) if asked_at else None,
        address=address or "",
        forced=forced or "",
        forced_reason=forced_reason or "",
    )


def address_in_use(client: Client) -> str:
    """The electronic address that a document issued now names (BT-49); "" without a SIREN."""
    chosen = ClientRoute.objects.filter(client=client.pk).values_list("address", flat=True).first()
    if chosen and chosen[:9] == client.siren:
        return chosen
    return client.siren


def use_address(*, client_id: int, address: str, by: User) -> ClientRoute:
    """Take an address that the directory names. Raises RouteRefused."""
    with transaction.atomic():
        row = _locked(client_id)
        if address not in row.offered:
            raise RouteRefused(_("The directory does not name this address for the client."))
        if address[:9] != row.client.siren:
            raise RouteRefused(_("This address belongs to another SIREN than the client has."))
        row.address = address
        row.save(update_fields=["address"])
        return row


def force_way(*, client_id: int, way: str, reason: str, by: User, now: datetime) -> ClientRoute:
    """Against the rule, or with "" back to it. Raises RouteRefused."""
    if way and not reason.strip():
        raise RouteRefused(_("Say why: the reason stays visible beside the client."))
    with transaction.atomic():
        row = _locked(client_id)
        if way == Way.PLATFORM and not row.client.siren:
            raise RouteRefused(_("Without a SIREN no platform finds the client."))
        row.forced, row.forced_reason = way, reason.strip()[:300] if way else ""
        row.forced_by, row.forced_at = (by, now) if way else (None, None)
        row.save(update_fields=["forced", "forced_reason", "forced_by", "forced_at"])
        return row


def _locked(client_id: int) -> ClientRoute:
    ClientRoute.objects.get_or_create(client_id=client_id)
    return (
        ClientRoute.objects.select_for_update(of=("self",))
        .select_related("client")
        .get(client=client_id)
    )
