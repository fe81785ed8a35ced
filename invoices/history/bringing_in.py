"""Go-live: clients, issued invoices, credit notes and payments of the old system (docs/history.md).

`read` says what the files would do, to the last row; `apply` does it, all or nothing. Bringing the
same files in again changes nothing: a client is known by its name, an invoice by its number, a
payment by everything its row says and by how often the file says it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from typing import Any, TypeVar

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from billing_portal.money import formatted_minor
from billing_portal.spreadsheets import MAX_ROWS, Complaint, Table, TableRefused, read_table
from invoices.company.numbering import prefix_for
from invoices.history.rows import (
    CLIENT_COLUMNS,
    INVOICE_COLUMNS,
    PAYMENT_COLUMNS,
    ClientRow,
    InvoiceRow,
    PaymentRow,
    key_of,
    read_clients,
    read_invoices,
    read_payments,
)
from invoices.models import (
    Client,
    ClientType,
    Company,
    ImportedPaymentRow,
    Invoice,
    Payment,
)

# Parameters of one query, safely below the limits of both databases.
CHUNK = 900
SHOWN_COMPLAINTS = 500
SHOWN_ROWS = 5
SHOWN_PEOPLE = 40
NAMES_WORTH_GUESSING = 20_000
# A column that is mistaken for the client type would make one of each client.
MOST_NEW_TYPES = 50
T = TypeVar("T")

# A file's name as the reader knows it, and its bytes.
Source = tuple[str, bytes]


class HistoryRefused(Exception):
    """Nothing was brought in; the plan says why, row by row."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(
            _("%(count)s rows are refused, so nothing was brought in.")
            % {"count": len(plan.complaints)}
        )
        self.plan = plan


class HistoryInterrupted(Exception):
    """Somebody else recorded one of the rows at the same moment; nothing was brought in."""


@dataclass(slots=True)
class Rows:
    """What the three files say; None stands for a file that was not given."""

    clients: list[ClientRow] = field(default_factory=list)
    invoices: list[InvoiceRow] = field(default_factory=list)
    payments: list[PaymentRow] = field(default_factory=list)
    refused_clients: set[str] = field(default_factory=set)
    refused_numbers: set[str] = field(default_factory=set)
    names: dict[str, str] = field(default_factory=dict)
    # What was accepted in the files, but is worth saying.
    notices: list[str] = field(default_factory=list)
    # A file that could not be read at all makes every reference to its rows pointless to judge.
    unread: set[str] = field(default_factory=set)

    @property
    def count(self) -> int:
        return len(self.clients) + len(self.invoices) + len(self.payments)


@dataclass(slots=True)
class Change:
    """What a row would write on a client that is here already."""

    row: ClientRow
    client: Client
    fields: dict[str, tuple[str, str]]


@dataclass(slots=True)
class Remittance:
    """One payment: a row, or the rows that share reference, value date, currency and method."""

    client_key: str
    rows: list[PaymentRow]

    @property
    def amount_minor(self) -> int:
        return sum(row.amount_minor for row in self.rows)


