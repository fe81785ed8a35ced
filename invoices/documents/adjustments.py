"""Discounts and charges on a whole document, shared over its lines' VAT: pure arithmetic.

A percentage is one of the net of the lines (of those at one VAT rate, where a discount is pinned to
it), rounded half up once; what it comes to, or an amount, is shared over the VAT rates in
proportion to their net, and within a rate over what is supplied and why it is exempt: by the
largest remainder, ties in the order of category and rate, so that the parts make the whole to the
minor unit. Only what has a net above zero takes a part, so none is of the other sign. EN 16931 asks
for one allowance or charge per VAT rate (BG-20, BG-21; BR-32, BR-37).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any, Final, NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from invoices.documents.totals import (
    MAX_TOTAL,
    STANDARD,
    VAT_CATEGORIES,
    LineInput,
    TotalsRefused,
    round_half_up,
    split,
    sub_unit,
)

DISCOUNT, CHARGE = "discount", "charge"
MOST = 20
MAX_REASON = 120
# UNTDID 5189 of discounts and 7161 of charges: those that a desk uses, the usual one first.
CODES: Final[Mapping[str, Mapping[str, Any]]] = {
    DISCOUNT: {
        "95": gettext_lazy("Discount"),
        "100": gettext_lazy("Special rebate"),
        "64": gettext_lazy("Special agreement"),
        "60": gettext_lazy("Manufacturer’s consumer discount"),
        "104": gettext_lazy("Standard"),
    },
    CHARGE: {
        "FC": gettext_lazy("Freight"),
        "PC": gettext_lazy("Packing"),
        "ABL": gettext_lazy("Packaging surcharge"),
        "ABK": gettext_lazy("Other charge"),
    },
}
# What the page says of one that nobody gave a reason.
USUAL_WORDS: Final = {
    "fr": {DISCOUNT: "Remise", CHARGE: "Frais"},
    "en": {DISCOUNT: "Discount", CHARGE: "Charge"},
}


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One of a document: per cent of the net of its lines, or an amount in currency units.

    `only` is the VAT group of a discount's base, or the one at which a charge is taxed; without,
    the rates of the lines bear it together.
    """

    kind: str
    percent: Decimal = Decimal(0)
    amount: Decimal = Decimal(0)
    reason: str = ""
    code: str = ""
    only: tuple[str, Decimal] | None = None

    def words(self, language: str) -> str:
        return self.reason.strip() or USUAL_WORDS["fr" if language == "fr" else "en"][self.kind]

    def as_amount(self, language: str) -> str:
        """With its percentage, for where what it comes to stands as an amount."""
        words = self.words(language)
        if not self.percent:
            return words
        share = format(self.percent.normalize() + 0, "f")
        told = f" ({share.replace('.', ',')}\u00a0%)" if language == "fr" else f" ({share}%)"
        return words[: MAX_REASON - len(told)] + told


