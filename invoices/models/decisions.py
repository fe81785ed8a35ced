"""What an administrator decided about the books, and why."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from invoices.models.facts import SealField
from invoices.models.numbering import NumberSeries


class BooksDecision(models.Model):
    """Append-only: the log of what changes the rules under which documents are dated and numbered.

    The books are checked against these rows, so an exception is never older than its reason.
    """

    class Kind(models.TextChoices):
        CLOSED = "closed", _("Books closed")
        REOPENED = "reopened", _("Books opened again")
        FIRST_NUMBER = "first_number", _("Next number set")
        DATES = "dates", _("Exception for dates")
        PATTERN = "pattern", _("Form of the numbers changed")
        SERIES_ENDED = "series_ended", _("Series ended")
        SERIES_RESUMED = "series_resumed", _("Series goes on")

    kind = models.CharField(max_length=20, choices=Kind)
    # Closed or opened again: the last closed day, now and before.
    closed_until = models.DateField(null=True, blank=True)
    closed_until_before = models.DateField(null=True, blank=True)
    # Of numbers and dates: which documents it speaks of.
    document_kind = models.CharField(max_length=20, blank=True)
    # Of its series; empty for one without end.
    year = models.PositiveSmallIntegerField(null=True, blank=True)
    series = models.ForeignKey(
        NumberSeries, on_delete=models.PROTECT, null=True, blank=True, related_name="decisions"
    )
    # A changed pattern, for the log: {"before": [prefix, width, restart], "after": […]}.
    pattern = models.JSONField(null=True, blank=True)
    next_value = models.PositiveIntegerField(null=True, blank=True)
    next_value_before = models.PositiveIntegerField(null=True, blank=True)
    # An exception: issue dates from this day on, while it is granted.
    earliest = models.DateField(null=True, blank=True)
    granted_until = models.DateField(null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    on = models.DateField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    at = models.DateTimeField(auto_now_add=True)
    seal = SealField("decision")

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="what_loosens_a_rule_has_its_reason",
                condition=~Q(kind__in=["reopened", "dates"], reason=""),
            ),
            models.CheckConstraint(
                name="a_decision_on_a_series_names_it",
                condition=~Q(kind__in=["first_number", "series_ended", "series_resumed"])
                | Q(series__isnull=False),
            ),
            models.CheckConstraint(
                name="an_exception_for_dates_is_limited",
                condition=~Q(kind="dates") | Q(earliest__isnull=False, granted_until__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.on}"
