"""Payment terms: from an issue date to a due date (C. com. L441-10)."""

from __future__ import annotations

import calendar
from datetime import date, timedelta

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class TermsKind(models.TextChoices):
    NET = "net", _("days after the invoice date")
    # Both readings of "45 days end of month" are accepted by the DGCCRF.
    END_OF_MONTH_AFTER = "eom_after", _("days, then the end of that month")
    END_OF_MONTH_BEFORE = "eom_before", _("the end of the month, then days")


def end_of_month(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def due_date(issue_date: date, kind: str, days: int, months: int = 0) -> date:
    """Counted from the same day `months` later, or from the last of a shorter month."""
    issue_date = months_later(issue_date, months)
    if kind == TermsKind.END_OF_MONTH_AFTER:
        return end_of_month(issue_date + timedelta(days=days))
    if kind == TermsKind.END_OF_MONTH_BEFORE:
        return end_of_month(issue_date) + timedelta(days=days)
    return issue_date + timedelta(days=days)


def months_later(day: date, months: int) -> date:
    month = day.year * 12 + day.month - 1 + months
    first = date(month // 12, month % 12 + 1, 1)
    return first.replace(day=min(day.day, end_of_month(first).day))


def latest_lawful_due_date(issue_date: date, kind: str) -> date:
    """60 days from the invoice date, or 45 days end of month where the terms say so."""
    if kind == TermsKind.NET:
        return issue_date + timedelta(days=60)
    return due_date(issue_date, kind, 45)


class PaymentTerms(models.Model):
    """Terms that split an invoice: “30 % now and the rest at 45 days, end of month”."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    # No longer offered; what has them keeps them.
    archived = models.BooleanField(default=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class PaymentTermsStep(models.Model):
    """One due of such terms: a share of the total, and its day."""

    terms = models.ForeignKey(PaymentTerms, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField()
    # Of the total, tax included; those without one share what is left in equal parts.
    percent = models.DecimalField(
        _("share in %"),
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0.01), MaxValueValidator(100)],
    )
    # Counted from the issue date: first the months, then the days as `kind` says.
    months = models.PositiveSmallIntegerField(
        _("months"), default=0, validators=[MaxValueValidator(60)]
    )
    kind = models.CharField(max_length=20, choices=TermsKind, default=TermsKind.NET)
    days = models.PositiveSmallIntegerField(
        _("days"), default=0, validators=[MaxValueValidator(365)]
    )

    class Meta:
        ordering = ["terms", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["terms", "position"], name="a_step_of_terms_has_one_place"
            ),
            models.CheckConstraint(
                name="a_share_is_a_part_of_the_total",
                condition=Q(percent__isnull=True) | Q(percent__gt=0, percent__lte=100),
            ),
        ]

    def __str__(self) -> str:
        share = "…" if self.percent is None else f"{self.percent} %"
        return f"{share} +{self.months} {self.kind} {self.days}"
