"""Asking the directory how clients are reached: each night, and before an invoice to them."""

from __future__ import annotations

import logging
import time
from typing import Final

from django.db.models import F
from django.utils import timezone

from integrations.core.http import ProviderError
from integrations.einvoicing.contract import Platform
from invoices.clients.routes import can_be_asked_about, stale
from invoices.models import Client, ClientRoute, PlatformFlow

logger = logging.getLogger(__name__)

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


def ask_about_all(platform: Platform, *, limit: int = 5_000, seconds: float = 1_500.0) -> int:
    """Those that a directory can know, the longest unasked first; how many were asked."""
    end = time.monotonic() + seconds
    clients = (
        Client.objects.living()
        .filter(stale(), can_be_asked_about(), gone_at__isnull=True)
        .order_by(F("route__asked_at").asc(nulls_first=True), "pk")[:limit]
    )
    asked = 0
    for client in clients:
        ask_about(client, platform)
        asked += 1
        if time.monotonic() > end:
            break
    return asked


def ask_before_sending(platform: Platform, *, limit: int = 20) -> int:
    """Those to whom something is about to leave; a directory in trouble holds nothing up."""
    waiting = PlatformFlow.objects.filter(state=PlatformFlow.State.WAITING)
    clients = Client.objects.filter(
        stale(), can_be_asked_about(), invoices__transmission__flow__in=waiting
    ).distinct()
    asked = 0
    for client in clients.order_by("pk")[:limit]:
        if not try_to_ask(client, platform):
            break
        asked += 1
    return asked


def ask_if_stale(client_id: int, platform: Platform) -> bool:
    """Somebody is about to issue to it."""
    client = Client.objects.filter(stale(), can_be_asked_about(), pk=client_id).first()
    return client is not None and try_to_ask(client, platform)


def try_to_ask(client: Client, platform: Platform) -> bool:
    """An answer makes it better, none holds nobody up."""
    try:
        ask_about(client, platform)
    except ProviderError as error:
        logger.info("directory: %s", error.notice.code)
        ClientRoute.objects.filter(client=client).update(trouble=error.notice.kept())
        return False
    return True
