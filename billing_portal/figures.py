"""Numbers as their reader writes them: separators of the language, a true minus, never rounded."""

from __future__ import annotations

from decimal import Decimal

from babel.numbers import format_decimal

from billing_portal.money import MINUS, reader_locale

# What stands where there is no figure: never 0, which would be one.
EMPTY = "–"


def grouped(value: int) -> str:
    """An integer with the reader's group separators."""
    separator = "\u202f" if reader_locale() == "fr_FR" else ","
    return f"{value:,}".replace(",", separator).replace("-", MINUS)


def decimal(value: Decimal | float | None) -> str:
    """A number without trailing zeros."""
    if value is None:
        return EMPTY
    text: str = format_decimal(
        Decimal(str(value)), format="#,##0.############", locale=reader_locale()
    )
    return text.replace("-", MINUS)


def percent(value: Decimal | float | None) -> str:
    """20 → 20% in English, 20 % in French."""
    if value is None:
        return EMPTY
    return decimal(value) + ("\u00a0%" if reader_locale() == "fr_FR" else "%")
