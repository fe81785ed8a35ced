"""What is owed on a day: ageing two ways, DSO in its variants, CEI. Per currency, never summed.

Days are counted from the first to the as-of day, both included. Receivable and sales include VAT.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

from django.db.models import Case, Count, F, IntegerField, Sum, Value, When

from invoices.models import Allocation, Invoice
from invoices.models.clients import account, type_of_today
from invoices.selections.ageing import BUCKETS_DUE, BUCKETS_ISSUE, bucket_condition
from invoices.selections.as_of import with_open_amount
from invoices.selections.filters import (
    InvoiceFilter,
    select,
)
from invoices.selections.sql import MonthIndex, first_day, month_index
from reports.cells import rounded
from reports.delays.measuring import By
from reports.receivables.cash import credit_balances, unapplied_cash
from reports.receivables.sales import Movements, dso, exhaust, movements, rolling, scoped


@dataclass
class Ageing:
    """Open amounts of one group in one currency, by bucket; both ways make the same total."""

    due_minor: dict[str, int] = field(default_factory=lambda: dict.fromkeys(BUCKETS_DUE, 0))
    issue_minor: dict[str, int] = field(default_factory=lambda: dict.fromkeys(BUCKETS_ISSUE, 0))
    due_count: dict[str, int] = field(default_factory=lambda: dict.fromkeys(BUCKETS_DUE, 0))
    issue_count: dict[str, int] = field(default_factory=lambda: dict.fromkeys(BUCKETS_ISSUE, 0))
    overdue_minor: int = 0
    count: int = 0

    @property
    def receivable_minor(self) -> int:
        return sum(self.due_minor.values())

    @property
    def current_minor(self) -> int:
        return self.receivable_minor - self.overdue_minor

    def add(self, other: Ageing) -> None:
        for mine, theirs in (
            (self.due_minor, other.due_minor),
            (self.issue_minor, other.issue_minor),
            (self.due_count, other.due_count),
            (self.issue_count, other.issue_count),
        ):
            for bucket, number in theirs.items():
                mine[bucket] += number
        self.overdue_minor += other.overdue_minor
        self.count += other.count


def _bucket(start: str, buckets: dict[str, tuple[int | None, int | None]], day: date) -> Case:
    return Case(
        *(
            When(bucket_condition(start, ends, day), then=Value(place))
            for place, ends in enumerate(buckets.values())
        ),
        output_field=IntegerField(),
    )


def ageing(
    as_of: date, *, by: By | None = None, wanted: InvoiceFilter | None = None
) -> dict[str, dict[Any, Ageing]]:
    """Currency → group key (None without `by`) → ageing at the end of `as_of`. One query."""
    wanted = (wanted or InvoiceFilter()).but(state="open", as_of=as_of)
    rows, columns = select(Invoice.objects.all(), wanted, as_of)
    rows = with_open_amount(rows, as_of, columns=columns)
    key = {
        "client_type": type_of_today() if wanted.type_today else F("client_type"),
        "client": account(),
        "owner": F("owner"),
    }
    dues, issues = list(BUCKETS_DUE), list(BUCKETS_ISSUE)
    counted = (
        rows.order_by()
        .values(
            "currency",
            key=key[by] if by else Value(0),
            due=_bucket(columns.due, BUCKETS_DUE, as_of),
            issue=_bucket("issue_date", BUCKETS_ISSUE, as_of),
        )
        .annotate(n=Count("pk"), minor=Sum("open_minor"))
        .values_list("currency", "key", "due", "issue", "n", "minor")
    )
    found: dict[str, dict[Any, Ageing]] = {}
    for currency, group, due, issue, n, minor in counted:
        here = found.setdefault(currency, {}).setdefault(group if by else None, Ageing())
        here.due_minor[dues[due]] += minor
        here.due_count[dues[due]] += n
        here.issue_minor[issues[issue]] += minor
        here.issue_count[issues[issue]] += n
        here.count += n
        if due:
            here.overdue_minor += minor
    return found


@dataclass(frozen=True)
class Position:
    """The figures of one currency for a period that ends on the as-of day."""

    currency: str
    ageing: Ageing
    sales_minor: int
    beginning_minor: int
    written_off_minor: int
    days: int
    dso_simple: Fraction | None
    dso_best_possible: Fraction | None
    add: Fraction | None
    # None and a number of days: history ended before the receivable was covered.
    dso_countback: Fraction | None
    countback_best_possible: Fraction | None
    countback_more_than: int | None
    dso_rolling: Fraction | None
    # Write-offs taken out of what was collected, and with them counted as collected.
    cei: Fraction | None
    cei_with_write_offs: Fraction | None
    unapplied_cash_minor: int = 0
    credit_balance_minor: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether every figure of it is zero."""
        return self.is_quiet and self.sales_minor == self.beginning_minor == 0

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is owed or left over: what was invoiced of it, if anything, is paid."""
        return not any(
            (
                self.ageing.count,
                self.written_off_minor,
                self.unapplied_cash_minor,
                self.credit_balance_minor,
            )
        )


def positions(
    start: date,
    as_of: date,
    *,
    wanted: InvoiceFilter | None = None,
    groups: dict[str, dict[Any, Ageing]] | None = None,
) -> dict[str, Position]:
    """Every currency with a receivable, a sale or a credit. The number of queries is fixed.

    `groups` is the ageing of the same invoices by whatever it is, where that is known already.
    """
    groups = ageing(as_of, wanted=wanted) if groups is None else groups
    aged = {currency: total(parts.values()) for currency, parts in groups.items()}
    history = movements(as_of, wanted=wanted)
    period = movements(as_of, since=start, wanted=wanted)
    settled = _settled_since(start, as_of, wanted)
    write_offs = _written_off(start, as_of, wanted)
    cash = unapplied_cash(as_of, wanted=wanted)
    unused = credit_balances(as_of, wanted=wanted)
    days = (as_of - start).days + 1
    found = {}
    for currency in sorted({*aged, *history, *cash, *unused}):
        ending = aged.get(currency, Ageing())
        moves = history.get(currency, Movements())
        in_period = period.get(currency, Movements())
        sales = sum(in_period.invoiced.values()) - sum(in_period.credited.values())
        applied = settled.get(currency, {})
        receivable, current = ending.receivable_minor, ending.current_minor
        beginning = receivable - sum(in_period.invoiced.values()) + sum(applied.values())
        written_off = write_offs.get(currency, 0)
        simple, best = dso(receivable, sales, days), dso(current, sales, days)
        countback, more_than = exhaust(receivable, moves, as_of)
        collectable = beginning + sales - current
        collected = beginning + sales - receivable
        found[currency] = Position(
            currency=currency,
            ageing=ending,
            sales_minor=sales,
            beginning_minor=beginning,
            written_off_minor=written_off,
            days=days,
            dso_simple=simple,
            dso_best_possible=best,
            add=None if simple is None or best is None else simple - best,
            dso_countback=countback,
            countback_best_possible=exhaust(current, moves, as_of)[0],
            countback_more_than=more_than,
            dso_rolling=rolling(receivable, in_period, applied, sales, start, as_of),
            cei=Fraction((collected - written_off) * 100, collectable) if collectable > 0 else None,
            cei_with_write_offs=(
                Fraction(collected * 100, collectable) if collectable > 0 else None
            ),
            unapplied_cash_minor=cash.get(currency, 0),
            credit_balance_minor=unused.get(currency, 0),
        )
    return found


def _settled_since(
    start: date, as_of: date, wanted: InvoiceFilter | None
) -> dict[str, dict[int, int]]:
    """Applied to invoices, by month of its effective day."""
    rows = Allocation.objects.filter(scoped(wanted, "invoice__"), applied_on__range=(start, as_of))
    found: dict[str, dict[int, int]] = {}
    for currency, kind, month, minor in (
        rows.order_by()
        .values("invoice__currency", "invoice__kind", month=MonthIndex(F("applied_on")))
        .annotate(minor=Sum("amount_minor"))
        .values_list("invoice__currency", "invoice__kind", "month", "minor")
    ):
        # Asked for invoices only, SQLite would begin with every invoice there is.
        if kind == Invoice.Kind.INVOICE:
            found.setdefault(currency, {})[month] = minor
    return found


def _written_off(start: date, as_of: date, wanted: InvoiceFilter | None) -> dict[str, int]:
    rows = Allocation.objects.filter(
        scoped(wanted, "invoice__"),
        kind=Allocation.Kind.WRITE_OFF,
        applied_on__range=(start, as_of),
    )
    return dict(
        rows.order_by()
        .values("invoice__currency")
        .annotate(minor=Sum("amount_minor"))
        .values_list("invoice__currency", "minor")
    )


def as_json(found: dict[str, Position]) -> dict[str, Any]:
    """What `receivables --format json` prints: amounts in minor units, days and percent rounded."""
    return {
        currency: {
            "receivable_minor": position.ageing.receivable_minor,
            "current_minor": position.ageing.current_minor,
            "overdue_minor": position.ageing.overdue_minor,
            "ageing_due_minor": position.ageing.due_minor,
            "ageing_issue_minor": position.ageing.issue_minor,
            "dso_simple": rounded(position.dso_simple),
            "dso_best_possible": rounded(position.dso_best_possible),
            "add": rounded(position.add),
            "dso_countback": rounded(position.dso_countback),
            "cei": rounded(position.cei),
        }
        for currency, position in found.items()
    }


def total(groups: Iterable[Ageing]) -> Ageing:
    found = Ageing()
    for group in groups:
        found.add(group)
    return found


def usual_start(as_of: date) -> date:
    """The first day of the three calendar months that end with the as-of day."""
    return first_day(month_index(as_of) - 2)
