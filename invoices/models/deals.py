"""What was sold. These rows know no CRM: integrations fills them."""

from __future__ import annotations

from datetime import date
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from moneyed import Money

from billing_portal.accounts.models import User
from billing_portal.accounts.roles import sees_everything
from billing_portal.keys import Keyed, KeyedQuerySet, KeyField
from billing_portal.money import from_minor
from invoices.models.catalogue import CatalogueItem
from invoices.models.clients import Client, Contact
from invoices.models.invoices import Invoice


class Pipeline(models.Model):
    name = models.CharField(max_length=255)
    position = models.IntegerField(default=0)
    gone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.name


class Stage(models.Model):
    pipeline = models.ForeignKey(Pipeline, on_delete=models.CASCADE, related_name="stages")
    name = models.CharField(max_length=255)
    position = models.IntegerField(default=0)
    gone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pipeline", "position", "pk"]

    def __str__(self) -> str:
        return self.name


class DealQuerySet(KeyedQuerySet["Deal"]):
    def visible_to(self, user: User) -> Self:
        return self if sees_everything(user) else self.filter(owner=user)

    def to_bill(self, since: date | None = None) -> Self:
        """Won, not set aside, and no invoice drafted or issued from it that still stands."""
        billed = Invoice.objects.billing().filter(deal=OuterRef("pk"))
        found = self.filter(status=Deal.Status.WON, set_aside_at__isnull=True).exclude(
            Exists(billed)
        )
        # What recurs is billed by its subscription: a deal of nothing else has nothing left.
        recurring = Deal.objects.filter(
            pk=OuterRef("pk"), subscriptions__status__in=("draft", "active", "paused", "ended")
        )
        once = DealLine.objects.filter(
            deal=OuterRef("pk"), enabled=True, billing_frequency__in=("", "one-time")
        )
        found = found.exclude(Exists(recurring) & ~Exists(once))
        # A deal whose CRM has no date stays in: better asked about than lost.
        return found.filter(Q(won_on__gte=since) | Q(won_on__isnull=True)) if since else found


