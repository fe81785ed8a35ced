"""The heat map of a delay report: the median by group and amount of the invoice."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import pairwise

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing_portal.figures import grouped
from invoices.company.currencies import minor_units
from invoices.selections.filters import InvoiceFilter
from reports.cells import days_text, invoices_text
from reports.delays.estimator import TOO_FEW
from reports.delays.measuring import Measure
from reports.delays.rows import MOST_BARS, Groups, Row
from reports.delays.tally import Tally, fold
from reports.links import invoice_list

# Upper ends of the first classes of the heat map, in days.
HEAT: dict[Measure, tuple[int, ...]] = {"late": (0, 7, 14, 21, 30), "to_pay": (30, 37, 44, 51, 60)}


@dataclass(frozen=True)
class HeatCell:
    text: str
    n: int
    url: str = ""
    level: int = 0
    # Under twenty payments: shown, and said.
    few: bool = False
    # After the figure, for who hears the table.
    unit: str = ""

    @property
    def count(self) -> str:
        if self.few:
            return _("%(invoices)s, few payments") % {"invoices": invoices_text(self.n)}
        return invoices_text(self.n)


class Heat:
    def __init__(self, groups: Groups) -> None:
        self.groups = groups

    @property
    def labels(self) -> list[str]:
        amounts = [grouped(amount) for amount in self.groups.classes]
        middle = [
            _("%(low)s–%(high)s") % {"low": low, "high": high} for low, high in pairwise(amounts)
        ]
        return [
            _("Under %(amount)s") % {"amount": amounts[0]},
            *middle,
            _("%(amount)s and over") % {"amount": amounts[-1]},
        ]

    @property
    def key(self) -> list[tuple[int, str]]:
        ends = HEAT[self.groups.measure]
        first = _("on time") if self.groups.late else _("up to %(days)s") % {"days": ends[0]}
        middle = [
            _("%(low)s–%(high)s days") % {"low": low + 1, "high": high}
            for low, high in pairwise(ends)
        ]
        return list(enumerate([first, *middle, _("over %(days)s") % {"days": ends[-1]}]))

    @property
    def rows(self) -> list[tuple[Row, list[HeatCell]]]:
        per_class = fold(self.groups.cells, lambda key: (key[0], key[2]))
        return [
            (
                row,
                [
                    self._cell(per_class.get((row.key, place), Tally()), row.wanted, place)
                    for place in range(len(self.groups.classes) + 1)
                ],
            )
            for row in self.groups.rows[:MOST_BARS]
        ]

    @cached_property
    def _smallest(self) -> Decimal:
        return Decimal(1) / minor_units(self.groups.reading.own)

    def _cell(self, tally: Tally, wanted: InvoiceFilter, place: int) -> HeatCell:
        if not tally.n:
            return HeatCell("", 0)
        least = self.groups.classes[place - 1] if place else None
        # The list's upper end is included, ours is not: the largest amount below it.
        above = self.groups.classes[place : place + 1]
        most = above[0] - self._smallest if above else None
        url = invoice_list(
            wanted.but(
                converted=True,
                amount_min=None if least is None else Decimal(least),
                amount_max=most,
            )
        )
        p50, few = tally.curve.p50, tally.curve.certainty == "few"
        if tally.n_paid < TOO_FEW:
            return HeatCell(_("too few"), tally.n, url, -1)
        if p50 is None:
            return HeatCell(_("not reached"), tally.n, url, 5, few)
        level = sum(p50 > end for end in HEAT[self.groups.measure])
        unit = ngettext("day", "days", abs(p50))
        return HeatCell(days_text(p50), tally.n, url, level, few, unit)

    @property
    def why(self) -> str:
        words = {"currency": self.groups.reading.own}
        if self.groups.late:
            return (
                _(
                    "Days after the due date by which half are paid, by invoice amount with VAT "
                    "in %(currency)s. Each cell opens its invoices."
                )
                % words
            )
        return (
            _(
                "Days after the invoice date by which half are paid, by invoice amount with VAT "
                "in %(currency)s. Each cell opens its invoices."
            )
            % words
        )
