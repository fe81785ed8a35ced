"""An entry of a journal: lines in debit and credit that come to the same, in whole minor units.

Amounts are in the company's currency; a line that was agreed in another one carries that too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal, NamedTuple

from moneyed import get_currency

from invoices.accounting.chart import Account

JournalName = Literal["sales", "bank", "other"]
_SCALE = 10**8


class Auxiliary(NamedTuple):
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Posting:
    """One line. Either debit or credit is above zero, the other is zero; neither is negative."""

    account: Account
    debit: int
    credit: int
    auxiliary: Auxiliary | None = None
    # Signed as debit less credit, in the minor unit of `currency`; "" in the company's own.
    currency: str = ""
    foreign_minor: int = 0
    # Lines of an account that settle each other bear the same letter.
    letter: str = ""
    lettered_on: date | None = None
    # Of VAT and of sales the rate in percent, where one is stated.
    rate: Decimal | None = None
    due_on: date | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """What one fact of the portal comes to. `number` follows from the fact's own row: the same in
    every export, whatever else is in it."""

    number: str
    journal: JournalName
    day: date
    piece: str
    piece_day: date
    text: str
    postings: tuple[Posting, ...]
    recorded_on: date
    # The page that shows the fact: name of the address and id.
    shown_at: tuple[str, int]

    @property
    def debit(self) -> int:
        return sum(each.debit for each in self.postings)

    @property
    def credit(self) -> int:
        return sum(each.credit for each in self.postings)


class Lines:
    """The lines of an entry while it is put together; amounts are debit less credit."""

    def __init__(self) -> None:
        self.postings: list[Posting] = []
        self.balance = 0

    def add(
        self,
        account: Account,
        signed: int,
        *,
        auxiliary: Auxiliary | None = None,
        foreign: tuple[str, int] = ("", 0),
        letter: tuple[str, date | None] = ("", None),
        rate: Decimal | None = None,
        due_on: date | None = None,
    ) -> None:
        """Nothing is written for zero, unless the line came to something in its own currency."""
        self.balance += signed
        currency, foreign_minor = foreign
        if not signed and not foreign_minor:
            return
        self.postings.append(
            Posting(
                account=account,
                debit=max(signed, 0),
                credit=max(-signed, 0),
                auxiliary=auxiliary,
                currency=currency,
                foreign_minor=foreign_minor,
                letter=letter[0],
                lettered_on=letter[1],
                rate=rate,
                due_on=due_on,
            )
        )

    def done(self) -> tuple[Posting, ...]:
        assert not self.balance, f"debit less credit is {self.balance}"
        return tuple(self.postings)


class Worth:
    """Minor units of one currency in those of the company's, at one rate.

    Half away from zero, so that a row and the row that takes it back are worth the same.
    """

    def __init__(self, currency: str, rate: Decimal, home: str) -> None:
        self._same = currency == home
        # 0.85 has eight decimals at most (the column): an integer, and exact.
        self._times = int((rate * _SCALE).to_integral_value(ROUND_HALF_UP)) * int(
            get_currency(home).sub_unit
        )
        self._over = int(get_currency(currency).sub_unit) * _SCALE

    def of(self, minor: int) -> int:
        if self._same:
            return minor
        whole = (abs(minor) * self._times * 2 + self._over) // (2 * self._over)
        return -whole if minor < 0 else whole


def share(total: int, part: int, whole: int) -> int:
    """`total` × part ÷ whole in minor units, half away from zero; `whole` is not zero."""
    product = total * part
    sign = -1 if (product < 0) != (whole < 0) else 1
    product, whole = abs(product), abs(whole)
    return sign * ((product * 2 + whole) // (2 * whole))


def in_parts(total: int, parts: Sequence[int], worth: Worth) -> list[int]:
    """Each part in the company's currency, so that they come to `total`, the worth of their sum.

    The cent that rounding leaves goes to the largest part.
    """
    found = [worth.of(part) for part in parts]
    if found and (left := total - sum(found)):
        largest = max(range(len(parts)), key=lambda place: abs(parts[place]))
        found[largest] += left
    return found
