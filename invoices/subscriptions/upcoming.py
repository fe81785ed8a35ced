"""What a subscription bills in a period: the one computation, for its preview and its invoices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction

from invoices.documents.adjustments import as_line, stored
from invoices.documents.totals import Totals, TotalsRefused, compute, round_half_up
from invoices.invoicing import adjusting
from invoices.invoicing.draft_lines import DraftLine
from invoices.models import Indexation, IndexValue, Subscription
from invoices.subscriptions.indexing import Indexed
from invoices.subscriptions.lines import line_of
from invoices.subscriptions.periods import PER_YEAR, Period, Schedule
from invoices.subscriptions.pricing import Rise, raised, shared_adjustments, shared_out

Adjustments = Sequence[Mapping[str, str]]


@dataclass(frozen=True)
class Version:
    """What a whole period that begins on `first_day` or later has."""

    first_day: date
    lines: Sequence[DraftLine]
    # As a draft invoice keeps them.
    adjustments: Sequence[Mapping[str, str]] = ()


@dataclass(frozen=True)
class Contents:
    """All that a subscription's invoices follow from, but for the words of their head."""

    schedule: Schedule
    currency: str
    language: str
    prorated: bool
    # Oldest first.
    versions: Sequence[Version]
    rises: Sequence[Rise] = ()
    indexed: Indexed | None = None

    def version(self, day: date) -> Version:
        """The one that holds in a period that begins on that day."""
        past = [version for version in self.versions if version.first_day <= day]
        return past[-1] if past else self.versions[0]

    def whole_lines(self, day: date, *, noted: bool = True) -> list[DraftLine]:
        """The lines of a whole period that begins on `day`, at the prices of that day; where an
        index made them, `noted` with the arithmetic."""
        version = self.version(day)
        since, lines = version.first_day, version.lines
        found = [
            replace(
                line,
                amounts=raised(
                    line.amounts, self.rises, since=since, until=day, currency=self.currency
                ),
            )
            for line in lines
        ]
        if self.indexed is None:
            return found
        said = {"currency": self.currency, "language": self.language}
        priced = [self.indexed.applied(line, since=since, until=day, **said) for line in found]
        if noted:
            return priced
        pairs = zip(priced, found, strict=True)
        return [replace(line, description=typed.description) for line, typed in pairs]

    def missing_value(self, period: Period) -> str:
        """The period of the index whose value this one waits for, or goes without; "" if none."""
        return self.indexed.missing(period.first) if self.indexed else ""

    def holds(self, period: Period) -> bool:
        """No invoice is made of it before a value is known."""
        return self.indexed is not None and self.indexed.holds and bool(self.missing_value(period))

    def lines(self, period: Period) -> tuple[list[DraftLine], Adjustments]:
        """What the invoice of a period lists, and its discounts and charges on the whole."""
        found = self.whole_lines(period.first)
        kept = self.version(period.first).adjustments
        if period.is_whole or not self.prorated:
            return found, kept
        shared = shared_out(found, period, currency=self.currency, language=self.language)
        if not kept:
            return shared, kept
        whole = compute([line.amounts for line in found], currency=self.currency)
        parts = adjusting.parts_for(kept, found, whole, self.currency)
        return shared, stored(
            shared_adjustments(
                parts, shared, period, currency=self.currency, language=self.language
            )
        )


@dataclass(frozen=True)
class Upcoming:
    """An invoice to come; of lines that cannot be added up no totals, and the `refusal`."""

    period: Period
    due_on: date
    lines: Sequence[DraftLine]
    # With discounts and charges; `of_lines` without.
    totals: Totals | None
    refusal: str = ""
    of_lines: Totals | None = None
    adjustments: Adjustments = ()


def invoice_of(contents: Contents, period: Period) -> Upcoming:
    due_on = contents.schedule.due_on(period)
    lines: list[DraftLine] = []
    try:
        lines, kept = contents.lines(period)
        of_lines = compute([line.amounts for line in lines], currency=contents.currency)
        totals = with_adjustments(kept, lines, of_lines)
    except TotalsRefused as refusal:
        return Upcoming(period, due_on, lines, None, str(refusal))
    return Upcoming(period, due_on, lines, totals, of_lines=of_lines, adjustments=kept)


def upcoming(contents: Contents, number: int, most: int) -> list[Upcoming]:
    """The next invoices, from the period of this number on."""
    found: list[Upcoming] = []
    for period in contents.schedule.periods(number):
        if len(found) == most:
            break
        found.append(invoice_of(contents, period))
    return found


def yearly_net(contents: Contents, day: date) -> int:
    """The net of a whole period at the prices of `day`, times such periods in a year, rounded half
    up once. Raises TotalsRefused."""
    lines = contents.whole_lines(day)
    of_lines = compute([line.amounts for line in lines], currency=contents.currency)
    totals = with_adjustments(contents.version(day).adjustments, lines, of_lines)
    schedule = contents.schedule
    return round_half_up(Fraction(totals.net_minor * PER_YEAR[schedule.unit], schedule.every))


def with_adjustments(kept: Adjustments, lines: Sequence[DraftLine], of_lines: Totals) -> Totals:
    """The totals of these lines with discounts and charges on them. Raises TotalsRefused."""
    if not kept:
        return of_lines
    code = of_lines.currency
    parts = adjusting.parts_for(kept, lines, of_lines, code)
    inputs = [*(line.amounts for line in lines), *(as_line(part, code) for part in parts)]
    return compute(inputs, currency=code)


def schedule_of(subscription: Subscription) -> Schedule:
    return Schedule(
        unit=subscription.unit,
        every=subscription.every,
        starts_on=subscription.starts_on,
        whole_from=subscription.whole_from,
        month_day=subscription.month_day,
        ends_on=subscription.ends_on,
        most_periods=subscription.most_periods,
        in_arrears=subscription.in_arrears,
    )


def _indexed(subscription: Subscription) -> Indexed | None:
    found = Indexation.objects.filter(subscription=subscription).first()
    if found is None:
        return None
    values = IndexValue.objects.filter(index=found.index).values_list("period", "value")
    return Indexed(
        found.index,
        found.base_period,
        found.first_review,
        found.missing == Indexation.Missing.HOLD,
        dict(values),
    )


def contents_of(subscription: Subscription) -> Contents:
    """From its rows; prefetch `versions__lines` and `rises` for many."""
    return Contents(
        schedule=schedule_of(subscription),
        currency=subscription.currency,
        language=subscription.language,
        prorated=subscription.prorated,
        versions=[
            Version(
                version.first_day,
                [line_of(line) for line in version.lines.all()],
                version.adjustments,
            )
            for version in subscription.versions.all()
        ],
        indexed=_indexed(subscription),
        rises=[
            Rise(rise.first_day, rise.percent, rise.yearly, rise.ends_before)
            for rise in subscription.rises.all()
        ],
    )
