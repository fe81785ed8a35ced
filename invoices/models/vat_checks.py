"""What the register of VAT ids was asked about a client's id, and what it answered."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from billing_portal.notices import in_words
from invoices.models.clients import Client


class VatCheck(models.Model):
    """A question, and its answer as evidence: said once, then never changed or deleted.

    The row is written before the register is asked, for that takes seconds: a second click sees it,
    and whoever is killed in between leaves a question without an answer, not a gap.
    """

    class Answer(models.TextChoices):
        ASKED = "asked", _("Asked")
        VALID = "valid", _("Valid")
        INVALID = "invalid", _("Not valid")
        NONE = "none", _("No answer")

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="vat_checks")
    # The client's id as it was asked about, compact; the client may have another one by now.
    vat_id = models.CharField(max_length=20)
    # Ours, which makes the register give a consultation number; "" without one.
    requester = models.CharField(max_length=20, blank=True)
    asked_at = models.DateTimeField()
    # The day in the company's calendar.
    on = models.DateField()
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    answer = models.CharField(max_length=10, choices=Answer, default=Answer.ASKED)
    answered_at = models.DateTimeField(null=True, blank=True)
    # Why there is no answer: code and values.
    trouble = models.JSONField(null=True, blank=True)
    name = models.CharField(max_length=255, blank=True)
    address = models.CharField(max_length=500, blank=True)
    consultation = models.CharField(max_length=40, blank=True)
    # All that the register sent, cut where it goes on for too long.
    raw = models.TextField(blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="an_answer_about_a_vat_id_has_its_moment",
                condition=Q(answer="asked", answered_at__isnull=True)
                | (~Q(answer="asked") & Q(answered_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="no_answer_about_a_vat_id_has_its_reason",
                condition=Q(answer="none", trouble__isnull=False)
                | (~Q(answer="none") & Q(trouble__isnull=True)),
            ),
        ]
        indexes = [models.Index(fields=["vat_id", "-id"], name="vat_check_of_an_id")]

    def __str__(self) -> str:
        return f"{self.vat_id} {self.on} {self.answer}"

    @property
    def is_answered(self) -> bool:
        return self.answer in (self.Answer.VALID, self.Answer.INVALID)

    @property
    def address_line(self) -> str:
        return ", ".join(self.address.split("\n"))

    @property
    def trouble_text(self) -> str:
        return in_words(self.trouble)
