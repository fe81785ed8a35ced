"""What a deal offers to a quote, without knowing deals: whoever does registers at the start."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from invoices.invoicing.draft_lines import DraftLine
from invoices.models import Deal

Lines = Callable[[Deal], Sequence[DraftLine]]


def _nothing(_deal: Deal) -> Sequence[DraftLine]:
    return ()


_lines: Lines = _nothing


def register(lines: Lines) -> None:
    global _lines
    _lines = lines


def lines_of(deal: Deal) -> Sequence[DraftLine]:
    """As a draft invoice of the deal would have them. Raises TotalsRefused."""
    return _lines(deal)
