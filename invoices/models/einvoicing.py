"""What goes through the approved platform, what it says back, and how each client is reached.

The outbox (`PlatformFlow`) is the truth about what left; messages are kept as they came, and what
stands on a `Transmission` beside them is made from them by einvoicing/folding.py alone.
"""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from billing_portal.notices import in_words
from invoices.models.clients import Client
from invoices.models.documents import Document
from invoices.models.invoices import Invoice
from invoices.models.payments import Allocation


class PlatformFlow(models.Model):
    """One file for the platform: a row first, the call later, each reason once."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waits")
        # Handed over without an answer: it is looked up by `tracking_id` before anything is sent.
        UNCLEAR = "unclear", _("Handed over, not confirmed")
        SENT = "sent", _("Taken by the platform")
        REFUSED = "refused", _("Not taken by the platform")

    # What makes it once: "invoice:42", "status:17".
    reason_key = models.CharField(max_length=80, unique=True)
    # Ours; the platform knows the flow by it too.
    tracking_id = models.CharField(max_length=36, unique=True)
    # As the norm names them: Factur-X or CDAR, and B2B where the rule is known.
    syntax = models.CharField(max_length=10)
    processing_rule = models.CharField(max_length=20, blank=True)
    filename = models.CharField(max_length=255)
    # Of an invoice its kept PDF; of a message its own bytes.
    document = models.ForeignKey(
        Document, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    content = models.BinaryField(blank=True, default=b"")
    sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    # Until then a worker is busy with it; after a crash another one takes over.
    claimed_until = models.DateTimeField(null=True, blank=True)
    # Why it waits or was not taken: code and values.
    trouble = models.JSONField(null=True, blank=True)
    # The platform's answer, written once.
    platform_id = models.CharField(max_length=36, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    # What its own checks said later: "", Pending, Ok, Error, with the details as they came.
    acknowledged = models.CharField(max_length=10, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    details = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="a_flow_that_was_taken_has_its_moment",
                condition=(
                    Q(state="sent", sent_at__isnull=False)
                    | (~Q(state="sent") & Q(sent_at__isnull=True, platform_id=""))
                ),
            ),
            models.UniqueConstraint(
                fields=["platform_id"],
                condition=~Q(platform_id=""),
                name="a_flow_is_one_of_ours_once",
            ),
        ]
        indexes = [models.Index(fields=["state", "next_attempt_at"], name="flow_state_next")]

    def __str__(self) -> str:
        return self.filename

    @property
    def trouble_text(self) -> str:
        return in_words(self.trouble)

    @property
    def bytes(self) -> bytes:
        return bytes(self.document.content if self.document is not None else self.content)


class Group(models.TextChoices):
    """Each transmission is in exactly one; what is put right is in none of the first five."""

    FAILED = "failed", _("Rejected or refused")
    DISPUTED = "disputed", _("In dispute or suspended")
    WAITING = "waiting", _("Not received yet")
    CLIENT = "client", _("With the client")
    PAID = "paid", _("Paid and declared")
    CLOSED = "closed", _("Put right")


# Where a person has something to do.
NEEDS_SOMEBODY = (Group.FAILED, Group.DISPUTED)


class TransmissionQuerySet(models.QuerySet["Transmission"]):
    def in_group(self, group: str) -> Self:
        return self.filter(group=group)


class Transmission(models.Model):
    """An issued document that goes to its client through the platform."""

    invoice = models.OneToOneField(Invoice, on_delete=models.PROTECT, related_name="transmission")
    flow = models.OneToOneField(PlatformFlow, on_delete=models.PROTECT, related_name="transmission")
    # The electronic address that the document names (BT-49).
    address = models.CharField(max_length=100, blank=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    asked_at = models.DateTimeField(auto_now_add=True)

    # ─ Made from the messages: only einvoicing/folding.py writes these
    group = models.CharField(max_length=10, choices=Group, default=Group.WAITING)
    # The last word that counts, with its own time; "" before the first.
    status_code = models.CharField(max_length=10, blank=True)
    status_at = models.DateTimeField(null=True, blank=True)
    reason_code = models.CharField(max_length=60, blank=True)
    reason_text = models.CharField(max_length=1000, blank=True)
    deposited_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField(null=True, blank=True)
    available_at = models.DateTimeField(null=True, blank=True)
    # Of its statuses 204, 205 and 211 the first of each: delay reports ask for them.
    taken_up_at = models.DateTimeField(null=True, blank=True)
    approved_at = models.DateTimeField(null=True, blank=True)
    payment_announced_at = models.DateTimeField(null=True, blank=True)
    # What our messages 212 say was received of it, in minor units of the document.
    declared_minor = models.BigIntegerField(default=0)

    # The document that took its place after a rejection or refusal.
    replaced_by = models.OneToOneField(
        Invoice, on_delete=models.PROTECT, null=True, blank=True, related_name="takes_place_of"
    )

    objects = TransmissionQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["group", "-id"], name="transmission_group"),
        ]

    def __str__(self) -> str:
        return str(self.invoice)


class LifecycleStatus(models.Model):
    """A lifecycle message (CDAR) about one document, kept as it came or went."""

    # None of a document that we do not know.
    transmission = models.ForeignKey(
        Transmission, on_delete=models.PROTECT, null=True, blank=True, related_name="statuses"
    )
    # Of our own: its place in the outbox.
    flow = models.OneToOneField(
        PlatformFlow, on_delete=models.PROTECT, null=True, blank=True, related_name="status"
    )
    # Of the platform's: its number there; one message may speak of several documents.
    platform_id = models.CharField(max_length=36, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    code = models.CharField(max_length=10, blank=True)
    words = models.CharField(max_length=100, blank=True)
    # The time that it says of itself; None where it says none.
    at = models.DateTimeField(null=True, blank=True)
    # [{"code": "TX_TVA_ERR", "text": …, "action": …, "note": …}], as received
    reasons = models.JSONField(default=list, blank=True)
    # [{"kind": "MEN", "rate": "20.00", "minor": 1200000, "currency": "EUR"}]
    amounts = models.JSONField(default=list, blank=True)
    issuer_role = models.CharField(max_length=10, blank=True)
    issuer_name = models.CharField(max_length=200, blank=True)
    message_id = models.CharField(max_length=120, blank=True)
    # The document as the message names it.
    number = models.CharField(max_length=100, blank=True)
    issued_on = models.DateField(null=True, blank=True)
    filename = models.CharField(max_length=255)
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    # Why nothing could be made of it: code and values.
    problem = models.JSONField(null=True, blank=True)
    kept_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["platform_id", "position"],
                condition=~Q(platform_id=""),
                name="a_message_of_the_platform_is_read_once",
            ),
            models.CheckConstraint(
                name="a_message_comes_or_goes",
                condition=Q(flow__isnull=True) & ~Q(platform_id="")
                | Q(flow__isnull=False, platform_id="", transmission__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["transmission", "at"], name="status_of_transmission")]

    def __str__(self) -> str:
        return f"{self.code} {self.number}"

    @property
    def is_ours(self) -> bool:
        return self.platform_id == ""

    @property
    def problem_text(self) -> str:
        return in_words(self.problem)


class DeclaredAllocation(models.Model):
    """What settled a document is declared once: which message 212 told of it."""

    allocation = models.ForeignKey(Allocation, on_delete=models.PROTECT, related_name="declared")
    transmission = models.ForeignKey(
        Transmission, on_delete=models.PROTECT, related_name="declared"
    )
    status = models.ForeignKey(LifecycleStatus, on_delete=models.PROTECT, related_name="declares")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["allocation", "transmission"], name="a_receipt_is_declared_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.allocation_id} in {self.status_id}"


class Dispute(models.Model):
    """A client contests an invoice: since when, why, who says so, and how it ended."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="disputes")
    opened_at = models.DateTimeField()
    reason_code = models.CharField(max_length=60, blank=True)
    reason = models.CharField(max_length=1000, blank=True)
    # The message that opened it; without one a person did.
    status = models.ForeignKey(
        LifecycleStatus, on_delete=models.PROTECT, null=True, blank=True, related_name="disputes"
    )
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    outcome = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-opened_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["invoice"],
                condition=Q(closed_at__isnull=True),
                name="an_invoice_is_in_one_dispute",
            )
        ]

    def __str__(self) -> str:
        return f"{self.invoice}: {self.reason}"


