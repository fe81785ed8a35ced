"""A payment while it is typed: from whom, in which currency, and how it is spread.

Read anew from the fields with each change. What somebody typed stays; what the page proposed
follows the amount. Nothing here is kept: `recording.py` does that.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import date

from django.utils.translation import gettext as _
from moneyed import Money

from billing_portal import dates
from billing_portal.money import from_minor, is_currency, to_minor
from billing_portal.typed.days import read_day
from billing_portal.typed.numbers import Ambiguous, as_typed, read_amount
from billing_portal.typed.texts import Unreadable
from invoices.clients.balances import Owed, balances
from invoices.models import Client, Company, Invoice, Payment
from invoices.payments.spreading import Part, spread

PART = "part-"


def part_name(invoice: Invoice) -> str:
    return f"{PART}{invoice.pk}"


def typed_minor(minor: int | None, currency: str) -> str:
    """As a field shows an amount to its reader; empty for none."""
    return as_typed(from_minor(minor, currency).amount) if minor else ""


def read_minor(text: str, currency: str) -> int | None:
    """What is typed so far, in minor units; None while it is no amount yet, or below zero."""
    try:
        minor = to_minor(Money(read_amount(text, currency), currency))
    except ValueError:
        return None
    return minor if minor >= 0 else None


@dataclass
class Entry:
    """`data` holds the fields as they stand after the spread."""

    data: MutableMapping[str, str]
    client: Client | None
    currency: str
    on: date
    # The invoice from whose page the person came.
    first: Invoice | None = None
    owed: list[Invoice] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    balance: list[Owed] = field(default_factory=list)

    @property
    def received(self) -> int | None:
        """What the bank's line shows."""
        return read_minor(self.data.get("amount", ""), self.currency)

    @property
    def charges(self) -> int:
        """What the bank kept of it, as far as it can be read."""
        return read_minor(self.data.get("charges", ""), self.currency) or 0

    @property
    def amount(self) -> int | None:
        """What the client paid, and what is spread."""
        received = self.received
        return received + self.charges if received else received

    @property
    def amount_question(self) -> str:
        """Which of two amounts is meant, where that cannot be known; empty for all else."""
        try:
            read_amount(self.data.get("amount", ""), self.currency)
        except Ambiguous as question:
            return str(question)
        except Unreadable:
            return ""
        return ""

    @property
    def day_question(self) -> str:
        """Why the value date cannot be taken; of one that cannot be read, only when it is whole."""
        text = self.data.get("received_on", "").strip()
        try:
            day = read_day(text, self.on)
        except Unreadable as problem:
            return str(problem) if len(text) >= len("1/1/26") else ""
        return _("This day is in the future.") if day > self.on else ""

    @property
    def given(self) -> int:
        return sum(part.minor or 0 for part in self.parts)

    @property
    def left(self) -> int:
        """What no invoice takes; below zero, more is spread than came in."""
        return (self.amount or 0) - self.given

    @property
    def received_on(self) -> date | None:
        try:
            return read_day(self.data.get("received_on", ""), self.on)
        except Unreadable:
            return None

    @property
    def currencies(self) -> list[str]:
        """What the amount may be in: what the client owes in, and its own."""
        owing = {each.currency for each in self.balance}
        own = {self.client.currency} if self.client else set()
        return sorted({*owing, *own, self.currency})

    @property
    def here(self) -> Owed:
        """What the client owes in the currency of the payment."""
        found = (each for each in self.balance if each.currency == self.currency)
        return next(found, Owed(self.currency, 0, 0))


def read_entry(
    data: MutableMapping[str, str],
    *,
    client: Client | None,
    first: Invoice | None,
    owed: Collection[Invoice],
    currency: str,
    on: date,
) -> Entry:
    """The entry with its spread, written into `data` as it stands in the fields."""
    entry = Entry(data, client, currency, on, first, list(owed))
    if client is not None:
        entry.balance = balances([client.account_id], on).get(client.account_id, [])
    if first and first.pk not in {invoice.pk for invoice in entry.owed}:
        entry.owed.insert(0, first)
    by_hand = _by_hand(data, entry.owed, currency)
    _propose(entry, by_hand)
    rest = next((part for part in entry.parts if str(part.invoice.pk) == data.get("rest")), None)
    if rest is not None and (all_of_it := max(0, (rest.minor or 0) + entry.left)):
        by_hand[rest.invoice.pk] = min(rest.invoice.outstanding_minor, all_of_it)
        data[part_name(rest.invoice)] = typed_minor(by_hand[rest.invoice.pk], currency)
        _propose(entry, by_hand)
    return entry


def currency_of(client: Client | None, wanted: str, on: date) -> str:
    """The one that is asked for, else the client's; what it owes in, if that is only one other."""
    if is_currency(wanted.upper()):
        return wanted.upper()
    if client is None:
        return Company.objects.values_list("currency", flat=True).first() or "EUR"
    owing = {each.currency for each in balances([client.account_id], on).get(client.account_id, [])}
    return owing.pop() if len(owing) == 1 else client.currency


def figures_of(payment: Payment) -> dict[str, str]:
    """A payment that was taken back, as it was typed: to be mended and recorded again."""
    parts: dict[int, int] = {}
    for row in payment.allocations.filter(invoice__isnull=False, amount_minor__gt=0):
        parts[row.invoice_id or 0] = parts.get(row.invoice_id or 0, 0) + row.amount_minor
    found = {
        "amount": typed_minor(payment.amount_minor - payment.charges_minor, payment.currency),
        "charges": typed_minor(payment.charges_minor, payment.currency),
        "currency": payment.currency,
        "received_on": dates.as_typed(payment.received_on),
        "reference": payment.reference,
        "method": payment.method,
        "note": payment.note,
    }
    for pk, minor in parts.items():
        found |= {f"{PART}{pk}": typed_minor(minor, payment.currency), f"hand-{PART}{pk}": "1"}
    return found


def _by_hand(
    data: Mapping[str, str], owed: Collection[Invoice], currency: str
) -> dict[int, int | None]:
    """The parts that somebody typed, or left out; None for what cannot be read."""
    found: dict[int, int | None] = {}
    if data.get("oldest"):
        return found
    for invoice in owed:
        name = part_name(invoice)
        text = data.get(name, "").strip()
        if data.get(f"hand-{name}") or text != data.get(f"was-{name}", "").strip():
            found[invoice.pk] = read_minor(text, currency) if text else 0
    return found


def _propose(entry: Entry, by_hand: Mapping[int, int | None]) -> None:
    entry.parts = spread(
        entry.amount or 0,
        entry.owed,
        by_hand=by_hand,
        label="" if entry.data.get("oldest") else entry.data.get("reference", ""),
        first=entry.first.pk if entry.first else None,
    )
    for part in entry.parts:
        if not part.by_hand:
            entry.data[part_name(part.invoice)] = typed_minor(part.minor, entry.currency)
