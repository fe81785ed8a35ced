"""Money received, and what each invoice was settled with."""

from __future__ import annotations

from datetime import date
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from moneyed import Money

from billing_portal.keys import Keyed, KeyedQuerySet, KeyField
from billing_portal.money import from_minor
from invoices.models.clients import Client
from invoices.models.facts import SealField
from invoices.models.instalments import Instalment
from invoices.models.invoices import Invoice

# Money that settled at least this share of the total paid the invoice, whatever closed it: a bank
# fee or a small discount is no withdrawal.
PAID_PERCENT = 98


class PaymentQuerySet(KeyedQuerySet["Payment"]):
    def unapplied(self) -> Self:
        """With cash that no invoice took; a reversed payment and its reversal hold none."""
        return self.filter(
            reverses__isnull=True, reversed_by__isnull=True, allocated_minor__lt=F("amount_minor")
        )

    def unapplied_of(self, clients: models.QuerySet[Client]) -> Self:
        """The same of a few clients, whatever there is of others.

        That it is no reversal is left to its amounts, which are below zero: asked by what it
        reverses, SQLite would go through all payments there are.
        """
        return self.filter(
            client__in=clients, reversed_by__isnull=True, allocated_minor__lt=F("amount_minor")
        )


class Payment(Keyed):
    """Money from a client on a value date; what no invoice took is unapplied cash.

    `amount_minor` is what the client paid, and what settles. Of a foreign transfer our bank may
    have kept some (`charges_minor`, our cost): its line then shows less, `on_bank_line`.

    A wrong payment is answered by a reversing one, with negative amounts: nothing is deleted.
    """

    class Method(models.TextChoices):
        TRANSFER = "transfer", _("Bank transfer")
        CARD = "card", _("Card")
        DIRECT_DEBIT = "direct_debit", _("Direct debit")
        CHEQUE = "cheque", _("Cheque")
        CASH = "cash", _("Cash")
        OTHER = "other", _("Other")

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="payments")
    received_on = models.DateField(_("value date"))
    currency = models.CharField(_("currency"), max_length=3)
    amount_minor = models.BigIntegerField()
    charges_minor = models.BigIntegerField(default=0)
    allocated_minor = models.BigIntegerField(default=0)
    reference = models.CharField(_("remittance reference"), max_length=140, blank=True)
    reference_key = KeyField("reference", max_length=140)
    method = models.CharField(_("method"), max_length=20, choices=Method, default=Method.TRANSFER)
    reverses = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="reversed_by"
    )
    imported = models.BooleanField(default=False)
    # Of equal remittances in a history the how manieth; what is typed here is always the first.
    occurrence = models.PositiveIntegerField(default=1)
    note = models.CharField(max_length=300, blank=True)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    recorded_at = models.DateTimeField(auto_now_add=True)
    seal = SealField("payment")
    # Somebody was asked whether it is the same money as these, and said no.
    other_than = models.ManyToManyField("self", blank=True)

    objects = PaymentQuerySet.as_manager()

    class Meta:
        ordering = ["-received_on", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="allocations_never_exceed_their_payment",
                condition=(
                    Q(
                        reverses__isnull=True,
                        amount_minor__gt=0,
                        allocated_minor__gte=0,
                        allocated_minor__lte=F("amount_minor"),
                    )
                    | Q(
                        reverses__isnull=False,
                        amount_minor__lt=0,
                        allocated_minor__lte=0,
                        allocated_minor__gte=F("amount_minor"),
                    )
                ),
            ),
            models.CheckConstraint(
                name="bank_charges_are_a_part_of_their_payment",
                condition=(
                    Q(
                        reverses__isnull=True,
                        charges_minor__gte=0,
                        charges_minor__lt=F("amount_minor"),
                    )
                    | Q(
                        reverses__isnull=False,
                        charges_minor__lte=0,
                        charges_minor__gt=F("amount_minor"),
                    )
                ),
            ),
            # The same remittance typed twice is one payment.
            models.UniqueConstraint(
                fields=[
                    "client",
                    "reference",
                    "received_on",
                    "amount_minor",
                    "currency",
                    "occurrence",
                ],
                condition=~Q(reference=""),
                name="a_remittance_is_recorded_once",
            ),
        ]
        indexes = [
            models.Index(fields=["received_on", "id"], name="payment_received_on"),
            # What was recorded today, of which nothing is a reversal.
            models.Index(fields=["reverses", "recorded_at"], name="payment_recorded_at"),
        ]

    def __str__(self) -> str:
        return self.reference or f"#{self.pk}"

    @property
    def amount(self) -> Money:
        return from_minor(self.amount_minor, self.currency)

    @property
    def charges(self) -> Money:
        return from_minor(self.charges_minor, self.currency)

    @property
    def on_bank_line(self) -> Money:
        """What our bank shows of it."""
        return from_minor(self.amount_minor - self.charges_minor, self.currency)

    @property
    def allocated(self) -> Money:
        return from_minor(self.allocated_minor, self.currency)

    @property
    def unapplied(self) -> Money:
        return from_minor(self.amount_minor - self.allocated_minor, self.currency)

    @property
    def taken_back_on(self) -> date | None:
        """The day of its reversal. A query for each row unless `reversed_by` came along."""
        reversal: Payment | None = getattr(self, "reversed_by", None)
        return reversal.received_on if reversal else None


