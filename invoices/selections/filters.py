"""Which invoices: what the query string of the list says, and the rows that it means.

The list, its exports and the links of every report speak through this one module, so that the count
on a report is the count of the list behind it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date
from decimal import Decimal
from math import ceil, floor
from typing import Any, Protocol, Self
from urllib.parse import urlencode

from django.db.models import F, Q
from django.utils.translation import gettext as _

from billing_portal.keys import contains, contains_number
from invoices.company.currencies import company_currency, minor_units
from invoices.models import (
    Client,
    DealBasis,
    Dispute,
    Invoice,
    SubscriptionBilling,
    Transmission,
)
from invoices.models.dues import WHOLE, Columns, by_instalment
from invoices.models.einvoicing import Group
from invoices.models.invoices import InvoiceQuerySet
from invoices.models.standing import was_issued
from invoices.selections import reading
from invoices.selections.ageing import BUCKETS_DUE, BUCKETS_ISSUE, bucket_condition, days_before
from invoices.selections.as_of import (
    open_at,
    paid_by,
    paid_within,
    settled_by,
    with_open_amount,
    withdrawn_by,
)
from invoices.selections.sql import InCompanyCurrency, codes_by_unit

# draft: not issued yet · issued: by the as-of day, settled since or not · open: issued and not
# settled by then · overdue: open and due before then · part: open and settled in part · settled ·
# paid: settled, at least in part by money · withdrawn: settled by credit note or write-off alone ·
# credit: credit notes · changed: drafted or issued, of a deal that changed since, and nobody has
# decided on it · all: everything except void drafts
STATES = (
    "draft",
    "issued",
    "open",
    "overdue",
    "part",
    "settled",
    "paid",
    "withdrawn",
    "credit",
    "changed",
    "all",
)
WITH_DRAFTS = ("", "all", "draft", "changed")
# What these mean is true of a due, not of a document: an invoice in instalments is in the list once
# for each of them.
_OF_DUES = ("issued", "open", "overdue", "part", "settled", "paid", "withdrawn")
NOBODY = 0


class Named(Protocol):
    """Names, each with every text given for it, as an address has them (Django's QueryDict)."""

    def getlist(self, name: str, /) -> list[str]: ...


@dataclass(frozen=True)
class InvoiceFilter:
    """The query string of the invoice list, cleaned. Empty fields do not narrow anything."""

    state: str = ""
    client: int | None = None
    # What a subscription has made, and the credit notes on that.
    subscription: int | None = None
    # Client types, as the invoices keep them since their issue; with `type_today=1` as the clients
    # have them today. A draft has none of its own yet and goes with its client.
    type: tuple[int, ...] = ()
    type_today: bool = False
    # An owner's id; 0 means nobody.
    owner: int | None = None
    currency: str = ""
    issued_from: date | None = None
    issued_to: date | None = None
    due_from: date | None = None
    due_to: date | None = None
    paid_from: date | None = None
    paid_to: date | None = None
    # Days late and days to pay: of the paid ones as stored, of open ones as of `as_of`.
    late_min: int | None = None
    late_max: int | None = None
    to_pay_min: int | None = None
    to_pay_max: int | None = None
    # Of the total, in major units of its own currency; with `converted=1` in the company's.
    amount_min: Decimal | None = None
    amount_max: Decimal | None = None
    converted: bool = False
    # The state of the books at the end of this day; when given, later invoices are left out.
    as_of: date | None = None
    kind: str = ""
    # What an invoice is for (Purpose), and of credit notes why they were made (CreditReason).
    purpose: str = ""
    reason: str = ""
    # Where it stands on the approved platform; "none" was never handed over.
    einvoice: str = ""
    # What the client has said of it there, once and whatever came later: a key of SAID_THERE.
    said: str = ""
    # In a dispute that is open today.
    disputed: bool = False
    bucket: str = ""
    # What a bucket counts from: "" the due date, "issue" the invoice date.
    ageing: str = ""
    q: str = ""

    @classmethod
    def read(cls, params: Named) -> tuple[Self, list[str]]:
        """The filter, and a sentence for each value that was not understood and left out."""
        found: dict[str, Any] = {}
        problems: list[str] = []
        for field in fields(cls):
            given = [value.strip() for value in params.getlist(field.name) if value.strip()]
            if not given:
                continue
            try:
                found[field.name] = _READERS[field.name](given)
            except ValueError:
                problems.append(
                    _("The filter “%(name)s” cannot be “%(value)s”: it was left out.")
                    % {"name": field.name, "value": given[-1][:40]}
                )
        return cls(**found), problems

    def query(self) -> str:
        """The query string that `read` understands as this filter."""
        pairs: list[tuple[str, Any]] = []
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None or value == "" or value == () or value is False:
                continue
            if isinstance(value, tuple):
                pairs += [(field.name, item) for item in value]
            else:
                pairs.append((field.name, "1" if value is True else value))
        return urlencode(pairs)

    def but(self, **changes: Any) -> Self:
        return replace(self, **changes)

    @property
    def of_dues(self) -> bool:
        """Whether the rows are dues, each instalment one of its own, instead of documents."""
        asked = (self.late_min, self.late_max, self.to_pay_min, self.to_pay_max)
        given = any(value is not None for value in (*asked, self.due_from, self.due_to))
        # Of a past day only a due knows whether it was open then.
        past = self.as_of is not None and self.state != "draft"
        return self.state in _OF_DUES or given or past or bool(self.bucket)


# Not a purpose of its own: what stands in the place of another invoice, whatever it is for.
REPLACING = "corrected"

# What clients say on the platform → the column that keeps when they did first.
SAID_THERE = {
    "taken_up": "taken_up_at",
    "approved": "approved_at",
    "announced": "payment_announced_at",
}

_READERS: dict[str, Any] = {
    "state": reading.one_of(STATES),
    **dict.fromkeys(("client", "subscription"), reading.whole),
    "type": lambda given: tuple(dict.fromkeys(reading.whole([value]) for value in given)),
    "owner": reading.whole,
    "currency": reading.currency,
    **dict.fromkeys(("issued_from", "issued_to", "due_from", "due_to"), reading.day),
    **dict.fromkeys(("paid_from", "paid_to", "as_of"), reading.day),
    **dict.fromkeys(("late_min", "late_max", "to_pay_min", "to_pay_max"), reading.days),
    "amount_min": reading.amount,
    "amount_max": reading.amount,
    **dict.fromkeys(("converted", "type_today", "disputed"), reading.flag),
    "einvoice": reading.one_of([*Group.values, "none"]),
    "said": reading.one_of([*SAID_THERE]),
    "kind": reading.one_of(Invoice.Kind.values),
    "purpose": reading.one_of([*Invoice.Purpose.values, REPLACING]),
    "reason": reading.one_of(Invoice.CreditReason.values),
    "bucket": reading.one_of([*BUCKETS_DUE, *BUCKETS_ISSUE]),
    "ageing": reading.one_of(["due", "issue"]),
    # PostgreSQL refuses a NUL; nobody types one.
    "q": lambda given: given[-1][:200].replace("\0", ""),
}


def filter_invoices(queryset: InvoiceQuerySet, wanted: InvoiceFilter, on: date) -> InvoiceQuerySet:
    """The rows that `wanted` means, seen at the end of its as-of day or else of `on`."""
    return select(queryset, wanted, on)[0]


def select(
    queryset: InvoiceQuerySet, wanted: InvoiceFilter, on: date
) -> tuple[InvoiceQuerySet, Columns]:
    """As `filter_invoices`, with the names of the columns that say what is due."""
    found, columns = by_instalment(queryset) if wanted.of_dues else (queryset, WHOLE)
    return narrowed(found, wanted, on, columns), columns


def narrowed(
    found: InvoiceQuerySet, wanted: InvoiceFilter, on: date, columns: Columns
) -> InvoiceQuerySet:
    """The rows of `found`, read by `columns`, that `wanted` means."""
    day = wanted.as_of or on
    found = found.filter(_state(wanted, day, columns))
    if wanted.state == "part":
        found = with_open_amount(found, day, columns=columns).filter(
            Q(open_minor__lt=F(columns.total))
        )
    if wanted.as_of and wanted.state != "draft":
        found = found.filter(issue_date__lte=wanted.as_of)
    plain = {
        "kind": wanted.kind or None,
        "credit_reason": wanted.reason or None,
        # The client's whole account: those that were merged into it too.
        "client__in": None if wanted.client is None else Client.objects.account_of(wanted.client),
        "currency": wanted.currency or None,
        "issue_date__gte": wanted.issued_from,
        "issue_date__lte": wanted.issued_to,
        f"{columns.due}__gte": wanted.due_from,
        f"{columns.due}__lte": wanted.due_to,
        f"{columns.paid_on}__gte": wanted.paid_from,
        f"{columns.paid_on}__lte": wanted.paid_to,
    }
    found = found.filter(**{name: value for name, value in plain.items() if value is not None})
    if wanted.purpose == REPLACING:
        found = found.filter(replaces__isnull=False)
    elif wanted.purpose:
        found = found.filter(kind=Invoice.Kind.INVOICE, purpose=wanted.purpose)
    if wanted.subscription is not None:
        made = SubscriptionBilling.objects.filter(period__subscription=wanted.subscription)
        mine = made.order_by().values("invoice")
        found = found.filter(Q(pk__in=mine) | Q(corrects__in=mine))
    if wanted.type:
        found = found.filter(of_types(wanted, drafts=wanted.state in WITH_DRAFTS))
    if wanted.owner == NOBODY:
        found = found.filter(owner__isnull=True)
    elif wanted.owner is not None:
        found = found.filter(owner=wanted.owner)
    found = found.filter(
        _on_the_platform(wanted)
        & _delay(wanted.late_min, wanted.late_max, "due", day, columns)
        & _delay(wanted.to_pay_min, wanted.to_pay_max, "issue", day, columns)
        & _bucket(wanted, day, columns)
    )
    if wanted.q:
        found = found.filter(
            contains_number(wanted.q)
            | contains("client__name_key", wanted.q)
            | contains("title_key", wanted.q)
            | contains("order_key", wanted.q)
        )
    return _amounts(found, wanted, columns)


def of_types(wanted: InvoiceFilter, *, through: str = "", drafts: bool = False) -> Q:
    """Documents of the types of `wanted`; `through` leads from the row to its document."""
    by_client = Q(**{f"{through}client__in": Client.objects.of_types(wanted.type).values("pk")})
    if wanted.type_today:
        return by_client
    kept = Q(**{f"{through}client_type__in": wanted.type})
    # What is issued has its type, and an index answers.
    return kept | Q(**{f"{through}client_type__isnull": True}) & by_client if drafts else kept


def _state(wanted: InvoiceFilter, day: date, columns: Columns) -> Q:
    if wanted.state == "changed":
        return Q(pk__in=DealBasis.objects.waiting().order_by().values("invoice"))
    issued = was_issued()
    kind = Q(kind=wanted.kind or Invoice.Kind.INVOICE)
    invoice = issued & kind
    # Today the status says it, and an index serves status and due date; of a past day it does not.
    unsettled = invoice & open_at(day, columns)
    late = Q(**{f"{columns.due}__lt": day})
    if not wanted.as_of:
        unsettled = kind & Q(status=Invoice.Status.ISSUED)
        late &= Q(next_due__lt=day)
        if columns.apart:
            unsettled &= Q(**{f"{columns.open}__gt": 0})
    return {
        "": ~Q(status=Invoice.Status.VOID),
        "all": ~Q(status=Invoice.Status.VOID),
        "draft": Q(status=Invoice.Status.DRAFT),
        "issued": invoice,
        "open": unsettled,
        "part": unsettled,
        "overdue": unsettled & late,
        "settled": invoice & settled_by(day, columns),
        "paid": invoice & paid_by(day, columns),
        "withdrawn": invoice & withdrawn_by(day, columns),
        "credit": issued & Q(kind=Invoice.Kind.CREDIT_NOTE),
    }[wanted.state]


def _on_the_platform(wanted: InvoiceFilter) -> Q:
    found = Q()
    if wanted.disputed:
        found &= Q(pk__in=Dispute.objects.filter(closed_at=None).order_by().values("invoice"))
    if wanted.said:
        said = Transmission.objects.filter(**{f"{SAID_THERE[wanted.said]}__isnull": False})
        found &= Q(pk__in=said.order_by().values("invoice"))
    if wanted.einvoice == "none":
        there = Transmission.objects.order_by().values("invoice")
        found &= was_issued() & ~Q(pk__in=there)
    elif wanted.einvoice:
        there = Transmission.objects.in_group(wanted.einvoice).order_by().values("invoice")
        found &= Q(pk__in=there)
    return found


def _start(start: str, columns: Columns) -> str:
    return columns.due if start == "due" else "issue_date"


def _delay(least: int | None, most: int | None, start: str, day: date, columns: Columns) -> Q:
    """Between `least` and `most` days: paid ones by their delay, open ones by their age."""
    if least is None and most is None:
        return Q()
    still_open, began = open_at(day, columns), _start(start, columns)
    if least is not None:
        still_open &= Q(**{f"{began}__lte": days_before(day, least)})
    if most is not None:
        still_open &= Q(**{f"{began}__gte": days_before(day, most)})
    return (paid_within(day, start, least, most, columns) | still_open) & was_issued()


def _bucket(wanted: InvoiceFilter, day: date, columns: Columns) -> Q:
    if not wanted.bucket:
        return Q()
    by_issue = wanted.ageing == "issue" or wanted.bucket not in BUCKETS_DUE
    buckets, start = (BUCKETS_ISSUE, "issue") if by_issue else (BUCKETS_DUE, "due")
    if wanted.bucket not in buckets:
        return Q(pk__in=[])
    # An unused credit note is open too, and of no age.
    of_invoices = Q(kind=Invoice.Kind.INVOICE)
    aged = bucket_condition(_start(start, columns), buckets[wanted.bucket], day)
    return of_invoices & aged & open_at(day, columns)


def _amounts(found: InvoiceQuerySet, wanted: InvoiceFilter, columns: Columns) -> InvoiceQuerySet:
    if wanted.amount_min is None and wanted.amount_max is None:
        return found
    total = columns.total
    if wanted.converted:
        own = company_currency()
        found = found.annotate(converted_minor=InCompanyCurrency(total, own))
        return found.filter(_between("converted_minor", wanted, minor_units(own)))
    if wanted.currency:
        return found.filter(_between(total, wanted, minor_units(wanted.currency)))
    fitting = Q()
    for unit, codes in codes_by_unit().items():
        if unit == 100:
            others = [c for u, listed in codes_by_unit().items() if u != 100 for c in listed]
            here = ~Q(currency__in=others)
        else:
            here = Q(currency__in=codes)
        fitting |= here & _between(total, wanted, unit)
    return found.filter(fitting)


def _between(column: str, wanted: InvoiceFilter, unit: int) -> Q:
    found = Q()
    if wanted.amount_min is not None:
        found &= Q(**{f"{column}__gte": ceil(wanted.amount_min * unit)})
    if wanted.amount_max is not None:
        found &= Q(**{f"{column}__lte": floor(wanted.amount_max * unit)})
    return found