class Way(models.TextChoices):
    PLATFORM = "platform", _("Platform")
    MAIL = "mail", _("Mail")
    POST = "post", _("Post")
    UNKNOWN = "unknown", _("Not known")


class ClientRoute(models.Model):
    """What the directory says of a client, and what a person decided against it."""

    client = models.OneToOneField(Client, on_delete=models.CASCADE, related_name="route")
    # The address that its e-invoices name; "" for its SIREN.
    address = models.CharField(max_length=100, blank=True)
    # None: never answered.
    found = models.BooleanField(null=True, blank=True)
    # The addresses that the directory names: ["784608416", "784608416_COMPTA"]
    offered = models.JSONField(default=list, blank=True)
    # Of which SIREN it was asked.
    siren = models.CharField(max_length=9, blank=True)
    asked_at = models.DateTimeField(null=True, blank=True)
    trouble = models.JSONField(null=True, blank=True)
    forced = models.CharField(max_length=10, choices=Way, blank=True)
    forced_reason = models.CharField(max_length=300, blank=True)
    forced_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    forced_at = models.DateTimeField(null=True, blank=True)

    # Asking goes on by itself and changes nothing for whoever decides.
    decided_on = ("address", "offered", "forced", "forced_reason")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_forced_way_has_its_reason",
                condition=Q(forced="") | ~Q(forced_reason=""),
            )
        ]

    def __str__(self) -> str:
        return f"{self.client}"


class IncomingInvoice(models.Model):
    """A supplier's invoice that the platform received for us: counted and kept, nothing more."""

    platform_id = models.CharField(max_length=36, unique=True)
    filename = models.CharField(max_length=255)
    syntax = models.CharField(max_length=10, blank=True)
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    received_at = models.DateTimeField(null=True, blank=True)
    kept_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.filename
