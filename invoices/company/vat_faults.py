"""The faults of invoices.tax.judging, told to a person."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from django.utils.translation import ngettext

from billing_portal.dates import day
from billing_portal.figures import percent
from invoices.company.vat_rates import FrenchRates
from invoices.tax.judging import Fault, faults


def told_faults(
    lines: Iterable[tuple[str, Decimal]], *, home: str, on: date | None, rates: FrenchRates
) -> list[tuple[str, Fault]]:
    """A sentence for each rate that France does not have, and for a zero rate; with the first line.

    `on` is the day of the supply; None takes the rates of any day.
    """
    lines = list(lines)
    if home != "FR" or not lines:
        return []
    lawful = rates.on(on)
    found: dict[tuple[str, Decimal], list[Fault]] = {}
    for fault in faults(lines, home=home, lawful=lawful):
        found.setdefault((fault.code, fault.rate), []).append(fault)
    return [
        (_sentence(code, rate, [each.line for each in group], lawful, on), group[0])
        for (code, rate), group in found.items()
    ]


def _sentence(
    code: str, rate: Decimal, places: list[int], lawful: tuple[Decimal, ...], on: date | None
) -> str:
    values = {
        "lines": ", ".join(map(str, places)),
        "rate": percent(rate),
        "rates": ", ".join(percent(each) for each in lawful),
    }
    if code == "zero":
        return (
            ngettext(
                "Line %(lines)s bears a rate of 0, which France does not have: choose why there is "
                "no VAT.",
                "Lines %(lines)s bear a rate of 0, which France does not have: choose why there is "
                "no VAT.",
                len(places),
            )
            % values
        )
    text = ngettext(
        "Line %(lines)s bears %(rate)s, which is no French rate of VAT (%(rates)s).",
        "Lines %(lines)s bear %(rate)s, which is no French rate of VAT (%(rates)s).",
        len(places),
    )
    if on is not None:
        values["day"] = day(on)
        text = ngettext(
            "Line %(lines)s bears %(rate)s, which is no French rate of VAT on %(day)s (%(rates)s).",
            "Lines %(lines)s bear %(rate)s, which is no French rate of VAT on %(day)s (%(rates)s).",
            len(places),
        )
    return text % values
