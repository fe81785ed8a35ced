"""A lifecycle message (CDAR, “cycle de vie”) as plain values: what reading gives, writing takes.

The names in brackets are those of the annexes of XP Z12-012.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True)
class Reason:
    """One reason of a status, as it was said."""

    # MDT-113, MDT-114: a code of a closed list, and the sender's words for it.
    code: str = ""
    text: str = ""
    # MDT-121, MDT-122: what the sender wants done.
    action_code: str = ""
    action: str = ""
    # MDT-126
    note: str = ""


@dataclass(frozen=True)
class Amount:
    """MDT-215 with MDT-207: MEN is money received, MPA money paid, both with VAT."""

    kind: str
    amount: Decimal
    currency: str
    # Percent of VAT; None where it is not said (MPA).
    rate: Decimal | None = None


@dataclass(frozen=True)
class Attachment:
    """A file inside the message, of a kind that EN 16931 allows to invoices too."""

    filename: str
    media_type: str
    content: bytes


@dataclass(frozen=True)
class Status:
    """What a message says of one document."""

    # MDT-87, MDT-91, MDT-100
    number: str
    type_code: str
    issued_on: date | None
    # MDT-105, MDT-106: "205" and the words beside it.
    code: str
    words: str
    reasons: tuple[Reason, ...] = ()
    amounts: tuple[Amount, ...] = ()
    # Only in what we write: of what comes in the message itself is kept.
    attachments: tuple[Attachment, ...] = ()
    # MDT-129: SIREN of who issued the document.
    seller: str = ""
    # MDT-95, in the sender's local time: when the document was deposited.
    deposited_at: datetime | None = None


@dataclass(frozen=True)
class Party:
    siren: str = ""
    name: str = ""
    # WK a platform, SE the seller, BY the buyer, DFH the administration.
    role: str = ""
    # MDT-73 under scheme 0225
    address: str = ""


@dataclass(frozen=True)
class Message:
    # MDT-4, MDT-5
    id: str
    name: str
    # MDT-8 and MDT-78: when it was made, and the moment of the status; without a time zone.
    made_at: datetime | None
    at: datetime | None
    issuer: Party
    # 23 for the parties' own statuses, 305 for those of platforms.
    type_code: str
    statuses: tuple[Status, ...]
    recipients: tuple[Party, ...] = ()
