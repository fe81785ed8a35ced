"""Prices that include VAT, restated before tax."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

from invoices.documents.totals import (
    WIDE,
    DiscountInput,
    LineInput,
    compute,
    line_total,
    product,
    round_half_up,
    sub_unit,
    vat_of,
)


@dataclass(frozen=True, slots=True)
class FromGross:
    """A tax-inclusive sale, restated before tax. `difference_minor` is restated total less
    `gross_minor`."""

    lines: tuple[LineInput, ...]
    discounts: tuple[DiscountInput, ...]
    gross_minor: int
    difference_minor: int


def basis_from_gross(gross_minor: int, rate: Decimal) -> int:
    """The basis whose total with VAT is `gross_minor`, or the nearest to it.

    Not every gross exists: at 20 % a basis of 0.02 makes 0.02 and one of 0.03 makes 0.04, so none
    makes 0.03. Then the result is one minor unit away, towards zero.
    """
    sign, wanted = (1, gross_minor) if gross_minor >= 0 else (-1, -gross_minor)
    basis = round_half_up(Fraction(wanted * 100) / (100 + Fraction(rate)))
    while basis + vat_of(basis, rate) > wanted:
        basis -= 1
    while basis + 1 + vat_of(basis + 1, rate) <= wanted:
        basis += 1
    return sign * basis


def net_lines_from_gross(
    lines: Sequence[LineInput], *, currency: str, discounts: Sequence[DiscountInput] = ()
) -> FromGross:
    """Restate lines whose prices and discount amounts include VAT as lines before tax.

    What was agreed is the gross, so the gross is added up first, for each VAT group, as the deal
    does: line by line, less discounts. The basis of the group follows from it, is shared over the
    lines in proportion to their gross, and a net unit price (6 decimals) is chosen that gives each
    line its share. The total then equals the gross to the minor unit except where no basis gives
    it (see basis_from_gross) or on a line with a percentage off whose quantity is so large
    (10,000 in euros) that six decimals of price are too coarse; without a percentage such a line
    takes the odd cent as a discount. `difference_minor` says by how much the totals differ.
    """
    unit = sub_unit(currency)
    agreed = compute(lines, currency=currency, discounts=discounts)
    groups: dict[tuple[str, Decimal], list[int]] = {}
    for index, line in enumerate(lines):
        groups.setdefault((line.vat_category, line.vat_rate), []).append(index)
    restated: list[LineInput] = list(lines)
    restated_discounts: list[DiscountInput] = []
    for (category, rate), members in sorted(groups.items()):
        gross = {index: agreed.lines[index].net_minor for index in members}
        basis = basis_from_gross(sum(gross.values()), rate)
        for index, net in _share_basis(basis, gross, rate).items():
            restated[index] = _priced_to(net, lines[index], rate, unit)
        left_gross, left_basis = sum(gross.values()), basis
        for allowance in agreed.allowances:
            if (allowance.vat_category, allowance.vat_rate) != (category, rate):
                continue
            left_gross -= allowance.amount_minor
            after = basis_from_gross(left_gross, rate)
            amount = Decimal(abs(left_basis - after)) / unit
            restated_discounts.append(
                DiscountInput(amount=amount, label=allowance.label, only=(category, rate))
            )
            left_basis = after
    gross_minor = agreed.net_minor
    result = compute(restated, currency=currency, discounts=restated_discounts)
    return FromGross(
        lines=tuple(restated),
        discounts=tuple(restated_discounts),
        gross_minor=gross_minor,
        difference_minor=result.total_minor - gross_minor,
    )


def _share_basis(basis: int, gross: Mapping[int, int], rate: Decimal) -> dict[int, int]:
    """Each line's exact net, rounded down, then one minor unit more for those that lose most by
    it."""
    exact = {
        index: Fraction(amount * 100) / (100 + Fraction(rate)) for index, amount in gross.items()
    }
    parts = {index: share.numerator // share.denominator for index, share in exact.items()}
    leftover = basis - sum(parts.values())
    # A whole minor unit too many can only be one: the largest line feels it least.
    order = sorted(
        exact,
        key=lambda index: (parts[index] - exact[index] if leftover > 0 else 0, -abs(gross[index])),
    )
    for position in range(abs(leftover)):
        parts[order[position % len(order)]] += 1 if leftover > 0 else -1
    return parts


def _priced_to(net_minor: int, line: LineInput, rate: Decimal, unit: int) -> LineInput:
    """The line with the net unit price (and discount amount) that makes it come to `net_minor`."""
    discount = Decimal(
        round_half_up(Fraction(line.discount_amount) * unit * 100 / (100 + Fraction(rate)))
    ) / Decimal(unit)
    if not line.quantity or line.discount_percent == 100:
        price = _six_decimals(Fraction(line.unit_price) * 100 / (100 + Fraction(rate)))
        return replace(line, unit_price=price, discount_amount=discount)
    sign = 1 if line.quantity * line.unit_price >= 0 else -1
    gross = Fraction(net_minor) + sign * Fraction(discount) * unit
    keep = 1 - Fraction(line.discount_percent) / 100
    start = round_half_up(gross / keep)
    candidates = [
        replace(
            line,
            unit_price=_six_decimals(Fraction(start + step, unit) / Fraction(line.quantity)),
            discount_amount=discount,
        )
        for step in (0, 1, -1)
    ]
    best = min(candidates, key=lambda made: abs(line_total(made, unit).net_minor - net_minor))
    missed = line_total(best, unit).net_minor - net_minor
    if missed and not line.discount_percent:
        # Six decimals are too coarse for this many pieces: a price above, and the rest off.
        while (gross_minor := round_half_up(product(best) * unit)) * sign < net_minor * sign:
            best = replace(best, unit_price=_step_up(best.unit_price, sign_of=line.unit_price))
        best = replace(best, discount_amount=Decimal(abs(gross_minor - net_minor)) / unit)
    return best


def _step_up(price: Decimal, *, sign_of: Decimal) -> Decimal:
    return price + (Decimal("0.000001") if sign_of >= 0 else Decimal("-0.000001"))


def _six_decimals(value: Fraction) -> Decimal:
    with localcontext(WIDE):
        return (Decimal(value.numerator) / Decimal(value.denominator)).quantize(
            Decimal("0.000001"), rounding=ROUND_HALF_UP
        ).normalize() + 0
