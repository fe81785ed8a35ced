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
from invoices.models.invoices import InvoiceQuerySet
from invoices.models.payments import PAID_PERCENT
from invoices.models.standing import was_issued
from invoices.selections.sql import DaysBetween

_KIND = Allocation.Kind


# ─ Conditions, effective reading ────────────────────────────────────────────────────────────────
def _was_settled_before(day: date) -> QuerySet[PastSettlement]:
    return PastSettlement.objects.filter(settled_on__lte=day, reopened_on__gt=day).order_by()


def settled_by(day: date) -> Q:
    """Settled at the end of `day`, whether reopened since or not."""
    return Q(settled_on__lte=day) | Q(pk__in=_was_settled_before(day).values("invoice"))


def open_at(day: date) -> Q:
    """Not settled at the end of `day`; says nothing about whether it was issued by then."""
    return (Q(settled_on__isnull=True) | Q(settled_on__gt=day)) & ~Q(
        pk__in=_was_settled_before(day).values("invoice")
    )


def paid_by(day: date) -> Q:
    """Settled at the end of `day`, and money had settled it."""
    past = _was_settled_before(day).filter(paid_on__isnull=False)
    return Q(settled_on__lte=day, paid_on__isnull=False) | Q(pk__in=past.values("invoice"))


def withdrawn_by(day: date) -> Q:
    """Settled at the end of `day`, but by a credit note or a write-off."""
    past = _was_settled_before(day).filter(paid_on__isnull=True)
    return Q(settled_on__lte=day, paid_on__isnull=True) | Q(pk__in=past.values("invoice"))


def paid_within(day: date, start: str, least: int | None, most: int | None) -> Q:
    """Paid as of `day`, and from `least` to `most` days after the column `start`."""
    days = {"days__gte": least, "days__lte": most}
    wanted = {name: value for name, value in days.items() if value is not None}
    stored = {"due_date": "days_late", "issue_date": "days_to_pay"}[start]
    past = (
        _was_settled_before(day)
        .annotate(days=DaysBetween(F(f"invoice__{start}"), F("paid_on")))
        .filter(paid_on__isnull=False, **wanted)
    )
    today = {name.replace("days", stored): value for name, value in wanted.items()}
    return Q(settled_on__lte=day, paid_on__isnull=False, **today) | Q(pk__in=past.values("invoice"))


def reopened_since(day: date) -> QuerySet[PastSettlement]:
    """The settlements that stood at the end of `day` and no longer do."""
    return _was_settled_before(day)


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
    queryset: InvoiceQuerySet, day: date, known: date | None = None
) -> InvoiceQuerySet:
    """Annotate `open_minor`: what was outstanding at the end of `day`; of a credit note, unused."""
    if known is None:
        # From today's balance back: of most invoices nothing happened since.
        rows = Allocation.objects.filter(applied_on__gt=day)
        open_minor: Any = F("outstanding_minor") + _sum_of(rows)
    else:
        open_minor = F("total_minor") - _sum_of(_known(day, known))
    return queryset.annotate(open_minor=open_minor)


def state_as_of(queryset: InvoiceQuerySet, day: date, known: date | None = None) -> InvoiceQuerySet:
    """Annotate what was so at the end of `day`.

    `open_minor`; `settled_then` and `paid_then` (days, null while open or when it was withdrawn);
    `late_then` and `to_pay_then` (days from the due and from the issue date to `paid_then`).
    """
    queryset = with_open_amount(queryset, day, known)
    columns = _stored(day) if known is None else _from_rows(day, known)
    found = queryset.annotate(settled_then=columns[0]).annotate(paid_then=columns[1])
    return found.annotate(
        late_then=DaysBetween(F("due_date"), F("paid_then")),
        to_pay_then=DaysBetween(F("issue_date"), F("paid_then")),
    )


def settled_on_at(day: date) -> Case:
    """The day since which an invoice was settled at the end of `day`; null while open."""
    return _stored(day)[0]


def paid_on_at(day: date) -> Case:
    """The day on which an invoice was paid, as of the end of `day`; null unless money paid it."""
    return _stored(day)[1]


def _stored(day: date) -> tuple[Case, Case]:
    past = _was_settled_before(day)
    before = past.filter(invoice=OuterRef("pk"))
    settled, paid = (
        Case(
            # The subquery runs for the few that were reopened.
            When(pk__in=past.values("invoice"), then=Subquery(before.values(column)[:1])),
            When(settled_on__lte=day, then=F(column)),
            output_field=DateField(),
        )
        for column in ("settled_on", "paid_on")
    )
    return settled, paid


def _from_rows(day: date, known: date) -> tuple[Case, Case]:
    end = _end_of(known)
    standing = _known(day, known).filter(
        Q(taken_back_by__isnull=True)
        | Q(taken_back_by__applied_on__gt=day)
        | Q(taken_back_by__recorded_at__gte=end),
        amount_minor__gt=0,
    )
    money = standing.filter(kind__in=[_KIND.PAYMENT, _KIND.REFUND])
    last = Coalesce(_last_of(standing), F("issue_date"))
    last_paid, last_off = _last_of(money), _last_of(standing.filter(kind=_KIND.WRITE_OFF))
    settled = Case(When(open_minor=0, then=last), output_field=DateField())
    # payments/settling.py has the rule in words: the final step decides, the write-off comes last.
    by_money = Q(LessThanOrEqual(F("settled_then"), last_paid)) & ~Q(
        LessThanOrEqual(F("settled_then"), Coalesce(last_off, date.min))
    )
    nearly = Q(LessThanOrEqual(F("total_minor") * PAID_PERCENT, _sum_of(money) * 100))
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


def _sum_of(rows: QuerySet[Allocation]) -> Combinable:
    """The sum of `rows` that settle an invoice, or that were given out of a credit note."""
    return Coalesce(
        _of_each(rows, Sum("amount_minor"), BigIntegerField()), 0, output_field=BigIntegerField()
    )


def _last_of(rows: QuerySet[Allocation]) -> Combinable:
    return _of_each(rows, Max("applied_on"), DateField())


def _of_each(rows: QuerySet[Allocation], what: Any, field: Any) -> Combinable:
    def of(side: str) -> Subquery:
        mine = rows.filter(**{side: OuterRef("pk")}).order_by().values(side)
        return Subquery(mine.annotate(found=what).values("found"), output_field=field)

    return Case(
        When(kind=Invoice.Kind.CREDIT_NOTE, then=of("credit_note")),
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
