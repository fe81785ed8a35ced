"""Go-live: clients, issued invoices, credit notes and payments of the old system (docs/history.md).

`read` says what the files would do, to the last row; `apply` does it, all or nothing. Bringing the
same files in again changes nothing: a client is known by its name, an invoice by its number, a
payment by everything its row says and by how often the file says it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing_portal.accounts.models import User
from billing_portal.spreadsheets import MAX_ROWS, Complaint, Table, TableRefused, read_table
from invoices.history.cells import is_day_first
from invoices.history.plan import SHOWN_COMPLAINTS, Plan, Rows
from invoices.history.resolving import resolve_clients, resolve_invoices, warn_of_numbers
from invoices.history.resolving_payments import resolve_payments, settle
from invoices.history.rows import (
    CLIENT_COLUMNS,
    INVOICE_COLUMNS,
    PAYMENT_COLUMNS,
    read_clients,
    read_invoices,
    read_payments,
)
from invoices.history.synonyms import SYNONYMS
from invoices.history.writing import write
from invoices.models import Company

SHOWN_ROWS = 5
SHOWN_PEOPLE = 40
DAY_COLUMNS = ("issued_on", "due_on", "received_on")
# A file's name as the reader knows it, and its bytes.
Source = tuple[str, bytes]


class HistoryRefused(Exception):
    """Nothing was brought in; the plan says why, row by row."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(
            ngettext(
                "%(count)s row is refused, so nothing was brought in.",
                "%(count)s rows are refused, so nothing was brought in.",
                len(plan.complaints),
            )
            % {"count": len(plan.complaints)}
        )
        self.plan = plan


class HistoryInterrupted(Exception):
    """Somebody else recorded one of the rows at the same moment; nothing was brought in."""


def read(
    *,
    clients: Source | None = None,
    invoices: Source | None = None,
    payments: Source | None = None,
    on: date,
    go_live: date | None = None,
    max_rows: int = MAX_ROWS,
) -> Plan:
    """What the files would do on day `on`. Nothing is written; all that is wrong is listed.

    With `go_live` they hold only what was open on that day, and delays are counted from it on.
    """
    rows = Rows(go_live=go_live)
    complaints: list[Complaint] = []
    tables: dict[str, Table] = {}
    for kind, source, columns in (
        ("clients", clients, CLIENT_COLUMNS),
        ("invoices", invoices, INVOICE_COLUMNS),
        ("payments", payments, PAYMENT_COLUMNS),
    ):
        rows.names[kind] = source[0] if source else ""
        if source is None:
            continue
        try:
            tables[kind] = read_table(source[0], source[1], columns, max_rows, SYNONYMS[kind])
        except TableRefused as refusal:
            rows.unread.add(kind)
            complaints.append(Complaint(source[0], 0, "", str(refusal)))
    if "clients" in tables:
        rows.clients, rows.refused_clients = read_clients(tables["clients"], on=on)
    if "invoices" in tables:
        rows.invoices, rows.refused_numbers = read_invoices(tables["invoices"], on=on)
    if "payments" in tables:
        rows.payments = read_payments(tables["payments"], on=on)
    for table in tables.values():
        if any(is_day_first(row.cells.get(day, "")) for row in table.rows for day in DAY_COLUMNS):
            table.notices.append(
                _("%(file)s writes days like 31/12/2025: they are read with the day first.")
                % {"file": table.name}
            )
    rows.notices = [notice for table in tables.values() for notice in table.notices]
    plan = resolve(rows, on=on)
    for kind, table in tables.items():
        plan.refused[kind] += len({c.line for c in table.complaints})
        complaints += table.complaints
    plan.complaints = _in_order(rows, complaints + plan.complaints)
    return plan


def _in_order(rows: Rows, complaints: list[Complaint]) -> list[Complaint]:
    files = list(rows.names.values())
    return sorted(complaints, key=lambda c: (files.index(c.file), c.line))


def resolve(rows: Rows, *, on: date, lock: bool = False) -> Plan:
    """Hold the rows against the books as they are; with `lock`, until the transaction ends."""
    plan = Plan(rows, on, notices=list(rows.notices))
    resolve_clients(plan, lock)
    resolve_invoices(plan, lock)
    resolve_payments(plan)
    settle(plan)
    _doubt_go_live(plan)
    warn_of_numbers(plan)
    return plan


def _doubt_go_live(plan: Plan) -> None:
    """Payments before the go-live day: the files seem to hold more than what was open on it."""
    day = plan.rows.go_live
    older = sum(row.received_on < day for row in plan.new_payments) if day else 0
    if older:
        plan.notices.append(
            _(
                "%(count)s payments are older than the go-live day: if the files hold all of the "
                "past, leave that day empty, or delays are measured without it."
            )
            % {"count": older}
        )


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
    if plan.complaints:
        raise HistoryRefused(plan)
    try:
        with transaction.atomic():
            # One import at a time, and none beside a change of the company's settings.
            list(Company.objects.select_for_update().filter(pk=1))
            found = resolve(plan.rows, on=on, lock=True)
            found.complaints = _in_order(plan.rows, found.complaints)
            if found.complaints:
                raise HistoryRefused(found)
            write(found, by=by, on=on, progress=progress)
    except IntegrityError as problem:
        raise HistoryInterrupted(
            _(
                "Somebody recorded one of these rows at the same moment, so nothing was brought "
                "in. Look at the preview again. (%(problem)s)"
            )
            % {"problem": str(problem).splitlines()[0]}
        ) from problem
    return found


def report(plan: Plan) -> dict[str, Any]:
    """The plan as JSON, for the page and for `--format json`."""
    return {
        "counts": plan.counts(),
        "totals": plan.totals(),
        "writes": plan.writes,
        "unread": sorted(plan.rows.unread),
        "new_types": list(plan.new_types.values()),
        "new_people": plan.new_people[:SHOWN_PEOPLE],
        "more_new_people": max(0, len(plan.new_people) - SHOWN_PEOPLE),
        "notices": plan.notices,
        "refused": len(plan.complaints),
        "complaints": [
            {"file": c.file, "line": c.line, "column": c.column, "reason": c.reason}
            for c in plan.complaints[:SHOWN_COMPLAINTS]
        ],
        "changes": [
            {"name": c.client.name, "fields": [[f, a, b] for f, (a, b) in c.fields.items()]}
            for c in plan.changes[: 4 * SHOWN_ROWS]
        ],
        "first_clients": [
            {"name": r.name, "client_type": r.client_type, "currency": r.currency}
            for r in plan.new_clients[:SHOWN_ROWS]
        ],
        "first_invoices": [
            {
                "number": r.number,
                "kind": r.kind,
                "client": r.client,
                "issued_on": r.issued_on.isoformat(),
                "due_on": r.due_on.isoformat(),
                "currency": r.currency,
                "total_minor": r.total_minor,
            }
            for r in plan.new_invoices[:SHOWN_ROWS]
        ],
        "first_payments": [
            {
                "invoice": r.invoice,
                "received_on": r.received_on.isoformat(),
                "currency": r.currency,
                "amount_minor": r.amount_minor,
                "reference": r.reference,
            }
            for r in plan.new_payments[:SHOWN_ROWS]
        ],
    }
