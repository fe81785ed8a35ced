"""What a draft may come from. Deals, and what else will stand above invoicing, register here.

The editor and the page of a new invoice ask; they know nobody who answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from invoices.invoicing.draft_lines import DraftLine
from invoices.invoicing.reasons import Reason
from invoices.models import Client, Invoice


@dataclass(frozen=True)
class Offered:
    lines: Sequence[DraftLine]
    currency: str


class Origin(Protocol):
    def waiting(self, client: Client) -> Sequence[Any]:
        """The few latest rows of this client that wait to be billed."""
        ...

    def lines(self, invoice: Invoice) -> Offered | None:
        """What it would be drafted with today; None for a draft from elsewhere.

        Raises TotalsRefused.
        """
        ...

    def warnings(self, invoice: Invoice) -> Sequence[Reason]:
        """What a person should look at before this draft is issued."""
        ...

    def replaced(self, old: Invoice, new: Invoice) -> None:
        """`new` was issued in the place of `old`, and bills what that one billed."""
        ...


_ORIGINS: dict[str, Origin] = {}


def register(name: str, origin: Origin) -> None:
    _ORIGINS[name] = origin


def waiting_for(client: Client) -> list[Any]:
    return [row for origin in _ORIGINS.values() for row in origin.waiting(client)]


def lines_of(invoice: Invoice) -> Offered | None:
    answers = (origin.lines(invoice) for origin in _ORIGINS.values())
    return next((found for found in answers if found is not None), None)


def warnings_of(invoice: Invoice) -> list[Reason]:
    return [reason for origin in _ORIGINS.values() for reason in origin.warnings(invoice)]


def replaced(old: Invoice, new: Invoice) -> None:
    for origin in _ORIGINS.values():
        origin.replaced(old, new)
