"""What a draft was made from, and what it would be made from today."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from billing_portal.accounts.models import User
from invoices.models.invoices import Invoice


class DealBasisQuerySet(models.QuerySet["DealBasis"]):
    def waiting(self) -> Self:
        """Whose deal changed, and nobody has said yet what becomes of the document.

        A draft that was discarded and an invoice that was credited whole wait for nobody.
        """
        return self._of(Invoice.objects.billing()).filter(changed_at__isnull=False)

    def visible_to(self, user: User) -> Self:
        return self._of(Invoice.objects.visible_to(user))

    def _of(self, invoices: QuerySet[Invoice]) -> Self:
        # Asked of each basis: for `invoice__in`, SQLite would first list every invoice.
        return self.filter(Exists(invoices.order_by().filter(pk=OuterRef("invoice"))))


class DealBasis(models.Model):
    """The deal as a new draft of it would be: when somebody last agreed to it, and now.

    Deals write it (deals/changes.py); invoicing reads it, for as long as the two differ a draft
    is not issued and an issued invoice waits for a decision. Codes and values, never sentences.
    """

    invoice = models.OneToOneField(Invoice, on_delete=models.CASCADE, related_name="deal_basis")
    # What the draft was made from, or what a person last confirmed.
    known = models.JSONField()
    known_print = models.CharField(max_length=64)
    now = models.JSONField()
    now_print = models.CharField(max_length=64)
    # Since when the two differ; null while they do not.
    changed_at = models.DateTimeField(null=True, blank=True, db_index=True)
    # Who last said that the document stands as it is, although the deal had changed.
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    confirmed_at = models.DateTimeField(null=True, blank=True)

    objects = DealBasisQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_changed_deal_has_its_moment",
                condition=Q(changed_at__isnull=True, known_print=F("now_print"))
                | (Q(changed_at__isnull=False) & ~Q(known_print=F("now_print"))),
            )
        ]

    def __str__(self) -> str:
        return f"{self.invoice_id} {self.now_print[:8]}"

    @property
    def differs(self) -> bool:
        return self.changed_at is not None
