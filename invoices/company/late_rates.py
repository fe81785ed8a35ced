"""The late-penalty rate that holds on a day, by whom the law takes the buyer for.

Between businesses the law adds 10 points to the ECB's rate unless a contract sets another (C. com.
L441-10); public bodies owe 8 points, whatever the contract (CCP R2192-31); consumers owe neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from invoices.documents import penalties
from invoices.models import LatePenaltyRate
from invoices.models.clients import BuyerKind

BETWEEN_BUSINESSES: Final = 10
OF_PUBLIC_BODIES: Final = 8


@dataclass(frozen=True)
class LateRate:
    """Percent a year; `over_the_ecb`: the points in it that the law adds, 0 of a contract's."""

    percent: Decimal
    over_the_ecb: int


def points_over_the_ecb(buyer: str) -> int:
    return OF_PUBLIC_BODIES if buyer == BuyerKind.PUBLIC else BETWEEN_BUSINESSES


def rate_for(buyer: str, on: date) -> LateRate | None:
    """None where no rate is known for that day."""
    row = row_on(buyer, on)
    if row is None:
        return None
    is_law = row.basis == LatePenaltyRate.Basis.ECB
    return LateRate(_percent(buyer, row), points_over_the_ecb(buyer) if is_law else 0)


def row_on(buyer: str, on: date) -> LatePenaltyRate | None:
    """The one that began last and has not ended."""
    begun = _begun(buyer, on)
    return next((row for row in begun if row.ends_on is None or on <= row.ends_on), None)


def ended_row(buyer: str, on: date) -> LatePenaltyRate | None:
    """The last one, where none holds on that day any more: it is not printed as if it did."""
    return None if row_on(buyer, on) else next(iter(_begun(buyer, on)), None)


def all_for(buyer: str) -> list[penalties.Rate]:
    """For working out interest; none of a consumer."""
    return [
        penalties.Rate(row.starts_on, _percent(buyer, row), row.ends_on) for row in _rows(buyer)
    ]


def _begun(buyer: str, on: date) -> Sequence[LatePenaltyRate]:
    """The newest first."""
    return [row for row in _rows(buyer) if row.starts_on <= on]


def _rows(buyer: str) -> Sequence[LatePenaltyRate]:
    if buyer == BuyerKind.CONSUMER:
        return []
    rows = LatePenaltyRate.objects.order_by("-starts_on")
    if buyer == BuyerKind.PUBLIC:
        rows = rows.filter(basis=LatePenaltyRate.Basis.ECB)
    return list(rows)


def _percent(buyer: str, row: LatePenaltyRate) -> Decimal:
    """As kept it is the ECB's and 10 points."""
    if row.basis == LatePenaltyRate.Basis.CONTRACT:
        return Decimal(row.percent)
    return Decimal(row.percent) - BETWEEN_BUSINESSES + points_over_the_ecb(buyer)
