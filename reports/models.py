"""What is watched, and what was found."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from billing_portal.accounts.models import User
from billing_portal.accounts.roles import sees_everything
from invoices.models import Client, ClientType, Deal, Invoice


class AlertRule(models.Model):
    class Measure(models.TextChoices):
        P50 = "p50", _("half are paid within")
        P75 = "p75", _("three in four are paid within")
        MEAN = "mean", _("paid invoices took on average")

    # Empty: it is called by what it watches, in the reader's language.
    name = models.CharField(_("name"), max_length=120, blank=True)
    # The key of a file of reports/alerts/kinds.
    kind = models.CharField(_("watches"), max_length=20)
    active = models.BooleanField(_("switched on"), default=True)
    # Overdue, not invoiced, habit: days; type delay: days late.
    days = models.PositiveSmallIntegerField(_("days"), default=30)
    # Overdue, not invoiced: only above this amount, in the company's currency.
    amount_minor = models.BigIntegerField(default=0)
    client_type = models.ForeignKey(
        ClientType, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    measure = models.CharField(max_length=5, choices=Measure, default=Measure.P50)
    # Invoices issued in the last so many days are looked at.
    window_days = models.PositiveSmallIntegerField(default=180)
    # Type delay, habit: nothing is said with fewer paid invoices behind it.
    min_payments = models.PositiveSmallIntegerField(default=5)
    # Within one episode it speaks at most every so many days; 0 = once an episode.
    cooldown_days = models.PositiveSmallIntegerField(default=30)
    # Addresses, people by id, roles:
    # {"emails": [...], "users": [...], "owner": true, "roles": ["finance"]}
    recipients = models.JSONField(default=dict, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name or f"{self.kind} {self.pk}"


class AlertQuerySet(models.QuerySet["Alert"]):
    def visible_to(self, user: User) -> Self:
        """Sales see what concerns their own: the owner whom a rule may tell (digests.py) sees it.

        The owner of the invoice or deal; only where it has none, that of its client. An alert about
        a whole client type is nobody's own.
        """
        if sees_everything(user):
            return self
        owner = Coalesce("invoice__owner", "deal__owner", "client__owner")
        return self.alias(concerns=owner).filter(concerns=user.pk)


class Alert(models.Model):
    class State(models.TextChoices):
        NEW = "new", _("New")
        ACKNOWLEDGED = "acknowledged", _("Acknowledged")
        SNOOZED = "snoozed", _("Snoozed")

    rule = models.ForeignKey(AlertRule, on_delete=models.CASCADE, related_name="alerts")
    # What makes it once: kind, rule, subject, first day of the episode, day of the alert.
    reason_key = models.CharField(max_length=200, unique=True)
    # The day on which the rule began to hold for the subject, without a break since.
    episode_started_on = models.DateField()
    fired_on = models.DateField()
    fired_at = models.DateTimeField(auto_now_add=True)
    invoice = models.ForeignKey(
        Invoice, on_delete=models.CASCADE, null=True, blank=True, related_name="alerts"
    )
    client = models.ForeignKey(
        Client, on_delete=models.CASCADE, null=True, blank=True, related_name="alerts"
    )
    client_type = models.ForeignKey(
        ClientType, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    deal = models.ForeignKey(
        Deal, on_delete=models.CASCADE, null=True, blank=True, related_name="alerts"
    )
    # The figures of that day, so that the sentence can be told in any language later.
    data = models.JSONField(default=dict)
    state = models.CharField(max_length=15, choices=State, default=State.NEW)
    snoozed_until = models.DateField(null=True, blank=True)
    # Since when its rule, as the rule is now, no longer holds for the subject; None: it does.
    ended_on = models.DateField(null=True, blank=True)
    handled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    handled_at = models.DateTimeField(null=True, blank=True)

    objects = AlertQuerySet.as_manager()

    class Meta:
        ordering = ["-fired_on", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="a_snoozed_alert_has_an_end",
                condition=(
                    Q(state="snoozed", snoozed_until__isnull=False)
                    | (~Q(state="snoozed") & Q(snoozed_until__isnull=True))
                ),
            )
        ]
        indexes = [models.Index(fields=["rule", "fired_on"], name="alert_rule_fired_on")]

    def __str__(self) -> str:
        return self.reason_key
