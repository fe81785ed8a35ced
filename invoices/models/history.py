"""What was brought in from the old system, so that bringing it in again changes nothing."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from invoices.models.invoices import Invoice
from invoices.models.payments import Payment


class ImportedPaymentRow(models.Model):
    """One row of a payments file. Two equal rows of a file are two payments: hence `occurrence`."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="imported_rows")
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="imported_rows")
    received_on = models.DateField()
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    reference = models.CharField(max_length=140, blank=True)
    method = models.CharField(max_length=20)
    # The instalment that the row named; which ones it settled say its allocations.
    instalment = models.PositiveSmallIntegerField(null=True, blank=True)
    occurrence = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "invoice",
                    "received_on",
                    "currency",
                    "amount_minor",
                    "reference",
                    "method",
                    "occurrence",
                ],
                name="a_payment_row_is_imported_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.received_on} {self.amount_minor} ({self.occurrence})"


class HistoryImport(models.Model):
    """Files between their preview and the click that brings them in."""

    # What a person decides about: how far a worker is changes nothing.
    decided_on = ("state", "rows", "go_live", "leave_out", "answers", "report", "fingerprint")

    class State(models.TextChoices):
        READING = "reading", _("Being read")
        PREVIEWED = "previewed", _("Looked at")
        QUEUED = "queued", _("Waiting for its turn")
        DONE = "done", _("Brought in")
        REFUSED = "refused", _("Refused")

    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    state = models.CharField(max_length=10, choices=State, default=State.PREVIEWED)
    done_at = models.DateTimeField(null=True, blank=True)
    # Name and bytes of each file; the bytes are dropped once they are in the books.
    clients_name = models.CharField(max_length=255, blank=True)
    invoices_name = models.CharField(max_length=255, blank=True)
    payments_name = models.CharField(max_length=255, blank=True)
    items_name = models.CharField(max_length=255, blank=True)
    clients_file = models.BinaryField(default=b"", blank=True)
    invoices_file = models.BinaryField(default=b"", blank=True)
    payments_file = models.BinaryField(default=b"", blank=True)
    items_file = models.BinaryField(default=b"", blank=True)
    rows = models.PositiveIntegerField(default=0)
    # Given when the files hold only what was open on that day; otherwise all of the past.
    go_live = models.DateField(null=True, blank=True)
    # Rows that are wrong stay out, and the others come in: somebody said so.
    leave_out = models.BooleanField(default=False)
    # How columns are to be read that can be read in two ways, as the person said.
    answers = models.JSONField(default=dict, blank=True)
    # Of the files and the go-live day: the same ones sent twice are one import.
    fingerprint = models.CharField(max_length=64, blank=True)
    # When a worker was asked, and how many began: one that dies leaves the row to the next.
    asked_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    # What would come in, or came (invoices/history/report.py); sentences as code and values.
    report = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="a_finished_history_import_is_dated",
                condition=Q(state="done", done_at__isnull=False)
                | (~Q(state="done") & Q(done_at__isnull=True)),
            ),
            models.UniqueConstraint(
                fields=["created_by", "fingerprint"],
                condition=Q(state__in=["reading", "previewed", "queued"]) & ~Q(fingerprint=""),
                name="the_same_files_are_one_open_import",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d %H:%M} {self.state}"

    @property
    def file_names(self) -> list[str]:
        names = (self.clients_name, self.invoices_name, self.payments_name, self.items_name)
        return [name for name in names if name]


class HistoryComplaint(models.Model):
    """What is wrong with one cell or row of the files: there may be one for each of them."""

    history = models.ForeignKey(HistoryImport, on_delete=models.CASCADE, related_name="complaints")
    file = models.CharField(max_length=255)
    # 0: the file as a whole.
    line = models.PositiveIntegerField()
    column = models.CharField(max_length=80, blank=True)
    # A code and values; an older row has a sentence.
    notice = models.JSONField()
    # Of a row that stays out, what it says: it is given back to be put right.
    kind = models.CharField(max_length=10, blank=True)
    cells = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.file} {self.line} {self.column}"
