"""Go-live: clients, issued invoices, credit notes and payments of the old system (docs/history.md).

`read` says what the files would do, to the last row; `apply` does it, all or nothing. Bringing the
same files in again changes nothing: a client is known by its name, an invoice by its number, a
payment by everything its row says and by how often the file says it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from django.db import IntegrityError, transaction

from billing_portal.accounts.models import User
from billing_portal.notices import Notice, count
from billing_portal.spreadsheets import MAX_ROWS, Complaint, TableRefused, read_table
from invoices.history.applying import apply_moves
from invoices.history.bank_files import bank_format
from invoices.history.cells import Sheet
from invoices.history.leaving_out import has_unknown_rows, resolve_the_rest
from invoices.history.plan import Plan, Rows
from invoices.history.reading_clients import read_clients
from invoices.history.reading_invoices import read_invoices
from invoices.history.reading_items import read_items
from invoices.history.reading_payments import read_payments
from invoices.history.resolving_clients import resolve_clients
from invoices.history.resolving_invoices import resolve_invoices, warn_of_numbers
from invoices.history.resolving_items import resolve_items
from invoices.history.resolving_payments import resolve_payments
from invoices.history.returns import lock_payments
from invoices.history.rows import (
    CLIENT_COLUMNS,
    INVOICE_COLUMNS,
    ITEM_COLUMNS,
    OPTIONAL_COLUMNS,
    PAYMENT_COLUMNS,
)
from invoices.history.spelling import Answers, spelling_of
from invoices.history.synonyms import SYNONYMS
from invoices.history.writing import write
from invoices.models import Company

COLUMNS = {
    "clients": CLIENT_COLUMNS,
    "invoices": INVOICE_COLUMNS,
    "payments": PAYMENT_COLUMNS,
    "items": ITEM_COLUMNS,
}
# A file's name as the reader knows it, and its bytes.
Source = tuple[str, bytes]


class HistoryRefused(Exception):
    """Nothing was brought in; the plan says why, row by row."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(f"{len(plan.complaints)} complaints")
        self.plan = plan


class HistoryInterrupted(Exception):
    """Somebody else recorded one of the rows at the same moment; nothing was brought in."""

    def __init__(self, problem: Exception) -> None:
        self.notice = Notice("history.interrupted", problem=str(problem).splitlines()[0])
        super().__init__(self.notice)


