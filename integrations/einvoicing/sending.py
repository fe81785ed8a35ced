"""Out of the platform's outbox: claimed under a lock, marked before it leaves, answered once.

Before a file is handed over its row says “unclear”, in a transaction of its own. So whatever ends
the process in between, the next worker first asks the platform whether it has a file under our key
(trackingId), and only when it surely has none hands it over again.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from billing_portal.notices import Notice
from integrations.core.http import ProviderError
from integrations.einvoicing.contract import AlreadyThere, Flow, Outgoing, Platform
from integrations.models import Connection
from invoices.einvoicing.acknowledging import acknowledge, note_refusal, note_sent
from invoices.models import PlatformFlow

logger = logging.getLogger(__name__)

State = PlatformFlow.State
LEASE: Final = timedelta(minutes=5)
# A file that was handed over and not confirmed may show itself only after a while.
SHOWS_AFTER: Final = timedelta(minutes=2)
# 1, 2, 4 … minutes, at most two hours: it never gives up, it only waits longer.
MAX_DELAY: Final = timedelta(hours=2)
SWEEP_LIMIT: Final = 100
SWEEP_SECONDS: Final = 45.0


def due(now: datetime) -> Q:
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lt=now)
    ripe = Q(next_attempt_at__isnull=True) | Q(next_attempt_at__lte=now)
    return Q(state__in=[State.WAITING, State.UNCLEAR]) & free & ripe


def send_all(connection: Connection, open_platform: Callable[[Connection], Platform]) -> int:
    """Whatever is due, oldest first; how many were taken. One in trouble is left in peace."""
    end, taken, put_off = time.monotonic() + SWEEP_SECONDS, 0, 0
    waiting = PlatformFlow.objects.filter(due(timezone.now())).order_by("pk")
    ids = list(waiting.values_list("pk", flat=True)[:SWEEP_LIMIT])
    if not ids:
        return 0
    with open_platform(connection) as platform:
        for pk in ids:
            state = send(pk, platform, connection)
            taken += state == State.SENT
            put_off = put_off + 1 if state in (State.WAITING, State.UNCLEAR) else 0
            if put_off >= 3 or time.monotonic() > end:
                break
            if connection.state == Connection.State.PAUSED:
                break
    return taken


def send(flow_pk: int, platform: Platform, connection: Connection) -> str:
    """One row, if it is due and nobody else has it; the state it is left in."""
    flow = _claim(flow_pk)
    if flow is None:
        return "untouched"
    if flow.state == State.UNCLEAR:
        try:
            found = platform.find(flow.tracking_id)
        except ProviderError as error:
            return _not_looked_up(flow, error, connection)
        if found is not None:
            return _taken(flow, found)
    if not _mark_unclear(flow):
        return "untouched"
    try:
        return _taken(flow, platform.submit(_outgoing(flow)))
    except AlreadyThere:
        return _already_there(flow, platform)
    except ProviderError as error:
        return _not_handed_over(flow, error, connection)


def _claim(pk: int) -> PlatformFlow | None:
    now = timezone.now()
    with transaction.atomic():
        flow = PlatformFlow.objects.select_for_update().filter(due(now), pk=pk).first()
        if flow is None:
            return None
        flow.claimed_until = now + LEASE
        flow.attempts += 1
        flow.save(update_fields=["claimed_until", "attempts"])
    return PlatformFlow.objects.select_related("document").get(pk=pk)


def _mine(flow: PlatformFlow) -> Any:
    """The row, as long as the claim is ours: after it ran out another worker writes."""
    return PlatformFlow.objects.filter(
        pk=flow.pk, attempts=flow.attempts, claimed_until=flow.claimed_until
    ).exclude(state=State.SENT)


def _mark_unclear(flow: PlatformFlow) -> bool:
    """From here on it may have left."""
    flow.state = State.UNCLEAR
    ours: int = _mine(flow).update(state=State.UNCLEAR, trouble=Notice("platform.looked_up").kept())
    return bool(ours)


def _delay(flow: PlatformFlow) -> timedelta:
    return min(timedelta(minutes=2 ** min(flow.attempts - 1, 10)), MAX_DELAY)


def _outgoing(flow: PlatformFlow) -> Outgoing:
    return Outgoing(
        tracking_id=flow.tracking_id,
        filename=flow.filename,
        syntax=flow.syntax,
        sha256=flow.sha256,
        content=flow.bytes,
        processing_rule=flow.processing_rule,
    )


def _taken(flow: PlatformFlow, found: Flow) -> str:
    with transaction.atomic():
        if not _mine(flow).update(
            state=State.SENT,
            platform_id=found.id,
            sent_at=found.submitted_at or timezone.now(),
            claimed_until=None,
            next_attempt_at=None,
            trouble=None,
        ):
            return "untouched"
        note_sent(flow.pk)
        if found.acknowledged:
            acknowledge(found.id, found.acknowledged, list(found.details), found.updated_at)
    return State.SENT


def _already_there(flow: PlatformFlow, platform: Platform) -> str:
    """It says that it has it: then it can be found under our key. If not, a person must look."""
    try:
        found = platform.find(flow.tracking_id)
    except ProviderError:
        return _later(flow, Notice("platform.looked_up"), at_least=SHOWS_AFTER)
    if found is not None:
        return _taken(flow, found)
    return _refused(flow, Notice("platform.turned_away", said="AlreadyExistingFlow"))


def _not_looked_up(flow: PlatformFlow, error: ProviderError, connection: Connection) -> str:
    """Whether it is there stays unknown, so nothing is sent."""
    if error.credentials:
        return _pause(flow, error, connection)
    return _later(flow, error.notice)


def _not_handed_over(flow: PlatformFlow, error: ProviderError, connection: Connection) -> str:
    if error.credentials:
        _mine(flow).update(state=State.WAITING)
        return _pause(flow, error, connection)
    if not error.reached or error.status in (429, 503):
        # Surely not taken: it need not be looked up.
        _mine(flow).update(state=State.WAITING)
        return _later(flow, error.notice)
    if error.retryable:
        return _later(flow, error.notice, at_least=SHOWS_AFTER)
    logger.warning("flow %s was turned away: %s", flow.pk, error.status)
    said = error.said or str(error.status or "?")
    return _refused(flow, Notice("platform.turned_away", said=said))


def _pause(flow: PlatformFlow, error: ProviderError, connection: Connection) -> str:
    """Nothing about this file: all of them wait until somebody connects again."""
    connection.state, connection.pause = Connection.State.PAUSED, error.notice.kept()
    connection.save(update_fields=["state", "pause"])
    return _later(flow, Notice("platform.rests"))


def _later(flow: PlatformFlow, notice: Notice, *, at_least: timedelta = timedelta(0)) -> str:
    wait = max(at_least, _delay(flow) * random.uniform(0.8, 1.2))  # noqa: S311
    _mine(flow).update(
        next_attempt_at=timezone.now() + wait, claimed_until=None, trouble=notice.kept()
    )
    flow.refresh_from_db(fields=["state"])
    return flow.state


def _refused(flow: PlatformFlow, notice: Notice) -> str:
    with transaction.atomic():
        if not _mine(flow).update(
            state=State.REFUSED, claimed_until=None, next_attempt_at=None, trouble=notice.kept()
        ):
            return "untouched"
        note_refusal(flow.pk)
    return State.REFUSED
