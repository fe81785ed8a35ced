"""Invoices of a history that are due in instalments.

The database lets no instalment join a document that was issued: such an invoice is inserted as a
draft, gets its instalments, and is issued by an update, whose rule adds them up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from invoices.history.batches import BATCH, Writing
from invoices.history.rows import InvoiceRow
from invoices.models import Instalment, Invoice, PastSettlement
from invoices.models.facts import seal_of_document
from invoices.payments import settling


def write_in_parts(
    writing: Writing,
    made: Sequence[tuple[InvoiceRow, Invoice]],
    steps: Mapping[str, list[settling.Settled]],
) -> None:
    for _row, invoice in made:
        invoice.number, invoice.outstanding_minor = "", invoice.total_minor
    Invoice.objects.bulk_create([invoice for _row, invoice in made], batch_size=BATCH)
    parts: dict[str, list[Instalment]] = {}
    past: list[PastSettlement] = []
    for row, invoice in made:
        parts[row.number] = [_part(row, place, invoice) for place in range(1, len(row.parts) + 1)]
        for part in parts[row.number]:
            past += _balance(part, row.issued_on, steps[row.number])
    rows = [part for mine in parts.values() for part in mine]
    Instalment.objects.bulk_create(rows, batch_size=BATCH)
    for row, invoice in made:
        invoice.number = row.number
        found = settling.settlement(row.total_minor, row.issued_on, steps[row.number])
        settling.write_balance(invoice, found)
        invoice.next_due = settling.next_due(parts[row.number]) or invoice.due_date
        invoice.seal = seal_of_document(invoice, instalments=parts[row.number])
        past += settling.past_settlements(invoice, found)
        writing.invoices[row.number] = invoice.pk
        writing.parts[row.number] = {part.position: part.pk for part in parts[row.number]}
    fields = ["number", "seal", *settling.BALANCE_FIELDS]
    Invoice.objects.bulk_update([invoice for _row, invoice in made], fields, batch_size=500)
    PastSettlement.objects.bulk_create(past, batch_size=BATCH)
    writing.count(len(made))


def _part(row: InvoiceRow, place: int, invoice: Invoice) -> Instalment:
    said = row.parts[place - 1]
    return Instalment(
        invoice=invoice,
        position=place,
        due_date=said.due_on,
        said_due=said.due_on,
        amount_minor=said.amount_minor,
        outstanding_minor=said.amount_minor,
        is_retention=said.is_retention,
    )


def _balance(
    part: Instalment, issued: date, steps: Sequence[settling.Settled]
) -> list[PastSettlement]:
    # A step is named by what it came from and by the instalment that it settles.
    mine = [step for step in steps if _place(step) == part.position]
    found = settling.settlement(part.amount_minor, issued, mine)
    settling.write_part(part, found, issue_date=issued)
    return settling.past_settlements(part.invoice, found, part)


def _place(step: settling.Settled) -> object:
    key = step.takes_back if step.takes_back is not None else step.key
    assert isinstance(key, tuple)
    return key[2]