class Refund(models.Model):
    """Money that went back to a client: of unapplied cash, or of a credit note nobody used.

    Which money it was say its allocations. One that was a mistake is answered by its mirror, with a
    negative amount: nothing is deleted.
    """

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="refunds")
    refunded_on = models.DateField(_("day"))
    currency = models.CharField(_("currency"), max_length=3)
    amount_minor = models.BigIntegerField()
    reference = models.CharField(_("reference"), max_length=140, blank=True)
    method = models.CharField(
        _("method"), max_length=20, choices=Payment.Method, default=Payment.Method.TRANSFER
    )
    reason = models.CharField(_("reason"), max_length=300)
    reverses = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="reversed_by"
    )
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    recorded_at = models.DateTimeField(auto_now_add=True)
    seal = SealField("refund")

    class Meta:
        ordering = ["-refunded_on", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="a_refund_is_above_zero_and_its_mirror_below",
                condition=Q(reverses__isnull=True, amount_minor__gt=0)
                | Q(reverses__isnull=False, amount_minor__lt=0),
            )
        ]

    def __str__(self) -> str:
        return self.reference or f"#{self.pk}"

    @property
    def amount(self) -> Money:
        return from_minor(self.amount_minor, self.currency)


class Allocation(models.Model):
    """What a part of a payment or of a credit note did, or what was written off of an invoice.

    It settled a part of an invoice, or went back to the client (a refund, without an invoice).
    Append-only; what is wrong is taken back by a row with the negative amount, which names it.
    """

    class Kind(models.TextChoices):
        PAYMENT = "payment", _("Payment")
        CREDIT = "credit", _("Credit note")
        WRITE_OFF = "write_off", _("Write-off")
        REFUND = "refund", _("Refund")

    kind = models.CharField(max_length=10, choices=Kind)
    invoice = models.ForeignKey(
        Invoice, on_delete=models.PROTECT, null=True, blank=True, related_name="allocations"
    )
    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, null=True, blank=True, related_name="allocations"
    )
    credit_note = models.ForeignKey(
        Invoice, on_delete=models.PROTECT, null=True, blank=True, related_name="applications"
    )
    refund = models.ForeignKey(
        Refund, on_delete=models.PROTECT, null=True, blank=True, related_name="allocations"
    )
    # Of an invoice in instalments, which of them it settles: one row for each.
    instalment = models.ForeignKey(
        Instalment, on_delete=models.PROTECT, null=True, blank=True, related_name="allocations"
    )
    amount_minor = models.BigIntegerField()
    # The effective day: of money the later of its value date and the invoice's issue date, of a
    # credit note the later of both issue dates, of all else its own (payments/settling.py).
    applied_on = models.DateField()
    takes_back = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="taken_back_by"
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    # When the portal learnt it.
    recorded_at = models.DateTimeField(auto_now_add=True)
    seal = SealField("allocation")

    class Meta:
        ordering = ["applied_on", "pk"]
        constraints = [
            models.CheckConstraint(
                name="an_allocation_has_one_source",
                condition=(
                    Q(kind="payment", payment__isnull=False, credit_note__isnull=True)
                    | Q(kind="credit", payment__isnull=True, credit_note__isnull=False)
                    | Q(kind="write_off", payment__isnull=True, credit_note__isnull=True)
                    | Q(kind="refund", payment__isnull=False, credit_note__isnull=True)
                    | Q(kind="refund", payment__isnull=True, credit_note__isnull=False)
                ),
            ),
            models.CheckConstraint(
                name="an_allocation_settles_an_invoice_or_is_refunded",
                condition=(
                    Q(kind="refund", refund__isnull=False, invoice__isnull=True)
                    | (~Q(kind="refund") & Q(refund__isnull=True, invoice__isnull=False))
                ),
            ),
            models.CheckConstraint(
                name="an_instalment_is_one_of_an_invoice",
                condition=Q(instalment__isnull=True) | Q(invoice__isnull=False),
            ),
            models.CheckConstraint(name="an_allocation_is_not_zero", condition=~Q(amount_minor=0)),
            models.CheckConstraint(
                name="a_negative_allocation_takes_one_back",
                condition=Q(amount_minor__gt=0, takes_back__isnull=True)
                | Q(amount_minor__lt=0, takes_back__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["invoice", "applied_on"], name="allocation_invoice_on")]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount_minor} on {self.applied_on}"


