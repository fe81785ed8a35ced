"""What late invoices may be charged beside their balance at the end of a day: the one reckoning
that the page of an invoice, statements and claims show.

Interest is in the currency of the invoice, the indemnity in the company's; consumers owe neither.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

from django.db.models import F, Q

from invoices.company import late_rates
from invoices.documents import penalties
from invoices.models import Allocation, Company, Instalment, Invoice
from invoices.models.clients import BuyerKind
from invoices.models.invoices import InvoiceQuerySet
from invoices.models.standing import was_issued

# The rows of so many invoices are read at once: SQLite takes only so many keys.
_AT_ONCE = 500


def ever_late(invoices: InvoiceQuerySet, on: date) -> InvoiceQuerySet:
    """Those of which something was paid after its day, or is open after it on `on`; perhaps some
    more, never fewer."""
    parts = Instalment.objects.filter(due_date__lt=on).filter(
        Q(settled_on__isnull=True) | Q(settled_on__gt=F("due_date"))
    )
    return (
        invoices.invoices()
        .filter(was_issued(), total_minor__gt=0)
        .filter(
            Q(due_date__lt=on) & (Q(settled_on__isnull=True) | Q(settled_on__gt=F("due_date")))
            | Q(pk__in=parts.order_by().values("invoice"))
        )
    )


def claims_of(invoices: InvoiceQuerySet, on: date) -> dict[int, penalties.Claim]:
    """Key of each invoice that was ever late → its claim at the end of `on`."""
    company = Company.objects.filter(pk=1).only("indemnity_minor").first()
    if company is None:
        return {}
    found: dict[int, penalties.Claim] = {}
    rates: dict[str, list[penalties.Rate]] = {}
    rows = ever_late(invoices, on).exclude(client__buyer_kind=BuyerKind.CONSUMER).order_by()
    columns = ("pk", "client__buyer_kind", "due_date", "total_minor")
    late = list(rows.values_list(*columns))
    for start in range(0, len(late), _AT_ONCE):
        some = late[start : start + _AT_ONCE]
        keys = [row[0] for row in some]
        parts, settled = _parts(keys), _settled(keys, on)
        for pk, buyer, due_date, total_minor in some:
            if buyer not in rates:
                rates[buyer] = late_rates.all_for(buyer)
            claim = penalties.together(
                penalties.claim(
                    total_minor=minor,
                    due_date=day,
                    settled=settled.get((pk, part), ()),
                    on=on,
                    rates=rates[buyer],
                    indemnity_minor=company.indemnity_minor,
                )
                for part, day, minor in parts.get(pk, [(None, due_date, total_minor)])
            )
            if claim is not None:
                found[pk] = claim
    return found


def _parts(keys: list[int]) -> dict[int, list[tuple[int | None, date, int]]]:
    rows = Instalment.objects.filter(invoice__in=keys).order_by("invoice", "position")
    found: dict[int, list[tuple[int | None, date, int]]] = defaultdict(list)
    for invoice, pk, day, minor in rows.values_list("invoice", "pk", "due_date", "amount_minor"):
        found[invoice].append((pk, day, minor))
    return found


def _settled(keys: list[int], on: date) -> dict[tuple[int, int | None], list[tuple[date, int]]]:
    rows: Any = Allocation.objects.filter(invoice__in=keys, applied_on__lte=on).order_by()
    found: dict[tuple[int, int | None], list[tuple[date, int]]] = defaultdict(list)
    for invoice, part, day, minor in rows.values_list(
        "invoice", "instalment", "applied_on", "amount_minor"
    ):
        found[invoice, part].append((day, minor))
    return found


def claim_of(invoice: Invoice, on: date) -> penalties.Claim | None:
    return claims_of(Invoice.objects.filter(pk=invoice.pk), on).get(invoice.pk)
