"""Files that staff put beside a document, and that travel with its mails."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from invoices.models.invoices import Invoice
from invoices.models.quotes import Quote


class StoredFile(models.Model):
    """The bytes of a file, kept once however often it is put beside a document; never changed."""

    sha256 = models.CharField(max_length=64, unique=True)
    # By what is in it, not by its name (attachments/kinds.py).
    content_type = models.CharField(max_length=100)
    content = models.BinaryField()
    # In bytes.
    size = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.sha256[:12]


class Attachment(models.Model):
    """A file beside an invoice or a quote. It is no part of the document, which stays as issued.

    One that left with a mail is kept when it is taken away, so that the mail still says what it
    carried (`Message.enclosures`).
    """

    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="attachments")
    invoice = models.ForeignKey(
        Invoice, on_delete=models.PROTECT, null=True, blank=True, related_name="attachments"
    )
    quote = models.ForeignKey(
        Quote, on_delete=models.PROTECT, null=True, blank=True, related_name="attachments"
    )
    filename = models.CharField(max_length=120)
    # On the page that the client of a quote opens.
    shown_to_client = models.BooleanField(default=False)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    added_at = models.DateTimeField(auto_now_add=True)
    removed_at = models.DateTimeField(null=True, blank=True)
    removed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="an_attachment_is_of_one_document",
                condition=Q(invoice__isnull=False, quote__isnull=True)
                | Q(invoice__isnull=True, quote__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["invoice", "file"],
                condition=Q(removed_at__isnull=True),
                name="a_file_is_attached_to_an_invoice_once",
            ),
            models.UniqueConstraint(
                fields=["quote", "file"],
                condition=Q(removed_at__isnull=True),
                name="a_file_is_attached_to_a_quote_once",
            ),
        ]

    def __str__(self) -> str:
        return self.filename
