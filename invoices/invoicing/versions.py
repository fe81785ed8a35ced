"""What was typed into a draft, version by version: kept while it is typed, stepped back through.

A version holds the texts of the form, so that a line which cannot be read yet is kept too; only
what can be read reaches the draft's own rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from billing_portal.accounts.models import User
from invoices.models import DraftVersion, Invoice, QuoteVersion, Subscription

# An afternoon of typing; the oldest are dropped.
MOST_VERSIONS = 60

Typed = Mapping[str, Any]
Draft = Invoice | QuoteVersion | Subscription


def begin(draft: Draft, typed: Typed, *, by: User | None) -> None:
    """How the draft was before anybody typed into it: the first step that Undo can reach."""
    if not draft.typed.exists():
        draft.typed.create(typed=typed, by=by)


def keep(draft: Draft, typed: Typed, *, by: User, taken: bool) -> DraftVersion:
    """Keep what was typed; the draft is locked, or its rows were just saved in this transaction."""
    newest = draft.typed.first()
    if newest is not None and newest.typed == typed and newest.taken == taken:
        return newest
    version: DraftVersion = draft.typed.create(typed=typed, by=by, taken=taken)
    kept = draft.typed.values_list("pk", flat=True)[:MOST_VERSIONS]
    draft.typed.exclude(pk__in=list(kept)).delete()
    return version


def not_taken(draft: Draft) -> DraftVersion | None:
    """What was typed last, when the rows do not say it because a part could not be read."""
    newest = draft.typed.select_related("by").first()
    return newest if newest is not None and not newest.taken else None


def before_last(draft: Draft) -> DraftVersion | None:
    return draft.typed.all()[1:2].first()


def drop_last(draft: Draft) -> None:
    """Undone: the newest version goes, and Undo reaches one step further back."""
    newest = draft.typed.first()
    if newest is not None:
        newest.delete()
