"""Invoices and credit notes, what they say and what happened to them."""

from __future__ import annotations

from datetime import date
from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from billing_portal.accounts.models import User
from billing_portal.accounts.roles import sees_everything
from billing_portal.keys import Keyed, KeyedQuerySet, KeyField, number_key, sort_key
from invoices.models.adjusted import Adjusted
from invoices.models.amounts import InvoiceAmounts
from invoices.models.clients import Client, ClientType
from invoices.models.decisions import BooksDecision
from invoices.models.facts import SealField
from invoices.models.indexes import INVOICE_INDEXES
from invoices.models.numbering import NumberSeries
from invoices.models.rules_of_invoices import INVOICE_CONSTRAINTS
from invoices.models.standing import (
    CreditReason,
    Kind,
    Purpose,
    Standing,
    Status,
    credited_whole,
    was_issued,
)
from invoices.models.supplied import Supplied
from invoices.models.terms import PaymentTerms, TermsKind


class InvoiceQuerySet(KeyedQuerySet["Invoice"]):
    def visible_to(self, user: User) -> Self:
        return self if sees_everything(user) else self.filter(owner=user)

    def invoices(self) -> Self:
        return self.filter(kind=Invoice.Kind.INVOICE)

    def credit_notes(self) -> Self:
        return self.filter(kind=Invoice.Kind.CREDIT_NOTE)

    def billing(self) -> Self:
        """Those that bill a deal: drafted or issued, and not taken back whole by credit notes.

        In the order of their ids: by issue date, SQLite would walk all invoices to find the few of
        a deal already sorted.
        """
        alive = self.invoices().exclude(status=Invoice.Status.VOID)
        return alive.exclude(credited_whole()).order_by("pk")

    def drafts(self) -> Self:
        return self.filter(status=Invoice.Status.DRAFT)

    def issued(self) -> Self:
        return self.filter(was_issued())

    def seen_late(self) -> Self:
        """Brought in because they were open on some day, without their brothers paid before."""
        return self.filter(observed_from__isnull=False)

    def outstanding(self) -> Self:
        """Invoices that somebody still owes something on."""
        return self.filter(status=Invoice.Status.ISSUED, kind=Invoice.Kind.INVOICE)

    def overdue(self, on: date) -> Self:
        """Outstanding, with something that was due before `on`: due that very day is not late."""
        return self.outstanding().filter(next_due__lt=on)


