"""Money received, and what each invoice was settled with."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from moneyed import Money

from billing_portal.money import from_minor
from invoices.models.clients import Client
from invoices.models.invoices import Invoice


class PaymentQuerySet(models.QuerySet["Payment"]):
    def unapplied(self) -> Self:
        """With cash that no invoice took; a reversed payment and its reversal hold none."""
        return self.filter(
            reverses__isnull=True, reversed_by__isnull=True, allocated_minor__lt=F("amount_minor")
        )


class Payment(models.Model):
    """Money from a client on a value date; what no invoice took is unapplied cash.

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
    allocated_minor = models.BigIntegerField(default=0)
    reference = models.CharField(_("remittance reference"), max_length=140, blank=True)
    method = models.CharField(_("method"), max_length=20, choices=Method, default=Method.TRANSFER)
    reverses = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="reversed_by"
    )
    imported = models.BooleanField(default=False)
    note = models.CharField(max_length=300, blank=True)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    recorded_at = models.DateTimeField(auto_now_add=True)

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
            # The same remittance typed twice is one payment.
            models.UniqueConstraint(
                fields=["client", "reference", "received_on", "amount_minor", "currency"],
                condition=~Q(reference=""),
                name="a_remittance_is_recorded_once",
            ),
        ]
        indexes = [models.Index(fields=["received_on", "id"], name="payment_received_on")]

    def __str__(self) -> str:
        return self.reference or f"#{self.pk}"

    @property
    def amount(self) -> Money:
        return from_minor(self.amount_minor, self.currency)

    @property
    def allocated(self) -> Money:
        return from_minor(self.allocated_minor, self.currency)

    @property
    def unapplied(self) -> Money:
        return from_minor(self.amount_minor - self.allocated_minor, self.currency)


class Allocation(models.Model):
    """A part of a payment or of a credit note, or a write-off, that settled a part of an invoice.

    Append-only; a reversal is a row with a negative amount.
    """

    class Kind(models.TextChoices):
        PAYMENT = "payment", _("Payment")
        CREDIT = "credit", _("Credit note")
        WRITE_OFF = "write_off", _("Write-off")

    kind = models.CharField(max_length=10, choices=Kind)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="allocations")
    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, null=True, blank=True, related_name="allocations"
    )
    credit_note = models.ForeignKey(
        Invoice, on_delete=models.PROTECT, null=True, blank=True, related_name="applications"
    )
    amount_minor = models.BigIntegerField()
    # Value date of the payment; of a credit note the later of both issue dates.
    applied_on = models.DateField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["applied_on", "pk"]
        constraints = [
            models.CheckConstraint(
                name="an_allocation_has_one_source",
                condition=(
                    Q(kind="payment", payment__isnull=False, credit_note__isnull=True)
                    | Q(kind="credit", payment__isnull=True, credit_note__isnull=False)
                    | Q(kind="write_off", payment__isnull=True, credit_note__isnull=True)
                ),
            ),
            models.CheckConstraint(name="an_allocation_is_not_zero", condition=~Q(amount_minor=0)),
        ]
        indexes = [models.Index(fields=["invoice", "applied_on"], name="allocation_invoice_on")]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount_minor} on {self.applied_on}"
