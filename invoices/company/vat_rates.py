"""Which rates of VAT France has on a day: rows that the company keeps, sown with today's law."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

from invoices.models import VatRate

# The first day that a document may bear; when a rate began before it does not matter.
_LONG_AGO: Final = date(2000, 1, 1)
_REFORM: Final = date(2014, 1, 1)
_EVE: Final = date(2013, 12, 31)
_REDUCED_2012: Final = date(2012, 1, 1)
# (territory, percent, first day, last day, source). The laws of finance for 2012 and 2014 moved
# 19.6 to 20, 7 to 10 and, in Corsica, 8 to 10.
SOWN: Final = (
    ("metropole", "20", _REFORM, None, "CGI 278"),
    ("metropole", "19.6", _LONG_AGO, _EVE, "CGI 278, until 31 December 2013"),
    ("metropole", "10", _REFORM, None, "CGI 278 bis to 279"),
    ("metropole", "7", _REDUCED_2012, _EVE, "CGI 278 bis to 279, until 31 December 2013"),
    ("metropole", "5.5", _LONG_AGO, None, "CGI 278-0 bis"),
    ("metropole", "2.1", _LONG_AGO, None, "CGI 281 quater to 281 octies"),
    ("corsica", "20", _REFORM, None, "CGI 278"),
    ("corsica", "19.6", _LONG_AGO, _EVE, "CGI 278, until 31 December 2013"),
    ("corsica", "13", _REFORM, None, "CGI 297"),
    ("corsica", "10", _REFORM, None, "CGI 297"),
    ("corsica", "8", _LONG_AGO, _EVE, "CGI 297, until 31 December 2013"),
    ("corsica", "5.5", _LONG_AGO, None, "CGI 278-0 bis"),
    ("corsica", "2.1", _LONG_AGO, None, "CGI 297"),
    ("corsica", "0.9", _LONG_AGO, None, "CGI 297"),
    ("dom_with_vat", "8.5", _LONG_AGO, None, "CGI 296"),
    ("dom_with_vat", "2.1", _LONG_AGO, None, "CGI 296"),
    ("dom_with_vat", "1.75", _LONG_AGO, None, "CGI 296 ter"),
    ("dom_with_vat", "1.05", _LONG_AGO, None, "CGI 296 ter"),
)


def sow(**_signal: Any) -> None:
    """After each `migrate`: the rates of the law, where there is none yet. Never twice."""
    if VatRate.objects.exists():
        return
    VatRate.objects.bulk_create(
        VatRate(territory=where, percent=percent, starts_on=first, ends_on=last, source=source)
        for where, percent, first, last, source in SOWN
    )


class FrenchRates:
    """All rates, read once and only when somebody asks."""

    def __init__(self, rows: Sequence[VatRate] | None = None) -> None:
        self._given = rows

    @cached_property
    def _rows(self) -> list[VatRate]:
        return list(VatRate.objects.all() if self._given is None else self._given)

    def on(self, day: date | None, territory: str = "") -> tuple[Decimal, ...]:
        """In percent, the largest first; of one territory or of all, of one day or of any."""
        found = {
            row.percent
            for row in self._rows
            if (not territory or row.territory == territory)
            and (
                day is None
                or (row.starts_on <= day and (row.ends_on is None or day <= row.ends_on))
            )
        }
        return tuple(sorted(found, reverse=True))
