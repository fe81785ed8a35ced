"""Writing a resolved plan: bulk rows, in the order in which they lean on each other.

New invoices are inserted with their final balance; allocations stand beside them from the start.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, TypeVar

from django.db import models
from django.utils import timezone

from billing_portal.accounts.models import User
from invoices.company.rates import Rates
from invoices.history.plan import PLAIN_FIELDS, Plan, chunks
from invoices.history.rows import ClientRow, InvoiceRow, PaymentRow, key_of
from invoices.models import (
    Allocation,
    Client,
    ClientType,
    Company,
    ImportedPaymentRow,
    Invoice,
    InvoiceEvent,
    PastSettlement,
    Payment,
)
from invoices.payments.settling import (
    BALANCE_FIELDS,
    STEP_COLUMNS,
    Settled,
    past_settlements,
    room_from,
    settlement,
    write_balance,
)

BATCH = 2_000
M = TypeVar("M", bound=models.Model)
Progress = Callable[[int, int], None]


def write(plan: Plan, *, by: User | None, on: date, progress: Progress) -> None:
    """Inside the caller's transaction, with the rows that change locked by it."""
    _Writer(plan, by, on, progress).write()


class _Writer:
    def __init__(self, plan: Plan, by: User | None, on: date, progress: Progress) -> None:
        self.plan, self.by, self.on, self.progress = plan, by, on, progress
        self.company = Company.ours() or Company()
        self.types: dict[str, ClientType] = {}
        self.people: dict[str, User] = {}
        self.clients = dict(plan.clients)
        self.invoices = dict(plan.invoices)
        self.issued = {row.number: row.issued_on for row in plan.new_invoices}
        self.before = self._held_steps()
        # Line of a payment → the day on which it took effect.
        self.days: dict[int, date] = {}
        self.done = 0
        # What is written in all: the bar moves with each batch of rows.
        self.total = plan.writes + len(plan.new_invoices) + 2 * len(plan.new_payments)

    def write(self) -> None:
        self.progress(0, self.total)
        self._people_and_types()
        self._clients()
        self._invoices_and_payments()

    def insert(self, model: type[M], rows: Sequence[M]) -> None:
        for start in range(0, len(rows), BATCH):
            part = rows[start : start + BATCH]
            model._default_manager.bulk_create(part, batch_size=BATCH)
            self.done += len(part)
            self.progress(min(self.done, self.total), self.total)

    # ─ Who ──────────────────────────────────────────────────────────────────────────────────────
    def _people_and_types(self) -> None:
        plan = self.plan
        for email in plan.new_people:
            # Sales who cannot sign in until an administrator invites them.
            User.objects.create_user(email, name=_name_of(email), role=User.Role.SALES)
        wanted = {row.owner_email for row in plan.rows.clients if row.owner_email}
        self.people = {u.email.lower(): u for u in User.objects.all() if u.email.lower() in wanted}
        taken = set(ClientType.objects.values_list("mark", flat=True))
        position = ClientType.objects.aggregate(most=models.Max("position"))["most"] or 0
        marks = {str(label).casefold(): value for value, label in ClientType.Mark.choices}
        for key, name in plan.new_types.items():
            mark = marks.get(key, ClientType.Mark.NONE.value)
            position = min(position + 1, 32_000)
            ClientType.objects.create(
                name=name,
                mark=ClientType.Mark.NONE if mark in taken else mark,
                position=position,
            )
            taken.add(mark)
        self.types = {key_of(t.name): t for t in ClientType.objects.all()}

    def _clients(self) -> None:
        rows = [(row, self._client(row)) for row in self.plan.new_clients]
        self.insert(Client, [client for _row, client in rows])
        self.clients.update({row.key: client for row, client in rows})
        changed: list[Client] = []
        names: set[str] = set()
        for change in self.plan.changes:
            row, client = change.row, change.client
            for name in change.fields:
                names.add(name)
                if name == "client_type":
                    client.client_type = self.types[key_of(row.client_type)]
                elif name == "owner":
                    client.owner = self.people[row.owner_email]
                else:
                    setattr(client, name, getattr(row, name))
            client.updated_at = timezone.now()
            changed.append(client)
        if changed:
            names.add("updated_at")
            Client.objects.bulk_update(changed, sorted(names), batch_size=500)
            self.done += len(changed)

    def _client(self, row: ClientRow) -> Client:
        company = self.company
        given: dict[str, Any] = {
            "country": company.country,
            "currency": company.currency,
            "language": company.language,
            "terms_days": company.terms_days,
            "terms_kind": company.terms_kind,
        }
        for attribute, name in PLAIN_FIELDS.items():
            if getattr(row, attribute) not in ("", None):
                given[name] = getattr(row, attribute)
        if row.terms_days is not None:
            given["terms_kind"] = "net"
        return Client(
            name=row.name,
            client_type=self.types[key_of(row.client_type)],
            owner=self.people.get(row.owner_email),
            **given,
        )

    # ─ What they owe ────────────────────────────────────────────────────────────────────────────
    def _invoices_and_payments(self) -> None:
        plan = self.plan
        steps, credited = self._steps()
        rates = Rates(self.company.currency)
        for is_credit in (False, True):
            rows = [row for row in plan.new_invoices if row.is_credit_note == is_credit]
            made = [self._invoice(row, rates) for row in rows]
            for row, invoice in zip(rows, made, strict=True):
                assert invoice.issue_date is not None
                taken = credited.get(row.line, 0) if is_credit else 0
                applied = [Settled(Allocation.Kind.CREDIT, taken, row.issued_on)] if taken else []
                found = applied if is_credit else steps.get(row.number, [])
                write_balance(invoice, settlement(invoice.total_minor, invoice.issue_date, found))
            self.insert(Invoice, made)
            self.invoices.update({invoice.number: invoice for invoice in made})
        self._update_held(steps)
        payments = [
            Payment(
                client=self.clients[remittance.client_key],
                received_on=remittance.rows[0].received_on,
                currency=remittance.rows[0].currency,
                amount_minor=remittance.amount_minor,
                allocated_minor=sum(
                    plan.applied["payments"].get(row.line, 0) for row in remittance.rows
                ),
                reference=remittance.rows[0].reference,
                method=remittance.rows[0].method,
                imported=True,
                occurrence=remittance.occurrence,
                recorded_by=self.by,
            )
            for remittance in plan.remittances
        ]
        self.insert(Payment, payments)
        self._allocations(payments)

    def _steps(self) -> tuple[dict[str, list[Settled]], dict[int, int]]:
        """What settles each invoice, by number; and what each credit note gives, by line."""
        plan = self.plan
        steps: dict[str, list[Settled]] = defaultdict(list)
        credited = plan.applied["invoices"]
        for row in plan.new_invoices:
            if amount := credited.get(row.line, 0):
                steps[row.corrects].append(Settled(Allocation.Kind.CREDIT, amount, row.issued_on))
        for payment in plan.new_payments:
            if amount := plan.applied["payments"].get(payment.line, 0):
                day = self._effective(payment, amount)
                steps[payment.invoice].append(Settled(Allocation.Kind.PAYMENT, amount, day))
        return steps, credited

    def _observed_from(self, row: InvoiceRow) -> date | None:
        """Open items alone were brought in: their brothers paid before are not known."""
        go_live = self.plan.rows.go_live
        if go_live is None or row.is_credit_note or row.issued_on >= go_live:
            return None
        return go_live

    def _held_steps(self) -> dict[str, list[Settled]]:
        """By number, what settled the invoices that were here before."""
        found: dict[str, list[Settled]] = defaultdict(list)
        numbers = {invoice.pk: number for number, invoice in self.plan.invoices.items()}
        for part in chunks(numbers):
            rows = Allocation.objects.filter(invoice__in=part).order_by("pk")
            for pk, *step in rows.values_list("invoice_id", *STEP_COLUMNS):
                found[numbers[pk]].append(Settled(*step))
        return found

    def _effective(self, payment: PaymentRow, amount: int) -> date:
        """The later of value date and issue date, and not a day on which it was settled."""
        held = self.plan.invoices.get(payment.invoice)
        issued = held.issue_date if held else self.issued[payment.invoice]
        assert issued is not None
        day = max(payment.received_on, issued)
        before = self.before[payment.invoice]
        if held and any(step.amount_minor < 0 for step in before):
            day = room_from(day, amount, held.total_minor, before)
        self.days[payment.line] = day
        return day

    def _invoice(self, row: InvoiceRow, rates: Rates) -> Invoice:
        client = self.clients[key_of(row.client)]
        return Invoice(
            kind=row.kind,
            imported=True,
            number=row.number,
            client=client,
            buyer_name=client.name,
            client_type_id=client.client_type_id,
            owner_id=client.owner_id,
            corrects=self.invoices[row.corrects] if row.corrects else None,
            title=row.title,
            language=client.language,
            currency=row.currency,
            issue_date=row.issued_on,
            due_date=row.due_on,
            terms_kind="net",
            terms_days=min((row.due_on - row.issued_on).days, 32_000),
            due_date_typed=True,
            net_minor=row.net_minor,
            vat_minor=row.vat_minor,
            total_minor=row.total_minor,
            exchange_rate=rates.on(row.currency, row.issued_on),
            created_by=self.by,
            observed_from=self._observed_from(row),
        )

    def _update_held(self, steps: dict[str, list[Settled]]) -> None:
        """Invoices that were here before, and gain a payment or a credit note now."""
        held = [self.plan.invoices[number] for number in steps if number in self.plan.invoices]
        past: list[PastSettlement] = []
        for invoice in held:
            assert invoice.issue_date is not None
            all_steps = self.before[invoice.number] + steps[invoice.number]
            found = settlement(invoice.total_minor, invoice.issue_date, all_steps)
            write_balance(invoice, found)
            past += past_settlements(invoice, found)
        if held:
            Invoice.objects.bulk_update(held, BALANCE_FIELDS, batch_size=500)
            PastSettlement.objects.filter(invoice__in=held).delete()
            PastSettlement.objects.bulk_create(past, batch_size=BATCH)

    def _allocations(self, payments: list[Payment]) -> None:
        plan, by = self.plan, self.by
        allocations: list[Allocation] = []
        taken: list[ImportedPaymentRow] = []
        events = [
            InvoiceEvent(
                invoice=self.invoices[row.number],
                kind=InvoiceEvent.Kind.IMPORTED,
                on=self.on,
                by=by,
                data={
                    "number": row.number,
                    "total_minor": row.total_minor,
                    "currency": row.currency,
                    "issue_date": row.issued_on.isoformat(),
                    "due_date": row.due_on.isoformat(),
                },
            )
            for row in plan.new_invoices
        ]
        for row in plan.new_invoices:
            if amount := plan.applied["invoices"].get(row.line, 0):
                target, credit = self.invoices[row.corrects], self.invoices[row.number]
                allocations.append(
                    Allocation(
                        kind=Allocation.Kind.CREDIT,
                        invoice=target,
                        credit_note=credit,
                        amount_minor=amount,
                        applied_on=row.issued_on,
                        by=by,
                    )
                )
                events.append(
                    InvoiceEvent(
                        invoice=target,
                        kind=InvoiceEvent.Kind.CREDITED,
                        on=row.issued_on,
                        by=by,
                        data={
                            "number": credit.number,
                            "credit_note_id": credit.pk,
                            "amount_minor": amount,
                            "total_minor": row.total_minor,
                            "currency": row.currency,
                        },
                    )
                )
        for remittance, payment in zip(plan.remittances, payments, strict=True):
            for paid in remittance.rows:
                invoice = self.invoices[paid.invoice]
                taken.append(
                    ImportedPaymentRow(
                        invoice=invoice,
                        payment=payment,
                        received_on=paid.received_on,
                        currency=paid.currency,
                        amount_minor=paid.amount_minor,
                        reference=paid.reference,
                        method=paid.method,
                        occurrence=plan.occurrences[paid.line],
                    )
                )
                amount = plan.applied["payments"].get(paid.line, 0)
                if not amount:
                    continue
                allocations.append(
                    Allocation(
                        kind=Allocation.Kind.PAYMENT,
                        invoice=invoice,
                        payment=payment,
                        amount_minor=amount,
                        applied_on=self.days[paid.line],
                        by=by,
                    )
                )
                events.append(
                    InvoiceEvent(
                        invoice=invoice,
                        kind=InvoiceEvent.Kind.PAID,
                        on=paid.received_on,
                        by=by,
                        data={
                            "amount_minor": amount,
                            "currency": paid.currency,
                            "reference": paid.reference,
                            "payment": payment.pk,
                        },
                    )
                )
        self.insert(Allocation, allocations)
        self.insert(ImportedPaymentRow, taken)
        self.insert(InvoiceEvent, events)


def _name_of(email: str) -> str:
    """A name to show until the person's own is known: lea.martin@… is Lea Martin."""
    words = email.split("@")[0].replace("_", ".").replace("-", ".").split(".")
    return " ".join(word.capitalize() for word in words if word)[:255]
