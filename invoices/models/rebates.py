"""Credit notes that take something off several invoices at once, or off a period without any."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from invoices.models.invoices import Invoice


class Rebate(models.Model):
    """What such a credit note names instead of one invoice.

    Without shares it names the period of its service and the agreement by which it is granted
    (BOI-TVA-DECLA-30-20-20-30; an e-invoice of type 262 needs both, BR-FR-CO-03).
    """

    note = models.OneToOneField(Invoice, on_delete=models.PROTECT, related_name="rebate")
    contract = models.CharField(_("contract or agreement"), max_length=120, blank=True)

    def __str__(self) -> str:
        return str(self.note)


class CreditShare(models.Model):
    """What a rebate takes off one invoice, at one VAT rate; in minor units of both."""

    note = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="credit_shares")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="credited_shares")
    category = models.CharField(max_length=2)
    rate = models.DecimalField(max_digits=5, decimal_places=2)
    basis_minor = models.BigIntegerField()
    vat_minor = models.BigIntegerField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["note", "invoice", "category", "rate"],
                name="a_rebate_takes_once_off_each_rate",
            ),
            models.CheckConstraint(
                name="a_share_of_a_credit_takes_something_off",
                condition=Q(basis_minor__gt=0, vat_minor__gte=0),
            ),
            models.CheckConstraint(
                name="a_credit_note_credits_others", condition=~Q(note=F("invoice"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.note} → {self.invoice}"

    @property
    def total_minor(self) -> int:
        return self.basis_minor + self.vat_minor