class WriteOff(models.Model):
    """Why something was given up; rows from before it was asked have none, then the amount tells
    (`JournalSetup.small_difference_minor`)."""

    class Cause(models.TextChoices):
        # VAT that was paid over can be claimed back once the claim is lost for good (CGI 272, 1).
        BAD_DEBT = "bad_debt", _("Bad debt")
        SMALL = "small", _("Small difference of a payment")
        DISCOUNT = "discount", _("Discount that the client took")

    allocation = models.OneToOneField(
        Allocation, on_delete=models.PROTECT, related_name="write_off"
    )
    cause = models.CharField(max_length=10, choices=Cause)

    def __str__(self) -> str:
        return f"{self.allocation}: {self.cause}"


class PastSettlement(models.Model):
    """An invoice, or an instalment, was settled from one day until the day that opened it again.

    Made from its allocations by payments/settling.py, as its balance is; most invoices have none.
    So the state of a past day costs a look into a small table, not a walk through all allocations.
    """

    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="past_settlements")
    # Null: the invoice as a whole.
    instalment = models.ForeignKey(
        Instalment,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="past_settlements",
    )
    settled_on = models.DateField()
    paid_on = models.DateField(null=True, blank=True)
    # The first day on which it was open again.
    reopened_on = models.DateField()

    class Meta:
        ordering = ["settled_on", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["invoice", "settled_on"],
                condition=Q(instalment__isnull=True),
                name="a_past_settlement_begins_once",
            ),
            models.UniqueConstraint(
                fields=["instalment", "settled_on"],
                condition=Q(instalment__isnull=False),
                name="a_past_settlement_of_an_instalment_begins_once",
            ),
            models.CheckConstraint(
                name="a_past_settlement_ends_after_it_begins",
                condition=Q(reopened_on__gt=F("settled_on")),
            ),
        ]
        indexes = [models.Index(fields=["reopened_on", "settled_on"], name="past_settlement_days")]

    def __str__(self) -> str:
        return f"{self.settled_on} – {self.reopened_on}"
