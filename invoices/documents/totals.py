"""The only arithmetic of a document: lines in; net, VAT and total out. Pure: no model, no clock.

Rounding is that of EN 16931, half up (away from zero, so that a credit mirrors its invoice):
- a line: quantity × price is rounded to the minor unit, then its discount is, then one is taken
  from the other;
- a discount on the whole document is split over the VAT groups so that the parts sum to it exactly;
- VAT is computed once for each (category, rate) on the sum of its rounded lines, never line by
  line.

Amounts going in are Decimals in currency units, amounts coming out are integers in minor units.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from typing import TypeVar

from django.utils.translation import gettext as _
from moneyed import CurrencyDoesNotExist, get_currency

from billing_portal.figures import decimal

STANDARD = "S"
# UNTDID 5305 as EN 16931 uses it. Only "S" bears VAT; the others differ by the reason why they do
# not.
VAT_CATEGORIES = ("S", "Z", "E", "AE", "K", "G", "O")
OUT_OF_SCOPE = "O"

MAX_QUANTITY = Decimal("999999999.9999")
MAX_UNIT_PRICE = Decimal("9999999999.999999")
MAX_TOTAL = Decimal("99999999999.99")
QUANTITY_DECIMALS = 4
PRICE_DECIMALS = 6
WIDE = Context(prec=60)
K = TypeVar("K")


class TotalsRefused(Exception):
    """The lines cannot be added up; the message is written for staff."""


class AmountTooLarge(TotalsRefused):
    """A quantity, a price or a total beyond what a document may say."""


@dataclass(frozen=True, slots=True)
class LineInput:
    """A line before tax. A discount is a percentage or an amount off the line, never both.

    A negative quantity credits; its discount amount is still written as a positive number and
    lowers the credit.
    """

    quantity: Decimal
    unit_price: Decimal
    vat_rate: Decimal
    vat_category: str = STANDARD
    discount_percent: Decimal = Decimal(0)
    discount_amount: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class DiscountInput:
    """A discount on the document: a percentage of all lines or an amount. `only` pins it to one
    VAT group."""

    percent: Decimal = Decimal(0)
    amount: Decimal = Decimal(0)
    label: str = ""
    only: tuple[str, Decimal] | None = None


@dataclass(frozen=True, slots=True)
class LineTotal:
    gross_minor: int
    discount_minor: int

    @property
    def net_minor(self) -> int:
        return self.gross_minor - self.discount_minor


@dataclass(frozen=True, slots=True)
class Allowance:
    """The part of one document discount that falls on one VAT group."""

    vat_category: str
    vat_rate: Decimal
    amount_minor: int
    percent: Decimal
    label: str


@dataclass(frozen=True, slots=True)
class VatGroup:
    vat_category: str
    vat_rate: Decimal
    basis_minor: int
    vat_minor: int


@dataclass(frozen=True, slots=True)
class Totals:
    currency: str
    lines: tuple[LineTotal, ...]
    allowances: tuple[Allowance, ...]
    breakdown: tuple[VatGroup, ...]
    lines_minor: int
    allowances_minor: int
    net_minor: int
    vat_minor: int
    total_minor: int


def compute(
    lines: Sequence[LineInput], *, currency: str, discounts: Sequence[DiscountInput] = ()
) -> Totals:
    """Add a document up. Raises TotalsRefused (AmountTooLarge when a bound is passed)."""
    unit = sub_unit(currency)
    line_totals = tuple(line_total(line, unit) for line in lines)
    by_group: dict[tuple[str, Decimal], int] = {}
    for line, amounts in zip(lines, line_totals, strict=True):
        group = (line.vat_category, line.vat_rate)
        by_group[group] = by_group.get(group, 0) + amounts.net_minor
    if len(by_group) > 1 and any(category == OUT_OF_SCOPE for category, _rate in by_group):
        raise TotalsRefused(
            _(
                "Lines outside the scope of VAT cannot stand beside other lines: "
                "make two invoices of them."
            )
        )
    by_group = dict(sorted(by_group.items()))
    allowances = _allowances(discounts, by_group, unit)
    taken: dict[tuple[str, Decimal], int] = {}
    for allowance in allowances:
        group = (allowance.vat_category, allowance.vat_rate)
        taken[group] = taken.get(group, 0) + allowance.amount_minor
    breakdown = tuple(
        VatGroup(category, rate, basis, vat_of(basis, rate))
        for (category, rate), basis in (
            (group, net - taken.get(group, 0)) for group, net in by_group.items()
        )
    )
    net_minor = sum(group.basis_minor for group in breakdown)
    vat_minor = sum(group.vat_minor for group in breakdown)
    for amount in (net_minor, net_minor + vat_minor, *(t.gross_minor for t in line_totals)):
        if abs(amount) > MAX_TOTAL * unit:
            raise AmountTooLarge(
                _("An amount of this document passes %(limit)s %(currency)s: check the lines.")
                % {"limit": decimal(MAX_TOTAL), "currency": currency}
            )
    return Totals(
        currency=currency,
        lines=line_totals,
        allowances=allowances,
        breakdown=breakdown,
        lines_minor=sum(by_group.values()),
        allowances_minor=sum(allowance.amount_minor for allowance in allowances),
        net_minor=net_minor,
        vat_minor=vat_minor,
        total_minor=net_minor + vat_minor,
    )


def sub_unit(currency: str) -> int:
    """How many minor units make one: 100 for EUR, 1 for JPY, 1000 for TND."""
    try:
        return int(get_currency(currency).sub_unit)
    except CurrencyDoesNotExist:
        raise TotalsRefused(
            _("%(currency)s is not a currency code (ISO 4217).") % {"currency": currency}
        ) from None


def round_half_up(value: Fraction | Decimal) -> int:
    """To the nearest integer; a half goes away from zero."""
    exact = Fraction(value)
    doubled = 2 * abs(exact) + 1
    rounded = doubled.numerator // (2 * doubled.denominator)
    return rounded if exact >= 0 else -rounded


def vat_of(basis_minor: int, rate: Decimal) -> int:
    return round_half_up(basis_minor * Fraction(rate) / 100)


def line_total(line: LineInput, unit: int) -> LineTotal:
    _check(line)
    gross = round_half_up(product(line) * unit)
    if line.discount_percent:
        discount = round_half_up(gross * Fraction(line.discount_percent) / 100)
    else:
        discount = round_half_up(Fraction(line.discount_amount) * unit)
        if discount > abs(gross):
            raise TotalsRefused(_("A discount is larger than its line."))
        discount = discount if gross >= 0 else -discount
    return LineTotal(gross, discount)


def _check(line: LineInput) -> None:
    for value, decimals, limit, name in (
        (line.quantity, QUANTITY_DECIMALS, MAX_QUANTITY, _("quantity")),
        (line.unit_price, PRICE_DECIMALS, MAX_UNIT_PRICE, _("unit price")),
        (line.discount_amount, PRICE_DECIMALS, MAX_UNIT_PRICE, _("discount")),
        (line.discount_percent, PRICE_DECIMALS, Decimal(100), _("discount")),
        (line.vat_rate, QUANTITY_DECIMALS, Decimal(100), _("VAT rate")),
    ):
        _check_number(value, decimals, limit, name)
    if line.discount_percent and line.discount_amount:
        raise TotalsRefused(
            _("A line bears a discount by percentage or by amount, not both: keep one.")
        )
    if line.discount_percent < 0 or line.discount_amount < 0:
        raise TotalsRefused(_("A discount cannot be negative: raise the price instead."))
    if line.vat_category not in VAT_CATEGORIES:
        raise TotalsRefused(
            _("%(category)s is not a VAT category.") % {"category": line.vat_category}
        )
    if line.vat_rate < 0:
        raise TotalsRefused(_("A VAT rate cannot be negative."))
    if (line.vat_category == STANDARD) != (line.vat_rate > 0):
        raise TotalsRefused(
            _(
                "A line with VAT needs a rate above zero, and a line without VAT (exempt, "
                "reverse charge, export…) a rate of zero."
            )
        )


def _check_number(value: Decimal, decimals: int, limit: Decimal, name: str) -> None:
    if not value.is_finite():
        raise TotalsRefused(_("The %(name)s is not a number.") % {"name": name})
    if abs(value) > limit:
        raise AmountTooLarge(
            _("The %(name)s passes %(limit)s.") % {"name": name, "limit": decimal(limit)}
        )
    exponent = value.normalize(WIDE).as_tuple().exponent
    if isinstance(exponent, int) and -exponent > decimals:
        raise TotalsRefused(
            _("The %(name)s has more than %(decimals)s decimals.")
            % {"name": name, "decimals": decimals}
        )


def _allowances(
    discounts: Sequence[DiscountInput], by_group: Mapping[tuple[str, Decimal], int], unit: int
) -> tuple[Allowance, ...]:
    lines_minor = sum(by_group.values())
    remaining = dict(by_group)
    allowances: list[Allowance] = []
    for discount in discounts:
        _check_number(discount.percent, PRICE_DECIMALS, Decimal(100), _("discount"))
        _check_number(discount.amount, PRICE_DECIMALS, MAX_TOTAL, _("discount"))
        if discount.percent < 0 or discount.amount < 0:
            raise TotalsRefused(_("A discount cannot be negative: add a line instead."))
        if discount.percent and discount.amount:
            raise TotalsRefused(_("A discount is a percentage or an amount, not both: keep one."))
        groups = {
            group: net
            for group, net in by_group.items()
            if discount.only is None or group == discount.only
        }
        whole = sum(groups.values())
        if discount.percent:
            wanted = round_half_up(whole * Fraction(discount.percent) / 100)
            weights = groups
        else:
            wanted = round_half_up(Fraction(discount.amount) * unit)
            wanted = wanted if whole >= 0 else -wanted
            # An amount is taken where there is something to take it from, so that no part of it is
            # a charge.
            weights = {group: net for group, net in groups.items() if net * whole > 0}
        if not wanted:
            continue
        if abs(wanted) > abs(whole):
            raise TotalsRefused(_("The discount is larger than what it is taken from."))
        for (category, rate), part in split(wanted, weights).items():
            remaining[category, rate] -= part
            if part:
                allowances.append(Allowance(category, rate, part, discount.percent, discount.label))
    left = sum(remaining.values())
    if left * lines_minor < 0 or abs(left) > abs(lines_minor):
        raise TotalsRefused(_("The discounts together are larger than the document."))
    return tuple(allowances)


def split(amount: int, weights: Mapping[K, int]) -> dict[K, int]:
    """Share an integer in proportion to weights, exactly: largest remainder, ties by the order of
    the keys given."""
    whole = sum(weights.values())
    shares = {key: Fraction(amount * weight, whole) for key, weight in weights.items()}
    parts = {key: share.numerator // share.denominator for key, share in shares.items()}
    leftover = amount - sum(parts.values())
    for key in sorted(shares, key=lambda key: parts[key] - shares[key])[:leftover]:
        parts[key] += 1
    return parts


def product(line: LineInput) -> Fraction:
    return Fraction(line.quantity) * Fraction(line.unit_price)
