"""How late invoices are paid, and how long they take, for any group of them.

One observation per invoice, its last payment. An invoice still open on the as-of day is censored at
its age, never left out and never counted as paid; one that a credit note or a write-off closed was
withdrawn, and is censored on that day (payments/settling.py says when money paid it all the same).
All is read as it was at the end of the as-of day: paid then and bounced since is paid.

SQL counts invoices per whole day, the estimator reads those counts: figures are exact and cost as
much as there are different days.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import Any, Literal

from django.db import connection
from django.db.models import (
    BigIntegerField,
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
from invoices.models import Allocation, Client, ClientType, Invoice
from invoices.models.clients import account, type_of_today
from invoices.models.invoices import InvoiceQuerySet
from invoices.selections.as_of import paid_on_at, reopened_since, settled_on_at
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
from reports.delays.tally import Key, Tally

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
# So many parts of the clients, a power of two, say how much chance there is in a change: enough for
# that, and few enough to be counted for many clients.
PARTS = 16


@dataclass(frozen=True)
class Scope:
    """Which invoices a report looks at: issued in a period, seen at the end of `as_of`."""

    as_of: date
    issued_from: date | None = None
    issued_to: date | None = None
    client_types: tuple[int, ...] = ()
    # Clients count with their type of today instead of the one that each invoice keeps.
    type_today: bool = False
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
            type_today=self.type_today,
            client=self.client,
            owner=self.owner,
            currency=self.currency,
        )

    def rows(self) -> InvoiceQuerySet:
        return filter_invoices(Invoice.objects.all(), self.wanted, self.as_of)


_STORED = {"late": "days_late", "to_pay": "days_to_pay"}
_START = {"late": "due_date", "to_pay": "issue_date"}


def tallies(
    scope: Scope,
    measure: Measure,
    *dimensions: str,
    rows: InvoiceQuerySet | None = None,
    classes: Sequence[int] = AMOUNT_CLASSES,
) -> dict[Key, Tally]:
    """One tally per combination of `dimensions`: any `By`, "quarter", "year", "amount" or "part".
    One pass.

    Quarters and years are counted back from the last month of the scope: 0 is the latest. Amount
    classes are indexes into `classes`, None without an exchange rate. A part is one of `PARTS` into
    which the clients fall, all of a client's invoices into the same.
    """
    own = company_currency()
    base = (scope.rows() if rows is None else rows).order_by()
    keys = [_dimension(name, scope, own, classes) for name in dimensions]
    found: dict[Key, Tally] = {}
    for part in _by_first_sight(_as_it_was(base, scope.as_of, measure, own)):
        packed = Packed(*keys, *_facts(part, scope.as_of, own))
        counted = (
            part.rows.values(packed=packed, seen_after=part.seen_after)
            .annotate(n=Count("*"), weight=Sum(part.weight))
            .values_list("packed", "n", "weight", "seen_after")
            if part.seen_after
            else part.rows.values(packed=packed)
            .annotate(n=Count("*"), weight=Sum(part.weight))
            .values_list("packed", "n", "weight")
        )
        _count(counted.iterator(chunk_size=5000), packed, dimensions, found)
    return found


@dataclass(frozen=True)
class _Part:
    """Invoices whose state on the day is read from the same columns."""

    rows: InvoiceQuerySet
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


def _as_it_was(base: InvoiceQuerySet, as_of: date, measure: Measure, own: str) -> Iterator[_Part]:
    """Nearly all invoices by the dates that they keep; those that were settled on the day and
    opened again later, by what they were then."""
    start = F(_START[measure])
    reopened = reopened_since(as_of)
    any_reopened = reopened.exists()
    yield _Part(
        base.exclude(pk__in=reopened.values("invoice")) if any_reopened else base,
        settled_on=F("settled_on"),
        settled=Q(settled_on__lte=as_of),
        paid=Q(settled_on__lte=as_of, paid_on__isnull=False),
        paid_on=F("paid_on"),
        paid_days=F(_STORED[measure]),
        start=start,
        weight=InCompanyCurrency("paid_minor", own),
    )
    if any_reopened:
        paid_then = Allocation.objects.filter(
            invoice=OuterRef("pk"), kind=Allocation.Kind.PAYMENT, applied_on__lte=as_of
        )
        paid_minor = paid_then.order_by().values("invoice").annotate(minor=Sum("amount_minor"))
        yield _Part(
            base.filter(pk__in=reopened.values("invoice")).annotate(
                settled_then=settled_on_at(as_of),
                paid_then=paid_on_at(as_of),
                minor_then=Subquery(paid_minor.values("minor"), output_field=BigIntegerField()),
            ),
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


def _facts(part: _Part, as_of: date, own: str) -> list[tuple[Combinable, int, int]]:
    """What is packed below the dimensions: fate, whether late, without a rate, days."""
    day = Value(as_of, output_field=DateField())
    # Open ones have lasted until the as-of day, withdrawn ones until the day that settled them.
    until = Case(When(part.settled, then=part.settled_on), default=day, output_field=DateField())
    paid_or_seen = Case(When(part.paid, then=part.paid_on), default=day, output_field=DateField())
    fate = Case(
        When(part.paid, then=Value(_PAID)),
        When(part.settled, then=Value(_WITHDRAWN)),
        default=Value(_OPEN),
        output_field=IntegerField(),
    )
    days = Case(
        When(part.paid, then=part.paid_days),
        default=DaysBetween(part.start, until),
        output_field=IntegerField(),
    )
    return [
        (fate, 2, 0),
        (_flag(LessThan(F("due_date"), paid_or_seen)), 1, 0),
        (_flag(Q(exchange_rate__isnull=True) & ~Q(currency=own)), 1, 0),
        (days, _DAY_BITS, _DAY_OFFSET),
    ]


def _count(
    counted: Iterable[tuple[int, ...]],
    packed: Packed,
    dimensions: Sequence[str],
    found: dict[Key, Tally],
) -> None:
    # Many cells share a key: it is unpacked once.
    by_head: dict[int, Tally] = {}
    for number, n, weight, *seen_after in counted:
        tally = by_head.get(number >> _TAIL_BITS)
        if tally is None:
            key = _key(packed.unpack(number), dimensions)
            tally = by_head[number >> _TAIL_BITS] = found.setdefault(key, Tally())
        length = (number & (2**_DAY_BITS - 1)) - _DAY_OFFSET
        flags = number >> _DAY_BITS
        if (flags >> 2) & 3 == _PAID:
            tally.paid[length] = tally.paid.get(length, 0) + n
            if seen_after:
                tally.enter(tally.unseen_paid, length, seen_after[0], n)
            tally.weight_minor += weight or 0
            tally.weighted_days += (weight or 0) * length
            tally.unrated += n * (flags & 1)
            tally.late += n * ((flags >> 1) & 1)
            continue
        tally.unfinished[length] = tally.unfinished.get(length, 0) + n
        if seen_after:
            tally.enter(tally.unseen_unfinished, length, seen_after[0], n)
        if (flags >> 2) & 3 == _OPEN:
            tally.open += n
            tally.overdue += n * ((flags >> 1) & 1)


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
        if not scope.type_today:
            return F("client_type"), 0, 0
        if connection.vendor == "sqlite":
            # Joined, SQLite walks the clients and misses the covering index of the invoices.
            own_type = Client.objects.filter(pk=OuterRef("client")).annotate(now=type_of_today(""))
            return Subquery(own_type.values("now")), 0, 0
        return type_of_today(), 0, 0
    if name == "client":
        if connection.vendor == "sqlite":
            became = Client.objects.filter(pk=OuterRef("client")).values("merged_into")
            return Coalesce(Subquery(became), F("client")), 0, 0
        return account(), 0, 0
    if name == "part":
        client = _dimension("client", scope, own, classes)[0]
        return client.bitand(PARTS - 1), 4, 0
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
        names = _told_apart(names, {pk: f"#{pk}" for pk in names})
    else:
        people = User.objects.filter(pk__in=wanted - {None}).order_by("name", "email")
        names = {person.pk: person.name or person.email for person in people}
        emails = {person.pk: person.email for person in people}
        names = _told_apart(names, emails)
        if None in wanted:
            names[None] = _("No seller named")
    return names


def _told_apart(names: Mapping[Any, str], marks: Mapping[Any, str]) -> dict[Any, str]:
    """Two of one name are two groups: each with what tells it from the other."""
    times = Counter(names.values())
    return {
        key: f"{name} ({marks[key]})" if times[name] > 1 else name for key, name in names.items()
    }
