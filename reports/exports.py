"""The table of a report as a file that says what it is: in its name, on each line, on a sheet.

A program reads a CSV line by line, so what the page says beside its table stands in columns there
and is no line of its own; a workbook has a sheet for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from billing_portal.lists.columns import Column


@dataclass(frozen=True)
class About:
    """What a report was asked."""

    first: date | None
    last: date
    as_of: date
    # Of the filters beyond the period: name and value.
    filters: Sequence[tuple[str, str]]
    # Of the report, such as the measure: heading and value.
    facts: Sequence[tuple[str, str]] = ()

    @property
    def span(self) -> str:
        """The end of the name of the file: 2025-11-28_2026-11-27, then the day seen from."""
        days = [self.first, self.last, *([self.as_of] * (self.last != self.as_of))]
        return "_".join(day.isoformat() for day in days if day)

    @property
    def columns(self) -> list[Column]:
        """Said on every line, after the figures."""
        return [
            *(_always(f"fact-{place}", *fact) for place, fact in enumerate(self.facts)),
            _always("first", _("Period from"), self.first),
            _always("last", _("Period until"), self.last),
            _always("as_of", _("As of"), self.as_of),
            _always("filter", _("Filter"), "; ".join(f"{n}: {value}" for n, value in self.filters)),
        ]


def _always(key: str, label: str, value: Any) -> Column:
    return Column(f"about-{key}", label, value=lambda _row: value)
