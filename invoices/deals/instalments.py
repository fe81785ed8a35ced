"""A deal's instalments become the dues of its draft.

The CRM's amounts are parts of the deal's value, which bears no VAT; what the client owes does. So
each instalment is its share of the value, taken of the total with VAT: as a percentage where it is
one of two decimals (it then follows when the lines are changed), else as an amount in minor units,
rounded half up. The last is the rest, so that they make the total to the cent whatever is rounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from invoices.deals.lines import Drafted
from invoices.documents.instalments import MOST_INSTALMENTS, Share
from invoices.invoicing.draft_lines import HUNDREDTH
from invoices.invoicing.dues import Planned, stored
from invoices.models import Deal


def dues_from(deal: Deal, drafted: Drafted) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """For `Invoice.dues_typed`, and what the draft says about it; nothing where there are none."""
    parts = _by_day(deal)
    if not parts:
        return [], []
    total = sum(minor for _day, minor in parts)
    # As the CRM adds up: what its instalments are parts of.
    whole = drafted.deal_sum_minor
    if total != whole:
        said = {"code": "instalments_differ", "sum_minor": total, "amount_minor": whole}
        return [], [said | {"currency": deal.currency}]
    if len(parts) > MOST_INSTALMENTS:
        return [], [{"code": "instalments_many", "limit": MOST_INSTALMENTS}]
    shares = shares_of(parts, drafted.totals.total_minor)
    return stored(shares), [{"code": "instalments_taken"}]


def _by_day(deal: Deal) -> list[tuple[date, int]]:
    """Oldest first; what is due on one day is one instalment."""
    found: dict[date, int] = {}
    for each in deal.instalments.all():
        found[each.due_on] = found.get(each.due_on, 0) + each.amount_minor
    return sorted(found.items())


def shares_of(parts: Sequence[tuple[date, int]], total_minor: int) -> list[Planned]:
    whole = sum(minor for _day, minor in parts)
    found: list[Planned] = []
    for day, minor in parts[:-1]:
        percent = Decimal(minor) * 100 / whole
        share: Share = percent.normalize()
        if percent != percent.quantize(HUNDREDTH):
            exact = Decimal(total_minor) * minor / whole
            share = int(exact.quantize(Decimal(1), ROUND_HALF_UP))
        found.append((day, share))
    return [*found, (parts[-1][0], None)]
