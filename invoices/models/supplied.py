"""Where a document says that it delivers goods, and where its services are."""

from __future__ import annotations

from typing import Any, Final

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from invoices.tax.supplies import Place, Tie

TIES = [
    (Tie.BUILDING.value, _("In or about a building")),
    (Tie.EVENT.value, _("Admission to an event")),
    (Tie.MEAL.value, _("A meal, served there")),
    (Tie.JOURNEY.value, _("Passengers, carried there")),
]
# Columns of a document; the place of a service is named so in the rows and `tied` in the rules.
SUPPLIED: Final = (
    *("delivered_to", "delivery_address", "delivery_postal_code", "delivery_city"),
    *("delivery_country", "tie", "tie_address", "tie_postal_code", "tie_country"),
)


class DeliveredTo(models.TextChoices):
    # As the client's page says: the delivery address there, or where there is none the client's.
    USUAL = "", pgettext_lazy("delivery", "As the client’s page says")
    CLIENT = "client", pgettext_lazy("delivery", "The client’s own address")
    OTHER = "other", pgettext_lazy("delivery", "Another address")


class Supplied(models.Model):
    delivered_to = models.CharField(
        _("delivered to"), max_length=6, choices=DeliveredTo, default=DeliveredTo.USUAL, blank=True
    )
    delivery_address = models.CharField(_("delivery address"), max_length=500, blank=True)
    delivery_postal_code = models.CharField(_("postal code"), max_length=20, blank=True)
    delivery_city = models.CharField(_("city"), max_length=120, blank=True)
    delivery_country = models.CharField(_("country"), max_length=2, blank=True)
    # What ties its services to a place, whoever the client is; "" for nothing.
    tie = models.CharField(_("why there"), max_length=8, choices=TIES, blank=True)
    tie_address = models.CharField(_("where the service is"), max_length=300, blank=True)
    tie_postal_code = models.CharField(_("postal code"), max_length=20, blank=True)
    tie_country = models.CharField(_("country"), max_length=2, blank=True)

    class Meta:
        abstract = True

    @property
    def tied_to(self) -> Place | None:
        return Place(self.tie_country, self.tie_postal_code) if self.tie else None

    @property
    def supplied(self) -> dict[str, Any]:
        """For a copy, and for what is made from it."""
        return {name: getattr(self, name) for name in SUPPLIED}


def supplied_constraints(of: str) -> list[models.BaseConstraint]:
    """Names of constraints are of one table; `of` tells them apart."""
    return [
        models.CheckConstraint(
            name=f"{of}_delivered_elsewhere_names_a_country",
            condition=Q(delivered_to="other", delivery_country__gt="")
            | Q(
                delivered_to__in=["", "client"],
                delivery_address="",
                delivery_postal_code="",
                delivery_city="",
                delivery_country="",
            ),
        ),
        models.CheckConstraint(
            name=f"{of}_tied_to_a_place_names_a_country",
            condition=Q(tie__gt="", tie_country__gt="")
            | Q(tie="", tie_address="", tie_postal_code="", tie_country=""),
        ),
    ]
