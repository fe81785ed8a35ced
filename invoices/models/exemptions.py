"""Why a supply is exempt from VAT, as rows with their days and where they stand written."""

from __future__ import annotations

from datetime import date

from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


class ExemptionReason(models.Model):
    """Why a line bears no VAT, with its code of EN 16931 (BT-121) and its sentences.

    The first two are chosen in a line. The others follow from the category of the line or the
    regime of the company: of each, the one that began last and has not ended is printed.
    """

    class Category(models.TextChoices):
        # UNTDID 5305.
        EXEMPT = "E", _("Exempt")
        REVERSE_CHARGE = "AE", _("Reverse charge within France")
        ACROSS_BORDERS = "AE-EU", _("Reverse charge, another state of the Union")
        THERE = "AE194", _("Reverse charge, a building or event in another state")
        WITHIN_EU = "K", _("Goods to another state of the Union")
        EXPORT = "G", _("Export of goods")
        TO_OVERSEAS = "G-294", _("Goods between the metropole and overseas")
        OUTSIDE = "O", _("Services outside French VAT")
        TIED = "O-259", _("Services about a building or event outside France")
        OVERSEAS = "O-294", _("Guyane and Mayotte")
        FROM_OUTSIDE = "O-256", _("Sold from an overseas collectivity")
        FRANCHISE = "293B", _("Franchise")

    category = models.CharField(
        _("what it means"), max_length=5, choices=Category, default=Category.EXEMPT
    )
    code = models.CharField(_("code"), max_length=30)
    # What staff choose it by.
    name_fr = models.CharField(_("what it is, in French"), max_length=120)
    name_en = models.CharField(_("what it is, in English"), max_length=120)
    # What the document says.
    sentence_fr = models.CharField(_("sentence in French"), max_length=300)
    sentence_en = models.CharField(_("sentence in English"), max_length=300)
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("until"), null=True, blank=True)
    source = models.CharField(_("source"), max_length=200)

    class Meta:
        ordering = ["code", "name_fr", "-starts_on"]
        constraints = [
            models.UniqueConstraint(
                fields=["code", "name_fr", "starts_on"],
                name="an_exemption_reason_starts_once_a_day",
            ),
            models.CheckConstraint(
                name="an_exemption_reason_ends_after_it_starts",
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
            ),
        ]

    def __str__(self) -> str:
        return self.name_fr if (get_language() or "").startswith("fr") else self.name_en

    def sentence(self, language: str) -> str:
        return self.sentence_fr if language == "fr" else self.sentence_en

    def holds_on(self, day: date) -> bool:
        return self.starts_on <= day and (self.ends_on is None or day <= self.ends_on)
