"""Files that staff put beside a document, and that travel with its mails."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

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


class NamedFile(models.Model):
    """Put somewhere under a name, by somebody; taken away it is kept, for what it left with."""

    filename = models.CharField(max_length=120)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    added_at = models.DateTimeField(auto_now_add=True)
    removed_at = models.DateTimeField(null=True, blank=True)
    removed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        abstract = True
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.filename


class StandingFile(NamedFile):
    """A file of the company that goes with each email of some kinds of documents, such as its bank
    details or general terms, unless somebody unticks it.

    One that was taken away is kept where an email carried it; it goes with none any more.
    """

    class Language(models.TextChoices):
        BOTH = "", _("in any language")
        FRENCH = "fr", _("in French")
        ENGLISH = "en", _("in English")

    # Kind of document → what a person reads.
    KINDS = {
        "on_quotes": _("Quotes"),
        "on_invoices": _("Invoices"),
        "on_deposits": _("Deposit invoices"),
        "on_credit_notes": _("Credit notes"),
    }

    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="standing")
    on_quotes = models.BooleanField(default=False)
    on_invoices = models.BooleanField(default=False)
    on_deposits = models.BooleanField(default=False)
    on_credit_notes = models.BooleanField(default=False)
    language = models.CharField(max_length=2, choices=Language, blank=True)

    class Meta(NamedFile.Meta):
        constraints = [
            models.CheckConstraint(
                name="a_standing_file_goes_with_something",
                condition=Q(on_quotes=True)
                | Q(on_invoices=True)
                | Q(on_deposits=True)
                | Q(on_credit_notes=True),
            ),
            models.UniqueConstraint(
                fields=["file", "language"],
                condition=Q(removed_at__isnull=True),
                name="a_file_stands_once_in_each_language",
            ),
        ]


class Attachment(NamedFile):
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
    # It was not put there by anybody: an email of the document carried it for the company.
    standing = models.ForeignKey(
        StandingFile, on_delete=models.PROTECT, null=True, blank=True, related_name="carried"
    )
    # On the page that the client of a quote opens.
    shown_to_client = models.BooleanField(default=False)

    class Meta(NamedFile.Meta):
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
