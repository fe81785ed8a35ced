"""What no invoice of a French seller may say of VAT, whoever its client is (pure).

The rates are given: which there are on a day is a matter of rows (invoices.company.vat_rates).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

from invoices.documents.nature import Nature
from invoices.documents.totals import STANDARD
from invoices.tax.territories import Territory

ZERO_RATED: Final = "Z"
# The category of a fault about reverse charge within France, where "AE" is that across borders.
REVERSED_AT_HOME: Final = "AE-FR"
# Where the client may be for each reason why there is no VAT, seen from a seller in France:
# - AE, services to a business of another state of the Union (directive 2006/112/EC, articles 44
#   and 196); with an article of its own (CGI 283-2 nonies and the like) a client in France instead;
# - K, goods to a business of another state, Northern Ireland among them (CGI 262 ter I);
# - G, goods that leave the VAT territory of the Union or go overseas (CGI 262 I, 294-2);
# - O, services to a client outside that territory, and all to Guyane and Mayotte (CGI 259, 294-1).
# E names its article in the note, whoever the client is.
_PLACES: Final[dict[str, frozenset[Territory]]] = {
    "AE": frozenset({Territory.EU}),
    "K": frozenset({Territory.EU, Territory.NORTHERN_IRELAND}),
    "G": frozenset(
        {
            Territory.DOM_WITH_VAT,
            Territory.DOM_WITHOUT_VAT,
            Territory.COLLECTIVITY,
            Territory.EU_OUTSIDE_VAT,
            Territory.BEYOND,
        }
    ),
    "O": frozenset(
        {
            Territory.DOM_WITHOUT_VAT,
            Territory.COLLECTIVITY,
            Territory.EU_OUTSIDE_VAT,
            Territory.NORTHERN_IRELAND,
            Territory.BEYOND,
        }
    ),
}
# What each of them is for; "E" is of either, as its article says.
_NATURES: Final = {
    "AE": Nature.SERVICES,
    "K": Nature.GOODS,
    "G": Nature.GOODS,
    "O": Nature.SERVICES,
}


class Charged(NamedTuple):
    """How a line is taxed: category by UNTDID 5305, rate in percent; `nature` "" is not known."""

    category: str
    rate: Decimal
    nature: str = ""
    # Of “AE”: an article of French law says that a client in France accounts for the VAT.
    within_france: bool = False


@dataclass(frozen=True)
class Fault:
    """A line that the law does not know; `line` counts from 1.

    `code` is "rate", "zero", "franchise" of a seller who may charge none, "place" where the client
    cannot be for this category, or "nature" where the category is for goods and the line for
    services, or the other way round.
    """

    code: str
    line: int
    rate: Decimal
    category: str = ""
    nature: str = ""


def faults(
    lines: Iterable[Charged],
    *,
    home: str,
    lawful: Sequence[Decimal],
    franchise: bool = False,
) -> list[Fault]:
    """`lawful` are the rates of that day, in percent.

    Sources: CGI 278 to 281 octies, 296, 297; France has no zero rate: what bears no VAT is exempt,
    outside its scope or taxed by the client, and the document says why.
    """
    if home != "FR":
        return []
    found = []
    for place, (category, rate, *_more) in enumerate(lines, 1):
        if category == STANDARD and franchise:
            # Shown by mistake it is owed all the same (CGI 283-3).
            found.append(Fault("franchise", place, rate))
        elif category == STANDARD and rate not in lawful:
            found.append(Fault("rate", place, rate))
        elif category == ZERO_RATED:
            found.append(Fault("zero", place, rate))
    return found


def misplaced(lines: Iterable[Charged], *, home: str, territory: Territory) -> list[Fault]:
    """Lines whose reason for no VAT cannot be true of a client in `territory`, or of what they
    supply."""
    if home != "FR":
        return []
    found = []
    for place, (category, rate, nature, within_france) in enumerate(lines, 1):
        if category == "AE" and within_france:
            if not territory.in_france:
                found.append(Fault("place", place, rate, REVERSED_AT_HOME))
        elif category in _PLACES and territory not in _PLACES[category]:
            found.append(Fault("place", place, rate, category))
        elif nature and not _is_for(category, nature, territory):
            found.append(Fault("nature", place, rate, category, nature))
    return found


def _is_for(category: str, nature: str, territory: Territory) -> bool:
    if category == "O" and territory == Territory.DOM_WITHOUT_VAT:
        # Goods that are there already: no VAT applies in Guyane and Mayotte at all.
        return True
    return _NATURES.get(category, nature) == nature
