"""The instalments of an invoice in one cell: a day and an amount for each, as a due list has them.

`2026-01-31 400.00; 2026-02-28 800.00`: days and amounts are written as in the columns due_on and
total of the same file; `retention` behind an amount says that it is held back. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Protocol

from moneyed import get_currency

from billing_portal.money import digits
from billing_portal.notices import amount, count, day
from billing_portal.typed import files
from billing_portal.typed.numbers import Ambiguous
from billing_portal.typed.texts import Unreadable
from invoices.documents.instalments import MOST_INSTALMENTS
from invoices.history.cells import Reader
from invoices.history.rows import PartRow

COLUMN = "instalments"
_PIECE = re.compile(r"(?P<day>\S+?)\s*[ :=]\s*(?P<amount>.+?)(?P<held>\s+(?:retention|retenue))?")


class Part(Protocol):
    @property
    def due_on(self) -> Any: ...

    @property
    def amount_minor(self) -> int: ...

    @property
    def is_retention(self) -> bool: ...


def read_parts(cell: Reader, currency: str) -> tuple[PartRow, ...]:
    """Oldest first; empty for an empty cell, and with a complaint for one that cannot be read."""
    text = cell.text(COLUMN, most=2_000)
    if not text or not currency:
        return ()
    pieces = [piece for each in re.split(r"[;|]", text) if (piece := each.strip())]
    if not 2 <= len(pieces) <= MOST_INSTALMENTS:
        cell.complain(
            COLUMN, "history.parts_count", count=count(len(pieces)), most=MOST_INSTALMENTS
        )
        return ()
    found: list[PartRow] = []
    for piece in pieces:
        part = _part(cell, piece, currency)
        if part is None:
            return ()
        found.append(part)
    # Of one day what is held back is the last.
    return tuple(sorted(found, key=lambda part: (part.due_on, part.is_retention)))


def _part(cell: Reader, piece: str, currency: str) -> PartRow | None:
    match = _PIECE.fullmatch(piece)
    spelling = cell.sheet.spelling
    month_first = spelling.month_first("due_on")
    if match is None:
        cell.complain(COLUMN, "history.part", text=piece[:60])
        return None
    if files.is_either_order(match["day"]) and month_first is None:
        cell.complain(COLUMN, "history.part_two_ways", text=piece[:60])
        return None
    try:
        due_on = files.read_day(match["day"], month_first=bool(month_first))
        number = files.read_amount(match["amount"], currency, spelling.point("total"))
    except Ambiguous:
        cell.complain(COLUMN, "history.part_two_ways", text=piece[:60])
        return None
    except Unreadable:
        cell.complain(COLUMN, "history.part", text=piece[:60])
        return None
    minor = number * get_currency(currency).sub_unit
    if minor != minor.to_integral_value():
        values = {"text": piece[:60], "currency": currency, "places": digits(currency)}
        cell.complain(COLUMN, "history.decimals", **values)
        return None
    if minor <= 0:
        cell.complain(COLUMN, "history.part_nothing", text=piece[:60])
        return None
    return PartRow(due_on, int(minor), bool(match["held"]))


def wrong_parts(
    parts: Sequence[PartRow], *, issued_on: Any, due_on: Any, total_minor: int, currency: str
) -> tuple[str, dict[str, Any]] | None:
    """The code and the values of what does not fit the document that they are of."""
    makes = sum(part.amount_minor for part in parts)
    if makes != total_minor:
        values = {"sum": amount(makes, currency), "total": amount(total_minor, currency)}
        return "history.parts_sum", values
    if parts[0].due_on < issued_on:
        return "history.parts_early", {"day": day(parts[0].due_on), "issued": day(issued_on)}
    if parts[-1].due_on != due_on:
        return "history.parts_last", {"day": day(parts[-1].due_on), "due": day(due_on)}
    if any(part.is_retention for part in parts[:-1]):
        return "history.parts_retention", {}
    return None


def written(parts: Sequence[Part], currency: str) -> str:
    """As the cell says them, in the one spelling that is never asked about."""
    return "; ".join(
        f"{part.due_on.isoformat()} {_plain(part.amount_minor, currency)}"
        f"{' retention' if part.is_retention else ''}"
        for part in parts
    )


def _plain(minor: int, currency: str) -> str:
    places = digits(currency)
    if not places:
        return str(minor)
    # Three decimals would look like a group of thousands: a fourth says that they are not.
    whole, rest = divmod(minor, 10**places)
    return f"{whole}.{rest:0{places}}{'0' if places == 3 else ''}"
