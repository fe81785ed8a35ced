"""Letters about a client's account that left the house, and what was claimed for paying late."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from invoices.models.clients import Client
from invoices.models.invoices import Invoice
from invoices.models.numbering import NumberSeries
from invoices.models.payments import Payment


class AccountLetter(models.Model):
    """A statement, a claim for late payment or a receipt as it was sent: never changed, kept.

    None of them is an invoice, and none of them moves a balance.
    """

    class Kind(models.TextChoices):
        STATEMENT = "statement", _("Statement of account")
        CLAIM = "claim", _("Claim for late payment")
        RECEIPT = "receipt", _("Receipt")

    kind = models.CharField(max_length=10, choices=Kind)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="account_letters")
    # Of a receipt, what was paid.
    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, null=True, blank=True, related_name="receipts"
    )
    # What it says holds at the end of `on`; of a statement of movements, since the other one.
    since = models.DateField(null=True, blank=True)
    on = models.DateField()
    language = models.CharField(max_length=10)
    # What makes it once, where nobody asked for it: "statement:42:2026-11".
    reason_key = models.CharField(max_length=100, blank=True)
    filename = models.CharField(max_length=120)
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["reason_key"],
                condition=~Q(reason_key=""),
                name="a_letter_by_itself_is_made_once",
            ),
            models.CheckConstraint(
                name="a_receipt_is_of_a_payment",
                condition=Q(kind="receipt", payment__isnull=False)
                | (~Q(kind="receipt") & Q(payment__isnull=True)),
            ),
            models.CheckConstraint(
                name="a_letter_ends_after_it_begins",
                condition=Q(since__isnull=True) | Q(since__lte=F("on")),
            ),
        ]

    def __str__(self) -> str:
        return self.filename


class LateClaim(models.Model):
    """Interest and indemnities asked of a client, under a number of their own.

    Damages for paying late are the price of nothing: no VAT, no invoice, no receivable. The rows
    say what was asked of which invoice, so that the next claim asks for the rest.
    """

    letter = models.OneToOneField(AccountLetter, on_delete=models.PROTECT, related_name="claim")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="late_claims")
    series = models.ForeignKey(NumberSeries, on_delete=models.PROTECT, related_name="+")
    sequence = models.PositiveIntegerField()
    number = models.CharField(max_length=35, unique=True)
    # Interest is asked for up to the end of this day.
    on = models.DateField()
    created_at = models.DateTimeField(auto_now_add=True)
    # Given up or sent by mistake: its rows no longer count.
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    why_withdrawn = models.CharField(_("reason"), max_length=300, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["series", "sequence"], name="a_claim_has_a_number_of_its_own"
            ),
        ]

    def __str__(self) -> str:
        return self.number


class LateClaimRow(models.Model):
    """What a claim asks of one late invoice, beyond what claims before it asked."""

    claim = models.ForeignKey(LateClaim, on_delete=models.PROTECT, related_name="rows")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="late_claims")
    # In the currency of the invoice.
    interest_minor = models.BigIntegerField()
    # In the company's.
    indemnity_minor = models.BigIntegerField()
    indemnity_currency = models.CharField(max_length=3)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["claim", "invoice"], name="a_claim_names_an_invoice_once"
            ),
            models.CheckConstraint(
                name="a_claim_asks_for_something",
                condition=Q(interest_minor__gte=0, indemnity_minor__gte=0)
                & (Q(interest_minor__gt=0) | Q(indemnity_minor__gt=0)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.claim} {self.invoice}"
