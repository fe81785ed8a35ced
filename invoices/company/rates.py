"""The company's money for a unit of another: the rate of a day, or of the last day before it.

No rate is made up for a document: None then says that none was known by that day.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Final

from invoices.models import ExchangeRate

LONGEST_REST: Final = 5


def rate_on(currency: str, company_currency: str, on: date) -> Decimal | None:
    """For one document; `Rates` serves many."""
    if currency == company_currency:
        return Decimal(1)
    row = row_on(currency, on)
    return row.rate if row else None


def row_on(currency: str, on: date) -> ExchangeRate | None:
    """The last one that was known on that day, however old it is."""
    return ExchangeRate.objects.filter(currency=currency, on__lte=on).order_by("-on").first()


def is_of(row: ExchangeRate, on: date) -> bool:
    """Whether it is the last one that can have been published by that day: the ECB publishes on
    each day of its calendar, whose longest rest, Christmas or Easter, is of five days."""
    return (on - row.on).days <= LONGEST_REST


class Rates:
    """Every known rate, read once and only when a foreign currency asks for it."""

    def __init__(self, company_currency: str) -> None:
        self.company_currency = company_currency

    @cached_property
    def _known(self) -> dict[str, tuple[list[date], list[Decimal]]]:
        found: dict[str, tuple[list[date], list[Decimal]]] = defaultdict(lambda: ([], []))
        rows = ExchangeRate.objects.order_by("on").values_list("currency", "on", "rate")
        for currency, day, rate in rows:
            found[currency][0].append(day)
            found[currency][1].append(rate)
        return dict(found)

    def on(self, currency: str, day: date) -> Decimal | None:
        if currency == self.company_currency:
            return Decimal(1)
        days, rates = self._known.get(currency, ([], []))
        place = bisect_right(days, day)
        return rates[place - 1] if place else None

    def day_of(self, currency: str, day: date) -> date | None:
        """Of which day the rate is that `on` answers; None in the company's own currency."""
        days, _rates = self._known.get(currency, ([], []))
        place = bisect_right(days, day)
        return days[place - 1] if place else None

    def nearest(self, currency: str, day: date | None) -> Decimal | None:
        """As `on`, but the first one after the day rather than none; without a day the latest."""
        if currency == self.company_currency:
            return Decimal(1)
        days, rates = self._known.get(currency, ([], []))
        if not days:
            return None
        return rates[max(0, bisect_right(days, day) - 1) if day else -1]
