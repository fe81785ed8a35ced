"""Amounts of documents in the company's currency, as alert rules compare them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from billing_portal.money import digits
from invoices.company.currencies import company_currency
from invoices.company.rates import Rates


class OwnMoney:
    """Rate of the issue date; without one, the last known rate; without any, one for one: a large
    debt must not hide behind a missing rate."""

    def __init__(self) -> None:
        self.currency = company_currency()
        self._rates = Rates(self.currency)

    def rate(self, currency: str, stored: Decimal | None, on: date | None) -> Decimal | None:
        """None when no rate is known at all."""
        if currency == self.currency:
            return Decimal(1)
        return self._rates.nearest(currency, on) if stored is None else stored

    def minor(self, amount_minor: int, currency: str, rate: Decimal | None) -> int:
        """In minor units of the company's currency; one for one without a rate."""
        if currency == self.currency:
            return amount_minor
        shift = Decimal(10) ** (digits(self.currency) - digits(currency))
        return int(amount_minor * shift * (Decimal(1) if rate is None else rate))


def no_rate_text(data: dict[str, Any]) -> str:
    if not data.get("no_rate"):
        return ""
    return " " + _("No exchange rate is known: compared one for one.")
