"""What is sold again and again: an item has the words, prices and VAT that a line begins with.

A line keeps its own words afterwards and only points at its item, so that an item may be changed
or archived at any time; one is never deleted. These rows know no CRM: integrations fills them.
"""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from billing_portal.keys import Keyed, KeyedQuerySet, KeyField, contains
from invoices.models.exemptions import ExemptionReason
from invoices.models.natures import NATURES, USUAL_NATURE

LONGEST_CODE = 60


def code_key(text: str) -> str:
    """Codes that differ in capitals alone are one; signs count: A-1 is not A1."""
    return " ".join(text.split()).casefold()


class CatalogueItemQuerySet(KeyedQuerySet["CatalogueItem"]):
    def offered(self) -> Self:
        """Those that a line may be made of today."""
        return self.filter(archived_at__isnull=True)

    def called(self, text: str) -> Self:
        """Each word typed is in the code or in the name."""
        found = self
        for word in text.split()[:8]:
            found = found.filter(contains("code_plain", word) | contains("name_key", word))
        return found


class CatalogueItem(Keyed):
    class Origin(models.TextChoices):
        OWN = "own", _("Kept here")
        CRM = "crm", _("From the CRM")

    code = models.CharField(_("code"), max_length=LONGEST_CODE)
    code_key = KeyField("code", code_key, max_length=2 * LONGEST_CODE, unique=True)
    code_plain = KeyField("code", max_length=2 * LONGEST_CODE)
    name = models.CharField(_("name"), max_length=255)
    name_key = KeyField("name", db_index=True)
    description = models.TextField(_("description"), max_length=1500, blank=True)
    # UN/ECE Recommendation 20, as a line has it.
    unit = models.CharField(_("unit"), max_length=3, default="C62")
    nature = models.CharField(_("nature"), max_length=8, choices=NATURES, default=USUAL_NATURE)
    # "S" and a rate in percent, "E" with a reason, or empty: what the client's situation asks for.
    vat_category = models.CharField(max_length=2, blank=True)
    vat_rate = models.DecimalField(_("VAT"), max_digits=5, decimal_places=2, default=0)
    exemption = models.ForeignKey(
        ExemptionReason, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    archived_at = models.DateTimeField(null=True, blank=True)
    origin = models.CharField(max_length=4, choices=Origin, default=Origin.OWN)
    # Its number in the CRM, and what the CRM said of it last (integrations/crm/products.py).
    crm_number = models.CharField(max_length=40, blank=True)
    crm_says = models.JSONField(default=dict, blank=True)
    # Names of what was typed here: the CRM no longer writes these.
    kept_here = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = CatalogueItemQuerySet.as_manager()

    class Meta:
        ordering = ["name_key", "pk"]
        indexes = [
            models.Index(fields=["archived_at", "name_key"], name="item_offered_by_name"),
            models.Index(fields=["updated_at"], name="item_updated"),
        ]
        constraints = [
            models.CheckConstraint(
                name="an_item_of_the_crm_has_its_number",
                condition=Q(origin="own", crm_number="") | (Q(origin="crm") & ~Q(crm_number="")),
            ),
            models.CheckConstraint(
                name="the_vat_of_an_item_is_whole",
                condition=Q(vat_category="", vat_rate=0, exemption__isnull=True)
                | Q(vat_category="S", vat_rate__gt=0, exemption__isnull=True)
                | Q(vat_category="E", vat_rate=0, exemption__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    @property
    def is_archived(self) -> bool:
        return self.archived_at is not None

    @property
    def words(self) -> str:
        """What a line begins with: the name, and the description under it."""
        return "\n".join(part for part in (self.name, self.description) if part)


class CataloguePrice(models.Model):
    """Before VAT, for one unit, in one currency; in another one there is none: never converted."""

    item = models.ForeignKey(CatalogueItem, on_delete=models.CASCADE, related_name="prices")
    currency = models.CharField(_("currency"), max_length=3)
    # As the unit price of a line: in major units, not rounded.
    unit_price = models.DecimalField(_("unit price"), max_digits=20, decimal_places=6)

    class Meta:
        ordering = ["currency"]
        constraints = [
            models.UniqueConstraint(
                fields=["item", "currency"], name="an_item_has_one_price_in_each_currency"
            ),
            models.CheckConstraint(
                name="a_price_of_the_catalogue_is_not_below_zero",
                condition=Q(unit_price__gte=0),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.unit_price} {self.currency}"
