"""The dues of an issued invoice that is not due whole."""

from __future__ import annotations

from datetime import date
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from moneyed import Money

from billing_portal.money import from_minor
from invoices.models.invoices import Invoice


class InstalmentQuerySet(models.QuerySet["Instalment"]):
    def open(self) -> Self:
        """Something is owed on them, in the order in which money settles them."""
        return self.filter(outstanding_minor__gt=0).order_by("due_date", "position")


class Instalment(models.Model):
    """One of several dues of an invoice. An invoice that is due whole, on its due date, has none.

    Made when it is issued, from its terms or from what somebody typed (invoicing/dues.py); from
    then on the database refuses another day or amount, but for the release of a retention.
    """

    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="instalments")
    # From 1, in the order of the due dates.
    position = models.PositiveSmallIntegerField()
    # That of the document, for good; and the day that counts, which is another one once the release
    # of a retention was moved (invoicing/releasing.py).
    said_due = models.DateField()
    due_date = models.DateField(_("due date"))
    amount_minor = models.BigIntegerField()
    # Held back as a retention: the last, due on the day of its release.
    is_retention = models.BooleanField(default=False)

    # ─ Balance: only payments/settling.py writes these, as it does those of the invoice
    paid_minor = models.BigIntegerField(default=0)
    credited_minor = models.BigIntegerField(default=0)
    written_off_minor = models.BigIntegerField(default=0)
    outstanding_minor = models.BigIntegerField()
    settled_on = models.DateField(null=True, blank=True)
    paid_on = models.DateField(null=True, blank=True)
    # paid_on less due_date, and less the invoice's issue date, in days; null until paid.
    days_late = models.IntegerField(null=True, blank=True)
    days_to_pay = models.IntegerField(null=True, blank=True)

    objects = InstalmentQuerySet.as_manager()

    class Meta:
        ordering = ["invoice", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["invoice", "position"], name="an_instalment_has_one_place"
            ),
            models.CheckConstraint(
                name="only_a_retention_is_due_on_another_day_than_it_said",
                condition=Q(is_retention=True) | Q(due_date=F("said_due")),
            ),
            models.CheckConstraint(
                name="an_instalment_is_above_zero", condition=Q(amount_minor__gt=0)
            ),
            models.CheckConstraint(
                name="the_parts_of_an_instalment_make_it",
                condition=Q(
                    amount_minor=F("paid_minor")
                    + F("credited_minor")
                    + F("written_off_minor")
                    + F("outstanding_minor")
                )
                & Q(
                    paid_minor__gte=0,
                    credited_minor__gte=0,
                    written_off_minor__gte=0,
                    outstanding_minor__gte=0,
                ),
            ),
            models.CheckConstraint(
                name="a_settled_instalment_has_its_day",
                condition=Q(outstanding_minor=0, settled_on__isnull=False)
                | Q(outstanding_minor__gt=0, settled_on__isnull=True, paid_on__isnull=True),
            ),
            models.CheckConstraint(
                name="an_instalment_paid_on_comes_with_its_delays",
                condition=Q(paid_on__isnull=True, days_late__isnull=True, days_to_pay__isnull=True)
                | Q(paid_on__isnull=False, days_late__isnull=False, days_to_pay__isnull=False),
            ),
        ]
        indexes = [
            # What is owed of them, without the rows themselves.
            models.Index(
                fields=["invoice", "due_date", "outstanding_minor"], name="instalment_of_invoice"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.invoice} / {self.position}"

    @property
    def amount(self) -> Money:
        return from_minor(self.amount_minor, self.invoice.currency)

    @property
    def outstanding_balance(self) -> Money:
        return from_minor(self.outstanding_minor, self.invoice.currency)

    def is_overdue(self, on: date) -> bool:
        return self.invoice.is_outstanding and self.outstanding_minor > 0 and self.due_date < on
