"""The state of invoices at the end of a day: open, settled, paid, what was outstanding.

Two readings. The effective one (the default) takes all that is known now, each fact on its
effective day. "As known then" takes only what the portal had recorded by the end of a day: pass
`known`. The effective reading rests on the dates that payments/settling.py keeps on the invoice
and in PastSettlement, so it is as quick for a past day as for today; the other one reads the
allocations themselves.

    rows = state_as_of(Invoice.objects.invoices(), day)          # or …, day, known=day)
    rows.filter(settled_then__isnull=True, open_minor__gt=0)     # open at the end of `day`
    Invoice.objects.filter(issued_by(day) & open_at(day))        # the same as a condition
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    DateField,
    F,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    When,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce
from django.db.models.lookups import LessThanOrEqual
from django.utils import timezone

from invoices.models import Allocation, Invoice, PastSettlement, Payment
from invoices.models.dues import WHOLE, Columns
from invoices.models.invoices import InvoiceQuerySet
from invoices.models.payments import PAID_PERCENT
from invoices.models.standing import was_issued
from invoices.selections.sql import DaysBetween

_KIND = Allocation.Kind


# ─ Conditions, effective reading ────────────────────────────────────────────────────────────────
def _was_settled_before(day: date) -> QuerySet[PastSettlement]:
    return PastSettlement.objects.filter(settled_on__lte=day, reopened_on__gt=day).order_by()


def _among(past: QuerySet[PastSettlement], columns: Columns) -> Q:
    """The rows that these past settlements are of."""
    whole = past.filter(instalment__isnull=True).values("invoice")
    if not columns.apart:
        return Q(pk__in=whole)
    parts = past.filter(instalment__isnull=False).values("instalment")
    return Q(**{columns.part: 0}, pk__in=whole) | Q(**{f"{columns.part}__in": parts})


def settled_by(day: date, columns: Columns = WHOLE) -> Q:
    """Settled at the end of `day`, whether reopened since or not."""
    settled = Q(**{f"{columns.settled_on}__lte": day})
    return settled | _among(_was_settled_before(day), columns)


def open_at(day: date, columns: Columns = WHOLE) -> Q:
    """Not settled at the end of `day`; says nothing about whether it was issued by then."""
    never = Q(**{f"{columns.settled_on}__isnull": True})
    later = Q(**{f"{columns.settled_on}__gt": day})
    return (never | later) & ~_among(_was_settled_before(day), columns)


def paid_by(day: date, columns: Columns = WHOLE) -> Q:
    """Settled at the end of `day`, and money had settled it."""
    past = _was_settled_before(day).filter(paid_on__isnull=False)
    paid = {f"{columns.settled_on}__lte": day, f"{columns.paid_on}__isnull": False}
    return Q(**paid) | _among(past, columns)


def withdrawn_by(day: date, columns: Columns = WHOLE) -> Q:
    """Settled at the end of `day`, but by a credit note or a write-off."""
    past = _was_settled_before(day).filter(paid_on__isnull=True)
    withdrawn = {f"{columns.settled_on}__lte": day, f"{columns.paid_on}__isnull": True}
    return Q(**withdrawn) | _among(past, columns)


def paid_within(
    day: date, start: str, least: int | None, most: int | None, columns: Columns = WHOLE
) -> Q:
    """Paid as of `day`, and from `least` to `most` days after `start`, "due" or "issue"."""
    days = {"days__gte": least, "days__lte": most}
    wanted = {name: value for name, value in days.items() if value is not None}
    stored = columns.days_late if start == "due" else columns.days_to_pay
    began: Any = F("invoice__issue_date")
    if start == "due":
        began = Coalesce(F("instalment__due_date"), F("invoice__due_date"))
    past = (
        _was_settled_before(day)
        .annotate(days=DaysBetween(began, F("paid_on")))
        .filter(paid_on__isnull=False, **wanted)
    )
    today = {name.replace("days", stored): value for name, value in wanted.items()}
    paid = {f"{columns.settled_on}__lte": day, f"{columns.paid_on}__isnull": False}
    return Q(**paid, **today) | _among(past, columns)


def reopened_since(day: date) -> QuerySet[PastSettlement]:
    """The settlements that stood at the end of `day` and no longer do."""
    return _was_settled_before(day)


def reopened(day: date, columns: Columns = WHOLE) -> Q:
    """Settled at the end of `day`, and opened again since."""
    return _among(_was_settled_before(day), columns)


def issued_by(day: date, known: date | None = None) -> Q:
    """Issued by the end of `day`; as known then, only what the portal had by the end of `known`."""
    found = was_issued() & Q(issue_date__lte=day)
    if known is not None:
        end = _end_of(known)
        # What was brought in from another system was learnt when it came.
        found &= Q(imported=False, issued_at__lt=end) | Q(imported=True, created_at__lt=end)
    return found


# ─ Columns ──────────────────────────────────────────────────────────────────────────────────────
def with_open_amount(
    queryset: InvoiceQuerySet, day: date, known: date | None = None, columns: Columns = WHOLE
) -> InvoiceQuerySet:
    """Annotate `open_minor`: what was outstanding at the end of `day`; of a credit note, unused."""
    if known is None:
        # From today's balance back: of most invoices nothing happened since.
        rows = Allocation.objects.filter(applied_on__gt=day)
        open_minor: Any = F(columns.open) + _sum_of(rows, columns)
    else:
        open_minor = F(columns.total) - _sum_of(_known(day, known), columns)
    return queryset.annotate(open_minor=open_minor)


def state_as_of(
    queryset: InvoiceQuerySet, day: date, known: date | None = None, columns: Columns = WHOLE
) -> InvoiceQuerySet:
    """Annotate what was so at the end of `day`.

    `open_minor`; `settled_then` and `paid_then` (days, null while open or when it was withdrawn);
    `late_then` and `to_pay_then` (days from the due and from the issue date to `paid_then`).
    """
    queryset = with_open_amount(queryset, day, known, columns)
    then = _stored(day, columns) if known is None else _from_rows(day, known, columns)
    found = queryset.annotate(settled_then=then[0]).annotate(paid_then=then[1])
    return found.annotate(
        late_then=DaysBetween(F(columns.due), F("paid_then")),
        to_pay_then=DaysBetween(F("issue_date"), F("paid_then")),
    )


def settled_on_at(day: date, columns: Columns = WHOLE) -> Case:
    """The day since which an invoice was settled at the end of `day`; null while open."""
    return _stored(day, columns)[0]


def paid_on_at(day: date, columns: Columns = WHOLE) -> Case:
    """The day on which an invoice was paid, as of the end of `day`; null unless money paid it."""
    return _stored(day, columns)[1]


def _stored(day: date, columns: Columns) -> tuple[Case, Case]:
    past = _was_settled_before(day)
    of_part = {"instalment": OuterRef(columns.part)} if columns.apart else {}
    before = past.filter(instalment__isnull=True, invoice=OuterRef("pk"))
    settled, paid = (
        Case(
            # The subqueries run for the few that were reopened.
            *(
                [
                    When(
                        Q(**{f"{columns.part}__gt": 0}) & _among(past, columns),
                        then=Subquery(past.filter(**of_part).values(column)[:1]),
                    )
                ]
                if of_part
                else []
            ),
            When(_among(past, columns), then=Subquery(before.values(column)[:1])),
            When(**{f"{columns.settled_on}__lte": day}, then=F(name)),
            output_field=DateField(),
        )
        for column, name in (("settled_on", columns.settled_on), ("paid_on", columns.paid_on))
    )
    return settled, paid


def _from_rows(day: date, known: date, columns: Columns) -> tuple[Case, Case]:
    end = _end_of(known)
    standing = _known(day, known).filter(
        Q(taken_back_by__isnull=True)
        | Q(taken_back_by__applied_on__gt=day)
        | Q(taken_back_by__recorded_at__gte=end),
        amount_minor__gt=0,
    )
    money = standing.filter(kind__in=[_KIND.PAYMENT, _KIND.REFUND])
    last = Coalesce(_last_of(standing, columns), F("issue_date"))
    last_paid = _last_of(money, columns)
    last_off = _last_of(standing.filter(kind=_KIND.WRITE_OFF), columns)
    settled = Case(When(open_minor=0, then=last), output_field=DateField())
    # payments/settling.py has the rule in words: the final step decides, the write-off comes last.
    by_money = Q(LessThanOrEqual(F("settled_then"), last_paid)) & ~Q(
        LessThanOrEqual(F("settled_then"), Coalesce(last_off, date.min))
    )
    nearly = Q(LessThanOrEqual(F(columns.total) * PAID_PERCENT, _sum_of(money, columns) * 100))
    paid = Case(
        When(Q(settled_then__isnull=False) & (by_money | nearly), then=last_paid),
        output_field=DateField(),
    )
    return settled, paid


def _known(day: date, known: date) -> QuerySet[Allocation]:
    return Allocation.objects.filter(applied_on__lte=day, recorded_at__lt=_end_of(known))


def _end_of(day: date) -> datetime:
    """The first moment after a day of the company's calendar."""
    return timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))


