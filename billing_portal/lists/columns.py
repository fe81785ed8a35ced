"""The columns of a list: what sorts, what an export writes, and the heads that say so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

Row = TypeVar("Row")
# Where a list stands, and whether its filter is open; a new filter or sort starts again at the
# first row, with the panel closed.
POSITION = {"after": None, "before": None, "at": None, "panel": None}


class Amount(NamedTuple):
    """Money for an export: a list writes a hundred thousand, and a `Money` is slow to make."""

    minor: int
    currency: str


@dataclass(frozen=True)
class Column:
    """One column: how it sorts (`order`, an ORM path or annotation) and what an export writes.

    `nullable`: rows without a value come last, whichever the direction.
    `falling`: the first click sorts downwards (amounts, lateness).
    `value`: what an export writes, without which it leaves the column out: text, an int, a
    Decimal, a day, a moment, or an `Amount`; never an amount in words, which nobody can add up.
    """

    key: str
    label: Any
    order: str = ""
    nullable: bool = False
    falling: bool = False
    classes: str = ""
    value: Callable[[Any], Any] | None = None


@dataclass(frozen=True)
class Head:
    key: str
    label: Any
    classes: str
    url: str
    aria_sort: str
