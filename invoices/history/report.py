"""A plan as plain data: kept with its preview, and printed by the command."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from invoices.history.leaving_out import may_leave_out
from invoices.history.plan import Plan
from invoices.history.rows import InvoiceRow, PaymentRow

SHOWN_ROWS = 5
SHOWN_PEOPLE = 40


def report(plan: Plan) -> dict[str, Any]:
    """The plan as JSON, for the page and for `--format json`; its complaints are kept apart."""
    return {
        "counts": plan.counts(),
        "totals": plan.totals(),
        "writes": plan.writes,
        "unread": sorted(plan.rows.unread),
        "new_types": list(plan.new_types.values()),
        "new_people": plan.new_people[:SHOWN_PEOPLE],
        "more_new_people": max(0, len(plan.new_people) - SHOWN_PEOPLE),
        "notices": [notice.kept() for notice in plan.notices],
        "refused": len(plan.complaints),
        "may_leave_out": may_leave_out(plan),
        "left_out": len({(c.file, c.line) for c in plan.left_out}),
        "questions": [asdict(question) for question in plan.rows.questions],
        "changes": [
            {"name": c.client.name, "fields": [[f, a, b] for f, (a, b) in c.fields.items()]}
            for c in plan.changes[: 4 * SHOWN_ROWS]
        ],
        "item_changes": [
            {"name": str(c.item), "fields": [[f, a, b] for f, (a, b) in c.fields.items()]}
            for c in plan.item_changes[: 4 * SHOWN_ROWS]
        ],
        "first_items": [
            [row.code, row.name, ", ".join(f"{p} {c}" for c, p in row.prices.items())]
            for row, _values in plan.new_items[:SHOWN_ROWS]
        ],
        "first_invoices": [_invoice(row) for row in plan.new_invoices[:SHOWN_ROWS]],
        "first_payments": [
            _payment(row) for row in (plan.new_payments + plan.new_returns)[:SHOWN_ROWS]
        ],
    }


def _invoice(row: InvoiceRow) -> dict[str, Any]:
    return {
        "number": row.number,
        "kind": row.kind,
        "client": row.client,
        "issued_on": row.issued_on.isoformat(),
        "due_on": row.due_on.isoformat(),
        "currency": row.currency,
        "total_minor": row.total_minor,
    }


def _payment(row: PaymentRow) -> dict[str, Any]:
    return {
        "invoice": row.invoice,
        "received_on": row.received_on.isoformat(),
        "currency": row.currency,
        "amount_minor": row.amount_minor,
        "reference": row.reference,
    }
