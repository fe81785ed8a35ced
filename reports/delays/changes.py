"""What differs beyond chance: a group from its year before, large invoices from small ones.

Whatever the report calls worse, better, later or sooner is asked here, and by one rule
(comparing.py), so that no two places of a page answer differently.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from reports.delays.comparing import (
    Comparison,
    beyond_chance,
    compare,
    compare_alone,
    even_split,
)
from reports.delays.rows import Groups, Row
from reports.delays.tally import Key, Tally, fold


class Changes:
    def __init__(self, groups: Groups) -> None:
        self.groups = groups

    @cached_property
    def _parts(self) -> dict[Key, Tally]:
        """By group, year and part of the clients; of months, all invoices as one group."""
        groups = self.groups
        if groups.by != "month":
            return groups.reading.tallies(groups.by, "year", "part", weighed=False)
        found = groups.reading.tallies("month", "part", weighed=False)
        return fold(found, lambda key: ("", (groups.end - key[0]) // 12, key[1]))

    @cached_property
    def compared(self) -> dict[Any, Comparison]:
        """Each group's last twelve months with the twelve before; of months, all invoices."""
        groups = self.groups
        if groups.by == "client":
            return {row.key: compare_alone(row.before, row.recent) for row in groups.rows}
        now, before = self._by_part(0), self._by_part(1)
        keys = [""] if groups.by == "month" else [row.key for row in groups.rows]
        # What nobody is named for is nobody's change.
        return {
            key: compare(before.get(key, {}), now.get(key, {})) for key in keys if key is not None
        }

    def _by_part(self, year: int) -> dict[Any, dict[int, Tally]]:
        found: dict[Any, dict[int, Tally]] = {}
        for (group, back, part), tally in self._parts.items():
            if back == year:
                found.setdefault(group, {})[part] = tally
        return found

    @cached_property
    def told(self) -> set[Any]:
        """The groups of which a change may be told."""
        return beyond_chance(self.compared)

    @property
    def worst(self) -> tuple[Row, Comparison] | None:
        """The group that got worse by most."""
        return max(self._told(1), key=lambda pair: pair[1].change, default=None)

    @property
    def best(self) -> tuple[Row, Comparison] | None:
        """The group that got better by most."""
        return min(self._told(-1), key=lambda pair: pair[1].change, default=None)

    def _told(self, sign: int) -> list[tuple[Row, Comparison]]:
        rows = [self.groups.everybody] if self.groups.by == "month" else self.groups.rows
        return [
            (row, self.compared[row.key])
            for row in rows
            if row.key in self.told and self.compared[row.key].change * sign > 0
        ]

    @property
    def any_known(self) -> bool:
        return any(each.state == "known" for each in self.compared.values())

    @cached_property
    def by_size(self) -> tuple[int, Comparison]:
        """The amount that parts small invoices from large ones, and both compared: what is late is
        told of the large ones."""
        by_class = {
            key: tally
            for key, tally in self.groups.reading.tallies("amount", "part", weighed=False).items()
            if key[0] is not None
        }
        numbers = [0] * (len(self.groups.classes) + 1)
        for (place, _part), tally in by_class.items():
            numbers[place] += tally.n
        split = even_split(numbers)
        halves: tuple[dict[int, Tally], dict[int, Tally]] = ({}, {})
        for (place, part), tally in by_class.items():
            halves[place >= split].setdefault(part, Tally()).add(tally)
        return self.groups.classes[split - 1], compare(*halves)

    @property
    def size_told(self) -> bool:
        return bool(beyond_chance({"size": self.by_size[1]}))
