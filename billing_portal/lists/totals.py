"""Count and sums of a whole selection, a row per currency."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet, Sum

from billing_portal.money import formatted_minor


@dataclass(frozen=True)
class Total:
    currency: str
    count: int
    sums: dict[str, int]

    def text(self, name: str) -> str:
        return formatted_minor(self.sums[name], self.currency)


def totals_per_currency(
    rows: QuerySet[Any], *names: str, currency: str = "currency"
) -> list[Total]:
    """Count and sums of the whole selection, one row per currency, the largest first."""
    found = (
        rows.order_by()
        .values(currency)
        .annotate(n=Count("pk"), **{f"sum_{name}": Sum(name) for name in names})
    )
    totals = [
        Total(
            currency=row[currency],
            count=row["n"],
            sums={name: int(row[f"sum_{name}"] or 0) for name in names},
        )
        for row in found
    ]
    largest = names[0] if names else ""
    return sorted(totals, key=lambda t: (-abs(t.sums.get(largest, t.count)), t.currency))


def joined(totals: Iterable[Total], name: str) -> str:
    """“€291,238.01 · US$25,589.75”; a dash when nothing adds up."""
    return " · ".join(total.text(name) for total in totals if total.sums[name]) or "–"
