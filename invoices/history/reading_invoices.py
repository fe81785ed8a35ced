"""What the rows of an invoices file say: one row per invoice, or one per line of it. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from typing import Any

from billing_portal.money import LARGEST_MINOR
from billing_portal.notices import amount, count, day
from invoices.history.cells import Reader, Sheet
from invoices.history.instalments import read_parts, written, wrong_parts
from invoices.history.rows import InvoiceRow
from invoices.models import Invoice

_KINDS = {
    "invoice": Invoice.Kind.INVOICE.value,
    "credit_note": Invoice.Kind.CREDIT_NOTE.value,
    "creditnote": Invoice.Kind.CREDIT_NOTE.value,
    "facture": Invoice.Kind.INVOICE.value,
    "avoir": Invoice.Kind.CREDIT_NOTE.value,
}
# What every line of one document says alike; a title may be that of the line.
_HEAD = ("kind", "client", "issued_on", "due_on", "currency", "corrects")
# Of a field that bears another name than its column.
_COLUMNS = {"parts": "instalments"}
# So many line numbers stand in a sentence.
_NAMED = 12


def read_invoices(sheet: Sheet) -> tuple[list[InvoiceRow], set[str]]:
    """The good documents in the order of the file, and the numbers of the bad ones."""
    lines: dict[str, list[InvoiceRow]] = {}
    refused: set[str] = set()
    for row in sheet.each_row():
        number, found = _line(Reader(sheet, row))
        if found is None:
            refused.add(number)
        else:
            lines.setdefault(number, []).append(found)
    # A row that the table itself refused may be a line of any of them: nothing comes in anyway.
    documents: list[InvoiceRow] = []
    for number, rows in lines.items():
        if number in refused:
            continue
        document = _document(sheet, rows)
        if document is None:
            refused.add(number)
        else:
            documents.append(document)
    _say_what_was_added_up(sheet, [rows for rows in lines.values() if len(rows) > 1])
    return documents, refused


def _line(cell: Reader) -> tuple[str, InvoiceRow | None]:
    """The number of a row, and what it says; None where something is wrong with it."""
    number = cell.text("number", most=35, needed=True)
    kind = cell.choice("kind", _KINDS)
    client = cell.text("client", most=255, needed=True)
    is_credit = kind == Invoice.Kind.CREDIT_NOTE
    issued_on = cell.day("issued_on")
    # A credit note without a due date is due when issued.
    currency = cell.currency("currency")
    parts = read_parts(cell, currency)
    due_on = cell.day("due_on", needed=not is_credit and not parts, future=True)
    if due_on is None and not cell.row.cells["due_on"]:
        due_on = parts[-1].due_on if parts else issued_on if is_credit else None
    net, vat, total = (cell.amount(column, currency) for column in ("net", "vat", "total"))
    corrects = cell.text("corrects", most=35)
    title = cell.text("title", most=255)
    if issued_on and due_on and due_on < issued_on:
        cell.complain("due_on", "history.due_before", due=day(due_on), issued=day(issued_on))
    if parts and is_credit:
        cell.complain("instalments", "history.parts_of_credit")
    if corrects and kind == Invoice.Kind.INVOICE:
        cell.complain("corrects", "history.corrects_nothing")
    if net is not None and vat is not None and total is not None and net + vat != total:
        cells = {column: cell.row.cells[column] for column in ("net", "vat", "total")}
        cell.complain("total", "history.sum", **cells)
    if cell.bad or not (issued_on and due_on) or net is None or vat is None or total is None:
        return number, None
    found = InvoiceRow(
        cell.row.line, number, kind, client, issued_on, due_on, currency, net, vat, total,
        corrects, title, parts=parts,
    )  # fmt: skip
    return number, found


def _document(sheet: Sheet, rows: list[InvoiceRow]) -> InvoiceRow | None:
    """The rows of one number as one document, or None where they do not go together."""
    if len(rows) == 1 and not _wrong(rows[0]):
        # Most files have one row for each document: it is its own sum.
        return replace(rows[0], lines=(rows[0].line,))
    first = rows[0]
    apart = [name for name in _HEAD if len({getattr(row, name) for row in rows}) > 1]
    if len({row.parts for row in rows if row.parts}) > 1:
        # Said once, on any row, or alike on all of them.
        apart.append("parts")
    for name in apart:
        others = [row for row in rows if getattr(row, name) != getattr(first, name)]
        sheet.complain(
            others[0].line,
            _COLUMNS.get(name, name),
            "history.lines_differ",
            number=first.number,
            lines=_named(rows),
            name=_COLUMNS.get(name, name),
            first=_shown(first, name),
            other=_shown(others[0], name),
        )
    document = replace(
        first,
        net_minor=sum(row.net_minor for row in rows),
        vat_minor=sum(row.vat_minor for row in rows),
        total_minor=sum(row.total_minor for row in rows),
        title=next((row.title for row in rows if row.title), ""),
        lines=tuple(row.line for row in rows),
        parts=next((row.parts for row in rows if row.parts), ()),
    )
    wrong = _wrong(document)
    if wrong is not None and not apart:
        sheet.complain(first.line, wrong[0], wrong[1], **wrong[2])
    return None if apart or wrong else document


def _wrong(row: InvoiceRow) -> tuple[str, str, dict[str, Any]] | None:
    """The column, the code and the values of what is wrong with a document as a whole."""
    wrong = _wrong_amounts(row)
    if wrong is None and row.parts:
        problem = wrong_parts(
            row.parts,
            issued_on=row.issued_on,
            due_on=row.due_on,
            total_minor=row.total_minor,
            currency=row.currency,
        )
        return ("instalments", *problem) if problem else None
    return wrong


def _wrong_amounts(row: InvoiceRow) -> tuple[str, str, dict[str, Any]] | None:
    """The column, the code and the values of what is wrong with the sums of a document."""
    amounts = {"total": row.total_minor, "net": row.net_minor, "vat": row.vat_minor}
    below = next((column for column, minor in amounts.items() if minor < 0), "")
    if below:
        code = "history.credit_minus" if row.is_credit_note else "history.below_zero"
        return below, code, {}
    if max(amounts.values()) >= LARGEST_MINOR:
        return "total", "history.large", {"text": amount(row.total_minor, row.currency)}
    if row.total_minor == 0 and row.is_credit_note:
        return "total", "history.credit_nothing", {}
    return None


def _say_what_was_added_up(sheet: Sheet, several: list[list[InvoiceRow]]) -> None:
    """Sums of lines are shown before they come in, and rows that may be there twice."""
    if not several:
        return
    lines, documents = sum(map(len, several)), len(several)
    sheet.say("history.lines", lines=count(lines), count=count(documents))
    doubled = [rows for rows in several if _equal_rows(rows)]
    if doubled:
        number, example = doubled[0][0].number, _equal_rows(doubled[0])
        sheet.say(
            "history.equal_lines", count=count(len(doubled)), number=number, lines=_named(example)
        )


def _equal_rows(rows: list[InvoiceRow]) -> list[InvoiceRow]:
    """Those that say the same as another to the last sign."""
    seen = Counter(_said(row) for row in rows)
    return [row for row in rows if seen[_said(row)] > 1]


def _said(row: InvoiceRow) -> InvoiceRow:
    return replace(row, line=0)


def _named(rows: list[InvoiceRow]) -> str:
    numbers = [str(row.line) for row in rows]
    return ", ".join(numbers[:_NAMED]) + (", …" if len(numbers) > _NAMED else "")


def _shown(row: InvoiceRow, name: str) -> object:
    value = getattr(row, name)
    if name == "parts":
        return written(row.parts, row.currency) or "–"
    return day(value) if isinstance(value, date) else value or "–"
