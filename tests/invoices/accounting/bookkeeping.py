"""A company's books as a desk makes them, act by act, and what they come to in a journal."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal

from moneyed import Money

from billing_portal.money import from_minor
from invoices.accounting.journal.exporting import making_of
from invoices.accounting.journal.journal import entries
from invoices.accounting.journal.making import Span
from invoices.invoicing import crediting
from invoices.invoicing.freezing import IssueRefused
from invoices.models import Allocation, ExchangeRate, Invoice, Payment, Refund
from invoices.payments import applying, recording, refunding, reversing
from invoices.payments.applying import PaymentRefused
from tests.factories import make_client, make_company, make_draft

FIRST = date(2026, 1, 5)
ALWAYS = Span(date(2000, 1, 1), date(2099, 12, 31), with_history=True)
RATES = ["0.91234567", "0.87", "1.03333333", "0.95"]
LINES = [
    [("100.00", 20, "services")],
    [("33.33", 20, "services"), ("77.77", 20, "goods"), ("9.99", 10, "services")],
    [("1234.56", 5.5, "goods"), ("0.03", 20, "services"), ("-10.00", 20, "services")],
    [("10.01", 20, "goods"), ("20.02", 10, "goods"), ("30.03", 5.5, "services")],
]


def issued(client, lines, on):
    draft = make_draft(client=client, on=on)
    from invoices.invoicing import drafting, issuing

    rows = [
        {
            "description": f"Line {n}",
            "quantity": Decimal(1),
            "unit_price": Decimal(price),
            "vat_rate": Decimal(str(rate)),
            "nature": nature,
        }
        for n, (price, rate, nature) in enumerate(lines)
    ]
    problems = drafting.save_draft(
        invoice_id=draft.pk, header={"title": "Work"}, lines=rows, by=None
    )
    assert not problems, problems
    return issuing.issue(invoice_id=draft.pk, by=None, on=on)


class Desk:
    """Two clients, one billed in another currency; each act is real, and may be refused."""

    def __init__(self, **company):
        make_company(**company)
        self.clients = [make_client(), make_client(currency="USD")]
        self.on = FIRST
        # Young enough on every day: else nothing with VAT would be issued in dollars.
        ExchangeRate.objects.bulk_create(
            ExchangeRate(
                currency="USD",
                on=FIRST + timedelta(days=4 * n - 4),
                rate=RATES[n % len(RATES)],
                source="ECB",
            )
            for n in range(60)
        )

    def act(self, name, which, part, days):
        self.on += timedelta(days=days)
        with suppress(PaymentRefused, IssueRefused):
            getattr(self, name)(which, part)

    def _one(self, rows, which):
        rows = list(rows)
        return rows[which % len(rows)] if rows else None

    def bill(self, which, part):
        issued(self.clients[which % 2], LINES[part % len(LINES)], self.on)

    def pay(self, which, part):
        client = self.clients[which % 2]
        owed = list(recording.owed_by(client.pk, client.currency)[:2])
        spread = [(i.pk, max(1, i.outstanding_minor * (part % 5 + 1) // 5)) for i in owed]
        kept = part * 137 % 400
        total = sum(minor for _pk, minor in spread) + kept
        if not total:
            return
        charges = 77 if part % 3 == 0 and total > 200 else 0
        recording.record_payment(
            client_id=client.pk,
            amount=from_minor(total - charges, client.currency),
            charges=from_minor(charges, client.currency),
            received_on=self.on - timedelta(days=part % 4),
            reference="",
            method="transfer",
            by=None,
            allocations=[(pk, from_minor(minor, client.currency)) for pk, minor in spread],
        )

    def put(self, which, part):
        """Money that lay there, on the oldest invoice."""
        payment = self._one(Payment.objects.unapplied(), which)
        if payment and (owed := recording.owed_by(payment.client_id, payment.currency).first()):
            minor = min(payment.amount_minor - payment.allocated_minor, owed.outstanding_minor)
            recording.allocate_unapplied(
                payment_id=payment.pk,
                allocations=[(owed.pk, from_minor(minor, payment.currency))],
                by=None,
                on=self.on,
            )

    def credit(self, which, part):
        invoice = self._one(Invoice.objects.invoices().issued(), which)
        if invoice:
            minor = max(1, invoice.total_minor * (part % 4 + 1) // 4)
            crediting.issue_credit_note(
                invoice_id=invoice.pk,
                amount=from_minor(minor, invoice.currency),
                reason="Wrong",
                by=None,
                on=self.on,
            )

    def use(self, which, part):
        note = self._one(Invoice.objects.credit_notes().filter(status="issued"), which)
        if note and (owed := recording.owed_by(note.client_id, note.currency).first()):
            minor = min(note.outstanding_minor, owed.outstanding_minor)
            applying.apply_credit_note(
                credit_note_id=note.pk,
                invoice_id=owed.pk,
                amount=from_minor(minor, note.currency),
                by=None,
                on=self.on,
            )

    def give_up(self, which, part):
        invoice = self._one(Invoice.objects.outstanding(), which)
        if invoice:
            minor = max(1, invoice.outstanding_minor * (part % 3 + 1) // 3)
            applying.write_off(
                invoice_id=invoice.pk,
                amount=from_minor(minor, invoice.currency),
                reason="Gone",
                by=None,
                on=self.on,
            )

    def claim(self, which, part):
        row = self._one(Allocation.objects.filter(kind="write_off", amount_minor__gt=0), which)
        if row:
            applying.take_back_write_off(allocation_id=row.pk, reason="Pays", by=None, on=self.on)

    def refund(self, which, part):
        client = self.clients[which % 2]
        refunding.refund_client(
            client_id=client.pk,
            amount=Money(part % 40 + 1, client.currency),
            refunded_on=self.on,
            reference="",
            method="transfer",
            reason="Too much",
            by=None,
            on=self.on,
        )

    def refund_back(self, which, part):
        row = self._one(Refund.objects.filter(reverses=None), which)
        if row:
            refunding.take_back_refund(refund_id=row.pk, reason="Back", by=None, on=self.on)

    def bounce(self, which, part):
        payment = self._one(Payment.objects.filter(reverses=None), which)
        if payment and part % 2:
            reversing.reverse_payment(payment_id=payment.pk, by=None, on=self.on, reason="Bounced")
        elif payment:
            reversing.undo_payment(payment_id=payment.pk, by=None)


ACTS = [
    "bill", "bill", "pay", "pay", "put", "credit", "use", "give_up", "claim", "refund",
    "refund_back", "bounce",
]  # fmt: skip


def journal(span=ALWAYS):
    making = making_of(span)
    found = list(entries(making))
    return found, making


def balances(found, key=lambda posting: posting.account.number):
    sums = {}
    for entry in found:
        for posting in entry.postings:
            name = key(posting)
            sums[name] = sums.get(name, 0) + posting.debit - posting.credit
    return sums
