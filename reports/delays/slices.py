"""Payment slices: each payment is an observation, weighted by its amount."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from django.db.models import BigIntegerField, Count, DateField, ExpressionWrapper, F, Sum, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Greatest

from invoices.company.currencies import company_currency
from invoices.models import Allocation
from invoices.models.dues import by_instalment
from invoices.selections.as_of import open_at, with_open_amount
from invoices.selections.sql import DaysBetween, InCompanyCurrency
from reports.delays.measuring import Scope


@dataclass(frozen=True)
class Slices:
    """Amount-weighted days over payments instead of invoices; None without payments."""

    days_late: Fraction | None
    days_to_pay: Fraction | None
    # With what is open and overdue, at today's age: signed, and with early payments as 0 (DBT).
    signed: Fraction | None
    beyond_terms: Fraction | None
    unrated: int


def slices(scope: Scope) -> Slices:
    """The second honest reading of part payments. Three queries."""
    own = company_currency()
    rows = scope.rows().order_by()
    amount = InCompanyCurrency("amount_minor", own, of="invoice__")
    # An allocation names the instalment that it settles.
    due = Coalesce(F("instalment__due_date"), F("invoice__due_date"))
    late = DaysBetween(due, F("applied_on"))
    to_pay = DaysBetween(F("invoice__issue_date"), F("applied_on"))
    given = Allocation.objects.filter(amount_minor__gt=0)
    # What was taken back by then, with what took it back, is no payment of that day.
    taken_back = Allocation.objects.filter(
        takes_back__isnull=False, applied_on__lte=scope.as_of
    ).order_by()
    if taken_back.exists():
        given = given.exclude(pk__in=taken_back.values("takes_back"))
    paid = given.filter(
        invoice__in=rows,
        kind=Allocation.Kind.PAYMENT,
        applied_on__lte=scope.as_of,
    ).aggregate(
        n=Count("pk"),
        rated=Count(amount),
        amount=Sum(amount),
        late=Sum(_times(amount, late)),
        to_pay=Sum(_times(amount, to_pay)),
        beyond=Sum(_times(amount, Greatest(late, Value(0)))),
    )
    dues, columns = by_instalment(rows)
    overdue = with_open_amount(
        dues.filter(open_at(scope.as_of, columns), **{f"{columns.due}__lt": scope.as_of}),
        scope.as_of,
        columns=columns,
    )
    age = DaysBetween(F(columns.due), Value(scope.as_of, output_field=DateField()))
    still_open = InCompanyCurrency("open_minor", own)
    waiting = overdue.aggregate(
        n=Count("pk"),
        rated=Count(still_open),
        amount=Sum(still_open),
        late=Sum(_times(still_open, age)),
    )
    sums = {key: value or 0 for key, value in paid.items()}
    more = {key: value or 0 for key, value in waiting.items()}
    everything = sums["amount"] + more["amount"]
    return Slices(
        days_late=_ratio(sums["late"], sums["amount"]),
        days_to_pay=_ratio(sums["to_pay"], sums["amount"]),
        signed=_ratio(sums["late"] + more["late"], everything),
        beyond_terms=_ratio(sums["beyond"] + more["late"], everything),
        unrated=sums["n"] - sums["rated"] + more["n"] - more["rated"],
    )


def _times(amount: Combinable, days: Combinable) -> ExpressionWrapper[Any]:
    return ExpressionWrapper(amount * days, output_field=BigIntegerField())


def _ratio(above: int, below: int) -> Fraction | None:
    return Fraction(int(above), int(below)) if below else None