@dataclass(slots=True)
class Plan:
    rows: Rows
    on: date
    complaints: list[Complaint] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    unchanged: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    new_types: dict[str, str] = field(default_factory=dict)
    new_people: list[str] = field(default_factory=list)
    new_clients: list[ClientRow] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    new_invoices: list[InvoiceRow] = field(default_factory=list)
    remittances: list[Remittance] = field(default_factory=list)
    # Line of a payment or of a credit note → what it settles of its invoice, in minor units.
    applied: dict[str, dict[int, int]] = field(
        default_factory=lambda: {"payments": {}, "invoices": {}}
    )
    occurrences: dict[int, int] = field(default_factory=dict)
    # As found in the database, by key of name and by number.
    clients: dict[str, Client] = field(default_factory=dict)
    invoices: dict[str, Invoice] = field(default_factory=dict)

    @property
    def new_payments(self) -> list[PaymentRow]:
        return [row for remittance in self.remittances for row in remittance.rows]

    @property
    def writes(self) -> int:
        return (
            len(self.new_clients)
            + len(self.changes)
            + len(self.new_invoices)
            + len(self.new_payments)
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
        for payment in self.new_payments:
            add(payment.currency, "received", payment.amount_minor)
            rest = payment.amount_minor - self.applied["payments"].get(payment.line, 0)
            add(payment.currency, "unapplied", rest)
        return dict(sorted(found.items()))

    def counts(self) -> dict[str, dict[str, int]]:
        new = {
            "clients": len(self.new_clients),
            "invoices": sum(not row.is_credit_note for row in self.new_invoices),
            "credit_notes": sum(row.is_credit_note for row in self.new_invoices),
            "payments": len(self.new_payments),
        }
        return {
            kind: {
                "new": count,
                "changed": len(self.changes) if kind == "clients" else 0,
                "unchanged": self.unchanged[kind],
                "refused": self.refused[kind],
            }
            for kind, count in new.items()
        }


# ─ Reading ──────────────────────────────────────────────────────────────────────────────────────
def read(
    *,
    clients: Source | None = None,
    invoices: Source | None = None,
    payments: Source | None = None,
    on: date,
    max_rows: int = MAX_ROWS,
) -> Plan:
    """What the files would do on day `on`. Nothing is written; all that is wrong is listed."""
    rows = Rows()
    complaints: list[Complaint] = []
    tables: dict[str, Table] = {}
    for kind, source, columns in (
        ("clients", clients, CLIENT_COLUMNS),
        ("invoices", invoices, INVOICE_COLUMNS),
        ("payments", payments, PAYMENT_COLUMNS),
    ):
        rows.names[kind] = source[0] if source else ""
        if source is None:
            continue
        try:
            tables[kind] = read_table(source[0], source[1], columns, max_rows)
        except TableRefused as refusal:
            rows.unread.add(kind)
            complaints.append(Complaint(source[0], 0, "", str(refusal)))
    if "clients" in tables:
        rows.clients, rows.refused_clients = read_clients(tables["clients"], on=on)
    if "invoices" in tables:
        rows.invoices, rows.refused_numbers = read_invoices(tables["invoices"], on=on)
    if "payments" in tables:
        rows.payments = read_payments(tables["payments"], on=on)
    rows.notices = [notice for table in tables.values() for notice in table.notices]
    plan = resolve(rows, on=on)
    for kind, table in tables.items():
        plan.refused[kind] += len({c.line for c in table.complaints})
        complaints += table.complaints
    plan.complaints = _in_order(rows, complaints + plan.complaints)
    return plan


def _in_order(rows: Rows, complaints: list[Complaint]) -> list[Complaint]:
    files = list(rows.names.values())
    return sorted(complaints, key=lambda c: (files.index(c.file), c.line))


def resolve(rows: Rows, *, on: date, lock: bool = False) -> Plan:
    """Hold the rows against the books as they are; with `lock`, until the transaction ends."""
    plan = Plan(rows, on, notices=list(rows.notices))
    _resolve_clients(plan, lock)
    _resolve_invoices(plan, lock)
    _resolve_payments(plan)
    _settle(plan)
    _warn_of_numbers(plan)
    return plan


def _complain(plan: Plan, kind: str, line: int, column: str, reason: str) -> None:
    plan.complaints.append(Complaint(plan.rows.names[kind], line, column, reason))
    plan.refused[kind] += 1


def _chunks(values: Iterable[T]) -> Iterator[list[T]]:
    found = list(values)
    for start in range(0, len(found), CHUNK):
        yield found[start : start + CHUNK]


def _resolve_clients(plan: Plan, lock: bool) -> None:
    rows = plan.rows
    wanted = {row.key for row in rows.clients} | {key_of(row.client) for row in rows.invoices}
    here: dict[str, list[Client]] = {}
    if wanted:
        # Names are compared in Python: SQLite's LOWER knows ASCII only.
        names = Client.objects.filter(merged_into=None).values_list("pk", "name")
        keys = {pk: key for pk, name in names.iterator() if (key := key_of(name)) in wanted}
        for chunk in _chunks(sorted(keys)):
            found = Client.objects.filter(pk__in=chunk).order_by("pk")
            if lock:
                found = found.select_for_update(of=("self",))
            for client in found.select_related("client_type", "owner"):
                here.setdefault(keys[client.pk], []).append(client)
    doubled: set[str] = set()
    for key, alike in here.items():
        living = [client for client in alike if client.gone_at is None] or alike
        if len(living) == 1:
            plan.clients[key] = living[0]
        else:
            doubled.add(key)
    rows.refused_clients |= doubled
    types = {key_of(name): name for name in ClientType.objects.values_list("name", flat=True)}
    people = {email.lower() for email in User.objects.values_list("email", flat=True)}
    for row in rows.clients:
        held = plan.clients.get(row.key)
        if row.key in doubled:
            _complain(
                plan,
                "clients",
                row.line,
                "name",
                _("Several clients here are called “%(name)s”: rename or merge them first.")
                % {"name": row.name},
            )
            continue
        if held is None and not row.client_type:
            _complain(
                plan,
                "clients",
                row.line,
                "client_type",
                _("“%(name)s” is new here and needs a client type.") % {"name": row.name},
            )
            rows.refused_clients.add(row.key)
            continue
        if row.client_type and key_of(row.client_type) not in types:
            types[key_of(row.client_type)] = row.client_type
            plan.new_types[key_of(row.client_type)] = row.client_type
            if len(plan.new_types) == MOST_NEW_TYPES + 1:
                reason = _(
                    "This is the client type number %(count)s that is new here: look whether the "
                    "column holds something else, such as names."
                ) % {"count": MOST_NEW_TYPES + 1}
                _complain(plan, "clients", row.line, "client_type", reason)
        if row.owner_email and row.owner_email not in people:
            people.add(row.owner_email)
            plan.new_people.append(row.owner_email)
        if held is None:
            plan.new_clients.append(row)
        elif fields := changed_fields(row, held):
            plan.changes.append(Change(row, held, fields))
        else:
            plan.unchanged["clients"] += 1


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


def _resolve_invoices(plan: Plan, lock: bool) -> None:
    rows = plan.rows
    numbers = {row.number for row in rows.invoices}
    numbers |= {row.corrects for row in rows.invoices if row.corrects}
    numbers |= {row.invoice for row in rows.payments}
    known: list[int] = []
    for chunk in _chunks(numbers):
        known += Invoice.objects.filter(imported=True, number__in=chunk).values_list(
            "pk", flat=True
        )
    # In the order in which payments lock theirs: two that wait for each other would never end.
    for part in _chunks(sorted(known)):
        found = Invoice.objects.filter(pk__in=part).order_by("pk")
        if lock:
            found = found.select_for_update(of=("self",))
        for invoice in found.select_related("client", "corrects"):
            plan.invoices[invoice.number] = invoice
    new_names = {row.key for row in plan.new_clients}
    by_number = {row.number: row for row in rows.invoices}
    credited = _credited_before(plan, by_number)
    for row in rows.invoices:
        kind = "credit_notes" if row.is_credit_note else "invoices"
        key = key_of(row.client)
        held = plan.invoices.get(row.number)
        if key in rows.refused_clients:
            rows.refused_numbers.add(row.number)
            continue
        if held is not None and (what := _difference(row, held)):
            reason = _(
                "%(number)s is here already and says otherwise: %(what)s. What was issued never "
                "changes: correct the row, or answer the invoice with a credit note."
            ) % {"number": row.number, "what": what}
            _refuse_invoice(plan, row, "number", reason)
        elif held is not None:
            plan.unchanged[kind] += 1
        elif key not in plan.clients and key not in new_names:
            if "clients" not in rows.unread:
                _refuse_invoice(plan, row, "client", _unknown_client(row.client, plan, new_names))
            else:
                rows.refused_numbers.add(row.number)
        elif not row.corrects or _may_correct(plan, row, by_number, credited):
            plan.new_invoices.append(row)


def _refuse_invoice(plan: Plan, row: InvoiceRow, column: str, reason: str) -> None:
    plan.rows.refused_numbers.add(row.number)
    _complain(plan, "invoices", row.line, column, reason)


def _unknown_client(name: str, plan: Plan, new_names: set[str]) -> str:
    known = {**dict.fromkeys(new_names), **dict.fromkeys(plan.clients)}
    near = (
        get_close_matches(key_of(name), known, n=1, cutoff=0.85)
        if len(known) < NAMES_WORTH_GUESSING and len(plan.complaints) < SHOWN_COMPLAINTS
        else []
    )
    if near:
        spelled = next((r.name for r in plan.new_clients if r.key == near[0]), "")
        return _("No client is called “%(name)s”; did you mean “%(near)s”?") % {
            "name": name,
            "near": spelled or plan.clients[near[0]].name,
        }
    return _("No client is called “%(name)s”: add it to the clients file.") % {"name": name}


def _difference(row: InvoiceRow, held: Invoice) -> str:
    """What the row says otherwise than the invoice of its number, in words; empty when nothing."""

    def money(amount_minor: int, currency: str) -> str:
        return formatted_minor(amount_minor, currency)

    pairs: list[tuple[str, Any, Any]] = [
        ("kind", row.kind, held.kind),
        ("client", key_of(row.client), key_of(held.client.name)),
        ("issued_on", row.issued_on, held.issue_date),
        ("due_on", row.due_on, held.due_date),
        ("currency", row.currency, held.currency),
        ("corrects", row.corrects, held.corrects.number if held.corrects else ""),
        ("title", row.title, held.title),
    ]
    pairs += [
        (name, money(given, row.currency), money(kept, held.currency))
        for name, given, kept in (
            ("net", row.net_minor, held.net_minor),
            ("vat", row.vat_minor, held.vat_minor),
            ("total", row.total_minor, held.total_minor),
        )
        if given != kept
    ]
    return ", ".join(
        _("%(column)s %(given)s instead of %(kept)s")
        % {"column": name, "given": given or "–", "kept": kept or "–"}
        for name, given, kept in pairs
        if given != kept
    )


def _credited_before(plan: Plan, by_number: dict[str, InvoiceRow]) -> Counter[str]:
    """Number of an invoice → what credit notes that are here already take off it."""
    found: Counter[str] = Counter()
    targets = {i.pk: n for n, i in plan.invoices.items() if not i.is_credit_note}
    for chunk in _chunks(targets):
        for target, total in (
            Invoice.objects.issued()
            .filter(corrects__in=chunk, kind=Invoice.Kind.CREDIT_NOTE)
            .values_list("corrects_id", "total_minor")
        ):
            found[targets[target]] += total
    return found


def _may_correct(
    plan: Plan, row: InvoiceRow, by_number: dict[str, InvoiceRow], credited: Counter[str]
) -> bool:
    target: InvoiceRow | Invoice | None = by_number.get(row.corrects)
    if row.corrects in plan.rows.refused_numbers:
        plan.rows.refused_numbers.add(row.number)
        return False
    if target is None:
        target = plan.invoices.get(row.corrects)
    reason = ""
    if target is None:
        reason = _("No invoice has the number %(number)s: correct it, or empty the cell.") % {
            "number": row.corrects
        }
    elif target.is_credit_note:
        reason = _("%(number)s is a credit note itself: name the invoice.") % {
            "number": row.corrects
        }
    elif key_of(row.client) != key_of(str(target.client)):
        reason = _("%(number)s belongs to “%(client)s”.") % {
            "number": row.corrects,
            "client": target.client,
        }
    elif row.currency != target.currency:
        reason = _("%(number)s is in %(currency)s.") % {
            "number": row.corrects,
            "currency": target.currency,
        }
    elif row.issued_on < (issued := _issued_on(target)):
        reason = _("%(number)s was issued later, on %(day)s: check both dates.") % {
            "number": row.corrects,
            "day": issued,
        }
    else:
        credited[row.corrects] += row.total_minor
        if credited[row.corrects] > target.total_minor:
            reason = _(
                "With this one the credit notes on %(number)s add up to %(sum)s, more than its "
                "total of %(total)s."
            ) % {
                "number": row.corrects,
                "sum": formatted_minor(credited[row.corrects], row.currency),
                "total": formatted_minor(target.total_minor, row.currency),
            }
    if reason:
        column = "total" if credited[row.corrects] else "corrects"
        _refuse_invoice(plan, row, column, reason)
    return not reason


def _issued_on(invoice: InvoiceRow | Invoice) -> date:
    if isinstance(invoice, InvoiceRow):
        return invoice.issued_on
    assert invoice.issue_date is not None
    return invoice.issue_date


# ─ Payments ─────────────────────────────────────────────────────────────────────────────────────
def _resolve_payments(plan: Plan) -> None:
    rows = plan.rows
    by_number = {row.number: row for row in rows.invoices}
    known = _rows_taken_before(plan)
    seen: Counter[tuple[Any, ...]] = Counter()
    groups: dict[tuple[Any, ...], Remittance] = {}
    ours: set[str] = set()
    for chunk in _chunks({r.invoice for r in rows.payments} - set(plan.invoices) - set(by_number)):
        ours.update(
            Invoice.objects.filter(imported=False, number__in=chunk).values_list(
                "number", flat=True
            )
        )
    for row in rows.payments:
        target: InvoiceRow | Invoice | None = by_number.get(row.invoice)
        if row.invoice in rows.refused_numbers:
            continue
        target = target or plan.invoices.get(row.invoice)
        if target is None:
            if "invoices" not in rows.unread:
                reason = (
                    _("%(number)s was issued here: record the payment on its own page.")
                    if row.invoice in ours
                    else _("No invoice has the number %(number)s.")
                )
                _complain(plan, "payments", row.line, "invoice", reason % {"number": row.invoice})
            continue
        if target.is_credit_note:
            reason = _(
                "%(number)s is a credit note; a payment settles an invoice. Leave the row out, "
                "or name the invoice."
            ) % {"number": row.invoice}
            _complain(plan, "payments", row.line, "invoice", reason)
            continue
        if target.currency != row.currency:
            reason = _("%(number)s is in %(currency)s: convert the payment or correct the row.")
            reason %= {"number": row.invoice, "currency": target.currency}
            _complain(plan, "payments", row.line, "currency", reason)
            continue
        natural = _natural_key(row)
        seen[natural] += 1
        if seen[natural] <= known[natural]:
            plan.unchanged["payments"] += 1
            continue
        plan.occurrences[row.line] = seen[natural]
        client_key = _client_key(plan, target)
        group: tuple[Any, ...] = (row.line,)
        if row.reference:
            group = (client_key, row.received_on, row.currency, row.reference, row.method)
        groups.setdefault(group, Remittance(client_key, [])).rows.append(row)
    plan.remittances = list(groups.values())
    _refuse_known_remittances(plan)


def _client_key(plan: Plan, target: InvoiceRow | Invoice) -> str:
    """Of a client that is here the primary key: names may be shared."""
    client: Client | None
    if isinstance(target, Invoice):
        client = target.client
    else:
        client = plan.clients.get(key_of(target.client))
    if client is None:
        return key_of(str(target.client))
    plan.clients[f"#{client.pk}"] = client
    return f"#{client.pk}"


def _natural_key(row: PaymentRow) -> tuple[Any, ...]:
    return (
        row.invoice,
        row.received_on,
        row.currency,
        row.amount_minor,
        row.reference,
        row.method,
    )


def _rows_taken_before(plan: Plan) -> Counter[tuple[Any, ...]]:
    numbers = {invoice.pk: number for number, invoice in plan.invoices.items()}
    found: Counter[tuple[Any, ...]] = Counter()
    if not plan.rows.payments:
        return found
    for chunk in _chunks(numbers):
        for invoice, *rest in ImportedPaymentRow.objects.filter(invoice__in=chunk).values_list(
            "invoice_id", "received_on", "currency", "amount_minor", "reference", "method"
        ):
            found[(numbers[invoice], *rest)] += 1
    return found


def _refuse_known_remittances(plan: Plan) -> None:
    """`a_remittance_is_recorded_once`: told in a sentence before the database says it."""
    references = {r.rows[0].reference for r in plan.remittances if r.rows[0].reference}
    taken: set[tuple[Any, ...]] = set()
    for chunk in _chunks(references):
        taken.update(
            (client, reference, day, amount, currency)
            for client, reference, day, amount, currency in Payment.objects.filter(
                reference__in=chunk
            ).values_list("client_id", "reference", "received_on", "amount_minor", "currency")
        )
    kept: list[Remittance] = []
    for remittance in plan.remittances:
        first = remittance.rows[0]
        client = plan.clients.get(remittance.client_key)
        key = (
            client.pk if client else remittance.client_key,
            first.reference,
            first.received_on,
            remittance.amount_minor,
            first.currency,
        )
        if first.reference and key in taken:
            _complain(
                plan,
                "payments",
                first.line,
                "reference",
                _(
                    "A payment of %(amount)s with the reference “%(reference)s” of that day is "
                    "recorded already: leave the row out, or give it a reference of its own."
                )
                % {
                    "amount": formatted_minor(remittance.amount_minor, first.currency),
                    "reference": first.reference[:60],
                },
            )
            continue
        taken.add(key)
        kept.append(remittance)
    plan.remittances = kept


# ─ Balances ─────────────────────────────────────────────────────────────────────────────────────
def _settle(plan: Plan) -> None:
    """What each credit note and payment takes of its invoice, in the order of their days.

    On one day the credit note comes first: what a payment brings beyond the rest is the client's.
    """
    moves: dict[str, list[tuple[date, int, int, int]]] = {}
    for credit in plan.new_invoices:
        if credit.is_credit_note and credit.corrects:
            moves.setdefault(credit.corrects, []).append(
                (credit.issued_on, 0, credit.line, credit.total_minor)
            )
    for row in plan.new_payments:
        moves.setdefault(row.invoice, []).append((row.received_on, 1, row.line, row.amount_minor))
    new = {row.number: row for row in plan.new_invoices}
    surplus = early = advance = 0
    for number, found in moves.items():
        held = plan.invoices.get(number)
        if held is None and number not in new:
            continue
        left = held.outstanding_minor if held else new[number].total_minor
        issued = _issued_on(held or new[number])
        for day, is_payment, line, amount in sorted(found):
            take = min(left, amount)
            left -= take
            plan.applied["payments" if is_payment else "invoices"][line] = take
            advance += bool(is_payment) and day < issued
            surplus += bool(is_payment) and take < amount
            early += not is_payment and take < amount
    if advance:
        plan.notices.append(
            _("%(count)s payments came before their invoice was issued; they are kept as they are.")
            % {"count": advance}
        )
    if surplus:
        plan.notices.append(
            _(
                "%(count)s payments are larger than what was outstanding; the rest is kept as "
                "unapplied cash of the client."
            )
            % {"count": surplus}
        )
    if early:
        plan.notices.append(
            _(
                "%(count)s credit notes are larger than what was outstanding on their day; the "
                "rest stays as the client's credit."
            )
            % {"count": early}
        )


def _warn_of_numbers(plan: Plan) -> None:
    """Old numbers may look like ours; ours are not disturbed, and staff should know."""
    company = Company.ours()
    if company is None or not plan.new_invoices:
        return
    for kind in Invoice.Kind.values:
        ours = prefix_for(kind, plan.on.year, company)
        alike = [r.number for r in plan.new_invoices if r.kind == kind and ours]
        alike = [number for number in alike if number.startswith(ours)]
        if alike:
            plan.notices.append(
                _(
                    "%(count)s numbers, like %(number)s, look like those that are given here "
                    "(%(prefix)s…). Choose another prefix in Settings before issuing, or two "
                    "invoices may bear the same number."
                )
                % {"count": len(alike), "number": alike[0], "prefix": ours}
            )


# ─ Bringing in ──────────────────────────────────────────────────────────────────────────────────
def apply(
    plan: Plan,
    *,
    by: User | None,
    on: date,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Plan:
    """Write what `plan` says, in one transaction; answers what was written.

    The rows are held against the books anew under lock, as these may have moved since `read`.
    Raises HistoryRefused, or HistoryInterrupted when somebody writes the same rows meanwhile.
    """
    from invoices.history.writing import write

    if plan.complaints:
        raise HistoryRefused(plan)
    try:
        with transaction.atomic():
            # One import at a time, and none beside a change of the company's settings.
            list(Company.objects.select_for_update().filter(pk=1))
            found = resolve(plan.rows, on=on, lock=True)
            found.complaints = _in_order(plan.rows, found.complaints)
            if found.complaints:
                raise HistoryRefused(found)
            write(found, by=by, on=on, progress=progress)
    except IntegrityError as problem:
        raise HistoryInterrupted(
            _(
                "Somebody recorded one of these rows at the same moment, so nothing was brought "
                "in. Look at the preview again. (%(problem)s)"
            )
            % {"problem": str(problem).splitlines()[0]}
        ) from problem
    return found


def report(plan: Plan) -> dict[str, Any]:
    """The plan as JSON, for the page and for `--format json`."""
    return {
        "counts": plan.counts(),
        "totals": plan.totals(),
        "writes": plan.writes,
        "unread": sorted(plan.rows.unread),
        "new_types": list(plan.new_types.values()),
        "new_people": plan.new_people[:SHOWN_PEOPLE],
        "more_new_people": max(0, len(plan.new_people) - SHOWN_PEOPLE),
        "notices": plan.notices,
        "refused": len(plan.complaints),
        "complaints": [
            {"file": c.file, "line": c.line, "column": c.column, "reason": c.reason}
            for c in plan.complaints[:SHOWN_COMPLAINTS]
        ],
        "changes": [
            {"name": c.client.name, "fields": [[f, a, b] for f, (a, b) in c.fields.items()]}
            for c in plan.changes[: 4 * SHOWN_ROWS]
        ],
        "first_clients": [
            {"name": r.name, "client_type": r.client_type, "currency": r.currency}
            for r in plan.new_clients[:SHOWN_ROWS]
        ],
        "first_invoices": [
            {
                "number": r.number,
                "kind": r.kind,
                "client": r.client,
                "issued_on": r.issued_on.isoformat(),
                "due_on": r.due_on.isoformat(),
                "currency": r.currency,
                "total_minor": r.total_minor,
            }
            for r in plan.new_invoices[:SHOWN_ROWS]
        ],
        "first_payments": [
            {
                "invoice": r.invoice,
                "received_on": r.received_on.isoformat(),
                "currency": r.currency,
                "amount_minor": r.amount_minor,
                "reference": r.reference,
            }
            for r in plan.new_payments[:SHOWN_ROWS]
        ],
    }
