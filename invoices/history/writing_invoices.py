"""The invoices and credit notes of a history, with the balance that its payments leave them.

New ones are inserted with their final balance; allocations stand beside them from the start.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date

from invoices.company.rates import Rates
from invoices.history.applying import steps_of
from invoices.history.batches import BATCH, Writing, batches
from invoices.history.plan import Applied, Plan, chunks
from invoices.history.rows import InvoiceRow, key_of
from invoices.history.writing_parts import write_in_parts
from invoices.models import Allocation, Invoice, InvoiceEvent, PastSettlement
from invoices.payments.settling import (
    BALANCE_FIELDS,
    Settled,
    past_settlements,
    refresh,
    settlement,
    write_balance,
)


def write_invoices(writing: Writing) -> None:
    """`writing.invoices` knows the new ones too when this is done."""
    plan = writing.plan
    steps = _steps(plan)
    rates = Rates(writing.company.currency)
    for is_credit in (False, True):
        rows = (row for row in plan.new_invoices if row.is_credit_note == is_credit)
        for batch in batches(rows):
            whole = [row for row in batch if not row.parts]
            in_parts = [row for row in batch if row.parts]
            _write_whole(writing, whole, rates, steps)
            if in_parts:
                write_in_parts(
                    writing,
                    [(row, _invoice(writing, row, rates)) for row in in_parts],
                    {row.number: steps.get(row.number, []) for row in in_parts},
                )
            writing.insert(InvoiceEvent, [_event(writing, row) for row in batch])
    _update_held(writing, steps)


def _write_whole(
    writing: Writing, rows: list[InvoiceRow], rates: Rates, steps: dict[str | int, list[Settled]]
) -> None:
    made: list[Invoice] = []
    past: list[PastSettlement] = []
    for row in rows:
        invoice = _invoice(writing, row, rates)
        past += _balance(invoice, steps.get(_name(row), []))
        made.append(invoice)
    writing.insert(Invoice, made)
    writing.invoices.update({invoice.number: invoice.pk for invoice in made})
    PastSettlement.objects.bulk_create(past, batch_size=BATCH)


def _name(row: InvoiceRow) -> str | int:
    """Steps of an invoice are found by its number, those of a credit note by its line."""
    return row.line if row.is_credit_note else row.number


def _steps(plan: Plan) -> dict[str | int, list[Settled]]:
    """What settles each invoice, and what each credit note gives."""
    steps: dict[str | int, list[Settled]] = defaultdict(list)
    for row in plan.new_invoices:
        if applied := plan.credited.get(row.line):
            found = steps_of(applied, False, row.line)
            steps[row.corrects] += found
            steps[row.line] += found
    for payment in plan.new_payments:
        if paid := plan.paid.get(payment.line):
            steps[payment.invoice] += steps_of(paid, True, payment.line)
    return steps


def _balance(invoice: Invoice, steps: list[Settled]) -> list[PastSettlement]:
    assert invoice.issue_date is not None
    found = settlement(invoice.total_minor, invoice.issue_date, steps)
    write_balance(invoice, found)
    return past_settlements(invoice, found)


def _invoice(writing: Writing, row: InvoiceRow, rates: Rates) -> Invoice:
    client = writing.clients[key_of(row.client)]
    return Invoice(
        kind=row.kind,
        imported=True,
        number=row.number,
        client=client,
        buyer_name=client.name,
        client_type_id=client.client_type_id,
        owner_id=client.owner_id,
        corrects_id=writing.invoices[row.corrects] if row.corrects else None,
        title=row.title,
        language=client.language,
        currency=row.currency,
        issue_date=row.issued_on,
        due_date=row.due_on,
        terms_kind="net",
        terms_days=min((row.due_on - row.issued_on).days, 32_000),
        due_date_typed=True,
        net_minor=row.net_minor,
        vat_minor=row.vat_minor,
        total_minor=row.total_minor,
        exchange_rate=rates.on(row.currency, row.issued_on),
        created_by=writing.by,
        observed_from=_observed_from(writing.plan, row),
    )


def _observed_from(plan: Plan, row: InvoiceRow) -> date | None:
    """Open items alone were brought in: their brothers paid before are not known."""
    go_live = plan.rows.go_live
    if go_live is None or row.is_credit_note or row.issued_on >= go_live:
        return None
    return go_live


def _update_held(writing: Writing, steps: dict[str | int, list[Settled]]) -> None:
    """Invoices that were here before, and gain a payment or a credit note now."""
    plan = writing.plan
    here = {pk: held.number for held in plan.invoices.values() if (pk := held.pk)}
    gain = sorted(pk for pk, number in here.items() if number in steps)
    writing.moved = {pk for pk in gain if here[pk] in plan.held_parts}
    for chunk in chunks(pk for pk in gain if pk not in writing.moved):
        past: list[PastSettlement] = []
        held = list(Invoice.objects.filter(pk__in=chunk).order_by("pk"))
        for invoice in held:
            before = plan.held_steps.get(invoice.number, {}).get(None, [])
            past += _balance(invoice, before + steps.get(invoice.number, []))
        Invoice.objects.bulk_update(held, BALANCE_FIELDS, batch_size=500)
        PastSettlement.objects.filter(invoice__in=held).delete()
        PastSettlement.objects.bulk_create(past, batch_size=BATCH)


def refresh_moved(writing: Writing) -> None:
    """Once all that settles them is written: a balance for each of their instalments."""
    rows = Invoice.objects.select_for_update().filter(pk__in=writing.moved)
    for invoice in rows.order_by("pk").iterator(chunk_size=500):
        refresh(invoice)


def _event(writing: Writing, row: InvoiceRow) -> InvoiceEvent:
    return InvoiceEvent(
        invoice_id=writing.invoices[row.number],
        kind=InvoiceEvent.Kind.IMPORTED,
        on=writing.on,
        by=writing.by,
        data={
            "number": row.number,
            "total_minor": row.total_minor,
            "currency": row.currency,
            "issue_date": row.issued_on.isoformat(),
            "due_date": row.due_on.isoformat(),
        },
    )


def write_credits(writing: Writing) -> None:
    """What each credit note takes off the invoice that it corrects."""
    credited = writing.plan.credited
    for batch in batches(row for row in writing.plan.new_invoices if credited.get(row.line)):
        rows = [_credit(writing, row, each) for row in batch for each in credited[row.line]]
        writing.insert(Allocation, rows)
        writing.insert(InvoiceEvent, [_credit_event(writing, row) for row in batch])


def _credit(writing: Writing, row: InvoiceRow, applied: Applied) -> Allocation:
    return Allocation(
        kind=Allocation.Kind.CREDIT,
        invoice_id=writing.invoices[row.corrects],
        instalment_id=writing.part_of(row.corrects, applied.place),
        credit_note_id=writing.invoices[row.number],
        amount_minor=applied.amount_minor,
        applied_on=applied.on,
        by=writing.by,
    )


def _credit_event(writing: Writing, row: InvoiceRow) -> InvoiceEvent:
    data = {
        "number": row.number,
        "credit_note_id": writing.invoices[row.number],
        "amount_minor": sum(each.amount_minor for each in writing.plan.credited[row.line]),
        "total_minor": row.total_minor,
        "currency": row.currency,
    }
    return InvoiceEvent(
        invoice_id=writing.invoices[row.corrects],
        kind=InvoiceEvent.Kind.CREDITED,
        on=row.issued_on,
        by=writing.by,
        data=data,
    )
