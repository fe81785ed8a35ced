"""List pages: sort and keyset paging in the address.

    COLUMNS = (
        Column("number", _("Number"), order="number", value=lambda row: row.number),
        Column("due", _("Due"), order="due_date", nullable=True, value=lambda row: row.due_date),
    )
    page = paginate(queryset, request.GET, COLUMNS, default="-due", count=...)

`page.rows` are the rows, `page.heads` feed partials/sort_head.html, `page` partials/paging.html.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any, Generic

from django import forms
from django.db.models import F, Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _

from billing_portal.figures import grouped
from billing_portal.lists.columns import POSITION, Column, Head, Row
from billing_portal.templatetags.portal import query_with

PAGE_SIZE = 25
MOST_COUNTED = 10_000


@dataclass(frozen=True)
class Page(Generic[Row]):
    rows: list[Row]
    heads: list[Head]
    sort: str
    count: int
    # The count stopped there: there are more.
    capped: bool
    first: int
    previous_url: str
    next_url: str
    # Heads by key, for templates that place them one by one.
    head: dict[str, Head] = field(default_factory=dict)

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1 if self.rows else 0

    @property
    def count_text(self) -> str:
        if self.capped:
            return _("more than %(n)s") % {"n": grouped(MOST_COUNTED)}
        return grouped(self.count)

    @property
    def summary(self) -> str:
        """“1–25 of 53”"""
        if not self.rows:
            return _("No rows")
        return _("%(first)s–%(last)s of %(count)s") % {
            "first": grouped(self.first),
            "last": grouped(self.last),
            "count": self.count_text,
        }


# ─ Cursor: the sort value and the id of the row at the edge of the page ─────────────────────────
def _encode(value: Any, pk: int) -> str:
    tagged: Any = value
    if isinstance(value, datetime):
        tagged = {"t": value.isoformat()}
    elif isinstance(value, date):
        tagged = {"d": value.isoformat()}
    elif isinstance(value, Decimal):
        tagged = {"n": str(value)}
    text = json.dumps([tagged, pk], separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(text: str) -> tuple[Any, int] | None:
    """None for a cursor that is not ours: the list then starts at its first row."""
    try:
        padded = text + "=" * (-len(text) % 4)
        tagged, pk = json.loads(base64.urlsafe_b64decode(padded.encode()).decode())
        if isinstance(pk, bool) or not isinstance(pk, int) or abs(pk) >= 2**63:
            return None
        if isinstance(tagged, dict):
            ((kind, written),) = tagged.items()
            readers: dict[str, Callable[[str], Any]] = {
                "t": datetime.fromisoformat,
                "d": date.fromisoformat,
                "n": Decimal,
            }
            return readers[kind](written), pk
        if tagged is not None and not isinstance(tagged, str | int | float):
            return None
        if isinstance(tagged, str) and "\0" in tagged:
            return None
        return tagged, pk
    except (ValueError, TypeError, KeyError, ArithmeticError, UnicodeError):
        return None


def sort_of(text: str, columns: Sequence[Column], default: str) -> tuple[str, Column, bool]:
    known = {column.key: column for column in columns if column.order}
    for candidate in (text, default):
        column = known.get(candidate.lstrip("-"))
        if column:
            falling = candidate.startswith("-")
            return ("-" if falling else "") + column.key, column, falling
    raise LookupError(f"{default!r} is no column that sorts.")


def _segments(
    rows: QuerySet[Any], column: Column, *, falling: bool, backwards: bool, key: str
) -> list[tuple[QuerySet[Any], bool]]:
    """The selection as one or two ordered parts: rows with a value, then those without.

    Two small queries instead of NULLS LAST, which no index of ours serves on both databases.
    """
    sign = "-" if falling != backwards else ""
    keyed = rows.annotate(sort_key=F(column.order))
    if not column.nullable:
        return [(keyed.order_by(f"{sign}{column.order}", f"{sign}{key}"), False)]
    known = keyed.filter(**{f"{column.order}__isnull": False})
    unknown = keyed.filter(**{f"{column.order}__isnull": True})
    parts = [
        (known.order_by(f"{sign}{column.order}", f"{sign}{key}"), False),
        (unknown.order_by(f"{sign}{key}"), True),
    ]
    return parts[::-1] if backwards else parts


def _from(
    part: QuerySet[Any], column: Column, value: Any, pk: int, *, down: bool, key: str
) -> QuerySet[Any]:
    """Rows of the part beyond the cursor, in the direction of travel."""
    than = "lt" if down else "gt"
    if value is None:
        return part.filter(**{f"{key}__{than}": pk})
    return part.filter(
        Q(**{f"{column.order}__{than}": value}) | Q(**{f"{key}__{than}": pk}),
        **{f"{column.order}__{than}e": value},
    )


def _fetch(
    rows: QuerySet[Any],
    column: Column,
    *,
    falling: bool,
    cursor: tuple[Any, int] | None,
    backwards: bool,
    size: int,
    count: int,
    key: str,
) -> list[Any]:
    found: list[Any] = []
    down = falling != backwards
    passed = cursor is None
    for part, without in _segments(rows, column, falling=falling, backwards=backwards, key=key):
        wanted = size - len(found)
        # A short list without cursor is complete as soon as all of it is there.
        if wanted <= 0 or (cursor is None and len(found) >= count):
            break
        chosen = part
        if not passed and cursor is not None:
            value, pk = cursor
            if (value is None) != without and column.nullable:
                continue
            chosen = _from(part, column, value, pk, down=down, key=key)
            passed = True
        found.extend(chosen[:wanted])
    return found


def _edge(row: Any, key: str) -> tuple[Any, int]:
    if isinstance(row, dict):
        return row["sort_key"], row[key] if key in row else row["id"]
    return row.sort_key, getattr(row, key)


def counted(rows: QuerySet[Any]) -> tuple[int, bool]:
    """How many, and whether counting stopped at MOST_COUNTED."""
    n = rows.order_by().values("pk")[: MOST_COUNTED + 1].count()
    return min(n, MOST_COUNTED), n > MOST_COUNTED


def paginate(
    rows: QuerySet[Any],
    params: QueryDict,
    columns: Sequence[Column],
    *,
    default: str,
    size: int = PAGE_SIZE,
    count: int | None = None,
    key: str = "pk",
) -> Page[Any]:
    """One page of the selection. `count` when the caller knows it (from the totals, for instance).

    A `.values()` query set must include "pk" or "id". `key` tells rows of one sort value apart,
    where several are of one pk.
    """
    sort, column, falling = sort_of(params.get("sort", ""), columns, default)
    capped = False
    if count is None:
        count, capped = counted(rows)

    fetch = partial(_fetch, rows, column, falling=falling, size=size + 1, count=count, key=key)
    backwards = "before" in params
    cursor = _decode(params.get("before") or params.get("after") or "")
    if cursor is None:
        backwards = False
    try:
        found = fetch(cursor=cursor, backwards=backwards)
    except (ValueError, TypeError, ArithmeticError, forms.ValidationError):
        # The cursor belongs to another sort, or is nobody's: begin again.
        cursor, backwards = None, False
        found = fetch(cursor=None, backwards=False)
    more = len(found) > size
    found = found[:size]
    if backwards:
        found.reverse()
        if not more and len(found) < size:
            # Rows have gone since: the first page whole, rather than a short one.
            cursor, backwards = None, False
            found = fetch(cursor=None, backwards=False)
            more = len(found) > size
            found = found[:size]

    has_previous = more if backwards else cursor is not None
    has_next = True if backwards else more
    if not found and cursor is not None:
        has_previous, has_next = True, False
    first = _position(params.get("at", ""), has_previous, size) if found else 0
    base = {**POSITION}
    previous_url = next_url = ""
    if found and has_previous:
        at = max(1, first - size)
        previous_url = query_with(
            params, {**base, "before": _encode(*_edge(found[0], key)), "at": at}
        )
    elif has_previous:
        previous_url = query_with(params, base)
    if found and has_next:
        at = first + len(found)
        next_url = query_with(params, {**base, "after": _encode(*_edge(found[-1], key)), "at": at})
    heads = [_head(each, params, sort) for each in columns]
    return Page(
        rows=found,
        heads=heads,
        sort=sort,
        count=count,
        capped=capped,
        first=first,
        previous_url=previous_url,
        next_url=next_url,
        head={each.key: each for each in heads},
    )


def _position(text: str, has_previous: bool, size: int) -> int:
    if not has_previous:
        return 1
    return (
        int(text) if text.isascii() and text.isdigit() and 1 < int(text[:12]) < 10**9 else size + 1
    )


def _head(column: Column, params: QueryDict, sort: str) -> Head:
    url = aria = ""
    if column.order:
        now = sort.lstrip("-") == column.key
        falls = sort.startswith("-")
        aria = ("descending" if falls else "ascending") if now else ""
        next_falls = not falls if now else column.falling
        target = ("-" if next_falls else "") + column.key
        url = query_with(params, {**POSITION, "sort": target})
    return Head(column.key, column.label, column.classes, url, aria)


def ordered(
    rows: QuerySet[Any],
    params: QueryDict,
    columns: Sequence[Column],
    *,
    default: str,
    key: str = "pk",
) -> QuerySet[Any]:
    """The whole selection in the order of the page, for exports."""
    _sort, column, falling = sort_of(params.get("sort", ""), columns, default)
    by = F(column.order)
    if falling:
        return rows.order_by(by.desc(nulls_last=column.nullable or None), f"-{key}")
    return rows.order_by(by.asc(nulls_last=column.nullable or None), key)
