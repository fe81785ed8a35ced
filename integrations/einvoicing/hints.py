"""A platform calls to say that a flow changed: kept once, and the next poll comes at once.

What it says is never taken for true. The poll reads the platform itself, so a call that is forged,
late, repeated, out of order or about a flow that nobody knows changes nothing that the platform
does not say when it is asked.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from integrations.models import InboundEvent

# Calls of one moment share a poll; a poll that died is asked for again by the next call.
SHARED: Final = timedelta(minutes=2)
KEPT: Final = timedelta(days=30)


def note_hint(provider: str, body: bytes, flow_named_in: Callable[[Any], str]) -> bool:
    """Whether it is new. In one transaction with the poll that it asks for."""
    try:
        about = flow_named_in(json.loads(body))
    except (ValueError, RecursionError):
        about = ""
    with transaction.atomic():
        now = timezone.now()
        waits = InboundEvent.objects.filter(provider=provider, answered_at=None)
        asked_for = waits.filter(received_at__gt=now - SHARED).exists()
        _row, made = InboundEvent.objects.get_or_create(
            provider=provider,
            event_id=hashlib.sha256(body).hexdigest(),
            defaults={"about": about[:60]},
        )
        if made and not asked_for:
            async_task("integrations.tasks.poll_platform")
    return made


def answer_hints(provider: str, begun: datetime) -> int:
    """A poll that began after they came has asked what they hinted at."""
    waits = InboundEvent.objects.filter(provider=provider, answered_at=None)
    return waits.filter(received_at__lte=begun).update(answered_at=timezone.now())


def forget_old_hints() -> None:
    InboundEvent.objects.filter(received_at__lt=timezone.now() - KEPT).delete()
