"""Subscriptions: what is billed again and again, by which calendar, at which prices, and so far."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from billing_portal.accounts.models import User
from billing_portal.accounts.roles import sees_everything
from billing_portal.keys import Keyed, KeyedQuerySet, KeyField
from invoices.models.catalogue import CatalogueItem
from invoices.models.clients import Client
from invoices.models.deals import Deal
from invoices.models.exemptions import ExemptionReason
from invoices.models.invoices import Invoice
from invoices.models.natures import NATURES, USUAL_NATURE
from invoices.models.quotes import Quote
from invoices.models.supplied import Supplied, supplied_constraints
from invoices.models.terms import PaymentTerms, TermsKind


class SubscriptionQuerySet(KeyedQuerySet["Subscription"]):
    def visible_to(self, user: User) -> Self:
        return self if sees_everything(user) else self.filter(owner=user)

    def waiting(self) -> Self:
        """Those of which a draft waits for somebody: refused, or many due at once."""
        stuck = SubscriptionPeriod.objects.waiting().values("subscription")
        return self.filter(pk__in=stuck)


class Subscription(Supplied, Keyed):
    """A client is billed for one period after the other.

    `next_…` and `yearly_minor` are what subscriptions/standing.py worked out after the last change:
    lists and the task find by them; the rows of periods are the truth.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", pgettext_lazy("subscription", "Not started")
        ACTIVE = "active", pgettext_lazy("subscription", "Active")
        PAUSED = "paused", pgettext_lazy("subscription", "Paused")
        ENDED = "ended", pgettext_lazy("subscription", "Ended")
        DISCARDED = "discarded", pgettext_lazy("subscription", "Discarded")

    class Unit(models.TextChoices):
        WEEK = "week", _("weeks")
        MONTH = "month", _("months")
        YEAR = "year", _("years")

    class Way(models.TextChoices):
        DRAFT = "draft", _("as a draft that a person issues")
        ISSUE = "issue", _("issued by itself")
        SEND = "send", _("issued and emailed by itself")

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="subscriptions")
    # The salesperson, who sees it and the invoices that it makes.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="subscriptions",
    )
    deal = models.ForeignKey(
        Deal, on_delete=models.PROTECT, null=True, blank=True, related_name="subscriptions"
    )
    quote = models.ForeignKey(
        Quote, on_delete=models.PROTECT, null=True, blank=True, related_name="subscriptions"
    )
    # The invoice that it repeats.
    repeats = models.ForeignKey(
        Invoice, on_delete=models.PROTECT, null=True, blank=True, related_name="repeated_by"
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    # ─ What each invoice says
    title = models.CharField(_("title"), max_length=255, blank=True)
    title_key = KeyField("title")
    language = models.CharField(_("language"), max_length=10, default="fr")
    currency = models.CharField(_("currency"), max_length=3)
    terms_kind = models.CharField(
        _("payment terms"), max_length=20, choices=TermsKind, default=TermsKind.NET
    )
    terms_days = models.PositiveSmallIntegerField(_("days"), default=30)
    terms = models.ForeignKey(
        PaymentTerms,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="subscriptions",
    )
    purchase_order = models.CharField(_("purchase order"), max_length=120, blank=True)
    note = models.TextField(_("note"), max_length=2000, blank=True)
    recipients = models.JSONField(default=list, blank=True)
    # ─ Its calendar: kept as it is once a period was made (subscriptions/periods.py reads it)
    unit = models.CharField(max_length=5, choices=Unit, default=Unit.MONTH)
    every = models.PositiveSmallIntegerField(default=1)
    starts_on = models.DateField()
    # The first day of the first whole period: later than the start, a part period comes before it.
    whole_from = models.DateField()
    # The day of the month on which whole periods begin; 31 is the last day of each month.
    month_day = models.PositiveSmallIntegerField(default=1)
    in_arrears = models.BooleanField(default=False)
    # A part period costs its share by days; otherwise as much as a whole one.
    prorated = models.BooleanField(default=True)
    # The last day that is billed, or so many periods; without either it runs on.
    ends_on = models.DateField(null=True, blank=True)
    most_periods = models.PositiveSmallIntegerField(null=True, blank=True)
    way = models.CharField(max_length=5, choices=Way, default=Way.DRAFT)
    # ─ Worked out
    next_number = models.PositiveIntegerField(default=1)
    next_first_day = models.DateField(null=True, blank=True)
    next_due_on = models.DateField(null=True, blank=True)
    next_net_minor = models.BigIntegerField(default=0)
    next_total_minor = models.BigIntegerField(default=0)
    # The net of a whole period at the prices of the next one, times such periods in a year: 12
    # months, 52 weeks. 0 when nothing comes.
    yearly_minor = models.BigIntegerField(default=0)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["status", "next_due_on"], name="subscription_status_due"),
        ]
        constraints = [
            *supplied_constraints("subscription"),
            models.CheckConstraint(
                name="a_subscription_ends_by_a_day_or_a_count",
                condition=Q(ends_on__isnull=True) | Q(most_periods__isnull=True),
            ),
            models.CheckConstraint(
                name="a_subscription_comes_again",
                condition=Q(every__gte=1, every__lte=120, month_day__gte=1, month_day__lte=31),
            ),
            models.CheckConstraint(
                name="whole_periods_begin_after_the_start",
                condition=Q(whole_from__gte=F("starts_on")),
            ),
            models.CheckConstraint(
                name="a_subscription_ends_after_its_start",
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
            ),
        ]

    def __str__(self) -> str:
        return self.title or self.client.name

    @property
    def is_open(self) -> bool:
        """It may still make something."""
        return self.status in (self.Status.DRAFT, self.Status.ACTIVE, self.Status.PAUSED)


