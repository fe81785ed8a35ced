"""The good rows of a file without the bad ones, when somebody says so.

What is one with a refused row stays out with it, for half of it would be another thing: the other
lines of its invoice, the other rows of its remittance, the invoices of its client, the payments and
credit notes of its invoice, and what takes a payment back. Each is named with its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from billing_portal.notices import Notice
from billing_portal.spreadsheets import Complaint
from invoices.history.cells import Sheet
from invoices.history.plan import Plan, Rows
from invoices.history.rows import PaymentRow, key_of

# Each round may leave a row without what it leans on: client, invoice, credit note, payment.
_ROUNDS = 12


def may_leave_out(plan: Plan) -> bool:
    """Each complaint names a row of one file, so that the others can come in without it."""
    names = [name for name in plan.rows.names.values() if name]
    return (
        bool(plan.complaints)
        and not plan.rows.questions
        and not plan.has_unknown_rows
        and all(complaint.line for complaint in plan.complaints)
        and len(set(names)) == len(names)
    )


def has_unknown_rows(sheets: Sequence[Sheet]) -> bool:
    """A line of an invoice or a row of a remittance that the table itself refused: without it the
    others of the same number would come in with another total."""
    for sheet in sheets:
        read = {row.line for row in sheet.table.rows}
        if sheet.kind not in ("clients", "items") and any(
            c.line not in read for c in sheet.table.complaints
        ):
            return True
    return False


def resolve_the_rest(
    rows: Rows, sheets: Sequence[Sheet], resolve: Callable[[Rows], Plan]
) -> Plan | None:
    """The plan of the rows that can come in, `left_out` naming the others; None when rows keep
    falling out: then nothing is left out, and all is refused."""
    found = [complaint for sheet in sheets for complaint in sheet.table.complaints]
    _take_out(rows, sheets, found)
    for _round in range(_ROUNDS):
        plan = resolve(rows)
        found += plan.complaints
        leaning = _leaning(rows)
        if not plan.complaints and not leaning:
            plan.left_out = _in_order(rows, sheets, found)
            for kind in rows.names:
                plan.refused[kind] = len(
                    {c.line for c in plan.left_out if c.file == rows.names[kind]}
                )
            return plan
        found += leaning
        _take_out(rows, sheets, [*plan.complaints, *leaning])
    return None


def _take_out(rows: Rows, sheets: Sequence[Sheet], found: Iterable[Complaint]) -> None:
    lines: dict[str, set[int]] = {kind: set() for kind in rows.names}
    of_file = {name: kind for kind, name in rows.names.items() if name}
    for complaint in found:
        lines[of_file[complaint.file]].add(complaint.line)
    for client in rows.clients:
        if client.line in lines["clients"]:
            rows.refused_clients.add(client.key)
    rows.clients = [each for each in rows.clients if each.key not in rows.refused_clients]
    for invoice in rows.invoices:
        if lines["invoices"] & {invoice.line, *invoice.lines}:
            rows.refused_numbers.add(invoice.number)
    rows.invoices = [each for each in rows.invoices if each.number not in rows.refused_numbers]
    for item in rows.items:
        if lines["items"] & set(item.lines):
            rows.refused_items.add(item.key)
    rows.items = [each for each in rows.items if each.key not in rows.refused_items]
    bad = lines["payments"]
    references = _references(sheets, bad)
    for row in rows.payments:
        if row.line in bad:
            rows.doubtful_payments.add(row.invoice)
    rows.payments = [
        row for row in rows.payments if row.line not in bad and row.reference not in references
    ]


def _references(sheets: Sequence[Sheet], lines: set[int]) -> set[str]:
    """Of the payments that stay out: their remittances stay out whole."""
    sheet = next((each for each in sheets if each.kind == "payments"), None)
    if sheet is None:
        return set()
    given = {" ".join(r.cells["reference"].split()) for r in sheet.table.rows if r.line in lines}
    return given - {""}


def _leaning(rows: Rows) -> list[Complaint]:
    """Rows that nobody complains of, and that lean on one that stays out."""
    found: list[Complaint] = []
    for invoice in rows.invoices:
        name = rows.names["invoices"]
        if key_of(invoice.client) in rows.refused_clients:
            notice = Notice("history.out_with_client", name=invoice.client)
            found.append(Complaint(name, invoice.line, "client", notice))
        elif invoice.number in rows.refused_numbers or invoice.corrects in rows.refused_numbers:
            notice = Notice("history.out_with_invoice", number=invoice.corrects or invoice.number)
            found.append(Complaint(name, invoice.line, "corrects", notice))
    for row in rows.payments:
        if _leans(row, rows):
            notice = Notice("history.out_with_invoice", number=row.invoice)
            found.append(Complaint(rows.names["payments"], row.line, "invoice", notice))
    return found


def _leans(row: PaymentRow, rows: Rows) -> bool:
    taken_back = row.takes_back and row.invoice in rows.doubtful_payments
    return row.invoice in rows.refused_numbers or taken_back


def _in_order(rows: Rows, sheets: Sequence[Sheet], found: Sequence[Complaint]) -> list[Complaint]:
    """With the rows that nobody named and that came in with none of the others."""
    named = {(complaint.file, complaint.line) for complaint in found}
    found = [*found, *_silent(rows, sheets, named)]
    files = list(rows.names.values())
    return sorted(found, key=lambda c: (files.index(c.file), c.line))


def _silent(
    rows: Rows, sheets: Sequence[Sheet], named: set[tuple[str, int]]
) -> Iterable[Complaint]:
    for sheet in sheets:
        name = sheet.table.name
        taken = _taken(rows, sheet.kind)
        for row in sheet.table.rows:
            if row.line in taken or (name, row.line) in named:
                continue
            said = row.cells.get("code") or row.cells.get("number")
            said = said or row.cells.get("invoice") or row.cells.get("name")
            code = "out_with_remittance" if sheet.kind == "payments" else "out_with_lines"
            yield Complaint(name, row.line, "", Notice(f"history.{code}", number=said or "–"))


def _taken(rows: Rows, kind: str) -> set[int]:
    if kind == "invoices":
        return {line for each in rows.invoices for line in (each.line, *each.lines)}
    if kind == "items":
        return {line for each in rows.items for line in each.lines}
    return {each.line for each in (rows.clients if kind == "clients" else rows.payments)}
