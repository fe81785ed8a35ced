"""Ageing: the buckets of days, from the due date or from the invoice date."""

from __future__ import annotations

from datetime import date, timedelta

from django.db.models import Q

# Days since the due date, both ends included; None is without end.
BUCKETS_DUE: dict[str, tuple[int | None, int | None]] = {
    "current": (None, 0),
    "1-30": (1, 30),
    "31-60": (31, 60),
    "61-90": (61, 90),
    "90+": (91, None),
}
# Days since the invoice date.
BUCKETS_ISSUE: dict[str, tuple[int | None, int | None]] = {
    "0-30": (None, 30),
    "31-60": (31, 60),
    "61-90": (61, 90),
    "90+": (91, None),
}


def days_before(day: date, days: int) -> date:
    """Stays within the calendar: a filter may ask for any number of days."""
    try:
        return day - timedelta(days=days)
    except OverflowError:
        return date.min if days > 0 else date.max


def bucket_condition(start: str, ends: tuple[int | None, int | None], day: date) -> Q:
    """Days from `start` to `day` between both ends."""
    least, most = ends
    found = Q()
    if least is not None:
        found &= Q(**{f"{start}__lte": days_before(day, least)})
    if most is not None:
        found &= Q(**{f"{start}__gte": days_before(day, most)})
    return found
