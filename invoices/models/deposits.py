"""Which final invoice deducts which deposit."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from moneyed import Money

from billing_portal.money import from_minor
from invoices.models.invoices import Invoice


class DepositDeduction(models.Model):
    """A deposit, or what credit notes left of it, taken off one final invoice.

    Its lines say by which VAT. One that is released (the draft was discarded, the invoice was
    credited whole) is history: its deposit may be deducted again.
    """

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="deductions")
    deposit = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="deducted_by")
    net_minor = models.BigIntegerField()
    vat_minor = models.BigIntegerField()
    released = models.BooleanField(default=False)
    # Of a draft that corrects the final invoice which deducts it until then.
    takes_over = models.BooleanField(default=False)

    class Meta:
        ordering = ["pk"]
        constraints = [
            # Two who make a final invoice at once: one of them is refused.
            models.UniqueConstraint(
                fields=["deposit"],
                condition=Q(released=False, takes_over=False),
                name="a_deposit_is_deducted_once",
            ),
            models.CheckConstraint(
                name="an_invoice_deducts_others", condition=~Q(invoice=F("deposit"))
            ),
            models.CheckConstraint(
                name="a_deduction_takes_something_off",
                condition=Q(net_minor__gt=0, vat_minor__gte=0),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.deposit} → {self.invoice}"

    @property
    def net(self) -> Money:
        return from_minor(self.net_minor, self.deposit.currency)

    @property
    def vat(self) -> Money:
        return from_minor(self.vat_minor, self.deposit.currency)

    @property
    def total_minor(self) -> int:
        return self.net_minor + self.vat_minor

    @property
    def total(self) -> Money:
        return from_minor(self.total_minor, self.deposit.currency)
