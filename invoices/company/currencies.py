"""The currency of the company, those in use, and their minor units."""

from __future__ import annotations

from moneyed import get_currency

from invoices.models import Client, Company, ExchangeRate


def company_currency() -> str:
    return Company.objects.filter(pk=1).values_list("currency", flat=True).first() or "EUR"


def usual_currencies() -> list[str]:
    """Those of clients and of exchange rates, for choices.

    Not those of the invoices: no index tells them, and each page would read a million rows.
    """
    rated = ExchangeRate.objects.order_by().values_list("currency", flat=True)
    return sorted(Client.objects.order_by().values_list("currency", flat=True).union(rated))


def minor_units(currency: str) -> int:
    return int(get_currency(currency).sub_unit)
