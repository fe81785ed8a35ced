"""Addresses that reports and alerts point to."""

from __future__ import annotations

from django.urls import reverse

from invoices.selections.filters import InvoiceFilter


def invoice_list(wanted: InvoiceFilter) -> str:
    """The list of exactly the invoices that a figure counts."""
    return f"{reverse('invoices:list')}?{wanted.query()}"
