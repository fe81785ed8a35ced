"""The invoices of a delay report: read once, and tallied by whatever is asked of them.

An invoice is read as one packed number, and what a tally leaves out is masked away. SQL groups
nothing: by quarter, amount and client there are nearly as many groups as invoices, and SQLite works
out a key twice to sort by it.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from itertools import islice
from typing import Any

from django.db import connection
from django.db.models import (
    BigIntegerField,
    Case,
    DateField,
    ExpressionWrapper,
    F,
    IntegerField,
    OuterRef,
    Q,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce
from django.db.models.lookups import LessThan

from invoices.company.currencies import company_currency, minor_units
from invoices.models import Allocation, Client, Invoice
from invoices.models.clients import type_of_today
from invoices.models.dues import Columns, apart
from invoices.models.invoices import InvoiceQuerySet
from invoices.selections.as_of import paid_on_at, reopened, reopened_since, settled_on_at
from invoices.selections.filters import NOBODY
from invoices.selections.sql import (
    DaysBetween,
    InCompanyCurrency,
    MonthIndex,
    Packed,
    month_index,
)
from reports.delays.measuring import AMOUNT_CLASSES, By, Measure, Scope, amount_classes
from reports.delays.tally import Key, Tally, add_counts

# So many parts of the clients, a power of two, say how much chance there is in a change: enough for
# that, and few enough to be counted for many clients.
PARTS = 16

# A packed number from its lowest bit: days, fate, late, without a rate; then what it can be tallied
# by. A year is a quarter without its two lowest bits. The group, an identity, has no width.
_DAY_BITS, _DAY_OFFSET = 18, 2**17
_FLAG_BITS = 2 + 1 + 1
_TAIL_BITS = _DAY_BITS + _FLAG_BITS
_TAIL = 2**_TAIL_BITS - 1
_DAYS = 2**_DAY_BITS - 1
_PAID, _OPEN, _WITHDRAWN = 0, 1, 2
_LATE, _NO_RATE = 1 << _DAY_BITS + 2, 1 << _DAY_BITS + 3
_FIELDS = {"part": (22, 4), "amount": (26, 3), "quarter": (29, 12), "year": (31, 10)}
_GROUP = 41
# What stands for “none”.
_NOTHING = {"owner": NOBODY, "amount": len(AMOUNT_CLASSES) + 1}
# Instead of the amount of an invoice without a rate: above every class.
_UNRATED = 2**62
# Few enough that the rows of one are gone again before Python looks for garbage among them.
_CHUNK = 500


class Reading:
    """`by` says which groups the invoices can be tallied by, beside the rest."""

    def __init__(
        self, scope: Scope, measure: Measure, by: By, rows: InvoiceQuerySet | None = None
    ) -> None:
        # `own` is the company's currency, asked for once.
        self.scope, self.by, self.own = scope, by, company_currency()
        base = (scope.rows() if rows is None else rows).order_by()
        merged: Any = Client.objects.filter(merged_into__isnull=False).order_by()
        self._account: dict[int, int] = dict(merged.values_list("pk", "merged_into"))
        self._batches = [
            self._read(part)
            for lot, columns in apart(base)
            for part in _by_first_sight(_as_it_was(lot, columns, scope.as_of, measure, self.own))
        ]

    def _read(self, part: _Part) -> _Batch:
        packed = Packed(
            *_span(self.by, self.scope),
            (Value(0), _FIELDS["quarter"][0] - _TAIL_BITS, 0),
            _facts(part, self.scope.as_of),
        )
        total = InCompanyCurrency(part.columns.total, self.own)
        seen_after = [part.seen_after] if part.seen_after else []
        columns: list[Any] = [packed, F("client"), part.weight, total, *seen_after]
        rows = part.rows.values_list(*columns).iterator(chunk_size=_CHUNK)
        batch = _Batch()
        while chunk := tuple(islice(rows, _CHUNK)):
            numbers, clients, weights, totals, *seen = zip(*chunk, strict=True)
            batch.rated += sum(filter(None, totals))
            batch.numbers.extend(self._with_client(_flagged(numbers, totals), clients))
            batch.weights.extend(_instead_of_none(weights, 0))
            batch.totals.extend(_instead_of_none(totals, _UNRATED))
            if seen:
                batch.seen_after.extend(seen[0])
        return batch

    def _with_client(self, numbers: Iterable[int], clients: Iterable[int]) -> list[int]:
        """With the part that the client falls into, or the client that it was merged into; and, by
        client, with that as the group."""
        became = self._account.get
        accounts = [became(client, client) for client in clients] if self._account else clients
        shift = _FIELDS["part"][0]
        pairs = zip(numbers, accounts, strict=True)
        if self.by == "client":
            return [
                number | (client & (PARTS - 1)) << shift | client << _GROUP
                for number, client in pairs
            ]
        return [number | (client & (PARTS - 1)) << shift for number, client in pairs]

    @cached_property
    def classes(self) -> tuple[int, ...]:
        """Upper ends of the classes of amount, in major units of the company's currency."""
        count = sum(len(batch.numbers) for batch in self._batches)
        return amount_classes(sum(batch.rated for batch in self._batches), count, self.own)

    @cached_property
    def _placed(self) -> list[array[int]]:
        """The numbers of each batch, with the class of the amount."""
        ends = [*(top * minor_units(self.own) for top in self.classes), _UNRATED]
        shift = _FIELDS["amount"][0]
        return [
            array(
                "q",
                [
                    number | bisect_right(ends, minor) << shift
                    for number, minor in zip(batch.numbers, batch.totals, strict=True)
                ],
            )
            for batch in self._batches
        ]

    def tallies(self, *dimensions: str, weighed: bool = True) -> dict[Key, Tally]:
        """One tally per combination of `dimensions`: the groups, by their name, "quarter", "year",
        "amount" or "part"; unless `weighed`, without the sums of money.

        Quarters and years are counted back from the last month of the scope: 0 is the latest; by
        month there are none. Amount classes are indexes into `classes`, None without an exchange
        rate. A part is one of `PARTS` into which the clients fall, all of a client's invoices into
        the same.
        """
        mask = _TAIL
        for name in dimensions:
            mask |= _mask(name)
        found: dict[Key, Tally] = {}
        for place, batch in enumerate(self._batches):
            numbers = self._placed[place] if "amount" in dimensions else batch.numbers
            kept = [number & mask for number in numbers]
            into = _Tallies(dimensions, found)
            into.count(Counter(kept))
            if weighed:
                money: dict[int, int] = {}
                for number, weight in zip(kept, batch.weights, strict=True):
                    money[number] = money.get(number, 0) + weight
                into.weigh(money)
            if batch.seen_after:
                into.enter(Counter(zip(kept, batch.seen_after, strict=True)))
        return found


