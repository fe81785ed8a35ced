"""The mail outbox: a row first, the mail later, each reason once."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from invoices.models.clients import Client
from invoices.models.documents import Document
from invoices.models.invoices import Invoice


class Message(models.Model):
    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        # The mail server may or may not have it: staff decide, nothing is sent again by itself.
        SENDING = "sending", _("Handed over, not confirmed")
        SENT = "sent", pgettext_lazy("mail", "Sent")
        FAILED = "failed", pgettext_lazy("mail", "Refused")
        CANCELLED = "cancelled", _("Cancelled")

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
    subject = models.CharField(max_length=250)
    body_text = models.TextField()
    body_html = models.TextField(blank=True)
    attachments = models.ManyToManyField(Document, blank=True, related_name="+")
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    # Until then a worker is busy with it; after a crash another one takes over.
    claimed_until = models.DateTimeField(null=True, blank=True)
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
