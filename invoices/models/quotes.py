"""Quotes: what is offered to a client, in which version, with which choices."""

from __future__ import annotations

from datetime import date
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from moneyed import Money

from billing_portal.accounts.models import User
from billing_portal.accounts.roles import sees_everything
from billing_portal.keys import Keyed, KeyedQuerySet, KeyField, number_key, sort_key
from billing_portal.money import from_minor
from invoices.models.catalogue import CatalogueItem
from invoices.models.clients import Client
from invoices.models.deals import Deal
from invoices.models.exemptions import ExemptionReason
from invoices.models.invoices import Invoice
from invoices.models.natures import NATURES, USUAL_NATURE
from invoices.models.numbering import NumberSeries
from invoices.models.sales_terms import SalesTerms
from invoices.models.supplied import Supplied, supplied_constraints
from invoices.models.terms import TermsKind

# In minor units: VAT is rounded in each invoice, and a few cents may be left of the whole.
ROUNDING = 9


class State(models.TextChoices):
    """What a version is on a day; only `viewed` and `expired` are not a status of its row."""

    DRAFT = "draft", pgettext_lazy("quote", "Draft")
    SENT = "sent", pgettext_lazy("quote", "Sent")
    VIEWED = "viewed", pgettext_lazy("quote", "Read")
    ACCEPTED = "accepted", pgettext_lazy("quote", "Accepted")
    DECLINED = "declined", pgettext_lazy("quote", "Declined")
    EXPIRED = "expired", pgettext_lazy("quote", "Expired")
    REPLACED = "replaced", pgettext_lazy("quote", "Replaced")
    WITHDRAWN = "withdrawn", pgettext_lazy("quote", "Withdrawn")
    DISCARDED = "discarded", pgettext_lazy("quote", "Discarded")


class QuoteQuerySet(KeyedQuerySet["Quote"]):
    def visible_to(self, user: User) -> Self:
        return self if sees_everything(user) else self.filter(owner=user)

    def in_state(self, state: str, on: date) -> Self:
        """By the version that counts; the states of one day exclude each other."""
        open_now = Q(version__status=State.SENT, version__valid_until__gte=on)
        conditions = {
            State.SENT: open_now & Q(version__viewed_at__isnull=True),
            State.VIEWED: open_now & Q(version__viewed_at__isnull=False),
            State.EXPIRED: Q(version__status=State.SENT, version__valid_until__lt=on),
        }
        return self.filter(conditions.get(State(state), Q(version__status=state)))

    def to_bill(self) -> Self:
        """Accepted, and not billed whole yet by invoices that stand, drafts counted.

        What is left by the rounding of VAT, part by part, is nothing to bill.
        """
        billed = (
            Invoice.objects.billing()
            .filter(quote_billing__quote=OuterRef("pk"))
            .order_by()
            .values("quote_billing__quote")
            .annotate(sum=Sum("total_minor"))
            .values("sum")
        )
        accepted = self.filter(version__status=State.ACCEPTED)
        return accepted.annotate(billed_minor=Coalesce(Subquery(billed), 0)).filter(
            acceptance__total_minor__gt=F("billed_minor") + ROUNDING
        )


