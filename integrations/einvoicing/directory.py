"""Asking the directory how clients are reached: every night, and again at each issue."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import Final

from django.db.models import F, Q
from django.utils import timezone

from integrations.core.http import ProviderError
from integrations.einvoicing.contract import Platform
from invoices.models import Client, ClientRoute
from invoices.models.clients import BuyerKind

logger = logging.getLogger(__name__)

FRESH: Final = timedelta(hours=20)
MOST_OFFERED: Final = 20


def ask_about(client: Client, platform: Platform) -> ClientRoute:
    """One client, by its SIREN; what was chosen by people stays. Raises ProviderError."""
    addresses = platform.addresses_of(client.siren) if client.siren else []
    row, _made = ClientRoute.objects.get_or_create(client=client)
    # Only what the directory says: somebody may be choosing an address at this moment.
    ClientRoute.objects.filter(pk=row.pk).update(
        found=bool(addresses) if client.siren else None,
        offered=addresses[:MOST_OFFERED],
        siren=client.siren,
        asked_at=timezone.now(),
        trouble=None,
    )
    row.refresh_from_db()
    return row


def stale() -> Q:
    """Clients whose answer is old, or is about another SIREN than they have now."""
    old = timezone.now() - FRESH
    return (
        Q(route__isnull=True)
        | Q(route__asked_at__isnull=True)
        | Q(route__asked_at__lt=old)
        | ~Q(route__siren=F("siren"))
    )


def ask_about_all(platform: Platform, *, limit: int = 5_000, seconds: float = 1_500.0) -> int:
    """Those that a directory can know, the longest unasked first; how many were asked."""
    end = time.monotonic() + seconds
    clients = (
        Client.objects.living()
        .filter(stale(), gone_at__isnull=True)
        .exclude(Q(siren="") | Q(buyer_kind=BuyerKind.CONSUMER))
        .order_by(F("route__asked_at").asc(nulls_first=True), "pk")[:limit]
    )
    asked = 0
    for client in clients:
        ask_about(client, platform)
        asked += 1
        if time.monotonic() > end:
            break
    return asked


def try_to_ask(client: Client, platform: Platform) -> bool:
    """At an issue: an answer makes it better, none holds nobody up."""
    try:
        ask_about(client, platform)
    except ProviderError as error:
        logger.info("directory: %s", error.notice.code)
        ClientRoute.objects.filter(client=client).update(trouble=error.notice.kept())
        return False
    return True
