"""Bulk data for benchmarks: believable clients, delays and amounts, under the same constraints.

Numbers bear the prefix SEED<seed>- and stand outside our series, as those of history do. Everything
follows from the seed and the day: two machines have the same rows.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from itertools import accumulate
from random import Random
from typing import TypeVar

from django.db import models, transaction
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from invoices.history.batches import BATCH
from invoices.models import (
    Allocation,
    Client,
    ClientType,
    Company,
    Deal,
    DealLine,
    Invoice,
    InvoiceEvent,
    InvoiceLine,
    Payment,
    Pipeline,
    Stage,
    VatBreakdown,
)
from invoices.models.facts import seal_of_document
from invoices.payments.settling import BALANCE_FIELDS, Settled, settlement, write_balance

MONTHS = 60
SETTLED_SHARE = 0.85
LINED_SHARE = 0.1
PART_SHARE = 0.05
CREDITED_SHARE = 0.02
# Rough worth of one unit in euros, for amounts in company currency.
CURRENCIES = {
    "EUR": (0.8, Decimal(1)),
    "USD": (0.12, Decimal("0.92")),
    "GBP": (0.08, Decimal("1.17")),
}
M = TypeVar("M", bound=models.Model)
Progress = Callable[[int, int], None]


class SeedRefused(Exception):
    """The bulk data cannot be made; the message says why."""


@dataclass(frozen=True)
class Behaviour:
    """How a client type buys and pays: days late are log-normal above a floor."""

    name: str
    mark: str
    share: float
    terms_days: int
    earliest: int
    median: float
    spread: float
    amount: float


BEHAVIOURS = (
    Behaviour("Large account", "large", 0.12, 45, -5, 22, 0.55, 9.4),
    Behaviour("SME", "sme", 0.38, 30, -6, 16, 0.75, 8.0),
    Behaviour("Start-up", "startup", 0.16, 30, -8, 20, 0.95, 7.6),
    Behaviour("Public sector", "public", 0.12, 30, 2, 24, 0.5, 9.0),
    Behaviour("Non-profit", "nonprofit", 0.1, 30, -10, 13, 0.7, 7.2),
    Behaviour("International", "intl", 0.12, 60, -3, 28, 0.8, 8.8),
)
_FIRST = "Ark Bel Cor Dun Elo Fer Gal Hel Ist Jor Kel Lor Mar Nov Orb Per Quo Riv Sol Tor".split()  # noqa: SIM905
_SECOND = "amis avel enne idor ilia omer onde une ysée antec orama ulis".split()  # noqa: SIM905
_KIND = "Conseil Industries Santé Logistique Énergie Systèmes Édition Formation & Fils".split()  # noqa: SIM905
_WORK = ("Audit", "Integration", "Training", "Support", "Migration", "Design", "Analysis")


@dataclass
class Seeded:
    clients: int = 0
    invoices: int = 0
    settled: int = 0
    payments: int = 0
    lines: int = 0
    deals: int = 0


@dataclass
class _Batch:
    """Rows that lean on each other, kept until some thousand invoices are together."""

    invoices: list[Invoice] = field(default_factory=list)
    credit_notes: list[Invoice] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    allocations: list[Allocation] = field(default_factory=list)
    events: list[InvoiceEvent] = field(default_factory=list)
    # Drafts while their lines are written: the database gives an issued invoice no line.
    lined: list[Invoice] = field(default_factory=list)
    lines: list[InvoiceLine] = field(default_factory=list)
    breakdown: list[VatBreakdown] = field(default_factory=list)


def seed(
    *,
    invoices: int,
    clients: int,
    seed: int,
    on: date,
    deals: int = 0,
    fast: bool = False,
    progress: Progress = lambda _done, _total: None,
) -> Seeded:
    """Make the rows, in one transaction; `fast` leaves out lines and events. Raises SeedRefused."""
    prefix = f"SEED{seed}-"
    if invoices < 0 or deals < 0 or clients < 1 or seed < 0:
        raise SeedRefused(
            _("Counts and the seed are not negative, and there is a client at least.")
        )
    with transaction.atomic():
        if Invoice.objects.filter(imported=True, number__startswith=prefix).exists():
            raise SeedRefused(
                _("Seed %(seed)s has been sown here already: choose another number.")
                % {"seed": seed}
            )
        return _Sower(seed, on, fast, progress, invoices + deals).sow(invoices, clients, deals)


class _Sower:
    def __init__(self, seed: int, on: date, fast: bool, progress: Progress, total: int) -> None:
        self.seed, self.on, self.fast = seed, on, fast
        self.prefix = f"SEED{seed}-"
        self.rng = Random(f"portal {seed}")  # noqa: S311 - repeatable, not secret
        self.progress, self.total, self.done = progress, total, 0
        self.found = Seeded()
        company = Company.ours()
        self.home = company.currency if company else "EUR"
        days = (on - _months_before(on, MONTHS)).days
        self.days = days
        self.behaviour: dict[int, Behaviour] = {}

    def sow(self, invoices: int, clients: int, deals: int) -> Seeded:
        people = self._people()
        buyers = self._clients(clients, people)
        # Few clients buy much, many a little.
        weights = list(accumulate(1 / (n + 8) ** 0.8 for n in range(len(buyers))))
        self.progress(0, self.total)
        batch = _Batch()
        for n in range(1, invoices + 1):
            client = self.rng.choices(buyers, cum_weights=weights)[0]
            self._invoice(batch, n, client)
            if n % BATCH == 0 or n == invoices:
                self._write(batch)
                batch = _Batch()
                self._step(BATCH if n % BATCH == 0 else n % BATCH)
        self._deals(deals, buyers, weights)
        return self.found

    def _step(self, count: int) -> None:
        self.done += count
        self.progress(self.done, self.total)

    def _people(self) -> list[User]:
        return [
            User.objects.filter(email=email).first()
            or User.objects.create_user(email, name=f"Sales {n}", role=User.Role.SALES)
            for n in range(1, 9)
            for email in (f"sales{n}@seed.example",)
        ]

    def _clients(self, count: int, people: Sequence[User]) -> list[Client]:
        rng = self.rng
        taken = set(ClientType.objects.values_list("mark", flat=True))
        types: dict[str, ClientType] = {}
        for place, b in enumerate(BEHAVIOURS, 1):
            held = ClientType.objects.filter(name__iexact=b.name).first()
            mark = ClientType.Mark.NONE.value if b.mark in taken else b.mark
            types[b.name] = held or ClientType.objects.create(
                name=b.name, mark=mark, position=place
            )
        made: list[Client] = []
        kinds = rng.choices(BEHAVIOURS, [b.share for b in BEHAVIOURS], k=count)
        for n, behaviour in enumerate(kinds, 1):
            currency = rng.choices(list(CURRENCIES), [s for s, _rate in CURRENCIES.values()])[0]
            abroad = behaviour.mark == "intl" or currency != "EUR"
            name = f"{rng.choice(_FIRST)}{rng.choice(_SECOND)} {rng.choice(_KIND)}"
            made.append(
                Client(
                    name=f"{name} {self.seed}-{n}",
                    client_type=types[behaviour.name],
                    owner=rng.choice(people),
                    language="en" if abroad else "fr",
                    currency=currency,
                    terms_days=behaviour.terms_days,
                    address_line1=f"{rng.randint(1, 180)}, rue de la Gare",
                    postal_code=f"{rng.randint(10, 95)}000",
                    city=rng.choice(("Nantes", "Lyon", "Lille", "Rennes", "Bordeaux")),
                    country=rng.choice(("DE", "BE", "GB", "US")) if abroad else "FR",
                    billing_email=f"invoices{n}@client{self.seed}.example",
                )
            )
        _insert(Client, made)
        self.behaviour = {c.pk: b for c, b in zip(made, kinds, strict=True)}
        self.found.clients = count
        return made

    # ─ One invoice and what became of it ────────────────────────────────────────────────────────
    def _invoice(self, batch: _Batch, n: int, client: Client) -> None:
        rng, behaviour = self.rng, self.behaviour[client.pk]
        # A growing business: more of the later days; issued on weekdays.
        issued = self.on - timedelta(days=int(self.days * (1 - rng.random() ** 0.8)))
        issued -= timedelta(days=max(0, issued.weekday() - 4))
        net = max(5_000, int(math.exp(rng.gauss(behaviour.amount, 0.9)) * 100))
        rate = 0 if client.country != "FR" else 20
        vat = (net * rate + 50) // 100
        rates = CURRENCIES[client.currency][1] / CURRENCIES.get(self.home, (0, Decimal(1)))[1]
        invoice = Invoice(
            kind=Invoice.Kind.INVOICE,
            imported=True,
            number=f"{self.prefix}{n:07d}",
            client=client,
            buyer_name=client.name,
            client_type_id=client.client_type_id,
            owner_id=client.owner_id,
            title=f"{rng.choice(_WORK)} {issued:%m/%Y}",
            language=client.language,
            currency=client.currency,
            issue_date=issued,
            due_date=issued + timedelta(days=behaviour.terms_days),
            terms_days=behaviour.terms_days,
            net_minor=net,
            vat_minor=vat,
            total_minor=net + vat,
            exchange_rate=Decimal(1) if client.currency == self.home else rates,
        )
        steps = self._steps(batch, invoice, behaviour)
        write_balance(invoice, settlement(invoice.total_minor, issued, steps))
        self.found.invoices += 1
        self.found.settled += invoice.status == Invoice.Status.SETTLED
        if not self.fast:
            batch.events.append(
                InvoiceEvent(invoice=invoice, kind=InvoiceEvent.Kind.IMPORTED, on=self.on)
            )
            if rng.random() < LINED_SHARE:
                self._lines(batch, invoice, rate)
                return
        batch.invoices.append(invoice)

    def _steps(self, batch: _Batch, invoice: Invoice, behaviour: Behaviour) -> list[Settled]:
        rng, on = self.rng, self.on
        assert invoice.issue_date is not None and invoice.due_date is not None
        left = invoice.total_minor
        steps: list[Settled] = []
        if rng.random() < CREDITED_SHARE:
            credited_on = invoice.issue_date + timedelta(days=rng.randint(3, 30))
            if credited_on <= on:
                amount = left if rng.random() < 0.3 else left // rng.randint(3, 9)
                self._credit(batch, invoice, amount, credited_on)
                batch.events += [] if self.fast else [_credited(invoice, amount, credited_on)]
                steps.append(Settled(Allocation.Kind.CREDIT, amount, credited_on))
                left -= amount
        late = (
            behaviour.earliest
            + behaviour.median * math.exp(rng.gauss(0, behaviour.spread))
            - (behaviour.median / 2)
        )
        paid = max(invoice.issue_date, invoice.due_date + timedelta(days=int(late)))
        # Young ones are open by themselves; of the older ones some never pay.
        if not left or paid > on or rng.random() > SETTLED_SHARE + 0.027:
            if left and paid <= on and rng.random() < 0.3:
                self._pay(batch, invoice, left // 3, paid, steps)
            return steps
        if rng.random() < PART_SHARE:
            first = max(invoice.issue_date, paid - timedelta(days=rng.randint(5, 40)))
            self._pay(batch, invoice, left // 2, first, steps)
            left -= left // 2
        self._pay(batch, invoice, left, paid, steps)
        return steps

    def _pay(
        self, batch: _Batch, invoice: Invoice, amount: int, day: date, steps: list[Settled]
    ) -> None:
        self.found.payments += 1
        payment = Payment(
            client_id=invoice.client_id,
            received_on=day,
            currency=invoice.currency,
            amount_minor=amount,
            allocated_minor=amount,
            reference=f"{invoice.number}/{len(steps) + 1}",
            imported=True,
        )
        batch.payments.append(payment)
        batch.allocations.append(
            Allocation(
                kind=Allocation.Kind.PAYMENT,
                invoice=invoice,
                payment=payment,
                amount_minor=amount,
                applied_on=day,
            )
        )
        steps.append(Settled(Allocation.Kind.PAYMENT, amount, day))
        if not self.fast:
            data = {
                "amount_minor": amount,
                "currency": invoice.currency,
                "reference": payment.reference,
            }
            batch.events.append(
                InvoiceEvent(invoice=invoice, kind=InvoiceEvent.Kind.PAID, on=day, data=data)
            )

    def _credit(self, batch: _Batch, invoice: Invoice, amount: int, day: date) -> None:
        vat = invoice.vat_minor * amount // invoice.total_minor
        note = Invoice(
            kind=Invoice.Kind.CREDIT_NOTE,
            imported=True,
            number=invoice.number.replace("-", "-C", 1),
            client_id=invoice.client_id,
            buyer_name=invoice.buyer_name,
            client_type_id=invoice.client_type_id,
            owner_id=invoice.owner_id,
            corrects=invoice,
            title=invoice.title,
            language=invoice.language,
            currency=invoice.currency,
            issue_date=day,
            due_date=day,
            terms_days=0,
            net_minor=amount - vat,
            vat_minor=vat,
            total_minor=amount,
            exchange_rate=invoice.exchange_rate,
        )
        write_balance(note, settlement(amount, day, [Settled(Allocation.Kind.CREDIT, amount, day)]))
        batch.credit_notes.append(note)
        batch.allocations.append(
            Allocation(
                kind=Allocation.Kind.CREDIT,
                invoice=invoice,
                credit_note=note,
                amount_minor=amount,
                applied_on=day,
            )
        )

    def _lines(self, batch: _Batch, invoice: Invoice, rate: int) -> None:
        batch.lined.append(invoice)
        left, count = invoice.net_minor, self.rng.randint(1, 5)
        for position in range(1, count + 1):
            net = left if position == count else left // (count - position + 1)
            left -= net
            self.found.lines += 1
            batch.lines.append(
                InvoiceLine(
                    invoice=invoice,
                    position=position,
                    description=self.rng.choice(_WORK),
                    unit="DAY",
                    unit_price=Decimal(net) / 100,
                    vat_category="S" if rate else "G",
                    vat_rate=rate,
                    net_minor=net,
                )
            )
        batch.breakdown.append(
            VatBreakdown(
                invoice=invoice,
                category="S" if rate else "G",
                rate=rate,
                basis_minor=invoice.net_minor,
                vat_minor=invoice.vat_minor,
            )
        )

    def _write(self, batch: _Batch) -> None:
        _insert(Invoice, batch.invoices)
        if batch.lined:
            _insert_with_lines(batch)
        _insert(Invoice, batch.credit_notes)
        _insert(Payment, batch.payments)
        _insert(Allocation, batch.allocations)
        _insert(InvoiceEvent, batch.events)

    def _deals(self, count: int, buyers: Sequence[Client], weights: Sequence[float]) -> None:
        if not count:
            return
        rng = self.rng
        pipeline, _made = Pipeline.objects.get_or_create(name="Sales")
        stage, _made = Stage.objects.get_or_create(pipeline=pipeline, name="Won")
        for start in range(0, count, BATCH):
            deals: list[Deal] = []
            lines: list[DealLine] = []
            for n in range(start, min(start + BATCH, count)):
                client = rng.choices(buyers, cum_weights=weights)[0]
                won = self.on - timedelta(days=int(rng.expovariate(1 / 20)) % self.days)
                deal = Deal(
                    title=f"{rng.choice(_WORK)} {self.prefix}D{n + 1}",
                    client=client,
                    owner_id=client.owner_id,
                    stage=stage,
                    status=Deal.Status.WON,
                    currency=client.currency,
                    added_on=won - timedelta(days=rng.randint(10, 90)),
                    won_on=won,
                )
                deals.append(deal)
                for position in range(1, rng.randint(1, 4) + 1):
                    quantity, price = rng.randint(1, 12), rng.randint(30, 1200)
                    deal.value_minor += quantity * price * 100
                    lines.append(
                        DealLine(
                            deal=deal,
                            position=position,
                            name=rng.choice(_WORK),
                            quantity=Decimal(quantity),
                            unit_price=Decimal(price),
                            tax_percent=Decimal(20 if client.country == "FR" else 0),
                        )
                    )
            _insert(Deal, deals)
            _insert(DealLine, lines)
            self.found.deals += len(deals)
            self._step(len(deals))


def _credited(invoice: Invoice, amount: int, day: date) -> InvoiceEvent:
    data = {"amount_minor": amount, "currency": invoice.currency}
    return InvoiceEvent(invoice=invoice, kind=InvoiceEvent.Kind.CREDITED, on=day, data=data)


def _insert(model: type[M], rows: Sequence[M]) -> None:
    if rows:
        model._default_manager.bulk_create(rows, batch_size=BATCH)


def _insert_with_lines(batch: _Batch) -> None:
    """As drafts, then their lines, then issued with their balance, as the database wants it."""
    numbers = [invoice.number for invoice in batch.lined]
    balances = [
        {name: getattr(invoice, name) for name in BALANCE_FIELDS} for invoice in batch.lined
    ]
    for invoice in batch.lined:
        invoice.number, invoice.status = "", Invoice.Status.DRAFT
        invoice.settled_on = invoice.paid_on = invoice.days_late = invoice.days_to_pay = None
    _insert(Invoice, batch.lined)
    _insert(InvoiceLine, batch.lines)
    _insert(VatBreakdown, batch.breakdown)
    lines: dict[int, list[InvoiceLine]] = defaultdict(list)
    for line in batch.lines:
        lines[line.invoice_id].append(line)
    rates = {row.invoice_id: row for row in batch.breakdown}
    for invoice, number, balance in zip(batch.lined, numbers, balances, strict=True):
        invoice.number = number
        for name, value in balance.items():
            setattr(invoice, name, value)
        pk = invoice.pk
        invoice.seal = seal_of_document(
            invoice, lines=lines[pk], vat_breakdown=[rates[pk]] if pk in rates else []
        )
    Invoice.objects.bulk_update(
        batch.lined,
        ["number", "status", "settled_on", "paid_on", "days_late", "days_to_pay", "seal"],
        batch_size=200,
    )


def _months_before(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, 1)