class Deal(Keyed):
    class Status(models.TextChoices):
        OPEN = "open", pgettext_lazy("deal", "Open")
        WON = "won", _("Won")
        LOST = "lost", _("Lost")
        DELETED = "deleted", _("Deleted in the CRM")

    class TaxMethod(models.TextChoices):
        EXCLUSIVE = "exclusive", _("prices without VAT")
        INCLUSIVE = "inclusive", _("prices with VAT")
        NONE = "none", _("no VAT given")

    title = models.CharField(_("title"), max_length=255)
    title_key = KeyField("title")
    client = models.ForeignKey(
        Client, on_delete=models.PROTECT, null=True, blank=True, related_name="deals"
    )
    # The CRM gives the deal to nobody, and a person chose its client (deals/choosing.py): who and
    # when, whom the CRM names since then, and whom it named when that person chose.
    client_chosen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    client_chosen_at = models.DateTimeField(null=True, blank=True)
    client_in_crm = models.ForeignKey(
        Client, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    client_chosen_over = models.ForeignKey(
        Client, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    contact = models.ForeignKey(
        Contact, on_delete=models.SET_NULL, null=True, blank=True, related_name="deals"
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="deals",
    )
    stage = models.ForeignKey(Stage, on_delete=models.SET_NULL, null=True, related_name="deals")
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    archived = models.BooleanField(default=False)
    currency = models.CharField(max_length=3)
    value_minor = models.BigIntegerField(default=0)
    tax_method = models.CharField(max_length=10, choices=TaxMethod, default=TaxMethod.EXCLUSIVE)
    added_on = models.DateField(null=True, blank=True)
    won_on = models.DateField(null=True, blank=True)
    purchase_order = models.CharField(_("purchase order"), max_length=120, blank=True)
    order_key = KeyField("purchase_order", max_length=120)
    service_from = models.DateField(null=True, blank=True)
    service_until = models.DateField(null=True, blank=True)
    # Finance decided that this deal is not billed here, and why.
    set_aside_at = models.DateTimeField(null=True, blank=True)
    set_aside_reason = models.CharField(max_length=300, blank=True)
    # What the import could not keep: codes and values (billing_portal.notices), older ones as text.
    import_notes = models.JSONField(default=list, blank=True)
    # Why what is here is older than what the CRM has: it changed there and can no longer be read
    # (code and values; else {}). It is not billed until it was read again.
    outdated = models.JSONField(default=dict, blank=True)
    # Since when the CRM no longer shows it to us, be it deleted or only hidden.
    hidden_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = DealQuerySet.as_manager()

    class Meta:
        ordering = ["-won_on", "-pk"]
        indexes = [
            models.Index(fields=["status", "won_on"], name="deal_status_won_on"),
            models.Index(fields=["client", "status"], name="deal_client_status"),
        ]
        constraints = [
            models.CheckConstraint(
                name="a_chosen_client_is_there",
                condition=Q(client_chosen_at__isnull=True, client_in_crm__isnull=True)
                | Q(client_chosen_at__isnull=False, client__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def client_differs(self) -> bool:
        """A person chose the client, and since then the CRM names another: somebody decides."""
        if self.client is None or self.client_in_crm is None:
            return False
        if self.client_in_crm_id == self.client_chosen_over_id:
            return False
        return self.client_in_crm.account_id != self.client.account_id

    @property
    def billed_client(self) -> Client | None:
        """Whom a new draft would bill: where two words differ, the CRM's, which is the newer."""
        return self.client_in_crm if self.client_differs else self.client

    @property
    def value(self) -> Money:
        return from_minor(self.value_minor, self.currency)


class DealLine(models.Model):
    class DiscountKind(models.TextChoices):
        PERCENTAGE = "percentage", _("percent")
        AMOUNT = "amount", _("amount")

    deal = models.ForeignKey(Deal, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveIntegerField()
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    quantity = models.DecimalField(max_digits=16, decimal_places=4)
    unit = models.CharField(max_length=40, blank=True)
    unit_price = models.DecimalField(max_digits=20, decimal_places=6)
    discount = models.DecimalField(max_digits=20, decimal_places=6, default=0)
    discount_kind = models.CharField(
        max_length=10, choices=DiscountKind, default=DiscountKind.PERCENTAGE
    )
    tax_percent = models.DecimalField(max_digits=7, decimal_places=4, default=0)
    enabled = models.BooleanField(default=True)
    billing_frequency = models.CharField(max_length=20, default="one-time")
    # Of a recurring line: how many times, empty for ever; and from which day on.
    billing_cycles = models.PositiveSmallIntegerField(null=True, blank=True)
    billing_starts_on = models.DateField(null=True, blank=True)
    # The product of the CRM, as the catalogue has it.
    item = models.ForeignKey(
        CatalogueItem,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="deal_lines",
        db_index=False,
    )

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["deal", "position"], name="deal_lines_are_in_order")
        ]
        indexes = [
            models.Index(
                fields=["item"], condition=Q(item__isnull=False), name="deal_line_of_item"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def recurs(self) -> bool:
        return self.billing_frequency not in ("", "one-time")


class DealInstalment(models.Model):
    """A part of the deal's value and the day on which the CRM says that it is billed."""

    deal = models.ForeignKey(Deal, on_delete=models.CASCADE, related_name="instalments")
    position = models.PositiveIntegerField()
    description = models.CharField(max_length=255, blank=True)
    # In the deal's currency; like its value before VAT, or with it where its prices are.
    amount_minor = models.BigIntegerField()
    due_on = models.DateField()

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.CheckConstraint(
                name="an_instalment_of_a_deal_is_above_zero", condition=Q(amount_minor__gt=0)
            )
        ]

    def __str__(self) -> str:
        return self.description or f"{self.due_on} {self.amount_minor}"


class DealDiscount(models.Model):
    """A discount on the whole deal, apart from those of its lines."""

    deal = models.ForeignKey(Deal, on_delete=models.CASCADE, related_name="discounts")
    position = models.PositiveIntegerField()
    description = models.CharField(max_length=255, blank=True)
    kind = models.CharField(max_length=10, choices=DealLine.DiscountKind)
    value = models.DecimalField(max_digits=20, decimal_places=6)

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.description or str(self.value)
