"""Discounts and charges on a whole quote: in words, and what each invoice of it bears of them.

An invoice of a part of a quote bears a part of each discount or charge: as much, with the invoices
before it, as its lines make of the lines that bear it, rounded once; and the invoice that completes
those lines the rest. So the parts make what was accepted to the minor unit, whatever lines were
billed in which order. They are amounts then, and name the percentage that they came from.

Where parts of a line were rounded one by one, the invoice that completes the lines of a VAT rate
sets the odd minor units right, as a rounding of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext as _

from billing_portal.money import formatted_minor
from invoices.documents.adjustments import (
    CHARGE,
    DISCOUNT,
    Adjustment,
    as_line,
    few,
    read,
    usual_code,
)
from invoices.documents.totals import TotalsRefused, round_half_up, sub_unit
from invoices.invoicing.draft_lines import DraftLine
from invoices.models import QuoteBilledAdjustment, QuoteBilling, QuoteLine, QuoteVersion
from invoices.quotes.choices import adjusted, net_of

Group = tuple[str, Decimal]
ROUNDING_CODE = "ABK"
_ROUNDING = {"fr": "Arrondi", "en": "Rounding"}


def adjusted_in_words(
    version: QuoteVersion, lines: Sequence[QuoteLine], language: str
) -> dict[str, Any]:
    """The net of the lines, and what each discount or charge adds to it. Raises TotalsRefused."""
    code = version.currency
    found = sums_of(version, lines, language)
    return {
        "lines_net": formatted_minor(sum(net_of(line, code) for line in lines), code),
        "adjusted": [(words, formatted_minor(minor, code)) for words, minor in found],
    }


def sums_of(
    version: QuoteVersion, lines: Sequence[QuoteLine], language: str
) -> list[tuple[str, int]]:
    """Each in words with what it adds to the net of these lines. Raises TotalsRefused."""
    adjustments = read(version.adjustments)
    sums = [0] * len(adjustments)
    places = {id(each): place for place, each in enumerate(adjustments)}
    for part in adjusted(lines, version.currency, adjustments):
        sums[places[id(part.adjustment)]] += part.line[0] * part.minor
    words = [each.as_amount(language) for each in adjustments]
    return list(zip(words, sums, strict=True))


# ─ Of an invoice of a part ──────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class Share:
    """What one invoice bears: amounts of its own, and what of the quote's is billed by it."""

    adjustments: list[Adjustment]
    billed: Mapping[tuple[int, Group], int]

    def rows(self, billing: QuoteBilling) -> list[QuoteBilledAdjustment]:
        """Not saved yet."""
        return [
            QuoteBilledAdjustment(
                billing=billing,
                position=place,
                vat_category=category,
                vat_rate=rate,
                amount_minor=minor,
            )
            for (place, (category, rate)), minor in self.billed.items()
        ]


@dataclass
class _Group:
    """The lines of one VAT rate in minor units: the whole, what earlier invoices bill, and this."""

    whole: int = 0
    before: int = 0
    now: int = 0
    # No line is left of it, after this invoice; and there was something left before it.
    complete: bool = True
    completes: bool = False
    beyond: bool = False

    @property
    def odd(self) -> int:
        """How far the parts of lines, each rounded, are off the lines that were accepted: of the
        invoice that completes them."""
        settles = self.complete and self.completes and not self.beyond
        return self.whole - self.before - self.now if settles else 0


