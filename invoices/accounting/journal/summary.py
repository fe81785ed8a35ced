"""What a period's entries come to: how many, debit and credit, by account."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from invoices.accounting.chart import Account, Role
from invoices.accounting.journal.entries import Entry, Posting


@dataclass
class OfAccount:
    account: Account
    debit: int = 0
    credit: int = 0
    lines: int = 0

    @property
    def balance(self) -> int:
        """Debit less credit."""
        return self.debit - self.credit


@dataclass
class Summary:
    entries: int = 0
    lines: int = 0
    debit: int = 0
    credit: int = 0
    by_journal: Counter[str] = field(default_factory=Counter)
    by_account: dict[str, OfAccount] = field(default_factory=dict)
    # VAT of invoices less that of credit notes, by rate; None for a rate that is not stated.
    vat: Counter[Decimal | None] = field(default_factory=Counter)

    def count(self, entry: Entry) -> None:
        self.entries += 1
        self.by_journal[entry.journal] += 1
        for posting in entry.postings:
            self.count_line(posting)
            if entry.journal == "sales" and posting.account.role in (Role.VAT, Role.VAT_WAITING):
                self.vat[posting.rate] += posting.credit - posting.debit

    def count_line(self, posting: Posting) -> None:
        self.lines += 1
        self.debit += posting.debit
        self.credit += posting.credit
        account = posting.account
        found = self.by_account.setdefault(account.number, OfAccount(account))
        found.debit += posting.debit
        found.credit += posting.credit
        found.lines += 1

    @property
    def accounts(self) -> list[OfAccount]:
        return [self.by_account[number] for number in sorted(self.by_account)]


def counted(entries: Iterable[Entry], into: Summary) -> Iterator[Entry]:
    """The entries as they come, counted on their way."""
    for entry in entries:
        into.count(entry)
        yield entry
