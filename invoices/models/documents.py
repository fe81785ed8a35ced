"""The pages that left the house."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from invoices.models.invoices import Invoice


class Document(models.Model):
    """Bytes that left the house, kept as they were."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="documents")
    kind = models.CharField(max_length=10, default="pdf")
    filename = models.CharField(max_length=120)
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    # Of an issued document the moment of its issue, which its seal covers.
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["invoice", "kind"], name="one_document_per_kind")
        ]

    def __str__(self) -> str:
        return self.filename
