"""How late invoices are paid, and how long they take, for any group of them.

One observation per invoice, its last payment. An invoice still open on the as-of day is an
unfinished observation of its age, never left out and never counted as paid; one settled by credit
note or write-off alone is unfinished on the day that settled it. SQL counts invoices per whole day,
the estimator reads those counts: figures are exact and cost as much as there are different days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import cached_property
from typing import Any, Literal

from django.db import connection
from django.db.models import (
    Case,
    Count,
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
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from invoices.company.currencies import company_currency, minor_units
from invoices.models import Client, ClientType, Invoice
from invoices.models.invoices import InvoiceQuerySet
from invoices.selections.as_of import settled_by
from invoices.selections.filters import (
    NOBODY,
    InvoiceFilter,
    filter_invoices,
)
from invoices.selections.sql import (
    DaysBetween,
    InCompanyCurrency,
    MonthIndex,
    Packed,
    first_day,
    month_index,
)
from reports.delays.estimator import Curve

By = Literal["client_type", "client", "owner", "month"]
BYS: tuple[By, ...] = ("client_type", "client", "owner", "month")
Measure = Literal["late", "to_pay"]
MEASURES: tuple[Measure, ...] = ("late", "to_pay")

# Upper ends in major units of the company's currency, for invoices of usual size; no last end.
AMOUNT_CLASSES: tuple[int, ...] = (2_000, 5_000, 10_000, 20_000)
# Days late, both ends included.
LATE_CLASSES: tuple[tuple[int | None, int | None], ...] = (
    (None, 0),
    (1, 15),
    (16, 30),
    (31, 60),
    (61, None),
)


@dataclass(frozen=True)
class Scope:
    """Which invoices a report looks at: issued in a period, seen at the end of `as_of`."""

    as_of: date
    issued_from: date | None = None
    issued_to: date | None = None
    client_types: tuple[int, ...] = ()
    client: int | None = None
    owner: int | None = None
    currency: str = ""

    @property
    def until(self) -> date:
        """The last issue day looked at."""
        return min(self.as_of, self.issued_to) if self.issued_to else self.as_of

    @property
    def wanted(self) -> InvoiceFilter:
        """The filter of the invoice list that shows exactly these invoices."""
        return InvoiceFilter(
            state="issued",
            as_of=self.as_of,
            issued_from=self.issued_from,
            issued_to=self.issued_to,
            type=self.client_types,
            client=self.client,
            owner=self.owner,
            currency=self.currency,
        )

    def rows(self) -> InvoiceQuerySet:
        return filter_invoices(Invoice.objects.all(), self.wanted, self.as_of)


@dataclass
class Tally:
    """Invoices per whole day, and what the averages need; adds up over groups."""

    paid: dict[int, int] = field(default_factory=dict)
    unfinished: dict[int, int] = field(default_factory=dict)
    open: int = 0
    overdue: int = 0
    # Of the paid ones: amounts in the company's currency, and amounts times days.
    weight_minor: int = 0
    weighted_days: int = 0
    # Paid ones without an exchange rate: no weight, so the weighted mean leaves them out.
    unrated: int = 0
    late: int = 0

    def add(self, other: Tally) -> None:
        for day, number in other.paid.items():
            self.paid[day] = self.paid.get(day, 0) + number
        for day, number in other.unfinished.items():
            self.unfinished[day] = self.unfinished.get(day, 0) + number
        self.open += other.open
        self.overdue += other.overdue
        self.weight_minor += other.weight_minor
        self.weighted_days += other.weighted_days
        self.unrated += other.unrated
        self.late += other.late

    @cached_property
    def curve(self) -> Curve:
        return Curve(self.paid, self.unfinished)

    @property
    def n(self) -> int:
        return self.n_paid + sum(self.unfinished.values())

    @property
    def n_paid(self) -> int:
        return sum(self.paid.values())

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


Key = tuple[Any, ...]
_STORED = {"late": "days_late", "to_pay": "days_to_pay"}
_START = {"late": "due_date", "to_pay": "issue_date"}


def tallies(
    scope: Scope,
    measure: Measure,
    *dimensions: str,
    rows: InvoiceQuerySet | None = None,
    classes: Sequence[int] = AMOUNT_CLASSES,
) -> dict[Key, Tally]:
    """One tally per combination of `dimensions`: any `By`, "quarter", "year" or "amount". One pass.

    Quarters and years are counted back from the last month of the scope: 0 is the latest. Amount
    classes are indexes into `classes`, None without an exchange rate.
    """
    own = company_currency()
    base = (scope.rows() if rows is None else rows).order_by()
    paid = settled_by(scope.as_of) & Q(paid_on__isnull=False)
    day = Value(scope.as_of, output_field=DateField())
    # Open ones have lasted until the as-of day, withdrawn ones until the day that settled them.
    until = Case(
        When(settled_by(scope.as_of), then=F("settled_on")), default=day, output_field=DateField()
    )
    paid_or_seen = Case(When(paid, then=F("paid_on")), default=day, output_field=DateField())
    fate = Case(
        When(paid, then=Value(_PAID)),
        When(settled_by(scope.as_of), then=Value(_WITHDRAWN)),
        default=Value(_OPEN),
        output_field=IntegerField(),
    )
    days = Case(
        When(paid, then=F(_STORED[measure])),
        default=DaysBetween(F(_START[measure]), until),
        output_field=IntegerField(),
    )
    packed = Packed(
        *(_dimension(name, scope, own, classes) for name in dimensions),
        (fate, 2, 0),
        (_flag(LessThan(F("due_date"), paid_or_seen)), 1, 0),
        (_flag(Q(exchange_rate__isnull=True) & ~Q(currency=own)), 1, 0),
        (days, _DAY_BITS, _DAY_OFFSET),
    )
    counted = (
        base.values(packed=packed)
        .annotate(n=Count("*"), weight=Sum(InCompanyCurrency("paid_minor", own)))
        .values_list("packed", "n", "weight")
    )
    found: dict[Key, Tally] = {}
    # Many cells share a key: it is unpacked once.
    by_head: dict[int, Tally] = {}
    for number, n, weight in counted.iterator(chunk_size=5000):
        tally = by_head.get(number >> _TAIL_BITS)
        if tally is None:
            key = _key(packed.unpack(number), dimensions)
            tally = found[key] = by_head[number >> _TAIL_BITS] = Tally()
        length = (number & (2**_DAY_BITS - 1)) - _DAY_OFFSET
        flags = number >> _DAY_BITS
        if (flags >> 2) & 3 == _PAID:
            tally.paid[length] = tally.paid.get(length, 0) + n
            tally.weight_minor += weight or 0
            tally.weighted_days += (weight or 0) * length
            tally.unrated += n * (flags & 1)
            tally.late += n * ((flags >> 1) & 1)
            continue
        tally.unfinished[length] = tally.unfinished.get(length, 0) + n
        if (flags >> 2) & 3 == _OPEN:
            tally.open += n
            tally.overdue += n * ((flags >> 1) & 1)
    return found


_DAY_BITS, _DAY_OFFSET = 18, 2**17
# Fate, late, without a rate, days.
_TAIL_BITS = 2 + 1 + 1 + _DAY_BITS
_PAID, _OPEN, _WITHDRAWN = 0, 1, 2
# What stands for “none” in a packed key.
_NOTHING = {"owner": NOBODY, "amount": len(AMOUNT_CLASSES) + 1}


def _key(parts: Sequence[int], dimensions: Sequence[str]) -> Key:
    return tuple(
        None if part == _NOTHING.get(name) else part
        for part, name in zip(parts, dimensions, strict=False)
    )


def amount_classes(scope: Scope) -> tuple[int, ...]:
    """The usual classes, times or over ten as often as the mean invoice of the scope asks for."""
    own = company_currency()
    sums = (
        scope.rows()
        .order_by()
        .aggregate(minor=Sum(InCompanyCurrency("total_minor", own)), n=Count("*"))
    )
    if not sums["minor"]:
        return AMOUNT_CLASSES
    mean = Fraction(int(sums["minor"]), sums["n"] * minor_units(own))
    factor = Fraction(1)
    while mean < 1_600 * factor and factor > Fraction(1, 100):
        factor /= 10
    while mean >= 16_000 * factor and factor < 1000:
        factor *= 10
    return tuple(int(end * factor) for end in AMOUNT_CLASSES)


def _flag(condition: Any) -> Case:
    return Case(When(condition, then=Value(1)), default=Value(0), output_field=IntegerField())


def _dimension(
    name: str, scope: Scope, own: str, classes: Sequence[int]
) -> tuple[Combinable, int, int]:
    """A part of the packed key. Identities have no width: they come first."""
    if name == "client_type":
        if connection.vendor == "sqlite":
            # Joined, SQLite walks the clients and misses the covering index of the invoices.
            own_type = Client.objects.filter(pk=OuterRef("client")).values("client_type")
            return Subquery(own_type), 0, 0
        return F("client__client_type"), 0, 0
    if name == "client":
        return F("client"), 0, 0
    if name == "owner":
        return Coalesce(F("owner"), Value(NOBODY)), 0, 0
    if name == "month":
        return MonthIndex(F("issue_date")), 0, 0
    if name in ("quarter", "year"):
        length = 3 if name == "quarter" else 12
        back = Value(month_index(scope.until)) - MonthIndex(F("issue_date"))
        return ExpressionWrapper(back / Value(length), output_field=IntegerField()), 12, 0
    assert name == "amount"
    minor = InCompanyCurrency("total_minor", own)
    unit = minor_units(own)
    place_of = Case(
        *(
            When(LessThan(minor, Value(top * unit)), then=Value(place))
            for place, top in enumerate(classes)
        ),
        When(Q(exchange_rate__isnull=True) & ~Q(currency=own), then=Value(_NOTHING["amount"])),
        default=Value(len(classes)),
        output_field=IntegerField(),
    )
    return place_of, 3, 0


def fold(found: Mapping[Key, Tally], pick: Callable[[Key], Any]) -> dict[Any, Tally]:
    """Add the tallies whose keys `pick` maps to the same; None leaves one out."""
    folded: dict[Any, Tally] = {}
    for key, tally in found.items():
        picked = pick(key)
        if picked is not None:
            folded.setdefault(picked, Tally()).add(tally)
    return folded


def labels(by: By, keys: Iterable[Any]) -> dict[Any, str]:
    """Names of the groups, in the order in which people expect them."""
    wanted = set(keys)
    if by == "month":
        return {key: first_day(key).strftime("%Y-%m") for key in sorted(wanted)}
    names: dict[Any, str]
    if by == "client_type":
        names = {t.pk: t.name for t in ClientType.objects.all() if t.pk in wanted}
    elif by == "client":
        found = Client.objects.order_by("name", "pk")
        if len(wanted) < 500:
            found = found.filter(pk__in=wanted)
        names = {pk: name for pk, name in found.values_list("pk", "name") if pk in wanted}
    else:
        people = User.objects.filter(pk__in=wanted - {None}).order_by("name", "email")
        names = {person.pk: person.name or person.email for person in people}
        if None in wanted:
            names[None] = _("No seller named")
    return names
