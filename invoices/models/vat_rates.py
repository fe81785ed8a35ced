"""The rates of VAT that French law has, as rows with their days and where they stand written."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class VatRate(models.Model):
    """A rate in percent of one territory, from its first to its last day (both included)."""

    class Territory(models.TextChoices):
        # The names of invoices.tax.territories, which lies a floor above.
        METROPOLE = "metropole", _("Metropolitan France and Monaco")
        CORSICA = "corsica", _("Corsica")
        DOM_WITH_VAT = "dom_with_vat", _("Guadeloupe, Martinique, Réunion")

    territory = models.CharField(_("territory"), max_length=20, choices=Territory)
    percent = models.DecimalField(_("per cent"), max_digits=5, decimal_places=2)
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("until"), null=True, blank=True)
    source = models.CharField(_("source"), max_length=200)

    class Meta:
        ordering = ["territory", "-percent", "-starts_on"]
        constraints = [
            models.UniqueConstraint(
                fields=["territory", "percent", "starts_on"], name="a_vat_rate_starts_once_a_day"
            ),
            models.CheckConstraint(
                name="a_vat_rate_ends_after_it_starts",
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
            ),
            models.CheckConstraint(
                name="a_vat_rate_is_a_share",
                condition=Q(percent__gt=0, percent__lt=100),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.percent} % {self.territory} from {self.starts_on}"
