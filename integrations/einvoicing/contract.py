"""What we ask of any approved platform, in the words of XP Z12-013; no platform's name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, Self

from integrations.core.tokens import Tokens

# Flow types of the norm.
OUR_INVOICE, OUR_STATUS = "CustomerInvoice", "CustomerInvoiceLC"
THEIR_INVOICE = "SupplierInvoice"
IN, OUT = "In", "Out"


@dataclass(frozen=True)
class Outgoing:
    """A file to hand over. `sha256` in hexadecimal; `tracking_id` is ours and makes it once."""

    tracking_id: str
    filename: str
    syntax: str
    sha256: str
    content: bytes
    processing_rule: str = ""


@dataclass(frozen=True)
class Flow:
    """A file as the platform lists it."""

    id: str
    type: str = ""
    direction: str = ""
    syntax: str = ""
    tracking_id: str = ""
    submitted_at: datetime | None = None
    updated_at: datetime | None = None
    # Pending, Ok, Error, or "" where it says nothing.
    acknowledged: str = ""
    # [{"level": …, "item": …, "reasonCode": …, "reasonMessage": …}]
    details: tuple[dict[str, str], ...] = field(default=())


@dataclass(frozen=True)
class Page:
    flows: Sequence[Flow]
    # Whether it was as long as a page can be: more may be there.
    is_full: bool


class AlreadyThere(Exception):
    """The platform has a file of this tracking id or number already."""


class Platform(Protocol):
    """One open connection. Each call raises ProviderError (integrations.core.http)."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *exception: object) -> None: ...

    def check(self) -> None:
        """Is it there, and does it take our token?"""

    def submit(self, file: Outgoing) -> Flow:
        """Hand over; asked once, never again by itself. Raises AlreadyThere too."""
        ...

    def find(self, tracking_id: str) -> Flow | None: ...

    def updated_after(self, moment: datetime) -> Page:
        """What changed since, oldest first: at most a page."""
        ...

    def file_of(self, flow_id: str) -> tuple[bytes, str]:
        """The file as its author sent it, and its name ("" when it is not told)."""
        ...

    def addresses_of(self, siren: str) -> list[str]:
        """The electronic addresses that the directory has for it; none when it is not in there."""
        ...


class Opener(Protocol):
    def __call__(
        self, base_url: str, tokens: Tokens, *, directory_url: str = "", **options: Any
    ) -> Platform: ...
