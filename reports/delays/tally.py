"""Invoices counted per whole day, by what became of them; adds up over groups (pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

from reports.delays.estimator import Curve

# A value for each dimension that was asked for.
Key = tuple[Any, ...]


@dataclass
class Tally:
    """Invoices per whole day, and what the averages need; adds up over groups."""

    paid: dict[int, int] = field(default_factory=dict)
    unfinished: dict[int, int] = field(default_factory=dict)
    # Of these, first seen when they were so old already: imported open, without paid brothers. A
    # report has thousands of tallies, and nearly all of them none.
    entries: dict[int, int] | None = None
    # Of these, not seen at all by then: counted, but never at risk.
    unseen_paid: dict[int, int] | None = None
    unseen_unfinished: dict[int, int] | None = None
    open: int = 0
    overdue: int = 0
    # Of the paid ones: amounts in the company's currency, and amounts times days.
    weight_minor: int = 0
    weighted_days: int = 0
    # Paid ones without an exchange rate: no weight, so the weighted mean leaves them out.
    unrated: int = 0
    late: int = 0

    def add(self, other: Tally) -> None:
        add_counts(self.paid, other.paid)
        add_counts(self.unfinished, other.unfinished)
        self.entries = _joined(self.entries, other.entries)
        self.unseen_paid = _joined(self.unseen_paid, other.unseen_paid)
        self.unseen_unfinished = _joined(self.unseen_unfinished, other.unseen_unfinished)
        self.open += other.open
        self.overdue += other.overdue
        self.weight_minor += other.weight_minor
        self.weighted_days += other.weighted_days
        self.unrated += other.unrated
        self.late += other.late

    def enter(self, length: int, seen_after: int, n: int = 1, *, paid: bool) -> None:
        """Note of some that are counted already at what age they were first seen."""
        if seen_after < length:
            self.entries = _joined(self.entries, {seen_after: n})
        # Over by the day of its first sight, or seen later than the as-of day.
        elif paid:
            self.unseen_paid = _joined(self.unseen_paid, {length: n})
        else:
            self.unseen_unfinished = _joined(self.unseen_unfinished, {length: n})

    @cached_property
    def curve(self) -> Curve:
        return Curve(
            _less(self.paid, self.unseen_paid),
            _less(self.unfinished, self.unseen_unfinished),
            self.entries,
        )

    @property
    def n(self) -> int:
        return self.n_paid + sum(self.unfinished.values())

    @property
    def n_paid(self) -> int:
        return sum(self.paid.values())

    @property
    def n_closed_unpaid(self) -> int:
        """Credited or written off whole: neither paid nor open any more."""
        return self.n - self.n_paid - self.open

    @property
    def mean(self) -> Fraction | None:
        """Of the paid ones alone."""
        n = self.n_paid
        return Fraction(sum(day * k for day, k in self.paid.items()), n) if n else None

    @property
    def weighted_mean(self) -> Fraction | None:
        return Fraction(self.weighted_days, self.weight_minor) if self.weight_minor else None

    @property
    def late_share(self) -> Fraction | None:
        """Share of the paid ones that were paid after the due date."""
        return Fraction(self.late, self.n_paid) if self.n_paid else None

    def between(self, least: int | None, most: int | None) -> int:
        """Paid ones between `least` and `most` days, both included."""
        return sum(
            number
            for day, number in self.paid.items()
            if (least is None or day >= least) and (most is None or day <= most)
        )


def total(tallies: Iterable[Tally]) -> Tally:
    found = Tally()
    for tally in tallies:
        found.add(tally)
    return found


def fold(found: Mapping[Key, Tally], pick: Callable[[Key], Any]) -> dict[Any, Tally]:
    """Add the tallies whose keys `pick` maps to the same; None leaves one out."""
    folded: dict[Any, list[Tally]] = {}
    for key, tally in found.items():
        picked = pick(key)
        if picked is not None:
            folded.setdefault(picked, []).append(tally)
    # What is alone stays itself, with the curve that it may have already: most years of a client.
    return {
        picked: parts[0] if len(parts) == 1 else total(parts) for picked, parts in folded.items()
    }


def add_counts(counts: dict[int, int], more: Mapping[int, int]) -> dict[int, int]:
    for day, number in more.items():
        counts[day] = counts.get(day, 0) + number
    return counts


def _joined(counts: dict[int, int] | None, more: Mapping[int, int] | None) -> dict[int, int] | None:
    if more is None:
        return counts
    return add_counts({} if counts is None else counts, more)


def _less(counts: Mapping[int, int], unseen: Mapping[int, int] | None) -> Mapping[int, int]:
    if not unseen:
        return counts
    left = {day: number - unseen.get(day, 0) for day, number in counts.items()}
    return {day: number for day, number in left.items() if number}
