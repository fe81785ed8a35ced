"""What an invoice says of its whole: discounts, charges, and what is held back of it."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _


class Adjusted(models.Model):
    # Discounts and charges on the whole, as `documents.adjustments.stored` writes them; the lines
    # that `adjusts` marks are made from them.
    adjustments = models.JSONField(default=list, blank=True)
    # Held back until the work has proved good (law 71-584): per cent of the total with VAT, the
    # last of the instalments. Of a draft, no day is a year after the service ends, or the issue.
    retention_percent = models.DecimalField(max_digits=4, decimal_places=2, default=0)
    retention_on = models.DateField(_("retention released on"), null=True, blank=True)

    class Meta:
        abstract = True

    @property
    def typed_lines(self) -> models.QuerySet[Any]:
        """Without those that follow from others: deposits taken off, discounts on the whole."""
        lines: models.QuerySet[Any] = getattr(self, "lines").all()  # noqa: B009 - of the subclass
        return lines.filter(deducts=None, adjusts="")
