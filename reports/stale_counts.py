"""The counts of the sidebar are kept for some seconds; who changes what they count drops them."""

from __future__ import annotations

from datetime import date

from django.core.cache import cache

from billing_portal.accounts.models import User

KEPT_SECONDS = 20


def key_of(scope: str, user: User, on: date) -> str:
    return f"desk-counts:{scope}:{user.role}:{on}"


def forget_counts(user: User, on: date) -> None:
    """After an act of this person the next counts are fresh."""
    for scope in ("all", f"user-{user.pk}"):
        cache.delete(key_of(scope, user, on))
