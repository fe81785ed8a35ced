"""What moved a client's account: documents, money in and back, and what was given up.

The balance of an account is what its invoices are open for, less the credit and the cash that no
invoice took: it moves on the day of a document and on the value date of money, and never when money
is put on an invoice. `position` takes it apart into just those three.

Amounts are minor units of one currency, never added across; above zero the client owes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from heapq import merge
from typing import Any, NamedTuple

from django.db.models import F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from invoices.models import Allocation, Client, Invoice, Payment, Refund
from invoices.models.standing import was_issued
from invoices.selections.as_of import issued_by, unapplied_as_of, with_open_amount
from invoices.statements.open_items import receivable_at

INVOICE, CREDIT_NOTE, PAYMENT, REVERSAL, REFUND, WRITE_OFF = (
    "invoice",
    "credit_note",
    "payment",
    "reversal",
    "refund",
    "write_off",
)
_CHUNK = 2_000


class Movement(NamedTuple):
    day: date
    # Documents of a day come before its money, write-offs last.
    rank: int
    pk: int
    kind: str
    # Number of a document, reference of money.
    reference: str
    text: str
    minor: int


@dataclass(frozen=True)
class Position:
    """What an account of one currency comes to at the end of a day; all at least zero but the
    balance."""

    receivable_minor: int = 0
    overdue_minor: int = 0
    credit_minor: int = 0
    cash_minor: int = 0

    @property
    def balance_minor(self) -> int:
        return self.receivable_minor - self.credit_minor - self.cash_minor


def account(client_id: int) -> QuerySet[Any, Any]:
    """The keys of the client and of all that are one account with it."""
    return Client.objects.account_of(client_id).order_by().values("pk")


# ─ Sums ─────────────────────────────────────────────────────────────────────────────────────────
def balance_at(client_id: int, day: date) -> dict[str, int]:
    """Currency → balance at the end of `day`, from what moved it; without those that come to 0."""
    found: dict[str, int] = {}
    for rows, currency, amount, sign in _sources(account(client_id), None, day):
        sums: Any = rows.order_by().values(currency).annotate(minor=Sum(amount))
        for code, minor in sums.values_list(currency, "minor"):
            found[code] = found.get(code, 0) + sign * minor
    return {code: minor for code, minor in sorted(found.items()) if minor}


def position(client_id: int, day: date) -> dict[str, Position]:
    """Currency → position at the end of `day`, as the reports count it."""
    mine = account(client_id)
    receivable, overdue = receivable_at(mine, day)
    notes = Invoice.objects.credit_notes().filter(issued_by(day), client__in=mine)
    unused: Any = with_open_amount(notes, day).order_by().values("currency")
    credit = dict(unused.annotate(minor=Sum("open_minor")).values_list("currency", "minor"))
    cash = unapplied_as_of(day, payments=Payment.objects.filter(client__in=mine))
    codes = {*receivable, *(code for code, minor in credit.items() if minor), *cash}
    return {
        code: Position(
            receivable.get(code, 0), overdue.get(code, 0), credit.get(code, 0), cash.get(code, 0)
        )
        for code in sorted(codes)
    }


def currencies(client_id: int, since: date, until: date) -> list[str]:
    """Those that have something to say between the two days."""
    found = set(balance_at(client_id, _day_before(since)))
    for rows, currency, _amount, _sign in _sources(account(client_id), since, until):
        found |= set(rows.order_by().values_list(currency, flat=True).distinct())
    return sorted(found)


def _sources(
    mine: Any, since: date | None, until: date
) -> Iterator[tuple[QuerySet[Any], str, str, int]]:
    """Rows, the paths of their currency and amount, and the sign with which they count."""
    documents = Invoice.objects.filter(was_issued(), client__in=mine)
    documents = _within(documents, "issue_date", since, until)
    yield documents.filter(kind=Invoice.Kind.INVOICE), "currency", "total_minor", 1
    yield documents.filter(kind=Invoice.Kind.CREDIT_NOTE), "currency", "total_minor", -1
    payments = _within(Payment.objects.filter(client__in=mine), "received_on", since, until)
    yield payments, "currency", "amount_minor", -1
    refunds = _within(Refund.objects.filter(client__in=mine), "refunded_on", since, until)
    yield refunds, "currency", "amount_minor", 1
    given_up = Allocation.objects.filter(kind=Allocation.Kind.WRITE_OFF, invoice__client__in=mine)
    given_up = _within(given_up, "applied_on", since, until)
    yield given_up, "invoice__currency", "amount_minor", -1


def _within(rows: Any, day: str, since: date | None, until: date) -> Any:
    rows = rows.filter(**{f"{day}__lte": until})
    return rows if since is None else rows.filter(**{f"{day}__gte": since})


def _day_before(day: date) -> date:
    return date.fromordinal(max(day.toordinal() - 1, 1))


def opening(client_id: int, since: date) -> dict[str, int]:
    """Currency → balance at the end of the day before."""
    return balance_at(client_id, _day_before(since))


# ─ Rows ─────────────────────────────────────────────────────────────────────────────────────────
def movements(client_id: int, currency: str, since: date, until: date) -> Iterator[Movement]:
    """From the first day to the last, both included, in the order of their days; read in chunks.

    What was recorded by mistake and undone counts on no day, and is no movement.
    """
    mine = account(client_id)
    invoices, notes, payments, refunds, given_up = (
        rows.filter(**{code: currency})
        for rows, code, _amount, _sign in _sources(mine, since, until)
    )
    yield from merge(
        _read(invoices, "issue_date", "number", "title", "total_minor", (INVOICE, 0, 1)),
        _read(notes, "issue_date", "number", "title", "total_minor", (CREDIT_NOTE, 1, -1)),
        _read(_not_undone(payments), *_MONEY, (PAYMENT, 2, -1)),
        _read(_not_undone_refunds(refunds), *_BACK, (REFUND, 3, 1)),
        _read(_not_undone_offs(given_up), *_OFF, (WRITE_OFF, 4, -1)),
    )


_MONEY = ("received_on", "reference", "method", "amount_minor")
_BACK = ("refunded_on", "reference", "method", "amount_minor")
_OFF = ("applied_on", "invoice__number", "kind", "amount_minor")


def _read(
    rows: Any, day: str, reference: str, text: str, amount: str, how: tuple[str, int, int]
) -> Iterator[Movement]:
    kind, rank, sign = how
    columns = (day, "pk", reference, text, amount)
    found: Iterable[Any] = (
        rows.order_by(day, "pk").values_list(*columns).iterator(chunk_size=_CHUNK)
    )
    for on, pk, said, told, minor in found:
        named = REVERSAL if kind == PAYMENT and minor < 0 else kind
        yield Movement(on, rank, pk, named, said, told, sign * minor)


def _not_undone(payments: Any) -> Any:
    return payments.annotate(
        mirror_on=Coalesce("reversed_by__received_on", "reverses__received_on")
    ).filter(Q(mirror_on__isnull=True) | ~Q(mirror_on=F("received_on")))


def _not_undone_refunds(refunds: Any) -> Any:
    return refunds.annotate(
        mirror_on=Coalesce("reversed_by__refunded_on", "reverses__refunded_on")
    ).filter(Q(mirror_on__isnull=True) | ~Q(mirror_on=F("refunded_on")))


def _not_undone_offs(given_up: Any) -> Any:
    return given_up.annotate(
        mirror_on=Coalesce("taken_back_by__applied_on", "takes_back__applied_on")
    ).filter(Q(mirror_on__isnull=True) | ~Q(mirror_on=F("applied_on")))
