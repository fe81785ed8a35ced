"""What no invoice of a French seller may say of VAT, whoever its client is (pure).

The rates are given: which there are on a day is a matter of rows (invoices.company.vat_rates).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from invoices.documents.totals import STANDARD

ZERO_RATED: Final = "Z"


@dataclass(frozen=True)
class Fault:
    """A line that the law does not know. `code` is "rate" or "zero"; `line` counts from 1."""

    code: str
    line: int
    rate: Decimal


def faults(
    lines: Iterable[tuple[str, Decimal]], *, home: str, lawful: Sequence[Decimal]
) -> list[Fault]:
    """`lines` are (category by UNTDID 5305, rate in percent), `lawful` the rates of that day.

    Sources: CGI 278 to 281 octies, 296, 297; France has no zero rate: what bears no VAT is exempt,
    outside its scope or taxed by the client, and the document says why.
    """
    if home != "FR":
        return []
    found = []
    for place, (category, rate) in enumerate(lines, 1):
        if category == STANDARD and rate not in lawful:
            found.append(Fault("rate", place, rate))
        elif category == ZERO_RATED:
            found.append(Fault("zero", place, rate))
    return found
