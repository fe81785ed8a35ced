"""How many quotes are accepted, and how long that takes.

Of the quotes that first left in a span of days. What is still open may yet be accepted: it is
counted apart and is no failure. Withdrawn ones were taken back by us and say nothing of clients.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Final

from django.utils import timezone

from invoices.models import ClientType
from invoices.models.clients import type_of_today
from invoices.models.quotes import QuoteQuerySet, State

# Below so many decided quotes a share says little.
ENOUGH: Final = 20


@dataclass
class Tally:
    """`days` are those from the first sending to the acceptance, of the accepted ones."""

    client_type: ClientType | None = None
    accepted: int = 0
    declined: int = 0
    expired: int = 0
    still_open: int = 0
    withdrawn: int = 0
    days: list[int] = field(default_factory=list)

    @property
    def decided(self) -> int:
        return self.accepted + self.declined + self.expired

    @property
    def sent(self) -> int:
        return self.decided + self.still_open + self.withdrawn

    @property
    def rate(self) -> Fraction | None:
        """Accepted of the decided ones; None of none."""
        return Fraction(self.accepted, self.decided) if self.decided else None

    @property
    def median_days(self) -> Fraction | None:
        """Of those accepted only: how long a client takes who does accept."""
        if not self.days:
            return None
        ordered = sorted(self.days)
        middle = len(ordered) // 2
        if len(ordered) % 2:
            return Fraction(ordered[middle])
        return Fraction(ordered[middle - 1] + ordered[middle], 2)

    @property
    def is_few(self) -> bool:
        return self.decided < ENOUGH

    def count(self, state: State, days: int | None) -> None:
        match state:
            case State.ACCEPTED:
                self.accepted += 1
                if days is not None:
                    self.days.append(days)
            case State.DECLINED:
                self.declined += 1
            case State.EXPIRED:
                self.expired += 1
            case State.WITHDRAWN:
                self.withdrawn += 1
            case _:
                self.still_open += 1


@dataclass(frozen=True)
class Measured:
    all: Tally
    # By the client type of today, those with most quotes first.
    by_type: list[Tally]


def measured(quotes: QuoteQuerySet, on: date) -> Measured:
    """Of quotes that left at least once; as they stand on `on`."""
    rows = (
        quotes.filter(first_sent_on__isnull=False)
        .annotate(type_now=type_of_today())
        .order_by()
        .values_list(
            "type_now",
            "first_sent_on",
            "version__status",
            "version__valid_until",
            "version__answered_at",
        )
    )
    whole = Tally()
    tallies: dict[int, Tally] = {}
    for type_id, sent_on, status, valid_until, answered_at in rows.iterator(chunk_size=2_000):
        state = State(status)
        if state == State.SENT and valid_until < on:
            state = State.EXPIRED
        assert sent_on is not None
        days = (timezone.localdate(answered_at) - sent_on).days if answered_at else None
        for tally in (whole, tallies.setdefault(type_id, Tally())):
            tally.count(state, days)
    types = ClientType.objects.in_bulk(tallies)
    for pk, tally in tallies.items():
        tally.client_type = types[pk]
    return Measured(whole, sorted(tallies.values(), key=lambda tally: -tally.sent))


def sent_between(quotes: QuoteQuerySet, first: date | None, last: date | None) -> QuoteQuerySet:
    if first:
        quotes = quotes.filter(first_sent_on__gte=first)
    return quotes.filter(first_sent_on__lte=last) if last else quotes


def declined_for(quotes: QuoteQuerySet) -> Iterable[tuple[str, int]]:
    """How often each reason was given, the most frequent first."""
    counts: dict[str, int] = {}
    reasons = quotes.filter(version__status=State.DECLINED).values_list("version__decline_reason")
    for (reason,) in reasons.order_by():
        counts[reason] = counts.get(reason, 0) + 1
    return sorted(counts.items(), key=lambda pair: -pair[1])
