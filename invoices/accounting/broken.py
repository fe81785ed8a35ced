"""What a check of the books answers."""

from __future__ import annotations

from dataclasses import dataclass

from billing_portal.words import labelled


@dataclass(frozen=True)
class Broken:
    """One thing that does not hold: which row, and in what."""

    where: str
    text: str

    def __str__(self) -> str:
        return labelled(self.where, self.text)