def tallies(
    scope: Scope, measure: Measure, by: By, rows: InvoiceQuerySet | None = None
) -> dict[Key, Tally]:
    """One tally per group."""
    return Reading(scope, measure, by, rows).tallies(by)


@dataclass
class _Batch:
    """Invoices as packed numbers, and beside each its money and its amount, in the company's
    currency."""

    numbers: array[int] = field(default_factory=lambda: array("q"))
    weights: array[int] = field(default_factory=lambda: array("q"))
    totals: array[int] = field(default_factory=lambda: array("q"))
    # The sum of the amounts that have a rate.
    rated: int = 0
    # Age at first sight, of those that were brought in because they were open.
    seen_after: array[int] = field(default_factory=lambda: array("q"))


def _flagged(numbers: Sequence[int], totals: Sequence[int | None]) -> Sequence[int]:
    if None not in totals:
        return numbers
    pairs = zip(numbers, totals, strict=True)
    return [number | _NO_RATE if minor is None else number for number, minor in pairs]


def _instead_of_none(amounts: Sequence[int | None], instead: int) -> Iterable[int]:
    return [instead if minor is None else minor for minor in amounts]


def _mask(name: str) -> int:
    shift, bits = _FIELDS.get(name, (_GROUP, 0))
    return (2**bits - 1) << shift if bits else -1 << shift


