"""What is owed on a day: ageing two ways, DSO in its variants, CEI. Per currency, never summed.

Days are counted from the first to the as-of day, both included. Receivable and sales include VAT.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from django.db.models import Case, Count, F, IntegerField, Q, Sum, Value, When
from django.db.models.functions import Greatest

from invoices.models import Allocation, Invoice, Payment
from invoices.models.invoices import was_issued
from invoices.selections.filters import (
    BUCKETS_DUE,
    BUCKETS_ISSUE,
    NOBODY,
    InvoiceFilter,
    bucket_condition,
    filter_invoices,
    open_at,
    with_open_amount,
)
from invoices.selections.sql import MonthIndex, first_day, month_index
from reports.delays.measuring import By, rounded


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
    rows = with_open_amount(filter_invoices(Invoice.objects.all(), wanted, as_of), as_of)
    key = {"client_type": F("client__client_type"), "client": F("client"), "owner": F("owner")}
    dues, issues = list(BUCKETS_DUE), list(BUCKETS_ISSUE)
    counted = (
        rows.order_by()
        .values(
            "currency",
            key=key[by] if by else Value(0),
            due=_bucket("due_date", BUCKETS_DUE, as_of),
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


@dataclass
class Movements:
    """What one currency saw, month by month, up to the as-of day."""

    invoiced: dict[int, int] = field(default_factory=dict)
    credited: dict[int, int] = field(default_factory=dict)

    def sales(self, month: int) -> int:
        """Credit sales: invoices issued less credit notes issued."""
        return self.invoiced.get(month, 0) - self.credited.get(month, 0)

    @property
    def first(self) -> int | None:
        return min((*self.invoiced, *self.credited), default=None)


def movements(
    as_of: date, *, since: date | None = None, wanted: InvoiceFilter | None = None
) -> dict[str, Movements]:
    """Invoiced and credited per month of issue, until the end of `as_of`. One query."""
    rows = Invoice.objects.filter(
        # Both kinds, said out loud: so the covering index serves.
        was_issued(),
        kind__in=Invoice.Kind.values,
        issue_date__lte=as_of,
        **_scoped(wanted),
    )
    if since:
        rows = rows.filter(issue_date__gte=since)
    found: dict[str, Movements] = {}
    for currency, kind, month, minor in (
        rows.order_by()
        .values("currency", "kind", month=MonthIndex(F("issue_date")))
        .annotate(minor=Sum("total_minor"))
        .values_list("currency", "kind", "month", "minor")
    ):
        here = found.setdefault(currency, Movements())
        (here.invoiced if kind == Invoice.Kind.INVOICE else here.credited)[month] = minor
    return found


def _scoped(wanted: InvoiceFilter | None, through: str = "") -> dict[str, Any]:
    """Conditions for all kinds of invoices of the clients, owner and currency of `wanted`."""
    if wanted is None:
        return {}
    plain = {
        "client": wanted.client,
        "currency": wanted.currency or None,
        "client__client_type__in": wanted.type or None,
        "owner": wanted.owner or None,
        "owner__isnull": True if wanted.owner == NOBODY else None,
    }
    return {f"{through}{name}": value for name, value in plain.items() if value is not None}


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


def positions(
    start: date, as_of: date, *, wanted: InvoiceFilter | None = None
) -> dict[str, Position]:
    """Every currency with a receivable, a sale or a credit. The number of queries is fixed."""
    aged = {currency: groups[None] for currency, groups in ageing(as_of, wanted=wanted).items()}
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
        simple, best = _dso(receivable, sales, days), _dso(current, sales, days)
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
            dso_rolling=_rolling(receivable, in_period, applied, sales, start, as_of),
            cei=Fraction((collected - written_off) * 100, collectable) if collectable > 0 else None,
            cei_with_write_offs=(
                Fraction(collected * 100, collectable) if collectable > 0 else None
            ),
            unapplied_cash_minor=cash.get(currency, 0),
            credit_balance_minor=unused.get(currency, 0),
        )
    return found


def _dso(receivable: int, sales: int, days: int) -> Fraction | None:
    return Fraction(receivable * days, sales) if sales > 0 else None


def exhaust(receivable: int, moves: Movements, as_of: date) -> tuple[Fraction | None, int | None]:
    """Countback: days of the latest sales that the receivable stands for.

    Months with net sales of zero or less add their days and carry their credit back. Where history
    ends first: None, and the days that it covers.
    """
    if receivable <= 0:
        return Fraction(0), None
    month, left, days, carried = month_index(as_of), receivable, 0, 0
    while moves.first is not None and month >= moves.first:
        begins = first_day(month)
        ends = min(as_of, first_day(month + 1) - timedelta(days=1))
        length = (ends - begins).days + 1
        sales = moves.sales(month) + carried
        carried = min(sales, 0)
        if sales > left:
            return days + Fraction(left * length, sales), None
        left -= max(sales, 0)
        days += length
        if not left:
            return Fraction(days), None
        month -= 1
    return None, days


def _rolling(
    receivable: int,
    period: Movements,
    applied: dict[int, int],
    sales: int,
    start: date,
    as_of: date,
) -> Fraction | None:
    """Average receivable at the end of each month of the period ÷ its sales × its days."""
    if sales <= 0:
        return None
    ends, standing = [], receivable
    for month in range(month_index(as_of), month_index(start) - 1, -1):
        ends.append(standing)
        standing += applied.get(month, 0) - period.invoiced.get(month, 0)
    return Fraction(sum(ends) * ((as_of - start).days + 1), len(ends) * sales)


def _settled_since(
    start: date, as_of: date, wanted: InvoiceFilter | None
) -> dict[str, dict[int, int]]:
    """Applied to invoices, by month; money that came before its invoice counts at issue."""
    rows = Allocation.objects.filter(
        invoice__kind=Invoice.Kind.INVOICE, **_scoped(wanted, "invoice__")
    ).order_by()
    effective = Greatest(F("applied_on"), F("invoice__issue_date"))
    # Two plain ranges: one condition for both would read every allocation with its invoice.
    in_time = rows.filter(applied_on__range=(start, as_of), invoice__issue_date__lte=as_of)
    early = rows.filter(applied_on__lt=start, invoice__issue_date__range=(start, as_of))
    found: dict[str, dict[int, int]] = {}
    for part in (in_time, early):
        for currency, month, minor in (
            part.values("invoice__currency", month=MonthIndex(effective))
            .annotate(minor=Sum("amount_minor"))
            .values_list("invoice__currency", "month", "minor")
        ):
            here = found.setdefault(currency, {})
            here[month] = here.get(month, 0) + minor
    return found


def _written_off(start: date, as_of: date, wanted: InvoiceFilter | None) -> dict[str, int]:
    rows = Allocation.objects.filter(
        kind=Allocation.Kind.WRITE_OFF,
        applied_on__range=(start, as_of),
        **_scoped(wanted, "invoice__"),
    )
    return dict(
        rows.order_by()
        .values("invoice__currency")
        .annotate(minor=Sum("amount_minor"))
        .values_list("invoice__currency", "minor")
    )


def unapplied_cash(as_of: date, *, wanted: InvoiceFilter | None = None) -> dict[str, int]:
    """Money received by the end of `as_of` that no invoice had taken by then. Three queries."""
    rows = Payment.objects.filter(**_of_clients(wanted)).order_by()
    unapplied = Sum(F("amount_minor") - F("allocated_minor"))
    found = dict(rows.values("currency").annotate(minor=unapplied).values_list("currency", "minor"))
    # All, less the few that came later: the other way round reads every payment through an index.
    younger = rows.filter(received_on__gt=as_of).values("currency").annotate(minor=unapplied)
    for currency, minor in younger.values_list("currency", "minor"):
        found[currency] -= minor
    later = Allocation.objects.filter(
        # Not as a range of the payments' own: SQLite would begin with all of them.
        Q(payment__received_on__lte=as_of) | Q(payment__received_on__isnull=True),
        kind=Allocation.Kind.PAYMENT,
        applied_on__gt=as_of,
        **{f"payment__{name}": value for name, value in _of_clients(wanted).items()},
    )
    return _with_later(found, later, "payment__currency")


def credit_balances(as_of: date, *, wanted: InvoiceFilter | None = None) -> dict[str, int]:
    """Credit notes issued by the end of `as_of`, as far as nothing had used them. Two queries."""
    rows = Invoice.objects.filter(
        was_issued(), open_at(as_of), kind=Invoice.Kind.CREDIT_NOTE, issue_date__lte=as_of
    )
    rows = rows.filter(**_of_clients(wanted))
    found = dict(
        rows.order_by()
        .values("currency")
        .annotate(minor=Sum("outstanding_minor"))
        .values_list("currency", "minor")
    )
    later = Allocation.objects.filter(credit_note__in=rows, applied_on__gt=as_of)
    return _with_later(found, later, "credit_note__currency")


def _of_clients(wanted: InvoiceFilter | None) -> dict[str, Any]:
    if wanted is None:
        return {}
    plain = {
        "client": wanted.client,
        "currency": wanted.currency or None,
        "client__client_type__in": wanted.type or None,
    }
    return {name: value for name, value in plain.items() if value is not None}


def _with_later(found: dict[str, int], later: Any, currency: str) -> dict[str, int]:
    for code, minor in (
        later.order_by()
        .values(currency)
        .annotate(minor=Sum("amount_minor"))
        .values_list(currency, "minor")
    ):
        found[code] = found.get(code, 0) + minor
    return {code: minor for code, minor in found.items() if minor}


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
