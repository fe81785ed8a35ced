"""What an invoice lists, and its VAT by rate."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from invoices.models.catalogue import CatalogueItem
from invoices.models.exemptions import ExemptionReason
from invoices.models.invoices import Invoice
from invoices.models.natures import NATURES, USUAL_NATURE


class InvoiceLine(models.Model):
    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveIntegerField()
    description = models.TextField(_("description"), max_length=2000, blank=True)
    quantity = models.DecimalField(_("quantity"), max_digits=16, decimal_places=4, default=1)
    # UN/ECE Recommendation 20: C62 piece, DAY, HUR hour, MON month…
    unit = models.CharField(_("unit"), max_length=3, default="C62")
    unit_price = models.DecimalField(_("unit price"), max_digits=20, decimal_places=6, default=0)
    # Nobody has typed a price yet: it counts as 0 until then, and the draft cannot be issued.
    # A line that is free says 0. Always false on an issued invoice.
    price_missing = models.BooleanField(default=False)
    discount_percent = models.DecimalField(
        _("discount %"), max_digits=9, decimal_places=6, default=0
    )
    # A discount as an amount on the whole line, instead of the percentage; in major units.
    discount_amount = models.DecimalField(max_digits=20, decimal_places=6, default=0)
    # Empty of what was issued before it was asked for, and of what was brought in.
    nature = models.CharField(
        _("nature"), max_length=8, choices=NATURES, default=USUAL_NATURE, blank=True
    )
    vat_category = models.CharField(max_length=2, default="S")
    vat_rate = models.DecimalField(_("VAT"), max_digits=5, decimal_places=2, default=20)
    # Of an exempt line ("E") why it is; without one the note of the document has to say it.
    exemption = models.ForeignKey(
        ExemptionReason, on_delete=models.PROTECT, null=True, blank=True, related_name="lines"
    )
    # The item of the catalogue that it was made of; its words and price are its own since then.
    item = models.ForeignKey(
        CatalogueItem,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="lines",
        db_index=False,
    )
    net_minor = models.BigIntegerField(default=0)
    # On a credit note: the line of the invoice that this one takes back, by its own net.
    credits = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="credited_by"
    )
    # On a final invoice: the deposit that this line takes off, and the VAT that goes with it (its
    # net is below zero, this amount is above). The editor shows such lines and changes none.
    deducts = models.ForeignKey(
        "invoices.DepositDeduction",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="lines",
        db_index=False,
    )
    deducted_vat_minor = models.BigIntegerField(default=0)
    # A part of a discount or charge on the whole document (documents/adjustments.py), one for each
    # VAT rate; its description is the reason. The editor shows `Invoice.adjustments` instead.
    adjusts = models.CharField(
        max_length=8,
        choices=[("discount", _("Discount")), ("charge", _("Charge"))],
        blank=True,
    )
    # Per cent of the net of the lines that it came from; 0 of an amount.
    adjust_percent = models.DecimalField(max_digits=9, decimal_places=6, default=0)
    # UNTDID 5189 of a discount, 7161 of a charge.
    adjust_code = models.CharField(max_length=3, blank=True)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.CheckConstraint(
                name="only_a_deduction_bears_its_own_vat",
                condition=Q(deducts__isnull=False) | Q(deducted_vat_minor=0),
            ),
            models.CheckConstraint(
                name="a_discount_takes_off_and_a_charge_adds",
                condition=Q(adjusts="", adjust_percent=0, adjust_code="")
                | Q(adjusts="discount", net_minor__lt=0, deducts__isnull=True)
                | Q(adjusts="charge", net_minor__gt=0, deducts__isnull=True),
            ),
        ]
        indexes = [
            models.Index(fields=["item"], condition=Q(item__isnull=False), name="line_of_item"),
            models.Index(
                fields=["deducts"], condition=Q(deducts__isnull=False), name="line_deducts"
            ),
        ]

    def __str__(self) -> str:
        return self.description[:60]


class VatBreakdown(models.Model):
    """One row per VAT category and rate, rounded once per row as EN 16931 does."""

    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="vat_breakdown")
    category = models.CharField(max_length=2)
    rate = models.DecimalField(max_digits=5, decimal_places=2)
    basis_minor = models.BigIntegerField()
    vat_minor = models.BigIntegerField()

    class Meta:
        ordering = ["-rate", "category"]
        constraints = [
            models.UniqueConstraint(
                fields=["invoice", "category", "rate"], name="one_breakdown_row_per_vat_rate"
            )
        ]

    def __str__(self) -> str:
        return f"{self.category} {self.rate}"