class _Tallies:
    """Makes tallies of packed numbers by the dimensions that these kept."""

    def __init__(self, dimensions: Sequence[str], found: dict[Key, Tally]) -> None:
        self.dimensions, self.found = dimensions, found
        self._by_head: dict[int, Tally] = {}

    def _of(self, head: int) -> Tally:
        """`head` is a packed number without its days and flags: it is unpacked once."""
        tally = self._by_head.get(head)
        if tally is None:
            key = tuple(_part(name, head << _TAIL_BITS) for name in self.dimensions)
            tally = self._by_head[head] = self.found.setdefault(key, Tally())
        return tally

    def count(self, counts: Mapping[int, int]) -> None:
        for flags, days in _by_days(counts).items():
            tally, fate, n = self._of(flags >> _FLAG_BITS), flags & 3, sum(days.values())
            late = n if flags & _LATE >> _DAY_BITS else 0
            if fate == _PAID:
                tally.paid = add_counts(tally.paid, days) if tally.paid else days
                tally.late += late
                tally.unrated += n if flags & _NO_RATE >> _DAY_BITS else 0
                continue
            tally.unfinished = add_counts(tally.unfinished, days) if tally.unfinished else days
            if fate == _OPEN:
                tally.open += n
                tally.overdue += late

    def weigh(self, money: Mapping[int, int]) -> None:
        for flags, days in _by_days(money).items():
            if flags & 3 == _PAID:
                tally = self._of(flags >> _FLAG_BITS)
                tally.weight_minor += sum(days.values())
                tally.weighted_days += sum(day * minor for day, minor in days.items())

    def enter(self, counts: Mapping[tuple[int, int], int]) -> None:
        for (number, seen_after), n in counts.items():
            paid = (number >> _DAY_BITS) & 3 == _PAID
            length = (number & _DAYS) - _DAY_OFFSET
            self._of(number >> _TAIL_BITS).enter(length, seen_after, n, paid=paid)


def _by_days(numbers: Mapping[int, int]) -> Mapping[int, dict[int, int]]:
    """What belongs to packed numbers, by all but their days, then by days."""
    found: dict[int, dict[int, int]] = defaultdict(dict)
    for number, value in numbers.items():
        found[number >> _DAY_BITS][(number & _DAYS) - _DAY_OFFSET] = value
    return found


def _part(name: str, number: int) -> int | None:
    shift, bits = _FIELDS.get(name, (_GROUP, 0))
    value = number >> shift
    if bits:
        value &= 2**bits - 1
    return None if value == _NOTHING.get(name) else value


# ─ What SQL reads ───────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class _Part:
    """Invoices whose state on the day is read from the same columns."""

    rows: InvoiceQuerySet
    columns: Columns
    settled_on: Combinable
    settled: Q
    paid: Q
    paid_on: Combinable
    # From the start of the measure to the payment, or to the end of what was seen.
    paid_days: Combinable
    start: F
    # Of a paid one: the money, in the company's currency.
    weight: Combinable
    # Age at first sight, of those that were brought in because they were open.
    seen_after: Combinable | None = None


