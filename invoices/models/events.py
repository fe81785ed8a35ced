"""What happened to an invoice."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from invoices.models.facts import SealField
from invoices.models.invoices import Invoice


class InvoiceEvent(models.Model):
    """What happened, append-only: the database refuses change and deletion."""

    class Kind(models.TextChoices):
        DRAFTED = "drafted", _("Drafted")
        ISSUED = "issued", _("Issued")
        IMPORTED = "imported", _("Brought in from the old system")
        QUEUED = "queued", _("Mail queued")
        SENT = "sent", _("Sent")
        SEND_FAILED = "send_failed", _("Mail refused")
        PAID = "paid", _("Payment received")
        REVERSED = "reversed", _("Payment reversed")
        CREDITED = "credited", _("Credit note applied")
        WRITTEN_OFF = "written_off", _("Written off")
        WRITE_OFF_TAKEN_BACK = "write_off_taken_back", _("Write-off taken back")
        REFUNDED = "refunded", _("Refunded")
        REFUND_TAKEN_BACK = "refund_taken_back", _("Refund taken back")
        VOIDED = "voided", _("Draft discarded")
        NOTE = "note", _("Note")
        DEDUCTED = "deducted", _("Deducted by a final invoice")
        RELEASED = "released", _("No longer deducted")
        REPLACED = "replaced", _("Replaced by a corrected invoice")
        VAT_DECIDED = "vat_decided", _("VAT decided otherwise")
        RELEASE_MOVED = "release_moved", _("Release of the retention moved")
        PLATFORM = "platform", _("Approved platform")

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=20, choices=Kind)
    at = models.DateTimeField(auto_now_add=True)
    # The day in the company's calendar to which it belongs, such as a value date.
    on = models.DateField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    data = models.JSONField(default=dict, blank=True)
    seal = SealField("event")

    class Meta:
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.kind} {self.on}"
