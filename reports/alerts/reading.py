"""What alert rules read of the books: kinds ask here, and know no query themselves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar

from django.db.models import (
    Count,
    Exists,
    F,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.utils import timezone

from invoices.deals.queue import first_billing_day
from invoices.models import Allocation, Client, Deal, Instalment, Invoice, PastSettlement
from invoices.models.dues import apart
from invoices.models.invoices import InvoiceQuerySet
from invoices.selections.sql import DaysBetween, ReadDays, WrittenDay
from reports.delays.tally import Tally

LateInvoices = InvoiceQuerySet
Rows = TypeVar("Rows", bound=QuerySet[Any])


def late_invoices(since: date, until: date, days: int) -> InvoiceQuerySet:
    """Invoices of which something is open more than `days` past its day on some day of the span."""
    late = Q(due_date__lt=until - timedelta(days=days)) & (
        Q(settled_on__isnull=True) | (Q(settled_on__gt=since) & Q(settled_on__gt=F("due_date")))
    )
    rows = Invoice.objects.issued().invoices().order_by()
    parts = Instalment.objects.order_by()
    if not parts.exists():
        return rows.filter(late)
    return rows.filter(
        Q(pk__in=parts.filter(late).values("invoice")) | late & ~Q(pk__in=parts.values("invoice"))
    )


@dataclass(frozen=True, slots=True)
class OwedDue:
    """What is due on one day, and what settled it: of an instalment, or of an invoice due whole."""

    due: date
    total_minor: int
    settled_on: date | None
    steps: list[tuple[date, int]]

    def open_on(self, day: date) -> int:
        if self.settled_on is not None and day >= self.settled_on:
            return 0
        return owed_on(self.total_minor, self.steps, day)


def dues_of(invoices: InvoiceQuerySet) -> dict[int, list[OwedDue]]:
    """The dues of each invoice, by its id."""
    steps = settling_steps(invoices)
    found: dict[int, list[OwedDue]] = {}
    for lot, columns in apart(invoices):
        key = -F(columns.part) if columns.apart else F("pk")
        rows = lot.values_list("pk", key, columns.due, columns.total, columns.settled_on)
        for pk, place, due, total, settled in rows.iterator():
            owed = OwedDue(due, total, settled, steps.get(place, []))
            found.setdefault(pk, []).append(owed)
    return found


def worth_more(rows: Rows, column: str, minor: int, currency: str) -> Rows:
    """Those above an amount in the company's currency; a foreign amount is compared by the caller,
    with a rate of its own."""
    return rows.filter(Q(**{"currency": currency, f"{column}__gt": minor}) | ~Q(currency=currency))


# Of alerts; kinds ask for one and leave the database to this module.
Condition = Q


def no_alert() -> Condition:
    return Q(pk__in=())


def what_was_late_is_settled() -> Condition:
    """The invoice, or the instalments of it that were late when the alert fired."""
    return Q(invoice__settled_on__isnull=False) | Q(invoice__next_due__gte=F("fired_on"))


def deal_is_seen_to() -> Condition:
    """Drafted, invoiced or set aside."""
    billed = Invoice.objects.billing().filter(deal=OuterRef("deal"))
    return Q(deal__set_aside_at__isnull=False) | Q(Exists(billed))


def won_and_not_billed(since: date, until: date, days: int) -> QuerySet[Deal]:
    """Won deals that may have waited for an invoice more than `days` on some day of the span."""
    deals = Deal.objects.filter(
        status=Deal.Status.WON, won_on__lt=until - timedelta(days=days)
    ).order_by()
    if first_day := first_billing_day():
        deals = deals.filter(won_on__gte=first_day)
    # What was over before the span began need not be read.
    begin = timezone.make_aware(datetime.combine(since, time.min))
    billed = Invoice.objects.billing().filter(deal=OuterRef("pk"), created_at__lt=begin)
    return deals.filter(Q(set_aside_at__isnull=True) | Q(set_aside_at__gte=begin)).exclude(
        Exists(billed)
    )


def what_became(deals: QuerySet[Deal]) -> Iterable[tuple[Any, ...]]:
    """Id, day won, currency, value, when it was set aside, when the first invoice of it was issued
    and drafted."""
    # The least of each, and no order: for one by issue dates SQLite reads all invoices per deal.
    billed = Invoice.objects.billing().filter(deal=OuterRef("pk")).order_by().values("deal")
    return deals.values_list(
        "pk", "won_on", "currency", "value_minor", "set_aside_at",
        Subquery(billed.annotate(first=Min("issue_date")).values("first")),
        Subquery(billed.annotate(first=Min("created_at")).values("first")),
    ).iterator()  # fmt: skip


@dataclass(frozen=True, slots=True)
class PastSettled:
    """Settled from a day, by money or not, until the day that opened the invoice again."""

    on: date
    paid_on: date | None
    reopened: date


def past_settlements(invoices: InvoiceQuerySet) -> Mapping[int, tuple[PastSettled, ...]]:
    """Of the few that were settled and opened again: by the invoice's id, or by the negative id of
    an instalment."""
    found: dict[int, tuple[PastSettled, ...]] = defaultdict(tuple)
    if not PastSettlement.objects.exists():
        return found
    rows = PastSettlement.objects.filter(invoice__in=invoices.values("pk"))
    for pk, part, on, paid_on, reopened in rows.order_by("settled_on").values_list(
        "invoice_id", "instalment_id", "settled_on", "paid_on", "reopened_on"
    ):
        found[-part if part else pk] += (PastSettled(on, paid_on, reopened),)
    return found


def settled_at(
    day: date,
    settled: date | None,
    paid_on: date | None,
    past: Iterable[PastSettled] = (),
) -> tuple[date | None, date | None]:
    """Since when an invoice was settled and paid at the end of a day; None while it was open."""
    if settled is not None and settled <= day:
        return settled, paid_on
    for before in past:
        if before.on <= day < before.reopened:
            return before.on, before.paid_on
    return None, None


def rows_apart() -> Q | None:
    """The few invoices that are read one by one: settled and opened again, or first seen when they
    had an age already. None where there are none."""
    apart = Q()
    if PastSettlement.objects.exists():
        apart |= Q(pk__in=PastSettlement.objects.values("invoice"))
    if Invoice.objects.seen_late().exists():
        apart |= Q(pk__in=Invoice.objects.seen_late().values("pk"))
    return apart or None


def count_late(
    tally: Tally,
    state: tuple[date | None, date | None],
    due: date,
    seen: date,
    on: date,
    number: int = 1,
) -> None:
    """Count an invoice that was first seen on the day `seen`, settled and paid as `state` says."""
    settled_on, paid_on = state
    counts = tally.unfinished if paid_on is None else tally.paid
    days = ((paid_on or settled_on or on) - due).days
    counts[days] = counts.get(days, 0) + number
    tally.enter(days, (seen - due).days, number, paid=paid_on is not None)


def settling_steps(invoices: InvoiceQuerySet) -> Mapping[int, list[tuple[date, int]]]:
    """What settled a part of each invoice before it was settled: (day, amount), in order; of an
    instalment by its negative id."""
    found: dict[int, list[tuple[date, int]]] = defaultdict(list)
    given = Allocation.objects.filter(invoice__in=invoices.values("pk"))
    whole = Q(instalment__isnull=True) & (
        Q(invoice__settled_on__isnull=True) | Q(applied_on__lt=F("invoice__settled_on"))
    )
    part = Q(instalment__isnull=False) & (
        Q(instalment__settled_on__isnull=True) | Q(applied_on__lt=F("instalment__settled_on"))
    )
    rows = (
        given.filter(whole | part if Instalment.objects.exists() else whole)
        .order_by("applied_on", "pk")
        .values_list("invoice_id", "instalment_id", "applied_on", "amount_minor")
    )
    for pk, instalment, day, amount in rows.iterator():
        found[-instalment if instalment else pk].append((day, amount))
    return found


def owed_on(total_minor: int, steps: Iterable[tuple[date, int]], on: date) -> int:
    return total_minor - sum(amount for day, amount in steps if day <= on)


def invoices_of_types(
    since: date | None,
    types: Collection[int] | None,
    only: Collection[int] | None,
    *,
    before: date | None = None,
) -> InvoiceQuerySet:
    """Invoices issued from a day on and before another, of some client types; None: of all."""
    rows = Invoice.objects.issued().invoices().order_by()
    if since is not None:
        rows = rows.filter(issue_date__gte=since)
    if before is not None:
        rows = rows.filter(issue_date__lt=before)
    for wanted in (types, only):
        if wanted is not None:
            rows = rows.filter(client_type__in=wanted)
    return rows


def issued_in(spans: Mapping[int, tuple[int, str, str]]) -> dict[int, int]:
    """How many invoices of a client type were issued from a day to another, both included; in one
    query for all spans, by their keys."""
    counts = {
        f"span_{key}": Count("pk", filter=Q(client_type=kind, issue_date__range=(first, last)))
        for key, (kind, first, last) in spans.items()
    }
    since = date.fromisoformat(min(first for _kind, first, _last in spans.values()))
    found = invoices_of_types(since, {kind for kind, _f, _l in spans.values()}, None)
    numbers = found.aggregate(**counts)
    return {key: numbers[f"span_{key}"] for key in spans}


def dated_by_type(rows: InvoiceQuerySet) -> tuple[Iterable[list[Any]], Iterable[list[Any]]]:
    """Client type and the four days of what is due: of the few that have more to them, each (type,
    when it was settled and opened again, first seen, days); of the others, how many are alike."""
    past = past_settlements(rows)
    few: list[list[Any]] = []
    whole, *parts = apart(rows)
    for lot, columns in parts:
        names = ("issue_date", columns.due, columns.settled_on, columns.paid_on)
        listed = lot.values_list(columns.part, "client_type_id", "observed_from", *names)
        few += [[kind, past.get(-part, ()), seen, *days] for part, kind, seen, *days in listed]
    rows, names = whole[0], ("issue_date", "due_date", "settled_on", "paid_on")
    if one_by_one := rows_apart():
        listed = rows.filter(one_by_one).values_list(
            "pk", "client_type_id", "observed_from", *names
        )
        few += [[kind, past.get(pk, ()), seen, *days] for pk, kind, seen, *days in listed]
        rows = rows.exclude(one_by_one)
    day = ReadDays()
    written = {f"{name}_written": WrittenDay(name) for name in names}
    grouped = rows.annotate(**written).values_list("client_type_id", *written)
    return few, (
        [kind, number, *(day[each] for each in days)]
        for kind, *days, number in grouped.annotate(number=Count("pk")).iterator()
    )


def numbered_days(rows: InvoiceQuerySet, zero: date) -> Iterable[tuple[Any, ...]]:
    """Client, issued, id, due, settled, paid: days as numbers from a day on. Of an instalment the
    id is its own, negative.

    Numbers come from the database as they are; a date costs more than all that is done with it.
    """
    for lot, columns in apart(rows):
        yield from (
            lot.annotate(
                issued_n=DaysBetween(Value(zero), F("issue_date")),
                due_n=DaysBetween(Value(zero), F(columns.due)),
                settled_n=DaysBetween(Value(zero), F(columns.settled_on)),
                paid_n=DaysBetween(Value(zero), F(columns.paid_on)),
                place=-F(columns.part) if columns.apart else F("pk"),
            )
            .values_list("client_id", "issued_n", "place", "due_n", "settled_n", "paid_n")
            .iterator(chunk_size=5000)
        )


def totals_of(rows: InvoiceQuerySet) -> Iterable[tuple[Any, ...]]:
    """Id (of an instalment its own, negative), currency, amount, rate and day of issue."""
    for lot, columns in apart(rows):
        key = -F(columns.part) if columns.apart else F("pk")
        yield from lot.annotate(place=key).values_list(
            "place", "currency", columns.total, "exchange_rate", "issue_date"
        )


def invoices_of_instalments() -> dict[int, int]:
    """The invoice of each instalment, by the negative id of the instalment."""
    return {-pk: invoice for pk, invoice in Instalment.objects.values_list("pk", "invoice_id")}


def merged_clients() -> dict[int, int]:
    """The account of each client that was merged into another: few, and quicker than a join."""
    rows = Client.objects.filter(merged_into__isnull=False).order_by()
    pairs = rows.values_list("pk", "merged_into")
    return {merged: account for merged, account in pairs if account is not None}


def first_seen_late() -> dict[int, date]:
    """The day on which invoices were first seen that had an age by then, by id."""
    # In no order: for theirs SQLite would walk through all that there are to find the few.
    rows = Invoice.objects.seen_late().order_by().values_list("pk", "observed_from")
    return {pk: day for pk, day in rows if day is not None}
