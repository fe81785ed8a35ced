"""Many documents issued or sent by one decision: what was to happen to each, and what did."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from invoices.models.einvoicing import Way
from invoices.models.invoices import Invoice
from invoices.models.messages import Message


class Batch(models.Model):
    """Chosen documents, first looked through one by one, then, on a click, carried out."""

    # What a person decides about: progress alone is no change.
    decided_on = ("state", "act", "on", "looked_at")

    class Act(models.TextChoices):
        ISSUE = "issue", pgettext_lazy("batch", "Issue")
        SEND = "send", pgettext_lazy("batch", "Send")
        BOTH = "both", pgettext_lazy("batch", "Issue and send")

    class State(models.TextChoices):
        LOOKING = "looking", _("Being looked through")
        READY = "ready", _("Waits for your word")
        RUNNING = "running", pgettext_lazy("batch", "Under way")
        STOPPED = "stopped", pgettext_lazy("batch", "Stopped")
        DONE = "done", pgettext_lazy("batch", "Done")

    act = models.CharField(max_length=5, choices=Act)
    state = models.CharField(max_length=10, choices=State, default=State.LOOKING)
    # The day of what was shown: documents without an issue date of their own bear it.
    on = models.DateField()
    looked_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    started_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    # Who carries it out, and until when nobody else may: after a crash another one takes over.
    worker = models.CharField(max_length=32, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="a_batch_that_began_says_who_began_it",
                condition=Q(state__in=["looking", "ready"])
                | Q(started_by__isnull=False, started_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_act_display()} {self.pk}"

    @property
    def issues(self) -> bool:
        return self.act in (self.Act.ISSUE, self.Act.BOTH)

    @property
    def sends(self) -> bool:
        return self.act in (self.Act.SEND, self.Act.BOTH)

    @property
    def is_moving(self) -> bool:
        return self.state in (self.State.LOOKING, self.State.RUNNING)


class BatchItem(models.Model):
    """One document of a batch. Its end is written in the transaction that issues or queues it."""

    class State(models.TextChoices):
        NEW = "new", _("Not looked at yet")
        WAITING = "waiting", pgettext_lazy("batch", "Waiting")
        LEFT_OUT = "left_out", _("Left out")
        DONE = "done", pgettext_lazy("batch", "Done")
        FAILED = "failed", pgettext_lazy("batch", "Refused")
        # Somebody else did it meanwhile: nothing was done twice.
        OTHERS = "others", _("Done by somebody else")

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="items")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="batch_items")
    position = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.NEW)
    # How its client is reached, by the law and by what is on file.
    way = models.CharField(max_length=8, choices=Way, blank=True)
    # To whom its mail was shown to go, and how many mails of it there were by then.
    recipients = models.JSONField(default=list, blank=True)
    mails_seen = models.PositiveIntegerField(default=0)
    # The digest of what was shown of it: changed since, it is not issued (confirming.py).
    shown = models.CharField(max_length=60, blank=True)
    # Why it is left out or was refused, and what to look at: field, text and anchor of each reason,
    # in the language of whoever began the batch.
    reasons = models.JSONField(default=list, blank=True)
    warnings = models.JSONField(default=list, blank=True)
    message = models.ForeignKey(
        Message, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["batch", "invoice"], name="a_document_stands_once_in_a_batch"
            )
        ]
        indexes = [models.Index(fields=["batch", "state", "position"], name="batch_item_next")]

    def __str__(self) -> str:
        return f"{self.batch_id}/{self.position} {self.state}"


# Nothing is left to do with these.
ENDED: Final = (
    BatchItem.State.LEFT_OUT,
    BatchItem.State.DONE,
    BatchItem.State.FAILED,
    BatchItem.State.OTHERS,
)
