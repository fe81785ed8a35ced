"""Payment terms: from an issue date to a due date (C. com. L441-10)."""

from __future__ import annotations

import calendar
from datetime import date, timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _


class TermsKind(models.TextChoices):
    NET = "net", _("days after the invoice date")
    # Both readings of "45 days end of month" are accepted by the DGCCRF.
    END_OF_MONTH_AFTER = "eom_after", _("days, then the end of that month")
    END_OF_MONTH_BEFORE = "eom_before", _("the end of the month, then days")


def end_of_month(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def due_date(issue_date: date, kind: str, days: int) -> date:
    if kind == TermsKind.END_OF_MONTH_AFTER:
        return end_of_month(issue_date + timedelta(days=days))
    if kind == TermsKind.END_OF_MONTH_BEFORE:
        return end_of_month(issue_date) + timedelta(days=days)
    return issue_date + timedelta(days=days)


def latest_lawful_due_date(issue_date: date, kind: str) -> date:
    """60 days from the invoice date, or 45 days end of month where the terms say so."""
    if kind == TermsKind.NET:
        return issue_date + timedelta(days=60)
    return due_date(issue_date, kind, 45)
