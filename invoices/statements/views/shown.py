"""What the page of a statement shows of it: figures, a part per currency, the rows of one page."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from billing_portal.figures import grouped
from billing_portal.money import formatted_minor
from invoices.models import Payment
from invoices.payments.showing import due_words
from invoices.selections.ageing import BUCKETS_DUE
from invoices.statements.movements import Position
from invoices.statements.open_items import FreeItem, OpenItem
from invoices.statements.statement import Late, Line, Statement

SIZE = 100
MOST_LATE = 100
_NONE = Position()


def shown_statement(statement: Statement, page: str) -> dict[str, Any]:
    here = _page(page)
    rows: Iterator[tuple[str, Any]] = (
        _all_lines(statement) if statement.of_movements else _all_items(statement)
    )
    first = (here - 1) * SIZE
    some = list(islice(rows, first, first + SIZE + 1))
    parts: dict[str, dict[str, Any]] = {}
    for code, row in some[:SIZE]:
        part = parts.setdefault(code, {"currency": code, "rows": []})
        part["rows"].append(_row(statement, code, row))
    # A currency whose account stands still has a balance and no rows.
    if here == 1 and len(some) <= SIZE:
        for code in statement.currencies:
            parts.setdefault(code, {"currency": code, "rows": []})
    return {
        "parts": [_part(statement, part) for part in parts.values()],
        "figures": _figures(statement),
        "ages": [] if statement.of_movements else _ages(statement),
        "page": here,
        "pages": {
            "before": here - 1 if here > 1 else None,
            "after": here + 1 if len(some) > SIZE else None,
        },
    }


def _page(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 1
    return max(1, number)


def _all_lines(statement: Statement) -> Iterator[tuple[str, Line]]:
    for code in statement.currencies:
        for line in statement.lines(code):
            yield code, line


def _all_items(statement: Statement) -> Iterator[tuple[str, OpenItem | FreeItem]]:
    for code in statement.currencies:
        for item in statement.open_items:
            if item.currency == code:
                yield code, item
        for free in statement.free_items:
            if free.currency == code:
                yield code, free


def _part(statement: Statement, part: dict[str, Any]) -> dict[str, Any]:
    code = part["currency"]
    here = statement.positions.get(code, _NONE)
    beside = ((_("Credit not used"), here.credit_minor), (_("Unapplied cash"), here.cash_minor))
    return {
        **part,
        "opening": formatted_minor(statement.openings.get(code, 0), code),
        "closing": formatted_minor(here.balance_minor, code),
        "receivable": formatted_minor(here.receivable_minor, code),
        "overdue": formatted_minor(here.overdue_minor, code) if here.overdue_minor else "",
        "beside": [(label, formatted_minor(-minor, code)) for label, minor in beside if minor],
    }


def _row(statement: Statement, code: str, row: Any) -> dict[str, Any]:
    if isinstance(row, Line):
        return _line(code, row)
    if isinstance(row, FreeItem):
        return {
            "url": _address(row.kind, row.pk),
            "number": row.reference or _names()[row.kind],
            "text": _free_words(row),
            "issued": row.day,
            "due": None,
            "late": "",
            "total": "",
            "open": formatted_minor(-row.free_minor, code),
        }
    late = row.days_late(statement.on)
    return {
        "url": _address("invoice", row.invoice_id),
        "number": row.number,
        "part": row.part,
        "text": row.title,
        "issued": row.issued_on,
        "due": row.due_on,
        "late": due_words(late) if late else "",
        "total": formatted_minor(row.total_minor, code),
        "open": formatted_minor(row.open_minor, code),
    }


def _free_words(row: FreeItem) -> str:
    if row.kind == "credit_note":
        return _("Credit note, not used") + (f" · {row.text}" if row.text else "")
    return _("Payment, not applied")


def _names() -> dict[str, str]:
    return {
        "invoice": _("Invoice"),
        "credit_note": _("Credit note"),
        "payment": _("Payment"),
        "reversal": _("Reversal"),
        "refund": _("Refund"),
        "write_off": _("Write-off"),
    }


def _line(code: str, line: Line) -> dict[str, Any]:
    row = line.movement
    text = str(dict(Payment.Method.choices).get(row.text, row.text))
    if row.kind == "write_off":
        text = ""
    return {
        "day": row.day,
        "kind": _names()[row.kind],
        "url": _address(row.kind, row.pk),
        "number": row.reference or _names()[row.kind],
        "text": text,
        "debit": formatted_minor(row.minor, code) if row.minor >= 0 else "",
        "credit": formatted_minor(-row.minor, code) if row.minor < 0 else "",
        "balance": formatted_minor(line.balance_minor, code),
        "sign": "" if row.minor >= 0 else "−",
        "amount": formatted_minor(row.minor, code),
    }


def _address(kind: str, pk: int) -> str:
    if kind in ("invoice", "credit_note"):
        return reverse("invoices:detail", args=[pk])
    if kind in ("payment", "reversal"):
        return reverse("invoices:payment", args=[pk])
    return reverse("invoices:refund", args=[pk]) if kind == "refund" else ""


def _figures(statement: Statement) -> dict[str, str]:
    def texts(name: str) -> str:
        amounts = ((getattr(here, name), code) for code, here in statement.positions.items())
        return " · ".join(formatted_minor(minor, code) for minor, code in amounts if minor)

    return {
        "balance": texts("balance_minor"),
        "receivable": texts("receivable_minor"),
        "overdue": texts("overdue_minor"),
        "credit": texts("credit_minor"),
        "cash": texts("cash_minor"),
    }


def _ages(statement: Statement) -> list[dict[str, Any]]:
    """Open amounts by how long they are overdue, a row per currency."""
    found: dict[str, list[int]] = {}
    for item in statement.open_items:
        days = (statement.on - item.due_on).days
        place = next(
            n
            for n, (_least, most) in enumerate(BUCKETS_DUE.values())
            if most is None or days <= most
        )
        found.setdefault(item.currency, [0] * len(BUCKETS_DUE))[place] += item.open_minor
    return [
        {
            "currency": code,
            "amounts": [formatted_minor(minor, code) if minor else "–" for minor in sums],
        }
        for code, sums in found.items()
    ]


# ─ Late payment ─────────────────────────────────────────────────────────────────────────────────
def shown_claims(late: Late) -> dict[str, Any]:
    return {
        "rows": [
            {
                "url": _address("invoice", row.invoice_id),
                "number": row.number,
                "due": row.due_on,
                "days": grouped(row.claim.days_late),
                "rates": tuple(dict.fromkeys(row.claim.percents)),
                "interest": None
                if row.claim.interest_minor is None
                else formatted_minor(row.claim.interest_minor, row.currency),
                "indemnity": formatted_minor(row.claim.indemnity_minor, late.indemnity_currency),
            }
            for row in late.rows[:MOST_LATE]
        ],
        "count": len(late.rows),
        "more": max(0, len(late.rows) - MOST_LATE),
        "totals": [formatted_minor(minor, code) for code, minor in late.totals.items()],
        "is_partial": late.is_partial,
    }
