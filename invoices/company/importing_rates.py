"""Rates of the ECB's file become rows: those of chosen currencies, from a day on.

A rate that is kept already stays, whatever the file says: documents may rest on it. What differs is
told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from invoices.company.ecb_file import NotTheFile, Published
from invoices.models import Client, ExchangeRate, Invoice

SOURCE: Final = "European Central Bank, euro reference rate"
# As many as a rate has: of a currency worth a ten-thousandth of ours eight figures are left.
PLACES: Final = Decimal(1).scaleb(-12)
_AT_ONCE: Final = 2_000


@dataclass
class Outcome:
    added: int = 0
    already: int = 0
    currencies: set[str] = field(default_factory=set)
    first: date | None = None
    last: date | None = None
    # Kept as they are: the row, and what the file says.
    differing: list[tuple[ExchangeRate, Decimal]] = field(default_factory=list)
    # Currencies that were asked for and that the file does not hold.
    missing: list[str] = field(default_factory=list)


def used_currencies(ours: str) -> list[str]:
    """Of clients, documents and rates; not ours, which is worth itself."""
    found: set[str] = set(ExchangeRate.objects.order_by().values_list("currency", flat=True))
    found |= set(Client.objects.order_by().values_list("currency", flat=True).distinct())
    foreign = Invoice.objects.exclude(currency=ours)
    found |= set(foreign.order_by().values_list("currency", flat=True).distinct())
    return sorted(found - {ours, ""})


def worth_of(per_euro: Decimal, ours_per_euro: Decimal) -> Decimal:
    """One unit of a currency in ours, both as units for one euro: to 12 decimals, half up."""
    return (ours_per_euro / per_euro).quantize(PLACES, rounding=ROUND_HALF_UP)


@transaction.atomic
def bring_in(
    published: Iterable[Published],
    *,
    ours: str,
    currencies: Collection[str],
    since: date,
    until: date,
) -> Outcome:
    """All or nothing; the same file again changes nothing. Raises NotTheFile."""
    days: dict[date, dict[str, Decimal]] = defaultdict(dict)
    wanted = {*currencies} - {ours}
    found_any = False
    for each in published:
        found_any = True
        if since <= each.on <= until and (each.currency in wanted or each.currency == ours):
            days[each.on][each.currency] = each.per_euro
    if not found_any:
        raise NotTheFile(_("The file holds no rates of the European Central Bank."))
    outcome = Outcome()
    wanted_rows = {}
    for on, rates in days.items():
        rates["EUR"] = Decimal(1)
        # Of a company whose currency had no rate on that day nothing can be said.
        if (own := rates.get(ours)) is None:
            continue
        for currency in sorted(wanted & rates.keys()):
            wanted_rows[currency, on] = worth_of(rates[currency], own)
    kept = {
        (row.currency, row.on): row
        for row in ExchangeRate.objects.filter(currency__in=wanted, on__gte=since, on__lte=until)
    }
    rows = []
    for (currency, on), rate in sorted(wanted_rows.items(), key=lambda item: item[0][::-1]):
        if (row := kept.get((currency, on))) is None:
            rows.append(ExchangeRate(currency=currency, on=on, rate=rate, source=SOURCE))
        # One typed by hand has fewer decimals.
        elif row.rate != rate.quantize(_step_of(row.rate), rounding=ROUND_HALF_UP):
            outcome.differing.append((row, rate))
        else:
            outcome.already += 1
    # Two people at once: the second finds the rows of the first.
    ExchangeRate.objects.bulk_create(rows, batch_size=_AT_ONCE, ignore_conflicts=True)
    outcome.added = len(rows)
    outcome.currencies = {row.currency for row in rows}
    outcome.first = min((row.on for row in rows), default=None)
    outcome.last = max((row.on for row in rows), default=None)
    outcome.missing = sorted(wanted - {currency for currency, _on in wanted_rows})
    return outcome


def _step_of(rate: Decimal) -> Decimal:
    exponent = rate.normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    return Decimal(1).scaleb(min(exponent, -4))
