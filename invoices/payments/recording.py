"""Money received: recorded, and spread over invoices; reversing.py takes it back.

Rows are locked in one order everywhere (the payment, then invoices and credit notes by primary
key), so that two clerks wait for each other instead of deadlocking.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date

from django.db import IntegrityError, transaction
from django.db.models import Max, Q, QuerySet
from django.utils.translation import gettext as _
from moneyed import Money

from billing_portal.accounts.models import User
from billing_portal.dates import day
from billing_portal.money import formatted, from_minor, to_minor
from invoices.models import Client, Invoice, InvoiceEvent, Payment
from invoices.models.invoices import InvoiceQuerySet
from invoices.payments.alike import not_yet_answered, payments_alike
from invoices.payments.allocating import allocate
from invoices.payments.applying import (
    PaymentRefused,
    check_period,
    check_takes,
    checked_amount,
    locked_invoices,
)
from invoices.payments.reversing import is_reversed, locked_payment

EARLIEST = date(2000, 1, 1)
Allocations = Sequence[tuple[int, Money]]


class LooksAlike(PaymentRefused):
    """It may be money that is here already: somebody has to say whether it is."""

    def __init__(self, payments: list[Payment]) -> None:
        super().__init__(_("Say whether it is the same money. Nothing was recorded."))
        self.payments = payments


# ─ Record ───────────────────────────────────────────────────────────────────────────────────────


def record_payment(
    *,
    client_id: int,
    amount: Money,
    received_on: date,
    reference: str,
    method: str,
    by: User | None,
    allocations: Allocations,
    on: date | None = None,
    note: str = "",
    other_than: Collection[int] | None = None,
    charges: Money | None = None,
    instalment: int | None = None,
) -> Payment:
    """Record money received; `received_on` is the value date at our bank.

    `amount` is what the bank's line shows; with the `charges` that the bank kept of it, it is what
    the client paid and what settles.

    What no invoice takes stays unapplied cash of the client. Raises PaymentRefused. `on` is today:
    a value date after it is refused. `instalment` is the one of its invoice that is settled first,
    before the oldest. `other_than` are payments that somebody was asked about and
    said are other money; given, one that looks like this and is not among them raises LooksAlike.
    """
    reference, note = reference.strip(), note.strip()
    charges_minor = _checked_charges(charges, amount)
    amount_minor = checked_amount(amount) + charges_minor
    _check_day(received_on, on)
    if method not in Payment.Method.values:
        raise PaymentRefused(_("Choose how it was paid."))
    if len(reference) > 140 or len(note) > 300:
        raise PaymentRefused(_("The reference has at most 140 characters, the note 300."))
    with transaction.atomic():
        # Locked, so that the second of two tabs sees what the first one recorded.
        client = Client.objects.select_for_update(of=("self",)).filter(pk=client_id).first()
        if client is None:
            raise PaymentRefused(_("This client is no longer here."))
        if other_than is not None and (
            alike := not_yet_answered(alike_to(client, amount, received_on, reference), other_than)
        ):
            raise LooksAlike(alike)
        payment = _kept(
            Payment(
                client=client,
                received_on=received_on,
                currency=amount.currency.code,
                amount_minor=amount_minor,
                charges_minor=charges_minor,
                reference=reference,
                method=method,
                note=note,
                recorded_by=by,
            )
        )
        payment.other_than.set(other_than or [])
        _spread(payment, allocations, by=by, instalment=instalment)
        return payment


def _checked_charges(charges: Money | None, amount: Money) -> int:
    """In minor units; more than arrived was kept by no bank."""
    if charges is None or not charges.amount:
        return 0
    if charges.currency != amount.currency:
        raise PaymentRefused(_("The bank’s charges are in the currency of its line."))
    minor = checked_amount(charges)
    if minor > checked_amount(amount):
        raise PaymentRefused(_("The bank kept more than arrived: check the charges."))
    return minor


def alike_to(client: Client, amount: Money, received_on: date, reference: str) -> QuerySet[Payment]:
    """The payments about which somebody is asked whether this is the same money."""
    found = payments_alike(
        client_id=client.pk, amount=amount, received_on=received_on, reference=reference
    )
    # The very same remittance is refused, in words of its own.
    if reference:
        found = found.exclude(client=client, reference=reference, received_on=received_on)
    return found


def _kept(payment: Payment) -> Payment:
    """The new row, unless this very remittance is here. Its client is locked."""
    payment.occurrence = _occurrence(payment)
    try:
        with transaction.atomic():
            payment.save(force_insert=True)
    except IntegrityError:
        raise PaymentRefused(_already_recorded(payment)) from None
    return payment


def _equal(payment: Payment) -> QuerySet[Payment]:
    """The rows of the same remittance."""
    return Payment.objects.filter(
        client=payment.client,
        reference=payment.reference,
        received_on=payment.received_on,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
    )


def _occurrence(payment: Payment) -> int:
    """The next one where all equal remittances were undone right after they were typed: those were
    slips, and the money itself is recorded once more."""
    equal = _equal(payment)
    undone = Q(reversed_by__note="", reversed_by__imported=False)
    if not payment.reference or equal.exclude(undone).exists():
        return 1
    return 1 + (equal.aggregate(last=Max("occurrence"))["last"] or 0)


def allocate_unapplied(
    *,
    payment_id: int,
    allocations: Allocations,
    by: User | None,
    on: date,
    instalment: int | None = None,
) -> Payment:
    """Settle invoices with cash that was not applied yet; its value date stays what it was."""
    with transaction.atomic():
        payment = locked_payment(payment_id)
        if payment.reverses_id is not None or is_reversed(payment):
            raise PaymentRefused(_("This payment was reversed."))
        if not allocations:
            raise PaymentRefused(_("Choose an invoice to settle."))
        _spread(payment, allocations, by=by, instalment=instalment)
        return payment


def owed_by(client_id: int, currency: str) -> InvoiceQuerySet:
    """What the client's account owes in one currency, oldest due first."""
    return (
        Invoice.objects.outstanding()
        .filter(client__in=Client.objects.account_of(client_id), currency=currency)
        .order_by("next_due", "issue_date", "pk")
    )


