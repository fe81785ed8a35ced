"""The payments of the files held against the books: new, here already, or refused."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Sum

from billing_portal.notices import amount, day
from invoices.company.closing import closed_until
from invoices.history.plan import ClientKey, HeldInvoice, Plan, Remittance, chunks, complain
from invoices.history.returns import tie_returns
from invoices.history.rows import InvoiceRow, PaymentRow, key_of
from invoices.models import (
    Allocation,
    ImportedPaymentRow,
    Payment,
)

Key = tuple[Any, ...]


def resolve_payments(plan: Plan) -> None:
    by_number = {row.number: row for row in plan.rows.invoices}
    closed = closed_until()
    known = _rows_taken_before(plan)
    seen: Counter[Key] = Counter()
    new: list[PaymentRow] = []
    for row in plan.rows.payments:
        target = by_number.get(row.invoice) or plan.invoices.get(row.invoice)
        if row.invoice in plan.rows.refused_numbers or not _fits(plan, row, target):
            continue
        natural = _natural_key(row)
        seen[natural] += 1
        if seen[natural] <= known[natural]:
            plan.unchanged["payments"] += 1
            continue
        plan.occurrences[row.line] = seen[natural]
        way = closed if _is_ours(target) else None
        if way is not None and row.received_on <= way:
            values = {"number": row.invoice, "day": day(way)}
            complain(plan, "payments", row.line, "received_on", "payment_closed", **values)
        elif row.instalment and row.instalment not in plan.parts_of(
            row.invoice, by_number.get(row.invoice)
        ):
            complain(
                plan,
                "payments",
                row.line,
                "instalment",
                "payment_no_part",
                number=row.invoice,
                place=row.instalment,
            )
        else:
            new.append(row)
    tie_returns(plan, new)
    plan.remittances = _remittances(plan, [row for row in new if not row.takes_back], by_number)
    _number_equal_remittances(plan)


def _is_ours(target: InvoiceRow | HeldInvoice | None) -> bool:
    """Issued here: its payments are of the books of today, and no history."""
    return isinstance(target, HeldInvoice) and not target.imported


def _fits(plan: Plan, row: PaymentRow, target: InvoiceRow | HeldInvoice | None) -> bool:
    """Whether there is an invoice here or in the files that such a row can be for."""
    number = row.invoice
    if target is None:
        if "invoices" not in plan.rows.unread:
            complain(plan, "payments", row.line, "invoice", "payment_unknown", number=number)
    elif target.is_credit_note:
        complain(plan, "payments", row.line, "invoice", "payment_credit", number=number)
    elif target.currency != row.currency:
        values = {"number": number, "currency": target.currency}
        complain(plan, "payments", row.line, "currency", "payment_currency", **values)
    else:
        return True
    return False


def _remittances(
    plan: Plan, rows: list[PaymentRow], by_number: dict[str, InvoiceRow]
) -> list[Remittance]:
    """Rows of one reference and day are one payment, if all of it stayed or went back together."""
    groups: dict[Key, Remittance] = {}
    for row in rows:
        target = by_number.get(row.invoice) or plan.invoices[row.invoice]
        client_key = _client_key(plan, target)
        returned = plan.returns.get(row.line)
        returned_on = returned.received_on if returned else None
        group: Key = (row.line,)
        if row.reference:
            remittance = (row.received_on, row.currency, row.reference, row.method)
            group = (client_key, *remittance, returned_on)
        found = groups.setdefault(group, Remittance(client_key, [], returned_on=returned_on))
        found.rows.append(row)
    return list(groups.values())


def _client_key(plan: Plan, target: InvoiceRow | HeldInvoice) -> ClientKey:
    if isinstance(target, HeldInvoice):
        return target.client_id
    key = key_of(target.client)
    client = plan.clients.get(key)
    return key if client is None else client.pk


def _natural_key(row: PaymentRow) -> Key:
    return (
        row.invoice,
        row.received_on,
        row.currency,
        row.amount_minor,
        row.reference,
        row.method,
    )


def _rows_taken_before(plan: Plan) -> Counter[Key]:
    numbers = {invoice.pk: number for number, invoice in plan.invoices.items()}
    found: Counter[Key] = Counter()
    if not plan.rows.payments:
        return found
    for chunk in chunks(numbers):
        for invoice, *rest in ImportedPaymentRow.objects.filter(invoice__in=chunk).values_list(
            "invoice_id", "received_on", "currency", "amount_minor", "reference", "method"
        ):
            found[(numbers[invoice], *rest)] += 1
        for invoice, *rest in rows_recorded_here(invoice__in=chunk):
            found[(numbers[invoice], *rest)] += 1
    return found


def rows_recorded_here(
    said: str = "invoice_id", *more: Any, **which: Any
) -> Iterator[tuple[Any, ...]]:
    """What somebody recorded, as rows of a file would say it: the invoice by `said`, value date,
    currency, what settled of it, reference, method, and `more` of its sums. A reversal is below
    zero, as in a file."""
    rows = Allocation.objects.filter(
        kind=Allocation.Kind.PAYMENT, payment__imported_rows__isnull=True, **which
    ).order_by()
    extra = {f"more_{place}": each for place, each in enumerate(more)}
    sums: Any = rows.values("invoice_id", "payment_id").annotate(minor=Sum("amount_minor"), **extra)
    yield from (
        sums.exclude(minor=0)
        .order_by("payment__received_on", "payment_id", "invoice_id")
        .values_list(
            *(said, "payment__received_on", "payment__currency"),
            *("minor", "payment__reference", "payment__method", *extra),
        )
        .iterator(chunk_size=2_000)
    )


def _number_equal_remittances(plan: Plan) -> None:
    """`a_remittance_is_recorded_once`: told in a sentence before the database says it.

    Equal ones of a history are counted; what was typed here is never doubled by one.
    """
    taken = _taken(plan)
    kept: list[Remittance] = []
    for remittance in plan.remittances:
        first, total = remittance.rows[0], remittance.amount_minor
        who: Key = (remittance.client_key, first.reference)
        key = (*who, first.received_on, total, first.currency)
        if first.reference and taken[key].by_hand:
            complain(
                plan,
                "payments",
                first.line,
                "reference",
                "payment_recorded",
                amount=amount(total, first.currency),
                reference=first.reference[:60],
            )
            continue
        if first.reference:
            remittance.occurrence = taken[key].next()
            if (back := remittance.returned_on) is not None:
                mirror = taken[*who, back, -total, first.currency]
                remittance.mirror_occurrence = mirror.next()
        kept.append(remittance)
    plan.remittances = kept
    for held in plan.held_returns:
        payment, on = held.payment, held.rows[0].received_on
        who = (payment.client_id, payment.reference)
        mirror = taken[*who, on, -payment.amount_minor, payment.currency]
        held.mirror_occurrence = mirror.next()


@dataclass(slots=True)
class _Equal:
    """How many equal remittances there are by now, and whether one of them was typed here.

    Numbers, and no list of them: a wholesaler's file may hold thousands without a difference.
    """

    count: int = 0
    by_hand: bool = False

    def next(self) -> int:
        self.count += 1
        return self.count


def _taken(plan: Plan) -> dict[Key, _Equal]:
    """What makes a remittance → those of that key that are here."""
    references = {r.rows[0].reference for r in plan.remittances if r.rows[0].reference}
    references |= {held.payment.reference for held in plan.held_returns if held.payment.reference}
    taken: dict[Key, _Equal] = defaultdict(_Equal)
    for chunk in chunks(references):
        rows = Payment.objects.filter(reference__in=chunk).values_list(
            "client_id", "reference", "received_on", "amount_minor", "currency", "imported"
        )
        for *known, imported in rows:
            equal = taken[tuple(known)]
            equal.count += 1
            equal.by_hand |= not imported
    return taken
