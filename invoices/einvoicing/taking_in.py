"""A lifecycle message that the platform has for us: kept, then counted in.

Whatever comes is kept with its bytes: about a document that we do not know, with a code that nobody
knows, or unreadable. One that was read before is left alone.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from billing_portal.money import is_currency
from billing_portal.notices import Notice
from invoices.documents.cdar.message import Message, Status
from invoices.documents.cdar.reading import CdarUnreadable, read
from invoices.documents.facturx.spelling import plain
from invoices.einvoicing.disputes import close_by_client, open_by_client
from invoices.einvoicing.folding import fold
from invoices.einvoicing.locking import locked
from invoices.einvoicing.minor import minor_of
from invoices.einvoicing.statuses import COMPLETED, IN_DISPUTE
from invoices.einvoicing.transmitting import tell
from invoices.models import Company, LifecycleStatus, Transmission

# The messages bear local times without a zone: those of France. [U]
ZONE = ZoneInfo("Europe/Paris")


def take_in(
    *, platform_id: str, content: bytes, filename: str, kept_at: datetime | None = None
) -> list[LifecycleStatus]:
    """The rows that it made; none when the message was read before. One transaction."""
    try:
        with transaction.atomic():
            if LifecycleStatus.objects.filter(platform_id=platform_id).exists():
                return []
            return _taken_in(platform_id, content, filename)
    except IntegrityError:
        # Another worker has read it at this very moment.
        if LifecycleStatus.objects.filter(platform_id=platform_id).exists():
            return []
        raise


def _taken_in(platform_id: str, content: bytes, filename: str) -> list[LifecycleStatus]:
    file = {
        "platform_id": platform_id,
        "filename": filename[:255] or f"{platform_id}.xml",
        "content": content,
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    try:
        message = read(content)
    except CdarUnreadable as trouble:
        notice = Notice(f"lifecycle.unreadable_{trouble.code}")
        return [LifecycleStatus.objects.create(problem=notice.kept(), **file)]
    ours = Company.ours()
    return [
        _one(message, status, position, file, ours.siren if ours else "")
        for position, status in enumerate(message.statuses)
    ]


def _one(
    message: Message, status: Status, position: int, file: dict[str, Any], siren: str
) -> LifecycleStatus:
    transmission = _of(status, siren)
    problem = None if transmission else Notice("lifecycle.unknown", number=status.number or "?")
    row = LifecycleStatus.objects.create(
        transmission=transmission,
        position=position,
        code=status.code,
        words=plain(status.words)[:100],
        at=_moment(message.at or message.made_at),
        reasons=[
            {
                "code": reason.code,
                "text": plain(reason.text),
                "action_code": reason.action_code,
                "action": plain(reason.action),
                "note": plain(reason.note),
            }
            for reason in status.reasons
        ],
        amounts=[
            {
                "kind": amount.kind,
                "rate": None if amount.rate is None else str(amount.rate),
                "minor": minor_of(amount.amount, amount.currency),
                "currency": amount.currency,
            }
            for amount in status.amounts
            if is_currency(amount.currency)
        ],
        issuer_role=message.issuer.role,
        issuer_name=plain(message.issuer.name)[:200],
        message_id=message.id,
        number=status.number,
        issued_on=status.issued_on,
        problem=problem.kept() if problem else None,
        **file,
    )
    if transmission is not None:
        _count_in(transmission, row)
    return row


def _of(status: Status, siren: str) -> Transmission | None:
    """The transmission it speaks of, under its lock: by number, and of our own documents only."""
    if not status.number or (status.seller and siren and status.seller[:9] != siren):
        return None
    found = Q(invoice__number=status.number, invoice__number_clashes=False)
    if status.issued_on is not None:
        found &= Q(invoice__issue_date=status.issued_on)
    return locked(found)


def _count_in(transmission: Transmission, row: LifecycleStatus) -> None:
    fold(transmission)
    first = (row.reasons or [{}])[0]
    tell(
        transmission.invoice,
        "status",
        status_id=row.pk,
        code=row.code,
        words=row.words,
        at=row.at.isoformat() if row.at else "",
        reason_code=first.get("code", ""),
        reason_text=first.get("text") or first.get("note") or "",
    )
    if row.code == IN_DISPUTE == transmission.status_code and not _is_repeated(row):
        open_by_client(transmission.invoice, row)
    elif transmission.status_code not in (IN_DISPUTE, COMPLETED):
        close_by_client(transmission)


def _is_repeated(row: LifecycleStatus) -> bool:
    """The same word of the same moment: a dispute that staff have closed stays closed."""
    same = LifecycleStatus.objects.filter(
        transmission=row.transmission_id, code=row.code, at=row.at, message_id=row.message_id
    )
    return same.exclude(pk=row.pk).exists()


def _moment(said: datetime | None) -> datetime | None:
    """A time in the far future or past is none: it would stand on top of all others for ever."""
    if said is None or not 2000 <= said.year <= 2200:
        return None
    moment = said.replace(tzinfo=ZONE).astimezone(UTC)
    return None if moment > timezone.now() + timedelta(days=2) else moment
