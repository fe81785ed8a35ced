"""Addresses that reports and alerts point to."""

from __future__ import annotations

from functools import cache

from django.urls import get_script_prefix, reverse

from invoices.selections.filters import InvoiceFilter


def invoice_list(wanted: InvoiceFilter) -> str:
    """The list of exactly the invoices that a figure counts."""
    return f"{_list_below(get_script_prefix())}?{wanted.query()}"


@cache
def _list_below(_prefix: str) -> str:
    # A report points to it hundreds of times, and `reverse` takes longer than a query string.
    return reverse("invoices:list")
