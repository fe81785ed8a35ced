"""The payments of the files held against the books, and what each takes of its invoice."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing_portal.money import formatted_minor
from invoices.history.plan import Plan, Remittance, chunks, complain, issued_on
from invoices.history.rows import InvoiceRow, PaymentRow, key_of
from invoices.models import Client, ImportedPaymentRow, Invoice, Payment


def resolve_payments(plan: Plan) -> None:
    rows = plan.rows
    by_number = {row.number: row for row in rows.invoices}
    known = _rows_taken_before(plan)
    seen: Counter[tuple[Any, ...]] = Counter()
    groups: dict[tuple[Any, ...], Remittance] = {}
    ours: set[str] = set()
    for chunk in chunks({r.invoice for r in rows.payments} - set(plan.invoices) - set(by_number)):
        ours.update(
            Invoice.objects.filter(imported=False, number__in=chunk).values_list(
                "number", flat=True
            )
        )
    for row in rows.payments:
        target: InvoiceRow | Invoice | None = by_number.get(row.invoice)
        if row.invoice in rows.refused_numbers:
            continue
        target = target or plan.invoices.get(row.invoice)
        if target is None:
            if "invoices" not in rows.unread:
                reason = (
                    _("%(number)s was issued here: record the payment on its own page.")
                    if row.invoice in ours
                    else _("No invoice has the number %(number)s.")
                )
                complain(plan, "payments", row.line, "invoice", reason % {"number": row.invoice})
            continue
        if target.is_credit_note:
            reason = _(
                "%(number)s is a credit note; a payment settles an invoice. Leave the row out, "
                "or name the invoice."
            ) % {"number": row.invoice}
            complain(plan, "payments", row.line, "invoice", reason)
            continue
        if target.currency != row.currency:
            reason = _("%(number)s is in %(currency)s: convert the payment or correct the row.")
            reason %= {"number": row.invoice, "currency": target.currency}
            complain(plan, "payments", row.line, "currency", reason)
            continue
        natural = _natural_key(row)
        seen[natural] += 1
        if seen[natural] <= known[natural]:
            plan.unchanged["payments"] += 1
            continue
        plan.occurrences[row.line] = seen[natural]
        client_key = _client_key(plan, target)
        group: tuple[Any, ...] = (row.line,)
        if row.reference:
            group = (client_key, row.received_on, row.currency, row.reference, row.method)
        groups.setdefault(group, Remittance(client_key, [])).rows.append(row)
    plan.remittances = list(groups.values())
    _refuse_known_remittances(plan)


def _client_key(plan: Plan, target: InvoiceRow | Invoice) -> str:
    """Of a client that is here the primary key: names may be shared."""
    client: Client | None
    if isinstance(target, Invoice):
        client = target.client
    else:
        client = plan.clients.get(key_of(target.client))
    if client is None:
        return key_of(str(target.client))
    plan.clients[f"#{client.pk}"] = client
    return f"#{client.pk}"


def _natural_key(row: PaymentRow) -> tuple[Any, ...]:
    return (
        row.invoice,
        row.received_on,
        row.currency,
        row.amount_minor,
        row.reference,
        row.method,
    )


def _rows_taken_before(plan: Plan) -> Counter[tuple[Any, ...]]:
    numbers = {invoice.pk: number for number, invoice in plan.invoices.items()}
    found: Counter[tuple[Any, ...]] = Counter()
    if not plan.rows.payments:
        return found
    for chunk in chunks(numbers):
        for invoice, *rest in ImportedPaymentRow.objects.filter(invoice__in=chunk).values_list(
            "invoice_id", "received_on", "currency", "amount_minor", "reference", "method"
        ):
            found[(numbers[invoice], *rest)] += 1
    return found


def _refuse_known_remittances(plan: Plan) -> None:
    """`a_remittance_is_recorded_once`: told in a sentence before the database says it."""
    references = {r.rows[0].reference for r in plan.remittances if r.rows[0].reference}
    # Whether each of that key came from a history; what was typed here is never doubled by one.
    taken: dict[tuple[Any, ...], list[bool]] = defaultdict(list)
    for chunk in chunks(references):
        rows = Payment.objects.filter(reference__in=chunk).values_list(
            "client_id", "reference", "received_on", "amount_minor", "currency", "imported"
        )
        for *known, imported in rows:
            taken[tuple(known)].append(imported)
    kept: list[Remittance] = []
    for remittance in plan.remittances:
        first = remittance.rows[0]
        client = plan.clients.get(remittance.client_key)
        key = (
            client.pk if client else remittance.client_key,
            first.reference,
            first.received_on,
            remittance.amount_minor,
            first.currency,
        )
        if first.reference and not all(taken[key]):
            complain(
                plan,
                "payments",
                first.line,
                "reference",
                _(
                    "A payment of %(amount)s with the reference “%(reference)s” of that day is "
                    "recorded already: leave the row out, or give it a reference of its own."
                )
                % {
                    "amount": formatted_minor(remittance.amount_minor, first.currency),
                    "reference": first.reference[:60],
                },
            )
            continue
        if first.reference:
            taken[key].append(True)
            remittance.occurrence = len(taken[key])
        kept.append(remittance)
    plan.remittances = kept


def settle(plan: Plan) -> None:
    """What each credit note and payment takes of its invoice, in the order of their days.

    On one day the credit note comes first: what a payment brings beyond the rest is the client's.
    """
    moves: dict[str, list[tuple[date, int, int, int]]] = {}
    for credit in plan.new_invoices:
        if credit.is_credit_note and credit.corrects:
            moves.setdefault(credit.corrects, []).append(
                (credit.issued_on, 0, credit.line, credit.total_minor)
            )
    for row in plan.new_payments:
        moves.setdefault(row.invoice, []).append((row.received_on, 1, row.line, row.amount_minor))
    new = {row.number: row for row in plan.new_invoices}
    surplus = early = advance = 0
    for number, found in moves.items():
        held = plan.invoices.get(number)
        if held is None and number not in new:
            continue
        left = held.outstanding_minor if held else new[number].total_minor
        issued = issued_on(held or new[number])
        for day, is_payment, line, amount in sorted(found):
            take = min(left, amount)
            left -= take
            plan.applied["payments" if is_payment else "invoices"][line] = take
            advance += bool(is_payment) and day < issued
            surplus += bool(is_payment) and take < amount
            early += not is_payment and take < amount
    if advance:
        plan.notices.append(
            ngettext(
                "%(count)s payment came before its invoice was issued; it is kept as it is.",
                "%(count)s payments came before their invoice was issued; they are kept as "
                "they are.",
                advance,
            )
            % {"count": advance}
        )
    if surplus:
        plan.notices.append(
            _(
                "%(count)s payments are larger than what was outstanding; the rest is kept as "
                "unapplied cash of the client."
            )
            % {"count": surplus}
        )
    if early:
        plan.notices.append(
            _(
                "%(count)s credit notes are larger than what was outstanding on their day; the "
                "rest stays as the client's credit."
            )
            % {"count": early}
        )