class Quote(Keyed):
    """One offer to one client through all its versions; its number is given when it first leaves.

    `version` is the one that counts: the last that left, and before any did the draft.
    """

    number = models.CharField(_("number"), max_length=35, blank=True, db_index=True)
    number_key = KeyField("number", number_key, max_length=35, db_index=True)
    number_plain = KeyField("number", max_length=35, db_index=True)
    number_sort = KeyField("number", sort_key, db_index=True)
    series = models.ForeignKey(
        NumberSeries, on_delete=models.PROTECT, null=True, blank=True, related_name="quotes"
    )
    sequence = models.PositiveIntegerField(null=True, blank=True)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="quotes")
    deal = models.ForeignKey(
        Deal, on_delete=models.PROTECT, null=True, blank=True, related_name="quotes"
    )
    # The salesperson: hears what the client answers.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="quotes",
    )
    copied_from = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="copies"
    )
    version = models.ForeignKey(
        "invoices.QuoteVersion",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    # The day on which its first version left.
    first_sent_on = models.DateField(null=True, blank=True, db_index=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = QuoteQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["number"], condition=~Q(number=""), name="a_number_names_one_quote"
            ),
            models.UniqueConstraint(
                fields=["series", "sequence"], name="a_series_gives_each_quote_number_once"
            ),
            models.CheckConstraint(
                name="a_quote_that_left_has_its_number",
                condition=Q(number="", series__isnull=True, first_sent_on__isnull=True)
                | (~Q(number="") & Q(series__isnull=False, first_sent_on__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return self.number or str(State.DRAFT.label)


class QuoteVersion(Supplied, Keyed):
    """What was offered, word for word: from the moment it leaves the database keeps it so."""

    # What a person decides on: opened by the client meanwhile, it is the same offer.
    decided_on = ("status", "title", "currency", "valid_until", "net_minor", "vat_minor")

    class DeclineReason(models.TextChoices):
        PRICE = "price", _("The price")
        DELAY = "delay", _("The time it takes")
        SCOPE = "scope", _("The content does not fit")
        OTHER = "other", _("Another supplier is chosen")
        LATER = "later", _("The project is put off or given up")

    quote = models.ForeignKey(Quote, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveSmallIntegerField(default=1)
    status = models.CharField(
        max_length=10,
        choices=[each for each in State.choices if each[0] not in (State.VIEWED, State.EXPIRED)],
        default=State.DRAFT,
    )
    title = models.CharField(_("title"), max_length=255, blank=True)
    title_key = KeyField("title")
    language = models.CharField(_("language"), max_length=10, default="fr")
    currency = models.CharField(_("currency"), max_length=3)
    # The last day on which it can be accepted.
    valid_until = models.DateField(_("valid until"))
    terms_kind = models.CharField(
        _("payment terms"), max_length=20, choices=TermsKind, default=TermsKind.NET
    )
    terms_days = models.PositiveSmallIntegerField(_("days"), default=30)
    # What is asked before work begins: a share of the total with VAT, or an amount.
    deposit_percent = models.DecimalField(max_digits=5, decimal_places=2, default=0)
    deposit_minor = models.BigIntegerField(default=0)
    note = models.TextField(_("note"), max_length=2000, blank=True)
    # The general terms of sale that it left with: those in force on that day, in its language.
    sales_terms = models.ForeignKey(
        SalesTerms, on_delete=models.PROTECT, null=True, blank=True, related_name="quotes"
    )
    recipients = models.JSONField(default=list, blank=True)
    # Discounts and charges on the whole, as `documents.adjustments.stored` writes them: a share of
    # what the client chooses, or an amount that stands whatever he does.
    adjustments = models.JSONField(default=list, blank=True)
    # With what is ticked at first; the acceptance has its own.
    net_minor = models.BigIntegerField(default=0)
    vat_minor = models.BigIntegerField(default=0)
    total_minor = models.BigIntegerField(default=0)
    # `documents.paper.Paper` as JSON, of the day on which it left.
    paper = models.JSONField(null=True, blank=True)
    # Goes into the link, signed; another one ends all links before, none ends them all.
    link_key = models.CharField(max_length=64, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    viewed_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    decline_reason = models.CharField(max_length=10, choices=DeclineReason, blank=True)
    decline_words = models.CharField(max_length=1000, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["quote", "number"]
        constraints = [
            *supplied_constraints("quote"),
            models.UniqueConstraint(
                fields=["quote", "number"], name="a_quote_has_each_version_once"
            ),
            models.UniqueConstraint(
                fields=["quote"],
                condition=Q(status="draft"),
                name="one_version_of_a_quote_is_being_written",
            ),
            models.UniqueConstraint(
                fields=["quote"],
                condition=Q(status__in=["sent", "accepted", "declined", "withdrawn"]),
                name="one_version_of_a_quote_counts",
            ),
            models.CheckConstraint(
                name="a_version_that_left_has_its_moment",
                condition=Q(status__in=["draft", "discarded"], sent_at__isnull=True)
                | (~Q(status__in=["draft", "discarded"]) & Q(sent_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="an_answer_has_its_moment",
                condition=Q(status__in=["accepted", "declined"], answered_at__isnull=False)
                | ~Q(status__in=["accepted", "declined"]),
            ),
            models.CheckConstraint(
                name="quote_net_and_vat_make_the_total",
                condition=Q(total_minor=F("net_minor") + F("vat_minor")),
            ),
            models.CheckConstraint(
                name="a_deposit_is_a_share_or_an_amount",
                condition=Q(deposit_percent=0, deposit_minor__gte=0)
                | Q(deposit_percent__gt=0, deposit_percent__lte=100, deposit_minor=0),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quote} v{self.number}"

    @property
    def is_draft(self) -> bool:
        return self.status == State.DRAFT

    @property
    def total(self) -> Money:
        return from_minor(self.total_minor, self.currency)

    def is_open(self, on: date) -> bool:
        """The client may accept it on that day; valid until that very day is still valid."""
        return self.status == State.SENT and on <= self.valid_until

    def state(self, on: date) -> State:
        if self.status != State.SENT:
            return State(self.status)
        if self.valid_until < on:
            return State.EXPIRED
        return State.VIEWED if self.viewed_at else State.SENT


class QuoteLine(models.Model):
    """As a line of an invoice, and whether the client has a choice."""

    class Role(models.TextChoices):
        INCLUDED = "included", _("Included")
        OPTION = "option", _("Option")
        # One of those that stand under the same heading is taken, always.
        ALTERNATIVE = "alternative", _("Alternative")

    version = models.ForeignKey(QuoteVersion, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveIntegerField()
    role = models.CharField(max_length=12, choices=Role, default=Role.INCLUDED)
    # The heading above it; of alternatives also the name of what is chosen.
    section = models.CharField(max_length=120, blank=True)
    # An option that is ticked at first, the alternative that we propose.
    proposed = models.BooleanField(default=False)
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
        related_name="quote_lines",
        db_index=False,
    )
    net_minor = models.BigIntegerField(default=0)

    class Meta:
        ordering = ["position", "pk"]
        indexes = [
            models.Index(
                fields=["item"], condition=Q(item__isnull=False), name="quote_line_of_item"
            ),
        ]

    def __str__(self) -> str:
        return self.description[:60]

    @property
    def name(self) -> str:
        """The first line of the description; further ones are details."""
        return self.description.strip().split("\n")[0].strip()
