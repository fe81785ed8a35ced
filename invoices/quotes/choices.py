"""What the client may choose of a version: options one by one, alternatives one of each heading.

A choice is a set of keys of lines. It is made whole here, so that no page and no forged form can
take two alternatives, none, or a line of another quote.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from invoices.documents.adjustments import Adjustment, Part, Sort, as_line, parts_of, read
from invoices.documents.totals import (
    LineInput,
    Totals,
    compute,
    line_total,
    round_half_up,
    sub_unit,
)
from invoices.models import QuoteLine, QuoteVersion

Role = QuoteLine.Role


@dataclass(frozen=True)
class Group:
    """Alternatives under one heading, in their order."""

    section: str
    lines: tuple[QuoteLine, ...]


def groups_of(lines: Iterable[QuoteLine]) -> list[Group]:
    found: dict[str, list[QuoteLine]] = {}
    for line in lines:
        if line.role == Role.ALTERNATIVE:
            found.setdefault(line.section, []).append(line)
    return [Group(section, tuple(members)) for section, members in found.items()]


def proposed(lines: Sequence[QuoteLine]) -> frozenset[int]:
    """What is ticked before the client has said anything."""
    return whole(lines, [line.pk for line in lines if line.proposed])


def whole(lines: Sequence[QuoteLine], picked: Collection[int]) -> frozenset[int]:
    """The choice that these ticks mean: of each heading the first alternative that is ticked, else
    the one proposed, else the first."""
    taken = {line.pk for line in lines if line.role == Role.OPTION and line.pk in picked}
    for group in groups_of(lines):
        ticked = [line for line in group.lines if line.pk in picked]
        ours = [line for line in group.lines if line.proposed]
        taken.add([*ticked, *ours, *group.lines][0].pk)
    return frozenset(taken)


def taken(lines: Iterable[QuoteLine], choice: Collection[int]) -> list[QuoteLine]:
    """The lines that are to be done and billed, with this choice."""
    return [line for line in lines if line.role == Role.INCLUDED or line.pk in choice]


def left(lines: Iterable[QuoteLine], choice: Collection[int]) -> list[QuoteLine]:
    return [line for line in lines if line.role != Role.INCLUDED and line.pk not in choice]


def input_of(line: QuoteLine, quantity: Decimal | None = None) -> LineInput:
    """Its arithmetic; with `quantity` of a part of it, an amount off the line shrinks along."""
    whole_quantity = Decimal(line.quantity)
    off = Decimal(line.discount_amount)
    if quantity is not None and quantity != whole_quantity and off:
        share = Fraction(off) * Fraction(quantity) / Fraction(whole_quantity)
        off = (Decimal(share.numerator) / Decimal(share.denominator)).quantize(Decimal("0.000001"))
    return LineInput(
        quantity=whole_quantity if quantity is None else quantity,
        unit_price=Decimal(line.unit_price),
        vat_rate=Decimal(line.vat_rate),
        vat_category=line.vat_category,
        discount_percent=Decimal(line.discount_percent),
        discount_amount=off,
    )


def sort_of(line: QuoteLine) -> Sort:
    return Sort(line.vat_category, Decimal(line.vat_rate), line.nature, line.exemption_id)


def net_of(line: QuoteLine, currency: str, quantity: Decimal | None = None) -> int:
    """In minor units, of the line or of so much of it. Raises TotalsRefused."""
    return line_total(input_of(line, quantity), sub_unit(currency)).net_minor


def adjusted(
    lines: Iterable[QuoteLine], currency: str, adjustments: Sequence[Adjustment]
) -> list[Part]:
    """What the discounts and charges on the whole come to, of these lines. Raises TotalsRefused."""
    nets = [(sort_of(line), net_of(line, currency)) for line in lines]
    return parts_of(adjustments, nets, currency)


def totals_of(
    lines: Iterable[QuoteLine], currency: str, adjustments: Sequence[Mapping[str, str]] = ()
) -> Totals:
    """With discounts and charges, whose lines come last. Raises TotalsRefused."""
    rows = list(lines)
    parts = adjusted(rows, currency, read(adjustments)) if adjustments else []
    inputs = [*map(input_of, rows), *(as_line(part, currency) for part in parts)]
    return compute(inputs, currency=currency)


def least(lines: Sequence[QuoteLine], currency: str) -> frozenset[int]:
    """The choice that comes to the least: no option but one that takes something off, the cheapest
    of each heading."""
    nets = {line.pk: net_of(line, currency) for line in lines}
    taken = {line.pk for line in lines if line.role == Role.OPTION and nets[line.pk] < 0}
    taken |= {min(group.lines, key=lambda line: nets[line.pk]).pk for group in groups_of(lines)}
    return frozenset(taken)


def deposit_of(version: QuoteVersion, total_minor: int) -> int:
    """What is asked before work begins, of a total with VAT; never more than that."""
    if version.deposit_percent:
        return round_half_up(Fraction(version.deposit_percent) * total_minor / 100)
    return min(version.deposit_minor, max(total_minor, 0))
