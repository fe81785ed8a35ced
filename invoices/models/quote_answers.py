"""What the client said to a quote, what was billed of it, and what happened to it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from moneyed import Money

from billing_portal.money import from_minor
from invoices.models.invoices import Invoice
from invoices.models.quotes import Quote, QuoteLine, QuoteVersion
from invoices.models.sales_terms import SalesTerms


class QuoteDocument(models.Model):
    """The PDF of a version as it was sent, and as it was accepted: bytes that left the house."""

    class Kind(models.TextChoices):
        SENT = "sent", _("as sent")
        ACCEPTED = "accepted", _("as accepted")

    version = models.ForeignKey(QuoteVersion, on_delete=models.PROTECT, related_name="documents")
    kind = models.CharField(max_length=10, choices=Kind)
    filename = models.CharField(max_length=120)
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "kind"], name="one_document_per_version_and_kind"
            )
        ]

    def __str__(self) -> str:
        return self.filename


class QuoteAcceptance(models.Model):
    """Who agreed to what, when and from where; once per quote, and never changed."""

    class Via(models.TextChoices):
        LINK = "link", _("by the link")
        # Signed on paper or by mail: recorded by one of us, who says so by name.
        PAPER = "paper", _("on paper")

    quote = models.OneToOneField(Quote, on_delete=models.PROTECT, related_name="acceptance")
    version = models.ForeignKey(QuoteVersion, on_delete=models.PROTECT, related_name="+")
    document = models.OneToOneField(QuoteDocument, on_delete=models.PROTECT, related_name="+")
    via = models.CharField(max_length=10, choices=Via, default=Via.LINK)
    at = models.DateTimeField()
    name = models.CharField(max_length=120)
    role = models.CharField(max_length=120, blank=True)
    ip = models.GenericIPAddressField(null=True, blank=True)
    user_agent = models.CharField(max_length=400, blank=True)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    lines = models.ManyToManyField(QuoteLine, related_name="+")
    currency = models.CharField(max_length=3)
    net_minor = models.BigIntegerField()
    vat_minor = models.BigIntegerField()
    total_minor = models.BigIntegerField()
    deposit_minor = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64)
    # The general terms of sale that were accepted with it, and the file that the client read.
    sales_terms = models.ForeignKey(
        SalesTerms, on_delete=models.PROTECT, null=True, blank=True, related_name="acceptances"
    )
    sales_terms_sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="accepted_net_and_vat_make_the_total",
                condition=Q(total_minor=F("net_minor") + F("vat_minor")),
            ),
            models.CheckConstraint(
                name="an_acceptance_on_paper_has_its_witness",
                condition=Q(via="link", recorded_by__isnull=True)
                | Q(via="paper", recorded_by__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quote} {self.name}"

    @property
    def total(self) -> Money:
        return from_minor(self.total_minor, self.currency)


class QuoteBilling(models.Model):
    """An invoice that bills a part of a quote. What it bills today is the invoice's own total."""

    class Kind(models.TextChoices):
        WHOLE = "whole", _("the whole quote")
        DEPOSIT = "deposit", _("a deposit")
        LINES = "lines", _("chosen lines")
        BALANCE = "balance", _("the rest")

    quote = models.ForeignKey(Quote, on_delete=models.PROTECT, related_name="billings")
    invoice = models.OneToOneField(Invoice, on_delete=models.PROTECT, related_name="quote_billing")
    kind = models.CharField(max_length=10, choices=Kind)
    # When it was drafted; the draft may have been changed since.
    amount_minor = models.BigIntegerField()
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.quote} → {self.invoice}"


class QuoteBilledLine(models.Model):
    """How much of a line of the quote an invoice bills; deposits bill no line."""

    billing = models.ForeignKey(QuoteBilling, on_delete=models.CASCADE, related_name="lines")
    line = models.ForeignKey(QuoteLine, on_delete=models.PROTECT, related_name="billed")
    quantity = models.DecimalField(max_digits=16, decimal_places=4)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["billing", "line"], name="a_billing_has_each_line_once")
        ]

    def __str__(self) -> str:
        return f"{self.quantity} {self.line}"


class QuoteBilledAdjustment(models.Model):
    """What an invoice bears of a discount or charge on the whole quote, at one VAT rate."""

    billing = models.ForeignKey(QuoteBilling, on_delete=models.CASCADE, related_name="adjustments")
    # Its place in `QuoteVersion.adjustments`, from 0.
    position = models.PositiveSmallIntegerField()
    vat_category = models.CharField(max_length=2)
    vat_rate = models.DecimalField(max_digits=5, decimal_places=2)
    amount_minor = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["billing", "position", "vat_category", "vat_rate"],
                name="a_billing_bears_each_adjustment_once",
            ),
            models.CheckConstraint(
                name="a_billed_adjustment_is_above_zero", condition=Q(amount_minor__gt=0)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.billing} {self.position}"


class QuoteEvent(models.Model):
    """What happened to a quote, append-only: the database refuses change and deletion."""

    class Kind(models.TextChoices):
        DRAFTED = "drafted", _("Quote begun")
        VERSION = "version", _("New version begun")
        DISCARDED = "discarded", _("Draft discarded")
        SENT = "sent", _("Sent")
        MAIL_SENT = "mail_sent", _("Email sent")
        MAIL_FAILED = "mail_failed", _("Email refused")
        VIEWED = "viewed", _("Read by the client")
        ACCEPTED = "accepted", _("Accepted")
        DECLINED = "declined", _("Declined")
        RECONSIDERED = "reconsidered", _("Opened again by the client")
        ASKED = "asked", _("The client asks for a new version")
        REPLACED = "replaced", _("Replaced by a new version")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        LINK_ENDED = "link_ended", _("Link ended")
        LINK_RENEWED = "link_renewed", _("New link made")
        BILLED = "billed", _("Billed")
        EXCEEDED = "exceeded", _("Billed beyond what was accepted")

    quote = models.ForeignKey(Quote, on_delete=models.PROTECT, related_name="events")
    version = models.ForeignKey(
        QuoteVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="events"
    )
    kind = models.CharField(max_length=20, choices=Kind)
    at = models.DateTimeField(auto_now_add=True)
    on = models.DateField()
    # Nobody of ours: the client, or a worker.
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    data = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.kind} {self.on}"
