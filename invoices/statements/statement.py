"""A client's statement of account: what is open on a day, or what moved between two days.

One reckoning for the page, the PDF, the workbook and the mail.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import NamedTuple

from django.db.models import Q

from invoices.documents import penalties
from invoices.models import Client, Company, Invoice
from invoices.models.invoices import InvoiceQuerySet
from invoices.payments.late_claims import claims_of
from invoices.selections.as_of import issued_by, open_at
from invoices.statements.movements import (
    Movement,
    Position,
    account,
    currencies,
    movements,
    opening,
    position,
)
from invoices.statements.open_items import FreeItem, OpenItem, free_items, open_items


class Line(NamedTuple):
    """A movement and the balance after it."""

    movement: Movement
    balance_minor: int


@dataclass(frozen=True)
class LateRow:
    """The claim on one invoice."""

    invoice_id: int
    number: str
    due_on: date
    currency: str
    claim: penalties.Claim


@dataclass(frozen=True)
class Late:
    """What late invoices may be charged beside the balance; `totals` by currency, with what is
    known: interest in the currency of the invoices, indemnities in the company's."""

    rows: tuple[LateRow, ...] = ()
    indemnity_currency: str = "EUR"

    @cached_property
    def totals(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for row in self.rows:
            ours = self.indemnity_currency
            found[row.currency] = found.get(row.currency, 0) + (row.claim.interest_minor or 0)
            found[ours] = found.get(ours, 0) + row.claim.indemnity_minor
        return {code: minor for code, minor in sorted(found.items()) if minor}

    @property
    def is_partial(self) -> bool:
        """A rate is missing: the interest of some row is not in the totals."""
        return any(row.claim.interest_minor is None for row in self.rows)


@dataclass(frozen=True)
class Statement:
    client: Client
    # The last day; of movements also the first one.
    on: date
    since: date | None = None

    @property
    def of_movements(self) -> bool:
        return self.since is not None

    @cached_property
    def positions(self) -> dict[str, Position]:
        return position(self.client.pk, self.on)

    @cached_property
    def openings(self) -> dict[str, int]:
        return opening(self.client.pk, self.since) if self.since else {}

    @cached_property
    def currencies(self) -> list[str]:
        found = set(self.positions)
        if self.since is not None:
            found |= set(currencies(self.client.pk, self.since, self.on))
        return sorted(found)

    def closing(self, currency: str) -> int:
        return self.positions.get(currency, Position()).balance_minor

    def lines(self, currency: str) -> Iterator[Line]:
        """The movements of one currency with the balance after each; read in chunks."""
        assert self.since is not None
        balance = self.openings.get(currency, 0)
        for row in movements(self.client.pk, currency, self.since, self.on):
            balance += row.minor
            yield Line(row, balance)

    @cached_property
    def open_items(self) -> list[OpenItem]:
        return list(open_items(account(self.client.pk), self.on))

    @cached_property
    def free_items(self) -> list[FreeItem]:
        return list(free_items(account(self.client.pk), self.on))

    @cached_property
    def late(self) -> Late:
        """Of what is overdue on the last day, and of what was paid late between the two."""
        return late_of(self._late_invoices(), self.on)

    def _late_invoices(self) -> InvoiceQuerySet:
        mine = Invoice.objects.invoices().filter(
            issued_by(self.on), client__in=account(self.client.pk)
        )
        still = open_at(self.on)
        if self.since is None:
            return mine.filter(still)
        return mine.filter(still | Q(settled_on__gte=self.since, settled_on__lte=self.on))


def late_of(invoices: InvoiceQuerySet, on: date) -> Late:
    company = Company.objects.filter(pk=1).only("currency").first()
    claims = claims_of(invoices, on)
    rows = {
        row[0]: row[1:]
        for row in invoices.values_list("pk", "number", "currency")
        if row[0] in claims
    }
    found = [
        # The first day that was missed: of instalments not the last one's.
        LateRow(pk, number, _first_due(claims[pk]), currency, claims[pk])
        for pk, (number, currency) in rows.items()
    ]
    found.sort(key=lambda row: (row.due_on, row.invoice_id))
    return Late(tuple(found), company.currency if company else "EUR")


def _first_due(claim: penalties.Claim) -> date:
    """The day that was missed first: a claim has at least one late day."""
    return min(step.first for step in claim.steps) - timedelta(days=1)
