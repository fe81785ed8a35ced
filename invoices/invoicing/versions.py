"""What was typed into a draft, version by version: kept while it is typed, stepped back through.

A version holds the texts of the form, so that a line which cannot be read yet is kept too; only
what can be read reaches the draft's own rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from billing_portal.accounts.models import User
from invoices.models import DraftVersion, Invoice

# An afternoon of typing; the oldest are dropped.
MOST_VERSIONS = 60

Typed = Mapping[str, Any]


def begin(invoice: Invoice, typed: Typed) -> None:
    """How the draft was before anybody typed into it: the first step that Undo can reach."""
    if not invoice.versions.exists():
        DraftVersion.objects.create(invoice=invoice, typed=typed, by=invoice.created_by)


def keep(invoice: Invoice, typed: Typed, *, by: User, taken: bool) -> DraftVersion:
    """Keep what was typed; the draft is locked, or its rows were just saved in this transaction."""
    newest = invoice.versions.first()
    if newest is not None and newest.typed == typed and newest.taken == taken:
        return newest
    version = DraftVersion.objects.create(invoice=invoice, typed=typed, by=by, taken=taken)
    kept = invoice.versions.values_list("pk", flat=True)[:MOST_VERSIONS]
    invoice.versions.exclude(pk__in=list(kept)).delete()
    return version


def not_taken(invoice: Invoice) -> DraftVersion | None:
    """What was typed last, when the rows do not say it because a part could not be read."""
    newest = invoice.versions.select_related("by").first()
    return newest if newest is not None and not newest.taken else None


def before_last(invoice: Invoice) -> DraftVersion | None:
    return invoice.versions.all()[1:2].first()


def drop_last(invoice: Invoice) -> None:
    """Undone: the newest version goes, and Undo reaches one step further back."""
    newest = invoice.versions.first()
    if newest is not None:
        newest.delete()