class Invoice(Supplied, Adjusted, InvoiceAmounts, Keyed):
    """An invoice, or a credit note (positive amounts, owed the other way round)."""

    Kind = Kind
    Purpose = Purpose
    CreditReason = CreditReason
    Status = Status

    kind = models.CharField(max_length=20, choices=Kind, default=Kind.INVOICE)
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    # Brought in from an older system: its number is that system's, it has no lines of ours.
    imported = models.BooleanField(default=False)
    # Only what was open on this day was brought in: curves count it from then on (truncation).
    observed_from = models.DateField(null=True, blank=True)

    # ─ Content: frozen at issue, the database refuses any change afterwards
    number = models.CharField(_("number"), max_length=35, blank=True, db_index=True)
    series = models.ForeignKey(
        NumberSeries, on_delete=models.PROTECT, null=True, blank=True, related_name="invoices"
    )
    sequence = models.PositiveIntegerField(null=True, blank=True)
    # An older version let our own series repeat a number of the old system: both stay as they are,
    # and `verify_books` names them.
    number_clashes = models.BooleanField(default=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="invoices")
    # The buyer as the document names him, and the client type of that day; blank until issue.
    buyer_name = models.CharField(max_length=255, blank=True)
    client_type = models.ForeignKey(
        ClientType, on_delete=models.PROTECT, null=True, blank=True, related_name="invoices"
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="invoices",
    )
    deal = models.ForeignKey(
        "invoices.Deal", on_delete=models.PROTECT, null=True, blank=True, related_name="invoices"
    )
    # Which step of the deal's plan this bills: deposits and instalments count from 1, a deal that
    # is billed whole is step 0.
    plan_step = models.PositiveSmallIntegerField(default=0)
    corrects = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="credit_notes"
    )
    purpose = models.CharField(max_length=10, choices=Purpose, default=Purpose.STANDARD)
    # Of a credit note; empty of older ones, which say it in their note only.
    credit_reason = models.CharField(max_length=10, choices=CreditReason, blank=True)
    # Of a corrected invoice: the one that is credited whole when this one is issued.
    replaces = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="replaced_by",
        # Of few: the partial index finds it.
        db_index=False,
    )
    # Of a corrected invoice: what was paid on the old one settles the new one.
    moves_payments = models.BooleanField(default=False)
    title = models.CharField(_("title"), max_length=255, blank=True)
    language = models.CharField(_("language"), max_length=10, default="fr")
    currency = models.CharField(_("currency"), max_length=3)
    issue_date = models.DateField(_("issue date"), null=True, blank=True)
    # The administrator's exception under which the issue date broke the order of dates.
    date_exception = models.ForeignKey(
        BooksDecision, on_delete=models.PROTECT, null=True, blank=True, related_name="invoices"
    )
    due_date = models.DateField(_("due date"), null=True, blank=True)
    terms_kind = models.CharField(
        _("payment terms"), max_length=20, choices=TermsKind, default=TermsKind.NET
    )
    terms_days = models.PositiveSmallIntegerField(_("days"), default=30)
    # A due date that somebody typed instead of the terms.
    due_date_typed = models.BooleanField(default=False)
    # Terms that make several instalments; the last of their days is then the due date.
    terms = models.ForeignKey(
        PaymentTerms, on_delete=models.PROTECT, null=True, blank=True, related_name="invoices"
    )
    # Of a draft, dues that somebody typed instead: pairs of day and minor units. Its `instalments`
    # are made when it is issued.
    dues_typed = models.JSONField(default=list, blank=True)
    service_from = models.DateField(_("service from"), null=True, blank=True)
    service_until = models.DateField(_("service until"), null=True, blank=True)
    purchase_order = models.CharField(_("purchase order"), max_length=120, blank=True)
    note = models.TextField(_("note"), max_length=2000, blank=True)
    net_minor = models.BigIntegerField(default=0)
    vat_minor = models.BigIntegerField(default=0)
    total_minor = models.BigIntegerField(default=0)
    # Company currency per unit of the invoice's, on the issue date; null when unknown.
    exchange_rate = models.DecimalField(max_digits=22, decimal_places=12, null=True, blank=True)
    # `invoices.paper.Paper` as JSON: what the printed page says, word for word.
    paper = models.JSONField(null=True, blank=True)
    content_hash = models.CharField(max_length=64, blank=True)
    previous_hash = models.CharField(max_length=64, blank=True)
    # What `content_hash` digests: 1 the paper, 2 the stored document and the links too.
    sealed_with = models.PositiveSmallIntegerField(default=1)

    # ─ Balance: only payments/settling.py writes these
    # The day by which the oldest open instalment is due; the due date where it is due whole, and
    # once it is settled. Null of a draft.
    next_due = models.DateField(null=True, blank=True)
    paid_minor = models.BigIntegerField(default=0)
    credited_minor = models.BigIntegerField(default=0)
    written_off_minor = models.BigIntegerField(default=0)
    outstanding_minor = models.BigIntegerField(default=0)
    # The day on which the outstanding balance reached zero, and, when money did it, the value date
    # of the last payment (reports/delays.py says why both).
    settled_on = models.DateField(null=True, blank=True)
    paid_on = models.DateField(null=True, blank=True)
    # paid_on less due_date, and less issue_date, in days; null until paid.
    days_late = models.IntegerField(null=True, blank=True)
    days_to_pay = models.IntegerField(null=True, blank=True)

    # ─ What a search looks for and a list sorts by
    number_key = KeyField("number", number_key, max_length=35, db_index=True)
    number_plain = KeyField("number", max_length=35, db_index=True)
    number_sort = KeyField("number", sort_key, db_index=True)
    title_key = KeyField("title")
    order_key = KeyField("purchase_order", max_length=120)

    # ─ Working marks
    recipients = models.JSONField(default=list, blank=True)
    issued_at = models.DateTimeField(null=True, blank=True)
    issued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    sent_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    seal = SealField("document")

    objects = InvoiceQuerySet.as_manager()

    class Meta:
        ordering = ["-issue_date", "-pk"]
        constraints = INVOICE_CONSTRAINTS
        indexes = INVOICE_INDEXES

    def __str__(self) -> str:
        return self.number or f"#{self.pk}"

    @property
    def is_draft(self) -> bool:
        return self.status == self.Status.DRAFT

    @property
    def is_issued(self) -> bool:
        """At some time, whether settled since or not."""
        return self.status in (self.Status.ISSUED, self.Status.SETTLED)

    @property
    def is_outstanding(self) -> bool:
        """An invoice that somebody still owes something on."""
        return self.standing.is_outstanding

    @property
    def is_credit_note(self) -> bool:
        return self.kind == self.Kind.CREDIT_NOTE

    @property
    def is_deposit(self) -> bool:
        return self.purpose == self.Purpose.DEPOSIT

    @property
    def is_final(self) -> bool:
        return self.purpose == self.Purpose.FINAL

    @property
    def is_corrective(self) -> bool:
        """It stands in the place of another, which its issue credits whole."""
        return self.replaces_id is not None

    @property
    def kind_name(self) -> str:
        """“Deposit invoice”, “Credit note”…: what it is, for the reader."""
        if self.is_credit_note:
            return str(Kind.CREDIT_NOTE.label)
        return str(Purpose(self.purpose).label)

    @property
    def client_name(self) -> str:
        """As the document names the buyer; a draft names the client of today."""
        return self.buyer_name or self.client.name

    @property
    def type_of_client(self) -> ClientType:
        """Where reports count it: as of its issue; a draft goes with its client."""
        return self.client_type or self.client.client_type

    @property
    def now_called(self) -> str:
        """The client's name of today, where the document has another one."""
        return self.client.name if self.client.name != self.client_name else ""

    @property
    def standing(self) -> Standing:
        return Standing(
            self.kind,
            self.status,
            self.next_due,
            self.total_minor,
            self.outstanding_minor,
            self.sent_at,
        )

    def is_overdue(self, on: date) -> bool:
        return self.standing.is_overdue(on)

    def days_overdue(self, on: date) -> int:
        """Days past the oldest due date that is open on `on`; 0 when not overdue."""
        return self.standing.days_overdue(on)

    def states(self, on: date) -> list[str]:
        """Every state that is true, most pressing first; keys of ui/UI.md, "States"."""
        return self.standing.states(on)
