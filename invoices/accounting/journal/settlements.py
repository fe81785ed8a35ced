"""What settling comes to beside the money: exchange differences, VAT that becomes due, write-offs.

A payment and an invoice meet on the client's account; where both are in the company's currency and
the VAT was due with the invoice, nothing is left to write.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils import timezone

from invoices.accounting.chart import Role
from invoices.accounting.journal.documents import Booked, Doc, booked, documents
from invoices.accounting.journal.entries import Entry, Lines
from invoices.accounting.journal.making import Making
from invoices.accounting.journal.money import (
    Paid,
    add_exchange_difference,
    payment_worths,
    payments_of,
)
from invoices.accounting.journal.steps import Step, VatByRate, steps, vat_due, worths
from invoices.models import Allocation, Invoice, WriteOff

Kind = Allocation.Kind


@dataclass(frozen=True)
class Known:
    """What the steps of a batch are worth, on both sides."""

    docs: Mapping[int, Doc]
    on_invoice: Mapping[int, int]
    on_source: Mapping[int, int]
    # VAT that a step makes due of its invoice, and that it takes back of its credit note.
    due: Mapping[int, VatByRate]
    taken_back: Mapping[int, VatByRate]


def docs_of(ids: set[int]) -> dict[int, Doc]:
    rows = documents(Invoice.objects.filter(pk__in=ids))
    return {row[0]: Doc(*row) for row in rows}


def settlement_entries(making: Making, batch: Sequence[Step]) -> list[Entry]:
    known = _known(making, batch)
    making.meet_clients({doc.account for doc in known.docs.values()})
    found = []
    for step in batch:
        entry = _entry(making, step, known)
        if entry is not None:
            found.append(entry)
    return found


def _known(making: Making, batch: Sequence[Step]) -> Known:
    invoice_ids = {step.invoice for step in batch if step.invoice is not None}
    note_ids = {step.note for step in batch if step.note is not None}
    payment_ids = {step.payment for step in batch if step.payment is not None}
    docs = docs_of(invoice_ids | note_ids)
    books = booked(making, list(docs.values()))
    of_invoices, of_notes = steps(invoice=invoice_ids), steps(credit_note=note_ids)
    on_invoice, due = _walked(books, invoice_ids, of_invoices)
    on_source, taken_back = _walked(books, note_ids, of_notes)
    found: dict[int, Paid] = payments_of(payment_ids)
    on_source.update(payment_worths(making, found, steps(payment=payment_ids)))
    return Known(docs, on_invoice, on_source, due, taken_back)


def _walked(
    books: Mapping[int, Booked], ids: set[int], taken: Mapping[int, list[Step]]
) -> tuple[dict[int, int], dict[int, VatByRate]]:
    worth_of: dict[int, int] = {}
    vat: dict[int, VatByRate] = {}
    for pk in ids & books.keys():
        book = books[pk]
        worth_of.update(worths(book.doc.total, taken.get(pk, ()), book.worth))
        if book.waiting:
            vat.update(vat_due(book.doc.total, book.waiting, taken.get(pk, ())))
    return worth_of, vat


def _entry(making: Making, step: Step, known: Known) -> Entry | None:
    doc = known.docs[step.invoice if step.invoice is not None else step.note or 0]
    if not _has_worth(step, known):
        making.problems.without_rate.add(doc.number, doc.shown_at)
        return None
    lines = Lines()
    if step.kind == Kind.WRITE_OFF:
        _written_off(making, step, doc, known, lines)
    elif not _met(making, step, doc, known, lines):
        making.problems.without_account.add(doc.number, doc.shown_at)
        return None
    postings = lines.done()
    if not postings:
        return None
    return Entry(
        number=f"A{step.pk}",
        journal="other",
        day=step.on,
        piece=doc.number,
        piece_day=doc.issue_date,
        text=making.words[_word(step)].format(
            piece=doc.number, client=making.client_name(doc.account)
        ),
        postings=postings,
        recorded_on=timezone.localdate(step.recorded_at),
        shown_at=doc.shown_at,
    )


def _has_worth(step: Step, known: Known) -> bool:
    of_invoice = step.invoice is None or step.pk in known.on_invoice
    return of_invoice and (step.kind == Kind.WRITE_OFF or step.pk in known.on_source)


def _word(step: Step) -> str:
    if step.kind == Kind.WRITE_OFF:
        return "write_off" if step.minor > 0 else "write_off_back"
    return "applied" if step.minor > 0 else "taken_back"


def _met(making: Making, step: Step, doc: Doc, known: Known, lines: Lines) -> bool:
    """Money or a credit note met its invoice, or a credit note was paid back."""
    if step.invoice is not None:
        source, owed = known.on_source[step.pk], known.on_invoice[step.pk]
        letter = step.letter(making.span.ends_on)
        who = making.auxiliary(doc.account)
        if step.kind == Kind.PAYMENT and making.setup.cash_on_advances:
            foreign = making.foreign(doc.currency, step.minor)
            lines.add(making.cash, source, auxiliary=who, foreign=foreign)
            foreign = making.foreign(doc.currency, -step.minor)
            held = making.owed_by(retained=step.retained)
            lines.add(held, -owed, auxiliary=who, foreign=foreign, letter=letter)
        else:
            held = making.owed_by(retained=step.retained)
            lines.add(held, source - owed, auxiliary=who, letter=letter)
        add_exchange_difference(making, lines, is_back=step.minor < 0)
    vat: dict[Decimal | None, int] = defaultdict(int)
    for rate, minor in known.due.get(step.pk, {}).items():
        vat[rate] += minor
    for rate, minor in known.taken_back.get(step.pk, {}).items():
        vat[rate] -= minor
    for rate, minor in vat.items():
        due_account = making.chart.vat(rate)
        if due_account is None:
            if rate is not None:
                making.problems.rates_without_account.add(rate)
            return False
        lines.add(making.chart.waiting(rate), minor, rate=rate)
        lines.add(due_account, -minor, rate=rate)
    return True


def _written_off(making: Making, step: Step, doc: Doc, known: Known, lines: Lines) -> None:
    """VAT that still waited never becomes due; VAT that was paid over stays with the loss, until
    the accountant claims it back (CGI 272, 1)."""
    owed = known.on_invoice[step.pk]
    lines.add(
        making.owed_by(retained=step.retained),
        -owed,
        auxiliary=making.auxiliary(doc.account),
        foreign=making.foreign(doc.currency, -step.minor),
        letter=step.letter(making.span.ends_on),
    )
    for rate, minor in known.due.get(step.pk, {}).items():
        lines.add(making.chart.waiting(rate), minor, rate=rate)
    lines.add(making.chart.one(_lost_to(making, step, owed)), -lines.balance)


_BY_CAUSE = {
    WriteOff.Cause.BAD_DEBT.value: Role.BAD_DEBT,
    WriteOff.Cause.SMALL.value: Role.SMALL_LOSS,
    WriteOff.Cause.DISCOUNT.value: Role.DISCOUNT,
}


def _lost_to(making: Making, step: Step, owed: int) -> str:
    """By the cause that was given; of what was given up before one was asked, by its amount."""
    if (role := _BY_CAUSE.get(step.cause or step.cause_taken_back or "")) is not None:
        return role
    is_small = abs(owed) <= making.setup.small_difference_minor
    return Role.SMALL_LOSS if is_small else Role.BAD_DEBT
