"""Published indexes, and which subscription follows one."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from invoices.models.subscriptions import Subscription


class Index(models.TextChoices):
    SYNTEC = "syntec", _("Syntec (monthly)")
    ILC = "ilc", _("ILC, commercial rents (quarterly)")
    ILAT = "ilat", _("ILAT, rents of offices (quarterly)")
    ICC = "icc", _("ICC, cost of construction (quarterly)")
    IRL = "irl", _("IRL, rents of homes (quarterly)")


class IndexValue(models.Model):
    """What was published for a month (2026-08) or a quarter (2026-Q3), and by whom."""

    index = models.CharField(_("index"), max_length=10, choices=Index)
    period = models.CharField(_("period"), max_length=7)
    value = models.DecimalField(_("value"), max_digits=12, decimal_places=4)
    source = models.CharField(_("source"), max_length=200)
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    entered_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["index", "-period"]
        constraints = [
            models.UniqueConstraint(
                fields=["index", "period"], name="an_index_has_one_value_for_a_period"
            ),
            models.CheckConstraint(name="an_index_is_above_zero", condition=Q(value__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.index} {self.period} {self.value}"


class Indexation(models.Model):
    """A subscription's prices follow an index: on `first_review` and that day of every year after,
    by the value of the base period's month or quarter, one year later each time."""

    class Missing(models.TextChoices):
        OLD_PRICE = "old", _("bill at the old price until it is known")
        HOLD = "hold", _("make no invoice until it is known")

    subscription = models.OneToOneField(
        Subscription, on_delete=models.CASCADE, related_name="indexation"
    )
    index = models.CharField(_("index"), max_length=10, choices=Index)
    base_period = models.CharField(_("base period"), max_length=7)
    first_review = models.DateField(_("first review"))
    missing = models.CharField(max_length=4, choices=Missing, default=Missing.OLD_PRICE)

    def __str__(self) -> str:
        return f"{self.subscription_id} {self.index} {self.base_period}"