def read(
    *,
    sources: Mapping[str, Source],
    on: date,
    go_live: date | None = None,
    answers: Answers | None = None,
    max_rows: int = MAX_ROWS,
    leave_out: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Plan:
    """What the files would do on day `on`. Nothing is written; all that is wrong is listed.

    `sources` are files by kind (`clients`, `invoices`, `payments`, `items`). With `go_live` they
    hold only what was open on that day, and delays are counted from it on. `answers` say how
    columns are to be read that can be read in two ways (spelling.py); the plan asks for those that
    are missing. With `leave_out` the rows that are wrong stay out, with all that is one with them,
    and the plan is that of the rest. `progress` is told how many rows were read, of how many.
    """
    rows = Rows(go_live=go_live, names=dict.fromkeys(COLUMNS, ""))
    sheets = _sheets(rows, sources, on, answers or {}, max_rows)
    done = _counted(progress, sum(len(sheet.table.rows) for sheet in sheets))
    for sheet in sheets:
        sheet.progress = done
        if sheet.kind == "clients":
            rows.clients, rows.refused_clients = read_clients(sheet)
        elif sheet.kind == "invoices":
            rows.invoices, rows.refused_numbers = read_invoices(sheet)
        elif sheet.kind == "items":
            rows.items, rows.refused_items = read_items(sheet)
        else:
            rows.payments, rows.doubtful_payments = read_payments(sheet)
        rows.questions += sheet.spelling.questions
        rows.notices += sheet.table.notices + sheet.spelling.notices
    unknown = has_unknown_rows(sheets)
    if leave_out and not (rows.questions or rows.complaints or unknown):
        rest = resolve_the_rest(rows, sheets, lambda these: resolve(these, on=on))
        if rest is not None:
            _keep_cells(rest, sheets)
            return rest
        unknown = True
    plan = resolve(rows, on=on)
    for sheet in sheets:
        plan.refused[sheet.kind] += len({c.line for c in sheet.table.complaints})
        plan.complaints += sheet.table.complaints
    plan.complaints = _in_order(rows, rows.complaints + plan.complaints)
    plan.has_unknown_rows = unknown
    return plan


def _counted(progress: Callable[[int, int], None], total: int) -> Callable[[], None]:
    """To be called for each row; now and then it is said how far it is."""
    done = 0

    def one_more() -> None:
        nonlocal done
        done += 1
        if done % 2_000 == 0 or done == total:
            progress(done, total)

    progress(0, total)
    return one_more


def _keep_cells(plan: Plan, sheets: list[Sheet]) -> None:
    """What the rows that stay out say, to be given back with their reasons."""
    for sheet in sheets:
        lines = {c.line for c in plan.left_out if c.file == sheet.table.name}
        plan.cells_left_out[sheet.kind] = {
            row.line: dict(row.cells) for row in sheet.table.rows if row.line in lines
        }


def _sheets(
    rows: Rows, sources: Mapping[str, Source], on: date, answers: Answers, max_rows: int
) -> list[Sheet]:
    """The files that can be read as a table; the complaints about the others are in `rows`."""
    found: list[Sheet] = []
    for kind, columns in COLUMNS.items():
        if kind not in sources:
            continue
        name, content = sources[kind]
        rows.names[kind] = name
        try:
            if kind == "payments" and (bank := bank_format(content)):
                raise TableRefused(Notice("history.bank_statement", file=name, format=bank))
            table = read_table(name, content, columns, max_rows, SYNONYMS[kind], OPTIONAL_COLUMNS)
        except TableRefused as refusal:
            rows.unread.add(kind)
            rows.complaints.append(Complaint(name, 0, "", refusal.notice))
        else:
            found.append(Sheet(kind, table, on, spelling_of(table, kind, answers)))
    return found


def _in_order(rows: Rows, complaints: list[Complaint]) -> list[Complaint]:
    files = list(rows.names.values())
    return sorted(complaints, key=lambda c: (files.index(c.file), c.line))


def resolve(rows: Rows, *, on: date, lock: bool = False) -> Plan:
    """Hold the rows against the books as they are; with `lock`, until the transaction ends."""
    plan = Plan(rows, on, notices=list(rows.notices))
    if lock:
        lock_payments(rows.payments)
    resolve_clients(plan, lock)
    resolve_items(plan, lock)
    resolve_invoices(plan, lock)
    resolve_payments(plan)
    apply_moves(plan)
    _doubt_go_live(plan)
    warn_of_numbers(plan)
    return plan


def _doubt_go_live(plan: Plan) -> None:
    """Payments before the go-live day: the files seem to hold more than what was open on it."""
    day = plan.rows.go_live
    older = sum(row.received_on < day for row in plan.new_payments) if day else 0
    if older:
        plan.notices.append(Notice("history.before_go_live", count=count(older)))


def apply(
    plan: Plan,
    *,
    by: User | None,
    on: date,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Plan:
    """Write what `plan` says, in one transaction; answers what was written.

    The rows are held against the books anew under lock, as these may have moved since `read`.
    Raises HistoryRefused, or HistoryInterrupted when somebody writes the same rows meanwhile.
    """
    if not plan.may_be_written:
        raise HistoryRefused(plan)
    try:
        with transaction.atomic():
            # One import at a time, and none beside a change of the company's settings.
            list(Company.objects.select_for_update().filter(pk=1))
            plan.let_go()
            found = resolve(plan.rows, on=on, lock=True)
            found.complaints = _in_order(plan.rows, found.complaints)
            if found.complaints:
                raise HistoryRefused(found)
            write(found, by=by, on=on, progress=progress)
            found.left_out, found.cells_left_out = plan.left_out, plan.cells_left_out
            found.refused = plan.refused
    except IntegrityError as problem:
        raise HistoryInterrupted(problem) from problem
    return found
