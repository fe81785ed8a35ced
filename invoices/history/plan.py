"""What history files would do: their rows, and what these mean beside the books."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from billing_portal.notices import Notice
from billing_portal.spreadsheets import Complaint
from invoices.history.rows import ClientRow, InvoiceRow, ItemRow, PaymentRow, key_of
from invoices.history.spelling import Question
from invoices.models import CatalogueItem, Client, Invoice, Payment
from invoices.payments.settling import Settled

# Parameters of one query, safely below the limits of both databases.
CHUNK = 900
T = TypeVar("T")


@dataclass(slots=True)
class Rows:
    """What the three files say; None stands for a file that was not given."""

    clients: list[ClientRow] = field(default_factory=list)
    invoices: list[InvoiceRow] = field(default_factory=list)
    payments: list[PaymentRow] = field(default_factory=list)
    items: list[ItemRow] = field(default_factory=list)
    refused_items: set[str] = field(default_factory=set)
    refused_clients: set[str] = field(default_factory=set)
    refused_numbers: set[str] = field(default_factory=set)
    # Invoices of which a payment is refused or asked about: what takes it back is not judged.
    doubtful_payments: set[str] = field(default_factory=set)
    names: dict[str, str] = field(default_factory=dict)
    # What was accepted in the files, but is worth saying.
    notices: list[Notice] = field(default_factory=list)
    # About files that could not be read at all.
    complaints: list[Complaint] = field(default_factory=list)
    # Columns that can be read in two ways, until somebody says which.
    questions: list[Question] = field(default_factory=list)
    # The files hold only what was open on this day.
    go_live: date | None = None
    # A file that could not be read at all makes every reference to its rows pointless to judge.
    unread: set[str] = field(default_factory=set)

    @property
    def count(self) -> int:
        return len(self.clients) + len(self.invoices) + len(self.payments) + len(self.items)


@dataclass(slots=True, frozen=True)
class HeldInvoice:
    """What rows are held against of an invoice that is here: a file may name a hundred thousand."""

    pk: int
    number: str
    kind: str
    client_id: int
    client: str
    issued_on: date
    due_on: date
    currency: str
    corrects: str
    title: str
    net_minor: int
    vat_minor: int
    total_minor: int
    imported: bool

    @property
    def is_credit_note(self) -> bool:
        return self.kind == Invoice.Kind.CREDIT_NOTE


@dataclass(slots=True, frozen=True)
class HeldPart:
    """An instalment of an invoice that is here."""

    pk: int
    place: int
    due_on: date
    amount_minor: int
    is_retention: bool


HELD_COLUMNS = (
    *("pk", "number", "kind", "client_id", "client__name", "issue_date", "due_date", "currency"),
    *("corrects__number", "title", "net_minor", "vat_minor", "total_minor", "imported"),
)


@dataclass(slots=True)
class Change:
    """What a row would write on a client that is here already."""

    row: ClientRow
    client: Client
    fields: dict[str, tuple[str, str]]


@dataclass(slots=True)
class ItemChange:
    """What a row would write on an item that is here already: columns, and in words."""

    row: ItemRow
    item: CatalogueItem
    values: dict[str, Any]
    fields: dict[str, tuple[str, str]]


# The primary key of a client that is here, as names may be shared; else the key of its name.
ClientKey = int | str


@dataclass(slots=True)
class Remittance:
    """One payment: a row, or the rows that share reference, value date, currency and method."""

    client_key: ClientKey
    rows: list[PaymentRow]
    # Of equal ones the how manieth, counting those that are here.
    occurrence: int = 1

    # The day on which the money went back, and of its mirror the how manieth equal one.
    returned_on: date | None = None
    mirror_occurrence: int = 1

    @property
    def amount_minor(self) -> int:
        return sum(row.amount_minor for row in self.rows)


@dataclass(slots=True)
class HeldReturn:
    """A payment that is here already, and the rows that take it back whole."""

    payment: Payment
    rows: list[PaymentRow]
    mirror_occurrence: int = 1


@dataclass(slots=True, frozen=True)
class Applied:
    """What a payment or credit note of the files settles of its invoice, and from which day."""

    amount_minor: int
    on: date
    # A payment that came back: the day from which the invoice is open again.
    until: date | None = None
    # Which instalment, of an invoice that has some.
    place: int | None = None


@dataclass(slots=True)
class Plan:
    rows: Rows
    on: date
    complaints: list[Complaint] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    unchanged: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    # Rows that stay out because somebody said so, each with its reason (leaving_out.py).
    left_out: list[Complaint] = field(default_factory=list)
    # A row could not be read at all: nobody knows which document it is a line of.
    has_unknown_rows: bool = False
    # Kind → line → the cells of the rows that stay out, as the file has them.
    cells_left_out: dict[str, dict[int, dict[str, str]]] = field(default_factory=dict)

    new_types: dict[str, str] = field(default_factory=dict)
    new_people: list[str] = field(default_factory=list)
    new_clients: list[ClientRow] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    new_items: list[tuple[ItemRow, dict[str, Any]]] = field(default_factory=list)
    item_changes: list[ItemChange] = field(default_factory=list)
    new_invoices: list[InvoiceRow] = field(default_factory=list)
    remittances: list[Remittance] = field(default_factory=list)
    # Line of a payment that came back → the row below zero that says so.
    returns: dict[int, PaymentRow] = field(default_factory=dict)
    held_returns: list[HeldReturn] = field(default_factory=list)
    # Line of a payment or of a credit note → what it does to its invoice, by instalment.
    paid: dict[int, tuple[Applied, ...]] = field(default_factory=dict)
    credited: dict[int, tuple[Applied, ...]] = field(default_factory=dict)
    # By number, what settles the invoices that are here and gain something now, by instalment.
    held_steps: dict[str, dict[int | None, list[Settled]]] = field(default_factory=dict)
    # By number, the instalments of invoices that are here: place, day, amount, held back, and key.
    held_parts: dict[str, tuple[HeldPart, ...]] = field(default_factory=dict)
    occurrences: dict[int, int] = field(default_factory=dict)
    # As found in the database, by key of name and by number.
    clients: dict[str, Client] = field(default_factory=dict)
    invoices: dict[str, HeldInvoice] = field(default_factory=dict)

    @property
    def new_payments(self) -> list[PaymentRow]:
        return [row for remittance in self.remittances for row in remittance.rows]

    @property
    def new_returns(self) -> list[PaymentRow]:
        """The rows below zero: of payments of the files, then of such that are here already."""
        own = [self.returns[row.line] for row in self.new_payments if row.line in self.returns]
        return own + [row for held in self.held_returns for row in held.rows]

    @property
    def may_be_written(self) -> bool:
        return not self.complaints and not self.rows.questions

    @property
    def writes(self) -> int:
        return (
            len(self.new_clients)
            + len(self.changes)
            + len(self.new_invoices)
            + len(self.new_payments)
            + len(self.new_returns)
            + len(self.new_items)
            + len(self.item_changes)
        )

    def totals(self) -> dict[str, dict[str, int]]:
        """Of what is new, per currency, in minor units."""
        found: dict[str, dict[str, int]] = {}

        def add(currency: str, what: str, amount: int) -> None:
            sums = found.setdefault(
                currency, {"invoiced": 0, "credited": 0, "received": 0, "unapplied": 0}
            )
            sums[what] += amount

        for row in self.new_invoices:
            add(row.currency, "credited" if row.is_credit_note else "invoiced", row.total_minor)
        for payment in self.new_payments + self.new_returns:
            add(payment.currency, "received", payment.amount_minor)
        for payment in self.new_payments:
            if payment.line not in self.returns:
                rest = payment.amount_minor - self.paid_minor(payment.line)
                add(payment.currency, "unapplied", rest)
        return dict(sorted(found.items()))

    def paid_minor(self, line: int) -> int:
        return sum(applied.amount_minor for applied in self.paid.get(line, ()))

    def parts_of(self, number: str, row: InvoiceRow | None) -> dict[int | None, int]:
        """Place → amount of each instalment, oldest first; None stands for an invoice due whole."""
        if row is not None:
            parts = [(place, part.amount_minor) for place, part in enumerate(row.parts, 1)]
            return dict(parts) or {None: row.total_minor}
        held = [(part.place, part.amount_minor) for part in self.held_parts.get(number, ())]
        return dict(held) or {None: self.invoices[number].total_minor}

    def let_go(self) -> None:
        """Of what was only looked at: it is held against the books anew, and both beside each
        other would be a half more of a large file."""
        self.new_invoices, self.remittances, self.held_returns = [], [], []
        self.returns, self.paid, self.credited, self.occurrences = {}, {}, {}, {}
        self.held_steps, self.held_parts, self.invoices, self.clients = {}, {}, {}, {}

    def counts(self) -> dict[str, dict[str, int]]:
        new = {
            "clients": len(self.new_clients),
            "invoices": sum(not row.is_credit_note for row in self.new_invoices),
            "credit_notes": sum(row.is_credit_note for row in self.new_invoices),
            "payments": len(self.new_payments) + len(self.new_returns),
        }
        changed = {"clients": len(self.changes), "items": len(self.item_changes)}
        if self.rows.names.get("items"):
            new["items"] = len(self.new_items)
        return {
            kind: {
                "new": count,
                "changed": changed.get(kind, 0),
                "unchanged": self.unchanged[kind],
                "refused": self.refused[kind],
            }
            for kind, count in new.items()
        }


def complain(plan: Plan, kind: str, line: int, column: str, code: str, /, **values: Any) -> None:
    notice = Notice(f"history.{code}", **values)
    plan.complaints.append(Complaint(plan.rows.names[kind], line, column, notice))
    plan.refused[kind] += 1


def chunks(values: Iterable[T]) -> Iterator[list[T]]:
    found = list(values)
    for start in range(0, len(found), CHUNK):
        yield found[start : start + CHUNK]


# Attribute of a row → field of a client, where both are plain values.
PLAIN_FIELDS = {
    "country": "country",
    "currency": "currency",
    "language": "language",
    "terms_days": "terms_days",
    "billing_email": "billing_email",
    "vat_id": "vat_id",
    "siren": "siren",
}


def changed_fields(row: ClientRow, client: Client) -> dict[str, tuple[str, str]]:
    """Field → (here, in the file), where the file says something else; blanks say nothing."""
    found: dict[str, tuple[str, str]] = {}
    for attribute, name in PLAIN_FIELDS.items():
        given, held = getattr(row, attribute), getattr(client, name)
        if given not in ("", None) and given != held:
            found[name] = (str(held), str(given))
    if row.client_type and key_of(row.client_type) != key_of(client.client_type.name):
        found["client_type"] = (client.client_type.name, row.client_type)
    if row.owner_email:
        owner = client.owner.email if client.owner else ""
        if owner.lower() != row.owner_email:
            found["owner"] = (owner, row.owner_email)
    return found
