"""What a line supplies: VAT law treats goods and services apart.

Sources: décret 2022-1299 (it is printed); EN 16931, BT-23.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Literal

NatureOfAll = Literal["", "goods", "services", "mixed"]


class Nature(StrEnum):
    GOODS = "goods"
    SERVICES = "services"


def nature_of_all(natures: Iterable[str]) -> NatureOfAll:
    """Of a document by those of its lines; "" where that of a line is not known, or there are
    none."""
    found = set(natures)
    if found == {Nature.GOODS, Nature.SERVICES}:
        return "mixed"
    if len(found) != 1:
        return ""
    (only,) = found
    return "goods" if only == Nature.GOODS else "services" if only == Nature.SERVICES else ""
