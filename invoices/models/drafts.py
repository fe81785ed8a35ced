"""What was typed into a draft, a version for each time it was kept."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from invoices.models.invoices import Invoice
from invoices.models.quotes import QuoteVersion
from invoices.models.subscriptions import Subscription


class DraftVersion(models.Model):
    """A draft as it was typed, word for word, readable or not; `taken` when its rows say the same.

    Of an invoice, a quote or a subscription. The newest ones are kept (invoicing/versions.py):
    enough to step back through an afternoon.
    """

    invoice = models.ForeignKey(
        Invoice, on_delete=models.CASCADE, null=True, blank=True, related_name="typed"
    )
    quote = models.ForeignKey(
        QuoteVersion, on_delete=models.CASCADE, null=True, blank=True, related_name="typed"
    )
    subscription = models.ForeignKey(
        Subscription, on_delete=models.CASCADE, null=True, blank=True, related_name="typed"
    )
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    # {"client": pk, "head": {field: text}, "lines": [{field: text}]}
    typed = models.JSONField()
    taken = models.BooleanField(default=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="what_was_typed_is_of_one_draft",
                condition=Q(invoice__isnull=False, quote__isnull=True, subscription__isnull=True)
                | Q(invoice__isnull=True, quote__isnull=False, subscription__isnull=True)
                | Q(invoice__isnull=True, quote__isnull=True, subscription__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.invoice or self.quote or self.subscription} {self.at:%H:%M:%S}"
