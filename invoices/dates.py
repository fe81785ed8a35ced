"""How a sentence names a day, in the reader's language."""

from __future__ import annotations

from datetime import date

from babel.dates import format_date

from billing_portal.money import reader_locale


def day(on: date) -> str:
    return format_date(on, "d MMM y", locale=reader_locale())