class SubscriptionVersion(models.Model):
    """What is billed in each period that begins on `first_day` or later, until the next version.

    Lines are typed anew rather than changed once a period was made from them: what was billed
    keeps the price that it was billed at.
    """

    subscription = models.ForeignKey(
        Subscription, on_delete=models.CASCADE, related_name="versions"
    )
    first_day = models.DateField()
    # Discounts and charges on the whole of each period, as of a draft invoice.
    adjustments = models.JSONField(default=list, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["first_day"]
        constraints = [
            models.UniqueConstraint(
                fields=["subscription", "first_day"], name="one_version_from_each_day"
            )
        ]

    def __str__(self) -> str:
        return f"{self.subscription_id} {self.first_day}"


class SubscriptionLine(models.Model):
    """As a line of a draft invoice, for a whole period."""

    version = models.ForeignKey(SubscriptionVersion, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveIntegerField()
    description = models.TextField(_("description"), max_length=2000, blank=True)
    quantity = models.DecimalField(_("quantity"), max_digits=16, decimal_places=4, default=1)
    unit = models.CharField(max_length=3, default="C62")
    unit_price = models.DecimalField(_("unit price"), max_digits=20, decimal_places=6, default=0)
    price_missing = models.BooleanField(default=False)
    discount_percent = models.DecimalField(
        _("discount %"), max_digits=9, decimal_places=6, default=0
    )
    discount_amount = models.DecimalField(max_digits=20, decimal_places=6, default=0)
    nature = models.CharField(
        _("nature"), max_length=8, choices=NATURES, default=USUAL_NATURE, blank=True
    )
    vat_category = models.CharField(max_length=2, default="S")
    vat_rate = models.DecimalField(_("VAT"), max_digits=5, decimal_places=2, default=20)
    exemption = models.ForeignKey(
        ExemptionReason, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    # The item of the catalogue that it was made of; its words and price are its own since then.
    item = models.ForeignKey(
        CatalogueItem,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="subscription_lines",
        db_index=False,
    )

    class Meta:
        ordering = ["position", "pk"]
        indexes = [
            models.Index(
                fields=["item"], condition=Q(item__isnull=False), name="subscription_line_of_item"
            ),
        ]

    def __str__(self) -> str:
        return self.description[:60]


class PriceRise(models.Model):
    """Prices rise (or fall) by so many per cent from a day, once or on that day of each year.

    A period has the prices of its first day; a version typed later begins with its own.
    """

    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="rises")
    first_day = models.DateField()
    percent = models.DecimalField(max_digits=7, decimal_places=4)
    yearly = models.BooleanField(default=False)
    # A yearly one was called off: no rise from this day on.
    ends_before = models.DateField(null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["first_day", "pk"]
        constraints = [
            models.CheckConstraint(
                name="a_rise_changes_prices_and_leaves_some",
                condition=Q(percent__gt=-100, percent__lte=900) & ~Q(percent=0),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.percent} % {self.first_day}"


class SubscriptionPeriodQuerySet(models.QuerySet["SubscriptionPeriod"]):
    def waiting(self) -> Self:
        """Made for an invoice that issues itself, and a person is needed first."""
        stuck = (SubscriptionPeriod.State.REFUSED, SubscriptionPeriod.State.ASKED)
        return self.filter(state__in=stuck, billings__invoice__status=Invoice.Status.DRAFT)


class SubscriptionPeriod(models.Model):
    """A period that was dealt with: once, whatever happens. The database keeps its days."""

    class State(models.TextChoices):
        DRAFTED = "drafted", _("drafted for a person")
        # Issued by the next step of the task, in a transaction of its own.
        TO_ISSUE = "to_issue", _("about to be issued")
        ISSUED = "issued", _("issued by itself")
        REFUSED = "refused", _("could not be issued by itself")
        # Several were due at once: a person looks before they are issued.
        ASKED = "asked", _("waits for a person: several were due at once")
        SKIPPED = "skipped", _("not billed")

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="periods")
    # From 1, without gaps: with the subscription it is what makes a period one.
    number = models.PositiveIntegerField()
    first_day = models.DateField()
    last_day = models.DateField()
    due_on = models.DateField()
    made_on = models.DateField()
    state = models.CharField(max_length=10, choices=State)

    objects = SubscriptionPeriodQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        indexes = [models.Index(fields=["state"], name="subscription_period_state")]
        constraints = [
            models.UniqueConstraint(
                fields=["subscription", "number"], name="a_period_is_made_once"
            ),
            models.UniqueConstraint(
                fields=["subscription", "first_day"], name="a_day_begins_one_period"
            ),
            models.CheckConstraint(
                name="a_period_ends_after_it_begins",
                condition=Q(last_day__gte=F("first_day")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subscription_id}/{self.number}"


class SubscriptionBilling(models.Model):
    """The invoice of a period. A discarded or credited one may be followed by another: the database
    refuses a second one that stands."""

    period = models.ForeignKey(
        SubscriptionPeriod, on_delete=models.PROTECT, related_name="billings"
    )
    invoice = models.OneToOneField(
        Invoice, on_delete=models.PROTECT, related_name="subscription_billing"
    )

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.period} → {self.invoice}"


class SubscriptionEvent(models.Model):
    """What happened to a subscription, append-only: the database refuses change and deletion."""

    class Kind(models.TextChoices):
        BEGUN = "begun", _("Begun")
        STARTED = "started", _("Started")
        CHANGED = "changed", _("Changed")
        RISE = "rise", _("Price rise set")
        INDEXED = "indexed", _("Index set")
        RISE_ENDED = "rise_ended", _("Price rise called off")
        PAUSED = "paused", _("Paused")
        RESUMED = "resumed", _("Resumed")
        SKIPPED = "skipped", _("Period not billed")
        MADE = "made", _("Invoice made")
        REFUSED = "refused", _("Not issued by itself")
        ISSUED = "issued", _("Issued by itself")
        RELEASED = "released", _("Released for issue")
        END_SET = "end_set", _("End set")
        ENDED = "ended", _("Ended")
        DISCARDED = "discarded", _("Discarded")

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=12, choices=Kind)
    at = models.DateTimeField(auto_now_add=True)
    on = models.DateField()
    # Nobody: the task did it.
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    data = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.kind} {self.on}"
