"""What an export is made with: the period, the accounts, the rates; and what stood in its way."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from django.db.models import F
from django.db.models.functions import Coalesce

from invoices.accounting.chart import Account, Chart, Role
from invoices.accounting.journal.entries import Auxiliary, Worth
from invoices.company.rates import LONGEST_REST, Rates
from invoices.models import Client, Company, JournalSetup
from invoices.models.clients import usual_ledger_code

# Named one by one; more are counted.
MOST_NAMED: Final = 50
MOST_CLIENTS: Final = 5_000


@dataclass(frozen=True)
class Span:
    """The days that an export is of, both included."""

    starts_on: date
    ends_on: date
    # With what was brought in from an older system, which the older ledger has already.
    with_history: bool = False
    # Only what was recorded after this moment.
    since: datetime | None = None


@dataclass(frozen=True)
class Fact:
    """A fact of the portal that a warning names: its words, and the page that shows it."""

    name: str
    shown_at: tuple[str, int]


@dataclass
class Facts:
    """So many, the first of them by name."""

    count: int = 0
    named: list[Fact] = field(default_factory=list)

    def add(self, name: str, shown_at: tuple[str, int]) -> None:
        self.count += 1
        if len(self.named) < MOST_NAMED:
            self.named.append(Fact(name, shown_at))

    def __bool__(self) -> bool:
        return bool(self.count)


@dataclass
class Problems:
    # What cannot be written, and is left out of the entries.
    without_rate: Facts = field(default_factory=Facts)
    without_account: Facts = field(default_factory=Facts)
    rates_without_account: set[Decimal] = field(default_factory=set)
    # What is written, and worth a look.
    old_rate: Facts = field(default_factory=Facts)
    without_nature: Facts = field(default_factory=Facts)
    without_vat_rate: Facts = field(default_factory=Facts)

    @property
    def left_out(self) -> int:
        return self.without_rate.count + self.without_account.count


class NoRate(Exception):
    """No exchange rate is known for a fact: its worth is not guessed."""


class Making:
    """One export while it is made. Client names are read as they are met, and not all kept."""

    def __init__(self, span: Span, company: Company) -> None:
        self.span = span
        self.company = company
        self.home: str = company.currency
        self.chart = Chart.ours()
        self.setup = JournalSetup.ours()
        self.rates = Rates(company.currency)
        self.problems = Problems()
        self.words = WORDS["fr" if company.language == "fr" else "en"]
        self._clients: dict[int, Auxiliary] = {}

    # ─ Clients
    def meet_clients(self, ids: set[int]) -> None:
        """Read the names and codes of a batch at once."""
        missing = ids - self._clients.keys()
        if len(self._clients) + len(missing) > MOST_CLIENTS:
            self._clients.clear()
            missing = ids
        rows = Client.objects.filter(pk__in=missing).values_list("pk", "ledger_code", "name")
        for pk, code, name in rows:
            self._clients[pk] = Auxiliary(code or usual_ledger_code(pk), name)

    def auxiliary(self, account_id: int) -> Auxiliary | None:
        return self._clients[account_id] if self.setup.with_auxiliary else None

    def client_name(self, account_id: int) -> str:
        return self._clients[account_id].name

    # ─ Accounts
    @property
    def clients(self) -> Account:
        return self.chart.one(Role.CLIENTS)

    def owed_by(self, *, retained: bool | None) -> Account:
        """What clients owe, apart from what they hold back until its release."""
        return self.chart.one(Role.RETENTION) if retained else self.clients

    @property
    def cash(self) -> Account:
        """Where money of clients stands until it settles an invoice."""
        return self.chart.one(Role.ADVANCES if self.setup.cash_on_advances else Role.CLIENTS)

    # ─ Worth
    def worth_of_document(self, currency: str, rate: Decimal | None) -> Worth:
        if currency == self.home:
            return Worth(currency, Decimal(1), self.home)
        if rate is None:
            raise NoRate
        return Worth(currency, rate, self.home)

    def worth_on(self, currency: str, day: date) -> Worth:
        """At the last rate that was known on the day. Raises NoRate where there was none."""
        rate = self.rates.on(currency, day)
        if rate is None:
            raise NoRate
        return Worth(currency, rate, self.home)

    def has_old_rate(self, currency: str, day: date) -> bool:
        """Whether the rate of that day is one that was replaced since, or should have been."""
        if currency == self.home:
            return False
        known = self.rates.day_of(currency, day)
        return known is not None and (day - known).days > LONGEST_REST

    def foreign(self, currency: str, minor: int) -> tuple[str, int]:
        return ("", 0) if currency == self.home else (currency, minor)


def account_of(of: str) -> Coalesce:
    """The client whose account a row is part of."""
    return Coalesce(F(f"{of}merged_into_id"), F(f"{of}id"))


# The words of an entry are the ledger's: in the company's language, whoever exports.
WORDS: Final[dict[str, dict[str, str]]] = {
    "fr": {
        "invoice": "Facture {piece} – {client}",
        "deposit": "Facture d’acompte {piece} – {client}",
        "credit_note": "Avoir {piece} – {client}",
        "payment": "Encaissement – {client}",
        "reversal": "Contre-passation d’encaissement – {client}",
        "refund": "Remboursement – {client}",
        "refund_back": "Contre-passation de remboursement – {client}",
        "applied": "Affectation à {piece} – {client}",
        "taken_back": "Annulation d’affectation à {piece} – {client}",
        "write_off": "Perte sur {piece} – {client}",
        "write_off_back": "Annulation de perte sur {piece} – {client}",
    },
    "en": {
        "invoice": "Invoice {piece} – {client}",
        "deposit": "Deposit invoice {piece} – {client}",
        "credit_note": "Credit note {piece} – {client}",
        "payment": "Receipt – {client}",
        "reversal": "Receipt reversed – {client}",
        "refund": "Refund – {client}",
        "refund_back": "Refund taken back – {client}",
        "applied": "Applied to {piece} – {client}",
        "taken_back": "Application to {piece} taken back – {client}",
        "write_off": "Write-off of {piece} – {client}",
        "write_off_back": "Write-off of {piece} taken back – {client}",
    },
}
