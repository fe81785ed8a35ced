"""What the platform has for us: messages about our invoices, checks, suppliers' invoices.

`updatedAfter` is the norm's only way to page. The cursor goes on after each page; every poll begins
some minutes before it, for a platform may show a file later than the time that it gives it, and
every night some days before. What was read before is left alone, so reading twice does no harm.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from billing_portal.notices import Notice
from integrations.core.http import ProviderError
from integrations.einvoicing.contract import OUR_STATUS, OUT, THEIR_INVOICE, Flow, Platform
from integrations.models import Connection
from invoices.einvoicing.acknowledging import acknowledge
from invoices.einvoicing.taking_in import take_in
from invoices.models import IncomingInvoice, LifecycleStatus

logger = logging.getLogger(__name__)

OVERLAP: Final = timedelta(minutes=10)
AT_NIGHT: Final = timedelta(days=7)
# A platform is read from so far back when it is connected.
FIRST: Final = timedelta(days=30)
MOST_PAGES: Final = 200
CURSOR: Final = "flows"


@dataclass
class Counts:
    messages: int = 0
    acknowledged: int = 0
    incoming: int = 0
    # Files that could not be fetched; the next poll tries them again.
    failed: int = 0


def receive(connection: Connection, platform: Platform, *, back: timedelta = OVERLAP) -> Counts:
    """Read all that changed. Raises ProviderError where the list itself cannot be read.

    A single file that cannot be fetched holds nobody up: it is counted, and the cursor stays before
    it, so that it is asked for again.
    """
    counts = Counts()
    since = _cursor(connection)
    asked = since - back
    held: datetime | None = None
    for _page in range(MOST_PAGES):
        page = platform.updated_after(asked)
        for flow in page.flows:
            if not _taken(flow, platform, counts):
                held = min(held or flow.updated_at or asked, flow.updated_at or asked)
        newest = max((f.updated_at for f in page.flows if f.updated_at), default=asked)
        # Of a time in the future nothing would ever be read again.
        newest = min(newest, timezone.now())
        _keep_cursor(connection, min(newest, held) if held else max(newest, since))
        if not page.is_full:
            return counts
        if newest <= asked:
            raise ProviderError(Notice("platform.too_many"), retryable=False)
        # A millisecond back: two files of one moment may stand on two pages.
        asked = max(newest - timedelta(milliseconds=1), asked + timedelta(milliseconds=1))
    return counts


def _taken(flow: Flow, platform: Platform, counts: Counts) -> bool:
    try:
        if flow.direction == OUT:
            if flow.acknowledged:
                details = list(flow.details)
                counts.acknowledged += acknowledge(
                    flow.id, flow.acknowledged, details, flow.updated_at
                )
        elif flow.type == OUR_STATUS:
            counts.messages += _message(flow, platform)
        elif flow.type == THEIR_INVOICE:
            counts.incoming += _incoming(flow, platform)
    except ProviderError as error:
        if error.credentials:
            raise
        logger.warning("flow %s was not read: %s", flow.id, error.notice.code)
        counts.failed += 1
        return not error.retryable
    return True


def _message(flow: Flow, platform: Platform) -> int:
    if LifecycleStatus.objects.filter(platform_id=flow.id).exists():
        return 0
    content, name = platform.file_of(flow.id)
    return len(take_in(platform_id=flow.id, content=content, filename=name))


def _incoming(flow: Flow, platform: Platform) -> int:
    if IncomingInvoice.objects.filter(platform_id=flow.id).exists():
        return 0
    content, name = platform.file_of(flow.id)
    _row, made = IncomingInvoice.objects.get_or_create(
        platform_id=flow.id,
        defaults={
            "filename": name or f"{flow.id}.{'pdf' if flow.syntax == 'Factur-X' else 'xml'}",
            "syntax": flow.syntax[:10],
            "content": content,
            "sha256": hashlib.sha256(content).hexdigest(),
            "size": len(content),
            "received_at": flow.submitted_at,
        },
    )
    return int(made)


def _cursor(connection: Connection) -> datetime:
    kept = parse_datetime(str(connection.cursors.get(CURSOR, "")))
    return kept or timezone.now() - FIRST


def _keep_cursor(connection: Connection, moment: datetime) -> None:
    connection.cursors = {**connection.cursors, CURSOR: moment.isoformat()}
    connection.last_synced_at = timezone.now()
    connection.save(update_fields=["cursors", "last_synced_at"])
