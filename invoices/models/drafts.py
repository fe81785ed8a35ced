"""What was typed into a draft, a version for each time it was kept."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from invoices.models.invoices import Invoice


class DraftVersion(models.Model):
    """A draft as it was typed, word for word, readable or not; `taken` when its rows say the same.

    The newest ones are kept (invoicing/versions.py): enough to step back through an afternoon.
    """

    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="versions")
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    # {"client": pk, "head": {field: text}, "lines": [{field: text}]}
    typed = models.JSONField()
    taken = models.BooleanField(default=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.invoice_id} {self.at:%H:%M:%S}"
