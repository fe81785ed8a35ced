"""The columns of a list: what sorts, what an export writes, and the heads that say so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

Row = TypeVar("Row")


# Where a list stands; a new filter or sort starts again at the first row.
POSITION = {"after": None, "before": None, "at": None}


@dataclass(frozen=True)
class Column:
    """One column: how it sorts (`order`, an ORM path or annotation) and what an export writes.

    `nullable`: rows without a value come last, whichever the direction.
    `falling`: the first click sorts downwards (amounts, lateness).
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
