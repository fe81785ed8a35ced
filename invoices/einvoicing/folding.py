"""What stands on a transmission, made anew from all its messages in the order of their own time.

So it does not matter in which order they come, or how often: late, twice and out of order end in
the same state. Call it under the lock of the transmission's row.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from invoices.einvoicing.statuses import FINAL, IN_DISPUTE, MEANINGS, RECEIVED_MONEY
from invoices.models import Dispute, LifecycleStatus, PlatformFlow, Transmission
from invoices.models.einvoicing import Group

_COLUMNS = tuple(meaning.column for meaning in MEANINGS.values() if meaning.column)
# Of messages of one second the later step is the later word.
_RANK = {code: place for place, code in enumerate(sorted(MEANINGS))}
MADE = (
    *("group", "status_code", "status_at", "reason_code", "reason_text", "declared_minor"),
    *_COLUMNS,
)


def in_order(rows: Iterable[LifecycleStatus]) -> list[LifecycleStatus]:
    """By their own time; one that says none stands where it came."""
    return sorted(
        rows, key=lambda row: (row.at or row.kept_at, _RANK.get(row.code, 0), row.pk or 0)
    )


def fold(transmission: Transmission) -> None:
    """Write its group, last word and times. The row is locked by the caller."""
    found: dict[str, Any] = dict.fromkeys(_COLUMNS)
    found |= {"status_code": "", "status_at": None, "reason_code": "", "reason_text": ""}
    group, declared = Group.WAITING.value, 0
    rows = transmission.statuses.select_related("flow").defer("content")
    for row in in_order(rows):
        meaning = MEANINGS.get(row.code)
        if meaning is None:
            continue
        at = row.at or row.kept_at
        if row.code == RECEIVED_MONEY:
            # Our own words: they are true of the books, whatever the platform says of them.
            declared += _minor(row) if row.is_ours else 0
            continue
        if row.is_ours and row.flow is not None and _was_turned_away(row.flow):
            # The client never had it.
            continue
        if meaning.column and found[meaning.column] is None:
            found[meaning.column] = at
        if not meaning.group or found["status_code"] in FINAL:
            # Nothing comes after a rejection; a platform that goes on all the same is shown.
            continue
        group = _after(group, meaning.group, row.code)
        _take_word(found, row, at)
    flow = transmission.flow
    if not found["status_code"] and _was_turned_away(flow):
        group = Group.FAILED.value
        found |= _reason_of(flow)
    found["declared_minor"] = declared
    for name, value in found.items():
        setattr(transmission, name, value)
    transmission.group = _final_group(transmission, group, declared)
    transmission.save(update_fields=list(MADE))


def _after(before: str, group: str, code: str) -> str:
    """A later 200 or 201 does not take back that the client has it."""
    if group == Group.WAITING and before != Group.WAITING:
        return before
    return group


def _take_word(found: dict[str, Any], row: LifecycleStatus, at: datetime) -> None:
    first = (row.reasons or [{}])[0]
    found |= {
        "status_code": row.code,
        "status_at": at,
        "reason_code": str(first.get("code", ""))[:60],
        "reason_text": str(first.get("text") or first.get("note") or "")[:1000],
    }


def _was_turned_away(flow: PlatformFlow) -> bool:
    return flow.state == PlatformFlow.State.REFUSED or flow.acknowledged == "Error"


def _reason_of(flow: PlatformFlow) -> dict[str, Any]:
    first: dict[str, Any] = next(iter(flow.details or []), {})
    return {
        "reason_code": str(first.get("reasonCode", ""))[:60],
        "reason_text": str(first.get("reasonMessage", ""))[:1000],
        "status_at": flow.acknowledged_at,
    }


def _final_group(transmission: Transmission, group: str, declared: int) -> str:
    if transmission.replaced_by_id is not None:
        return Group.CLOSED.value
    total = transmission.invoice.total_minor
    whole = declared >= total if total else False
    if transmission.invoice.is_credit_note:
        whole = declared <= -total if total else False
    if group == Group.DISPUTED and is_settled_here(transmission):
        group = Group.CLIENT.value
    if whole and group in (Group.CLIENT, Group.WAITING, Group.DISPUTED):
        return Group.PAID.value
    return group


def is_settled_here(transmission: Transmission) -> bool:
    """Whether people closed the dispute that its last word opened, whatever the platform says."""
    if transmission.status_code != IN_DISPUTE or transmission.status_at is None:
        return False
    opened_by_it = Dispute.objects.filter(
        invoice=transmission.invoice_id,
        opened_at=transmission.status_at,
        status__isnull=False,
        closed_at__isnull=False,
    )
    return opened_by_it.exists()


def _minor(row: LifecycleStatus) -> int:
    return sum(int(each.get("minor", 0)) for each in row.amounts if each.get("kind") == "MEN")