def _sum_of(rows: QuerySet[Allocation], columns: Columns) -> Combinable:
    """The sum of `rows` that settle an invoice, or that were given out of a credit note."""
    return Coalesce(
        _of_each(rows, Sum("amount_minor"), BigIntegerField(), columns),
        0,
        output_field=BigIntegerField(),
    )


def _last_of(rows: QuerySet[Allocation], columns: Columns) -> Combinable:
    return _of_each(rows, Max("applied_on"), DateField(), columns)


def _of_each(rows: QuerySet[Allocation], what: Any, field: Any, columns: Columns) -> Combinable:
    def of(side: str, outer: str = "pk") -> Subquery:
        mine = rows.filter(**{side: OuterRef(outer)}).order_by().values(side)
        return Subquery(mine.annotate(found=what).values("found"), output_field=field)

    part = columns.part
    of_part = [When(**{f"{part}__gt": 0}, then=of("instalment", part))] if part else []
    return Case(
        When(kind=Invoice.Kind.CREDIT_NOTE, then=of("credit_note")),
        *of_part,
        default=of("invoice"),
        output_field=field,
    )


# ─ Cash ─────────────────────────────────────────────────────────────────────────────────────────
def unapplied_as_of(
    day: date, *, known: date | None = None, payments: QuerySet[Payment] | None = None
) -> dict[str, int]:
    """Currency → cash that was here at the end of `day` and had settled nothing yet.

    Money whose invoice was issued later, or that was matched to one later, counts until then; what
    was refunded by then does not. `payments` narrows whose.
    """
    everything = (Payment.objects.all() if payments is None else payments).order_by()
    given = Allocation.objects.filter(payment__isnull=False).order_by()
    if payments is not None:
        given = given.filter(payment__in=payments)
    if known is None:
        # From today's figures back, as what is applied whole since adds nothing. All, less what
        # came later: the other way round SQLite reads every payment through an index.
        free = everything.exclude(amount_minor=F("allocated_minor"))
        # Nor as a range of the payments' own, or it would begin with all of them.
        was_here = Q(payment__received_on__lte=day) | Q(payment__received_on__isnull=True)
        parts = [
            (free, _FREE, "currency"),
            (free.filter(received_on__gt=day), -_FREE, "currency"),
            (given.filter(was_here, applied_on__gt=day), F("amount_minor"), "payment__currency"),
        ]
    else:
        end = _end_of(known)
        received = everything.filter(received_on__lte=day, recorded_at__lt=end)
        parts = [
            (received, F("amount_minor"), "currency"),
            (
                given.filter(
                    payment__received_on__lte=day, applied_on__lte=day, recorded_at__lt=end
                ),
                -F("amount_minor"),
                "payment__currency",
            ),
        ]
    found: dict[str, int] = {}
    for rows, amount, currency in parts:
        counted: Any = rows.values(currency).annotate(minor=Sum(amount))
        for code, minor in counted.values_list(currency, "minor"):
            found[code] = found.get(code, 0) + minor
    return {code: minor for code, minor in sorted(found.items()) if minor}


_FREE = F("amount_minor") - F("allocated_minor")