class Sort(NamedTuple):
    """What is taxed and told alike."""

    vat_category: str
    vat_rate: Decimal
    nature: str = ""
    exemption_id: int | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Of one discount or charge what falls on one sort; `minor` is above zero in either case."""

    adjustment: Adjustment
    sort: Sort
    minor: int

    @property
    def line(self) -> tuple[int, int]:
        """Quantity, and minor units of its price."""
        return (-1 if self.adjustment.kind == DISCOUNT else 1), self.minor


def parts_of(
    adjustments: Sequence[Adjustment], nets: Iterable[tuple[Sort, int]], currency: str
) -> list[Part]:
    """The parts of all, in their order. `nets` are sorts of lines and their net in minor units,
    without what deposits took off. Raises TotalsRefused."""
    by_sort: dict[Sort, int] = {}
    for sort, net in nets:
        by_sort[sort] = by_sort.get(sort, 0) + net
    by_sort = dict(sorted(by_sort.items(), key=lambda each: _order(each[0])))
    unit = sub_unit(currency)
    found: list[Part] = []
    for adjustment in adjustments:
        _check(adjustment, unit)
        found += _parts(adjustment, by_sort, unit)
    _not_too_much(found, by_sort)
    return found


def _order(sort: Sort) -> tuple[str, Decimal, str, int]:
    return sort.vat_category, sort.vat_rate, sort.nature, sort.exemption_id or 0


def _parts(adjustment: Adjustment, by_sort: Mapping[Sort, int], unit: int) -> list[Part]:
    is_charge = adjustment.kind == CHARGE
    pinned = adjustment.only
    base = {
        sort: net
        for sort, net in by_sort.items()
        if pinned is None or is_charge or sort[:2] == pinned
    }
    whole = sum(base.values())
    if adjustment.percent:
        wanted = round_half_up(max(whole, 0) * Fraction(adjustment.percent) / 100)
    else:
        wanted = round_half_up(Fraction(adjustment.amount) * unit)
    if not wanted:
        return []
    if is_charge and pinned is not None:
        return _pinned(adjustment, by_sort, wanted)
    if not is_charge and wanted > whole:
        raise TotalsRefused(_("The discount is larger than what it is taken from."))
    groups: dict[tuple[str, Decimal], int] = {}
    for sort, net in base.items():
        groups[sort[:2]] = groups.get(sort[:2], 0) + net
    weights = {group: net for group, net in groups.items() if net > 0}
    if not weights:
        raise TotalsRefused(
            _("There is nothing that the charge could be shared over: choose its VAT rate.")
        )
    found = []
    for group, minor in split(wanted, weights).items():
        inside = {sort: net for sort, net in base.items() if sort[:2] == group and net > 0}
        found += [
            Part(adjustment, sort, part) for sort, part in split(minor, inside).items() if part
        ]
    return found


def _pinned(adjustment: Adjustment, by_sort: Mapping[Sort, int], wanted: int) -> list[Part]:
    """A charge at a rate of its own, which perhaps no line has."""
    assert adjustment.only is not None
    inside = {s: net for s, net in by_sort.items() if s[:2] == adjustment.only and net > 0}
    if inside:
        return [
            Part(adjustment, sort, part) for sort, part in split(wanted, inside).items() if part
        ]
    largest = max(by_sort, key=lambda sort: by_sort[sort], default=Sort("", Decimal(0)))
    return [Part(adjustment, Sort(*adjustment.only, largest.nature), wanted)]


def _not_too_much(found: Sequence[Part], by_sort: Mapping[Sort, int]) -> None:
    left: dict[tuple[str, Decimal], int] = {}
    taken: dict[tuple[str, Decimal], int] = {}
    for sort, net in by_sort.items():
        left[sort[:2]] = left.get(sort[:2], 0) + net
    for part in found:
        if part.adjustment.kind == DISCOUNT:
            taken[part.sort[:2]] = taken.get(part.sort[:2], 0) + part.minor
    if any(minor > left.get(group, 0) for group, minor in taken.items()):
        raise TotalsRefused(_("The discounts together are larger than the document."))


def _check(adjustment: Adjustment, unit: int) -> None:
    percent, amount = adjustment.percent, adjustment.amount
    is_charge = adjustment.kind == CHARGE
    if adjustment.kind not in CODES or not (percent.is_finite() and amount.is_finite()):
        raise TotalsRefused(_("A discount or charge is not a number."))
    if percent < 0 or amount < 0:
        raise TotalsRefused(
            _("A charge cannot be negative: make it a discount.")
            if is_charge
            else _("A discount cannot be negative: make it a charge.")
        )
    if bool(percent) == bool(amount):
        raise TotalsRefused(_("Give a percentage or an amount above zero."))
    if percent > 100:
        raise TotalsRefused(_("At most 100 %."))
    if amount > MAX_TOTAL:
        raise TotalsRefused(_("The amount is too large."))
    if Fraction(amount) * unit % 1:
        raise TotalsRefused(_("The amount is finer than the smallest coin of its currency."))
    if adjustment.only is not None:
        category, rate = adjustment.only
        if category not in VAT_CATEGORIES or (category == STANDARD) != (rate > 0):
            raise TotalsRefused(_("Choose a VAT category."))


def as_line(part: Part, currency: str) -> LineInput:
    quantity, minor = part.line
    return LineInput(
        quantity=Decimal(quantity),
        unit_price=Decimal(minor) / sub_unit(currency),
        vat_rate=part.sort.vat_rate,
        vat_category=part.sort.vat_category,
    )


# ─ As a draft keeps them ────────────────────────────────────────────────────────────────────────
def stored(adjustments: Iterable[Adjustment]) -> list[dict[str, str]]:
    """Of texts only; what is empty is left out. `read` reads it back."""
    found = []
    for each in adjustments:
        one = {"kind": each.kind}
        for name in ("percent", "amount"):
            if value := getattr(each, name):
                one[name] = format(value.normalize() + 0, "f")
        for name in ("reason", "code"):
            if text := getattr(each, name).strip():
                one[name] = text
        if each.only is not None:
            one["vat"] = f"{each.only[0]}:{format(each.only[1].normalize() + 0, 'f')}"
        found.append(one)
    return found


def read(kept: Iterable[Mapping[str, str]]) -> list[Adjustment]:
    """Raises TotalsRefused for what is none."""
    found = []
    for one in list(kept)[:MOST]:
        category, _colon, rate = one.get("vat", "").partition(":")
        try:
            only = (category, Decimal(rate)) if category else None
            percent, amount = Decimal(one.get("percent", "0")), Decimal(one.get("amount", "0"))
        except InvalidOperation:
            raise TotalsRefused(_("A discount or charge is not a number.")) from None
        kind = one.get("kind", "")
        code = one.get("code", "")
        code = code if code in CODES.get(kind, {}) else usual_code(kind)
        found.append(
            Adjustment(kind, percent, amount, one.get("reason", "")[:MAX_REASON], code, only)
        )
    return found


def few(found: Sequence[Adjustment]) -> list[Adjustment]:
    """Amounts at one VAT rate each, no more than a document may have: where they are many, those
    of a rate stand together."""
    if len(found) <= MOST:
        return list(found)
    together: dict[tuple[str, Any], Adjustment] = {}
    for each in found:
        key = (each.kind, each.only)
        before = together.get(key)
        together[key] = replace(before, amount=before.amount + each.amount) if before else each
    return list(together.values())


def usual_code(kind: str) -> str:
    return next(iter(CODES.get(kind, {})), "")
