"""The mail outbox: a row first, the mail later, each reason once."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from invoices.models.attachments import Attachment
from invoices.models.clients import Client
from invoices.models.documents import Document
from invoices.models.invoices import Invoice


class Message(models.Model):
    # Attempts that go on by themselves change nothing for whoever decides about a mail.
    decided_on = ("state", "to", "cc", "subject", "body_text", "sent_at")

    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        # The mail server may or may not have it: staff decide, nothing is sent again by itself.
        SENDING = "sending", _("Handed over, not confirmed")
        SENT = "sent", pgettext_lazy("mail", "Sent")
        FAILED = "failed", pgettext_lazy("mail", "Refused")
        CANCELLED = "cancelled", _("Cancelled")
        # What it was to say is no longer so: it leaves when somebody says that it shall.
        HELD = "held", _("Held back")

    class Trouble(models.TextChoices):
        """Why it did not leave, as a code; the server's own words stand in `error`."""

        SETUP = (
            "setup",
            _(
                "The mail server turns the portal away, not the recipient: look at its address, "
                "user, password and sender in the settings. Nothing is lost; all emails wait and "
                "are tried again every ten minutes."
            ),
        )
        LATER = "later", _("The mail server did not take it for now; it is tried again.")
        TOO_OFTEN = "too_often", _("It was tried for two days and never taken.")
        REFUSED = "refused", _("The mail server refused it for good.")
        SOME = "some", _("Not everybody received it.")
        UNCONFIRMED = "unconfirmed", _("The line broke off before the server confirmed.")
        TOO_LONG = "too_long", _("The text of this email is too long.")

    # What makes this mail once: "invoice:42:1", "alert:7:2026-11-24".
    reason_key = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=20)
    invoice = models.ForeignKey(
        Invoice, on_delete=models.PROTECT, null=True, blank=True, related_name="messages"
    )
    client = models.ForeignKey(
        Client, on_delete=models.PROTECT, null=True, blank=True, related_name="messages"
    )
    language = models.CharField(max_length=10, default="fr")
    to = models.JSONField()
    cc = models.JSONField(default=list, blank=True)
    reply_to = models.CharField(max_length=254, blank=True)
    # What its kind words it from: keys of rows, and what was known when it was asked for.
    data = models.JSONField(default=dict, blank=True)
    # Until it leaves what it is about; from then on the words that left, kept as evidence.
    subject = models.CharField(max_length=250)
    body_text = models.TextField(blank=True)
    body_html = models.TextField(blank=True)
    attachments = models.ManyToManyField(Document, blank=True, related_name="+")
    # What staff put beside the document; as it stood when the mail was queued.
    enclosures = models.ManyToManyField(Attachment, blank=True, related_name="mails")
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    # Until then a worker is busy with it; after a crash another one takes over.
    claimed_until = models.DateTimeField(null=True, blank=True)
    trouble = models.CharField(max_length=30, blank=True)
    error = models.TextField(blank=True)
    # Message-ID of the mail, the same at every attempt.
    mail_id = models.CharField(max_length=200)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="a_sent_mail_has_its_moment",
                condition=(
                    Q(state="sent", sent_at__isnull=False)
                    | (~Q(state="sent") & Q(sent_at__isnull=True))
                ),
            )
        ]
        indexes = [models.Index(fields=["state", "next_attempt_at"], name="message_state_next")]

    def __str__(self) -> str:
        return self.subject