def _as_it_was(
    base: InvoiceQuerySet, columns: Columns, as_of: date, measure: Measure, own: str
) -> Iterator[_Part]:
    """Nearly all invoices by the dates that they keep; those that were settled on the day and
    opened again later, by what they were then."""
    start = F(columns.due if measure == "late" else "issue_date")
    any_reopened = reopened_since(as_of).exists()
    settled = {f"{columns.settled_on}__lte": as_of}
    yield _Part(
        base.exclude(reopened(as_of, columns)) if any_reopened else base,
        columns=columns,
        settled_on=F(columns.settled_on),
        settled=Q(**settled),
        paid=Q(**settled, **{f"{columns.paid_on}__isnull": False}),
        paid_on=F(columns.paid_on),
        paid_days=F(columns.days_late if measure == "late" else columns.days_to_pay),
        start=start,
        weight=InCompanyCurrency(columns.paid, own),
    )
    if any_reopened:
        # Those of an instalment name it.
        side, key = ("instalment", columns.part) if columns.apart else ("invoice", "pk")
        paid_then = Allocation.objects.filter(
            **{side: OuterRef(key)}, kind=Allocation.Kind.PAYMENT, applied_on__lte=as_of
        )
        paid_minor = paid_then.order_by().values(side).annotate(minor=Sum("amount_minor"))
        yield _Part(
            base.filter(reopened(as_of, columns)).annotate(
                settled_then=settled_on_at(as_of, columns),
                paid_then=paid_on_at(as_of, columns),
                minor_then=Subquery(paid_minor.values("minor"), output_field=BigIntegerField()),
            ),
            columns=columns,
            settled_on=F("settled_then"),
            settled=Q(settled_then__isnull=False),
            paid=Q(paid_then__isnull=False),
            paid_on=F("paid_then"),
            paid_days=DaysBetween(start, F("paid_then")),
            start=start,
            weight=InCompanyCurrency("minor_then", own),
        )


def _by_first_sight(parts: Iterable[_Part]) -> Iterator[_Part]:
    """Apart from the others those that some import brought in as open items of a day."""
    seen_late = Invoice.objects.seen_late()
    if not seen_late.exists():
        yield from parts
        return
    for part in parts:
        # By their ids: the column itself stands in no index that serves the others.
        yield replace(part, rows=part.rows.exclude(pk__in=seen_late.values("pk")))
        yield replace(
            part,
            rows=part.rows.seen_late(),
            seen_after=DaysBetween(part.start, F("observed_from")),
        )


def _facts(part: _Part, as_of: date) -> tuple[Combinable, int, int]:
    """What is packed lowest: days, fate, whether late. Each condition is asked once."""
    day = Value(as_of, output_field=DateField())
    due = F(part.columns.due)
    late = _flag(LessThan(due, day))

    def fact(fate: int, days: Combinable, late: Combinable) -> ExpressionWrapper[Any]:
        lowest = Value(_DAY_OFFSET + (fate << _DAY_BITS))
        return ExpressionWrapper(days + lowest + late, output_field=IntegerField())

    # Open ones have lasted until the as-of day, withdrawn ones until the day that settled them.
    found = Case(
        When(part.paid, fact(_PAID, part.paid_days, _flag(LessThan(due, part.paid_on)))),
        When(part.settled, fact(_WITHDRAWN, DaysBetween(part.start, part.settled_on), late)),
        default=fact(_OPEN, DaysBetween(part.start, day), late),
        output_field=IntegerField(),
    )
    return found, _TAIL_BITS, 0


def _flag(condition: Any) -> Case:
    return Case(When(condition, Value(_LATE)), default=Value(0), output_field=IntegerField())


def _span(by: By, scope: Scope) -> list[tuple[Combinable, int, int]]:
    """What is packed in the highest places: the group and the quarter."""
    if by == "month":
        return [(MonthIndex(F("issue_date")), 0, 0), (Value(0), _FIELDS["quarter"][1], 0)]
    back = Value(month_index(scope.until)) - MonthIndex(F("issue_date"))
    quarter = ExpressionWrapper(back / Value(3), output_field=IntegerField())
    if by == "client":
        # Whom a client was merged into is known already: the database would look up each.
        return [(quarter, 0, 0)]
    group = Coalesce(F("owner"), Value(NOBODY)) if by == "owner" else _client_type(scope)
    return [(group, 0, 0), (quarter, _FIELDS["quarter"][1], 0)]


def _client_type(scope: Scope) -> Combinable:
    if not scope.type_today:
        return F("client_type")
    if connection.vendor == "sqlite":
        # Joined, SQLite walks the clients and misses the covering index of the invoices.
        own_type = Client.objects.filter(pk=OuterRef("client")).annotate(now=type_of_today(""))
        return Subquery(own_type.values("now"))
    return type_of_today()
