"""Amounts of messages as minor units."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from moneyed import get_currency


def minor_of(amount: Decimal, currency: str) -> int:
    """Half away from zero: a message may be finer than the currency."""
    unit = get_currency(currency).sub_unit
    return int((amount * unit).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def share(total: int, part: int, whole: int) -> int:
    """`total` × part ÷ whole in minor units, half away from zero; `whole` is not zero."""
    product = total * part
    sign = -1 if (product < 0) != (whole < 0) else 1
    product, whole = abs(product), abs(whole)
    return sign * ((product * 2 + whole) // (2 * whole))
