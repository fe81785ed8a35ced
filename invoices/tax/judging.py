"""What no invoice of a French seller may say of VAT, and what does not follow from where it goes
(pure).

The rates are given: which there are on a day is a matter of rows (invoices.company.vat_rates).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final, NamedTuple

from invoices.documents.nature import Nature
from invoices.documents.totals import STANDARD
from invoices.tax.deciding import VatTreatment
from invoices.tax.supplies import Supply
from invoices.tax.territories import Territory
from invoices.tax.vat_ids import state_of

ZERO_RATED: Final = "Z"
# The category of a fault about reverse charge within France, where "AE" is that across borders.
REVERSED_AT_HOME: Final = "AE-FR"
# Where a supply may be for each reason why there is no VAT, seen from a seller in the metropole:
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
# Departments without VAT, and what no VAT of the Union reaches.
_OUT_OF_REACH: Final = frozenset(_PLACES["O"])


class Charged(NamedTuple):
    """How a line is taxed: category by UNTDID 5305, rate in percent; `nature` "" is not known."""

    category: str
    rate: Decimal
    nature: str = ""
    # Of “AE”: an article of French law says that a client in France accounts for the VAT.
    within_france: bool = False
    # Its VAT follows from another document or from other lines: a deposit taken off, a discount.
    follows: bool = False


@dataclass(frozen=True)
class Fault:
    """A line that the law does not know; `line` counts from 1.

    `code` is "rate", "zero", "franchise" of a seller who may charge none, "place" where the supply
    cannot be for this category, "nature" where the category is for goods and the line for services
    or the other way round, "charged" where VAT is charged and none is due (`category` says why), or
    "elsewhere" for a rate that France has, though not where the supply is taxed. `territory` is
    where the supply is.
    """

    code: str
    line: int
    rate: Decimal
    category: str = ""
    nature: str = ""
    territory: Territory = Territory.METROPOLE


def faults(
    lines: Iterable[Charged],
    *,
    lawful: Sequence[Decimal],
    franchise: bool = False,
) -> list[Fault]:
    """Of a seller under French law; `lawful` are the rates of that day, in percent.

    Sources: CGI 278 to 281 octies, 296, 297; France has no zero rate: what bears no VAT is exempt,
    outside its scope or taxed by the client, and the document says why.
    """
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


def misplaced(lines: Iterable[Charged], supply: Supply) -> list[Fault]:
    """Lines whose reason for no VAT cannot be true of where they are supplied, or of what they
    supply."""
    if not supply.seller.of_french_law:
        return []
    found = []
    for at, (category, rate, nature, within_france, _follows) in enumerate(lines, 1):
        place = supply.place_of(nature or _NATURES.get(category, Nature.SERVICES)).territory
        if category == "AE" and within_france:
            if not supply.client.territory.in_france:
                here = supply.client.territory
                found.append(Fault("place", at, rate, REVERSED_AT_HOME, territory=here))
        elif category in _PLACES and not _fits(category, place, supply):
            found.append(Fault("place", at, rate, category, territory=place))
        elif nature and not _is_for(category, nature, place, supply):
            found.append(Fault("nature", at, rate, category, nature, place))
    return found


def _fits(category: str, place: Territory, supply: Supply) -> bool:
    seller = supply.seller.territory
    if category == "O":
        # Nothing that is sold in Guyane, Mayotte or a collectivity bears VAT; nor does a service
        # that is tied to another state of the Union bear ours.
        return (
            seller in (Territory.DOM_WITHOUT_VAT, Territory.COLLECTIVITY)
            or place in _OUT_OF_REACH
            or (supply.tied is not None and place == Territory.EU)
        )
    if seller == Territory.COLLECTIVITY:
        return False
    if category == "AE" and supply.tied is not None:
        # Only who is registered where it stands can account for the VAT of that state.
        return state_of(supply.vat_id) == supply.tied.state
    if category == "K":
        return seller in (Territory.METROPOLE, Territory.CORSICA) and place in _PLACES["K"]
    if category == "G" and seller in (Territory.DOM_WITH_VAT, Territory.DOM_WITHOUT_VAT):
        # From overseas all other markets are abroad (CGI 294, 2).
        return supply.leaves
    return place in _PLACES[category]


def _is_for(category: str, nature: str, place: Territory, supply: Supply) -> bool:
    if category == "O" and nature == Nature.GOODS:
        # Goods that are there already: no VAT applies in Guyane and Mayotte at all.
        without = (Territory.DOM_WITHOUT_VAT, Territory.COLLECTIVITY)
        return place == Territory.DOM_WITHOUT_VAT or supply.seller.territory in without
    return _NATURES.get(category, nature) == nature


def overcharged(
    lines: Iterable[Charged],
    wanted: Mapping[str, VatTreatment],
    lawful_in: Callable[[Territory], Sequence[Decimal]],
) -> list[Fault]:
    """Lines with VAT where none is due, or at a rate that is not of where they are taxed.

    `wanted` is what is decided for each nature, `lawful_in` has the rates of a territory.
    """
    found = []
    for at, line in enumerate(lines, 1):
        decision = wanted.get(line.nature)
        if line.category != STANDARD or line.follows or decision is None:
            continue
        if decision.category not in (STANDARD, "E"):
            fault = Fault("charged", at, line.rate, decision.category, line.nature)
        elif (lawful := lawful_in(decision.taxed_in)) and line.rate not in lawful:
            fault = Fault("elsewhere", at, line.rate, STANDARD, line.nature)
        else:
            continue
        found.append(replace(fault, territory=decision.territory))
    return found