def propose_allocations(client: Client, amount: Money) -> list[tuple[Invoice, Money]]:
    """Oldest due first, until the amount is used up."""
    left = to_minor(amount)
    found: list[tuple[Invoice, Money]] = []
    for invoice in owed_by(client.pk, amount.currency.code).iterator(chunk_size=200):
        if left <= 0:
            break
        part = min(left, invoice.outstanding_minor)
        found.append((invoice, from_minor(part, invoice.currency)))
        left -= part
    return found


def is_before_issue(received_on: date, invoices: Iterable[Invoice]) -> list[Invoice]:
    """Invoices issued after the value date: worth a second look, not a refusal (prepayment)."""
    return [i for i in invoices if i.issue_date is not None and i.issue_date > received_on]


def _already_recorded(payment: Payment) -> str:
    values = {
        "amount": formatted(payment.amount),
        "reference": payment.reference,
        "day": day(payment.received_on),
        "client": payment.client.name,
    }
    if not _equal(payment).filter(reversed_by__isnull=True).exists():
        text = _(
            "%(amount)s with the reference %(reference)s was recorded for %(client)s and "
            "reversed. If the money is there after all, add a word to the reference."
        )
    else:
        text = _(
            "%(amount)s with the reference %(reference)s and value date %(day)s is already "
            "recorded for %(client)s."
        )
    return text % values


def _check_day(received_on: date, on: date | None) -> None:
    if received_on < EARLIEST:
        raise PaymentRefused(
            _("The value date is before %(day)s: check the year.") % {"day": day(EARLIEST)}
        )
    if on is not None and received_on > on:
        raise PaymentRefused(_("The value date is in the future."))
    check_period(received_on)


def _spread(
    payment: Payment,
    allocations: Allocations,
    *,
    by: User | None,
    instalment: int | None = None,
) -> None:
    wanted: dict[int, int] = {}
    for invoice_id, part in allocations:
        if part.currency.code != payment.currency:
            raise PaymentRefused(
                _("The payment is in %(currency)s; an allocation is in %(other)s.")
                % {"currency": payment.currency, "other": part.currency.code}
            )
        wanted[invoice_id] = wanted.get(invoice_id, 0) + checked_amount(part)
    invoices = locked_invoices(wanted)
    account = set(Client.objects.account_of(payment.client_id).values_list("pk", flat=True))
    free = payment.amount_minor - payment.allocated_minor
    if sum(wanted.values()) > free:
        raise PaymentRefused(
            _("%(wanted)s are spread over invoices, but only %(free)s are there.")
            % {
                "wanted": formatted(from_minor(sum(wanted.values()), payment.currency)),
                "free": formatted(from_minor(free, payment.currency)),
            }
        )
    for invoice_id, minor in sorted(wanted.items()):
        invoice = invoices.get(invoice_id)
        if invoice is None:
            raise PaymentRefused(_("An invoice is no longer here. Nothing was recorded."))
        if invoice.client_id not in account:
            raise PaymentRefused(
                _("%(number)s is an invoice of another client.") % {"number": invoice}
            )
        check_takes(invoice, minor, payment.currency)
        allocate(
            invoice=invoice,
            amount_minor=minor,
            applied_on=payment.received_on,
            by=by,
            payment=payment,
            instalment=instalment,
        )
        InvoiceEvent.objects.create(
            invoice=invoice,
            kind=InvoiceEvent.Kind.PAID,
            on=payment.received_on,
            by=by,
            data={
                "payment_id": payment.pk,
                "amount_minor": minor,
                "currency": invoice.currency,
                "reference": payment.reference,
                "method": payment.method,
                "outstanding_minor": invoice.outstanding_minor,
            },
        )
