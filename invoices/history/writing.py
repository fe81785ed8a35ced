"""Writing a resolved plan: bulk rows, in the order in which they lean on each other."""

from __future__ import annotations

from datetime import date

from billing_portal.accounts.models import User
from invoices.history.batches import Progress, Writing
from invoices.history.plan import Plan
from invoices.history.writing_clients import write_clients
from invoices.history.writing_invoices import refresh_moved, write_credits, write_invoices
from invoices.history.writing_items import write_items
from invoices.history.writing_payments import write_payments


def write(plan: Plan, *, by: User | None, on: date, progress: Progress) -> None:
    """Inside the caller's transaction, with the rows that change locked by it."""
    writing = Writing(plan, by, on, progress)
    write_clients(writing)
    write_items(writing)
    write_invoices(writing)
    write_credits(writing)
    write_payments(writing)
    refresh_moved(writing)