class Sharing:
    """The accepted lines of a quote, how much of each is billed, and what of its adjustments."""

    def __init__(
        self,
        version: QuoteVersion,
        lines: Sequence[QuoteLine],
        billings: Sequence[QuoteBilling],
    ) -> None:
        self.version, self.lines = version, lines
        self.adjustments = read(version.adjustments)
        self.parts = adjusted(lines, version.currency, self.adjustments)
        # By line: the quantities that stand, one for each invoice.
        self.quantities: dict[int, list[Decimal]] = {}
        self.billed: dict[tuple[int, Group], int] = {}
        for billing in billings:
            for row in billing.lines.all():
                self.quantities.setdefault(row.line_id, []).append(row.quantity)
            for each in billing.adjustments.all():
                key = (each.position, (each.vat_category, Decimal(each.vat_rate)))
                self.billed[key] = self.billed.get(key, 0) + each.amount_minor

    def wholes(self) -> dict[tuple[int, Group], int]:
        """By place of the adjustment and VAT rate, what was accepted of it; above zero."""
        places = {id(each): place for place, each in enumerate(self.adjustments)}
        found: dict[tuple[int, Group], int] = {}
        for part in self.parts:
            key = (places[id(part.adjustment)], (part.sort.vat_category, part.sort.vat_rate))
            found[key] = found.get(key, 0) + part.minor
        return found

    def as_lines(self) -> list[DraftLine]:
        """All of them, for what is a share of the whole."""
        version = self.version
        return [
            DraftLine(
                part.adjustment.words(version.language),
                "C62",
                as_line(part, version.currency),
                exemption_id=part.sort.exemption_id,
                nature=part.sort.nature,
            )
            for part in self.parts
        ]

    def of_all(self) -> Share:
        """Of the invoice that bills everything at once: as they were accepted."""
        return Share(self.adjustments, self.wholes())

    def is_whole(self, quantities: Mapping[int, Decimal]) -> bool:
        """This invoice bills every line, and none before bills any."""
        return not any(self.quantities.values()) and all(
            quantities.get(line.pk) == line.quantity for line in self.lines
        )

    def of(self, quantities: Mapping[int, Decimal]) -> Share:
        """Of an invoice with so much of each line. Raises TotalsRefused."""
        if self.is_whole(quantities):
            return self.of_all()
        groups = self._groups(quantities)
        all_lines = _sum_of(groups.values())
        unit = sub_unit(self.version.currency)
        language = self.version.language
        found: list[Adjustment] = []
        # What a discount can be taken from in this invoice.
        room: dict[Group, int] = {}
        for group, row in groups.items():
            room[group] = row.now + min(row.odd, 0)
            if row.odd:
                found.append(self._rounding(group, row.odd, unit))
        billed: dict[tuple[int, Group], int] = {}
        for (place, group), whole in self.wholes().items():
            adjustment = self.adjustments[place]
            own = groups.get(group)
            bearer = own if own is not None and own.whole > 0 else all_lines
            minor = _due(whole, bearer, percent=bool(adjustment.percent))
            minor -= self.billed.get((place, group), 0)
            if adjustment.kind == DISCOUNT:
                if minor > room.get(group, 0) and bearer.complete:
                    raise TotalsRefused(_too_large(adjustment, language))
                minor = min(minor, room.get(group, 0))
                room[group] = room.get(group, 0) - max(minor, 0)
            if minor > 0:
                billed[place, group] = minor
                words = adjustment.as_amount(language)
                amount = Decimal(minor) / unit
                found.append(
                    replace(adjustment, percent=Decimal(0), amount=amount, reason=words, only=group)
                )
        return Share(few(found), billed)

    def _groups(self, quantities: Mapping[int, Decimal]) -> dict[Group, _Group]:
        currency = self.version.currency
        found: dict[Group, _Group] = {}
        for line in self.lines:
            row = found.setdefault((line.vat_category, Decimal(line.vat_rate)), _Group())
            before = self.quantities.get(line.pk, [])
            now = quantities.get(line.pk, Decimal(0))
            row.whole += net_of(line, currency)
            row.before += sum(net_of(line, currency, each) for each in before)
            row.now += net_of(line, currency, now) if now else 0
            left = abs(line.quantity) - abs(sum(before, Decimal(0)))
            row.complete = row.complete and left <= abs(now)
            row.completes = row.completes or left > 0
            row.beyond = row.beyond or left < abs(now)
        return found

    def _rounding(self, group: Group, odd: int, unit: int) -> Adjustment:
        kind = CHARGE if odd > 0 else DISCOUNT
        return Adjustment(
            kind,
            amount=Decimal(abs(odd)) / unit,
            reason=_ROUNDING["fr" if self.version.language == "fr" else "en"],
            code=ROUNDING_CODE if odd > 0 else usual_code(DISCOUNT),
            only=group,
        )


def _too_large(adjustment: Adjustment, language: str) -> str:
    return _(
        "What is left of “%(discount)s” is larger than the lines that are left at its VAT rate: "
        "bill them together with others."
    ) % {"discount": adjustment.as_amount(language)}


def _sum_of(groups: Any) -> _Group:
    rows = list(groups)
    return _Group(
        sum(each.whole for each in rows),
        sum(each.before for each in rows),
        sum(each.now for each in rows),
        all(each.complete for each in rows),
        any(each.completes for each in rows),
        any(each.beyond for each in rows),
    )


def _due(whole_minor: int, bearer: _Group, *, percent: bool) -> int:
    """What of it is billed once this invoice is: all of it when nothing is left of the lines."""
    if bearer.complete and not bearer.beyond:
        return whole_minor
    if bearer.whole <= 0:
        return 0
    share = max(Fraction(bearer.before + bearer.now, bearer.whole), Fraction(0))
    if not (percent and bearer.beyond):
        # Who bills more than was accepted gives a percentage of that too, an amount once.
        share = min(share, Fraction(1))
    return round_half_up(whole_minor * share)
