"""What a version says otherwise than the one before: for the client, in amounts before VAT."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from invoices.models import QuoteLine

# A discount or charge on the whole: its words, and what it adds to the net in minor units.
Sum = tuple[str, int]


@dataclass(frozen=True)
class Difference:
    """A line that came, went or says something else; amounts in minor units, None where absent."""

    kind: Literal["new", "gone", "other"]
    name: str
    before: int | None
    now: int | None


def differences(before: Sequence[QuoteLine], now: Sequence[QuoteLine]) -> list[Difference]:
    """By the first line of each description; equal names are paired in their order."""
    left: dict[str, list[QuoteLine]] = {}
    for line in before:
        left.setdefault(line.name, []).append(line)
    found = []
    for line in now:
        name = line.name
        if not (same := left.get(name)):
            found.append(Difference("new", name, None, line.net_minor))
            continue
        old = same.pop(0)
        if (old.net_minor, old.role, old.description) != (
            line.net_minor,
            line.role,
            line.description,
        ):
            found.append(Difference("other", name, old.net_minor, line.net_minor))
    for name, lines in left.items():
        found += [Difference("gone", name, line.net_minor, None) for line in lines]
    return found


def of_the_whole(before: Sequence[Sum], now: Sequence[Sum]) -> list[Difference]:
    """Of the discounts and charges on the whole, each by its words and what it adds to the net."""
    left: dict[str, list[int]] = {}
    for name, minor in before:
        left.setdefault(name, []).append(minor)
    found = []
    for name, minor in now:
        if not (same := left.get(name)):
            found.append(Difference("new", name, None, minor))
        elif (old := same.pop(0)) != minor:
            found.append(Difference("other", name, old, minor))
    for name, sums in left.items():
        found += [Difference("gone", name, minor, None) for minor in sums]
    return found
