"""Number series."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class NumberSeries(models.Model):
    """The numbers of one kind and year; its row is locked while a number is taken."""

    kind = models.CharField(max_length=20)
    year = models.PositiveSmallIntegerField()
    prefix = models.CharField(max_length=20)
    width = models.PositiveSmallIntegerField(default=4)
    next_value = models.PositiveIntegerField(default=1)
    last_issue_date = models.DateField(null=True, blank=True)
    # Chains each issued document to the one before it.
    last_hash = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name_plural = "number series"
        ordering = ["kind", "-year"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "year"], name="one_series_per_kind_and_year"),
            models.UniqueConstraint(fields=["prefix"], name="series_prefixes_differ"),
            models.CheckConstraint(name="series_starts_at_one", condition=Q(next_value__gte=1)),
        ]

    def __str__(self) -> str:
        return f"{self.prefix}{self.next_value:0{self.width}d}"

    def number(self, value: int) -> str:
        return f"{self.prefix}{value:0{self.width}d}"
