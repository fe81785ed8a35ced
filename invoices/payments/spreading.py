"""How an amount received is put on open invoices: proposed anew with each change, until recorded.

What somebody changed by hand stays; the rest follows the amount. Numbers in the bank's label go
first, then the oldest due date. Pure: the caller brings the open invoices.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from invoices.models import Invoice

# A label has 140 characters.
MOST_WORDS = 40


@dataclass(frozen=True)
class Part:
    """What one invoice gets of the payment; `minor` is None where what was typed is unreadable."""

    invoice: Invoice
    minor: int | None
    by_hand: bool
    in_label: bool

    @property
    def left_minor(self) -> int:
        """What stays open on the invoice."""
        return self.invoice.outstanding_minor - (self.minor or 0)


def spread(
    amount_minor: int,
    invoices: Sequence[Invoice],
    *,
    by_hand: Mapping[int, int | None],
    label: str = "",
    first: int | None = None,
) -> list[Part]:
    """The parts in the order in which they are filled. `by_hand` are the ones that stay."""
    named = numbers_in(label, invoices)
    ordered = sorted(invoices, key=lambda invoice: (invoice.pk != first, invoice.pk not in named))
    left = amount_minor - sum(minor or 0 for minor in by_hand.values())
    found = []
    for invoice in ordered:
        typed = invoice.pk in by_hand
        minor = by_hand.get(invoice.pk)
        if not typed:
            minor = max(0, min(left, invoice.outstanding_minor))
            left -= minor
        found.append(Part(invoice, minor, typed, invoice.pk in named))
    return found


def numbers_in(label: str, invoices: Collection[Invoice]) -> set[int]:
    """Invoices whose number stands in a bank's label, as a whole word: INV-1 is not in INV-10.

    Banks drop dashes and years: F-2026-0747 is also F20260747 and F0747.
    """
    words = {_bare(word) for word in spelled(label)}
    return {invoice.pk for invoice in invoices if words & _spellings(invoice.number)}


def spelled(label: str) -> list[str]:
    """What may be a number in a bank's label: its words, and up to four that stand together.

    Banks put spaces where dashes were: “KC 2026 0252” is KC-2026-0252.
    """
    words = re.findall(r"\w+", label)[:MOST_WORDS]
    found = re.findall(r"[\w/.\-]+", label)[:MOST_WORDS]
    for begin in range(len(words)):
        found += ["".join(words[begin:end]) for end in range(begin + 1, begin + 5)]
    return list(dict.fromkeys(found))


def _spellings(number: str) -> set[str]:
    found = {_bare(number)}
    letters = re.match(r"[A-Za-z]*", number)
    last = re.search(r"([0-9]+)$", number)
    if letters and last and len(last.group(1)) >= 3:
        found.add(f"{letters.group(0).upper()}{last.group(1)}")
    return {spelling for spelling in found if len(spelling) >= 4}


def _bare(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "", text).upper()
