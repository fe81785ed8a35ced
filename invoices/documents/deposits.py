"""The arithmetic of deposits: a share of a document by its VAT, and a final invoice less deposits.

VAT is charged once on the whole: the final invoice bears the VAT of all its lines, less the VAT
that its deposits bore. So deposits and final invoice together bear the VAT of the whole to the
cent, whatever each of them rounded. Amounts are integers in minor units.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import TypeVar

from invoices.documents.totals import Totals, VatGroup, round_half_up, split, vat_of

Group = tuple[str, Decimal]
K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Deducted:
    """What a line takes off: its VAT group, and net and VAT above zero."""

    vat_category: str
    vat_rate: Decimal
    net_minor: int
    vat_minor: int

    @property
    def group(self) -> Group:
        return self.vat_category, self.vat_rate


def less_deposits(totals: Totals, deducted: Iterable[Deducted]) -> Totals:
    """`totals` of lines among which the deductions stand, with the VAT that is left to charge."""
    net: dict[Group, int] = {}
    vat: dict[Group, int] = {}
    for each in deducted:
        net[each.group] = net.get(each.group, 0) + each.net_minor
        vat[each.group] = vat.get(each.group, 0) + each.vat_minor
    if not net:
        return totals
    breakdown = tuple(
        replace(row, vat_minor=vat_left(row.basis_minor, row.vat_rate, net[group], vat[group]))
        if (group := (row.vat_category, row.vat_rate)) in net
        else row
        for row in totals.breakdown
    )
    vat_minor = sum(row.vat_minor for row in breakdown)
    return replace(
        totals, breakdown=breakdown, vat_minor=vat_minor, total_minor=totals.net_minor + vat_minor
    )


def vat_left(basis_minor: int, rate: Decimal, deducted_net: int, deducted_vat: int) -> int:
    """VAT of a group whose `basis_minor` is what deposits left of the whole."""
    return vat_of(basis_minor + deducted_net, rate) - deducted_vat


def share_of(
    totals: Totals, *, percent: Decimal = Decimal(0), amount_minor: int = 0
) -> dict[Group, int]:
    """Net by VAT group of a deposit of `percent` of the net, or of an amount with VAT.

    Where no net has exactly that amount with VAT, the nearest. Empty where there is nothing to take
    a share of.
    """
    rows = {(row.vat_category, row.vat_rate): row for row in totals.breakdown}
    if percent:
        net = {group: row.basis_minor for group, row in rows.items()}
        whole = sum(net.values())
        wanted = round_half_up(whole * Fraction(percent) / 100)
        return _but_nothing(split(wanted, net)) if whole else {}
    gross = {group: row.basis_minor + row.vat_minor for group, row in rows.items()}
    if not sum(gross.values()):
        return {}
    shares = split(amount_minor, gross)
    return _but_nothing({group: _net_of(minor, group[1]) for group, minor in shares.items()})


def _but_nothing(parts: Mapping[Group, int]) -> dict[Group, int]:
    return {group: minor for group, minor in parts.items() if minor}


def _net_of(gross_minor: int, rate: Decimal) -> int:
    near = round_half_up(Fraction(gross_minor) * 100 / (100 + Fraction(rate)))
    return min(
        (near, near - 1, near + 1),
        key=lambda net: abs(net + vat_of(net, rate) - gross_minor),
    )


def in_proportion(amount: int, weights: Mapping[K, int]) -> dict[K, int]:
    """As `split`; all of it on the first where the weights come to nothing."""
    if sum(weights.values()):
        return split(amount, weights)
    return {key: amount if not place else 0 for place, key in enumerate(weights)}


def by_group(rows: Iterable[VatGroup]) -> dict[Group, tuple[int, int]]:
    return {(row.vat_category, row.vat_rate): (row.basis_minor, row.vat_minor) for row in rows}
