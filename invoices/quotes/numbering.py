"""The number of a quote: a series of its own, given when the quote first leaves."""

from __future__ import annotations

from datetime import date
from typing import Final

from invoices.company.numbering import NumberRefused, locked_series, take
from invoices.models import NumberPattern, Quote
from invoices.quotes.refusals import QuoteRefused

KIND: Final = NumberPattern.QUOTE


def give_number(quote: Quote, on: date) -> None:
    """The next number, set on the row; the caller saves it in its transaction. Raises
    QuoteRefused."""
    try:
        series = locked_series(KIND, on)
    except NumberRefused as refusal:
        raise QuoteRefused(str(refusal)) from None
    quote.series, quote.sequence = series, take(series)
    quote.number = series.number(quote.sequence, on)
    series.last_issue_date = on
    series.save(update_fields=["next_value", "last_issue_date"])
