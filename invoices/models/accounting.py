"""The accounts and journals of the accountant's ledger, and what was exported for it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from invoices.models.natures import NATURES


class JournalSetup(models.Model):
    """How entries are written for the ledger. One row; without it the usual words hold."""

    sales_code = models.CharField(_("code of the sales journal"), max_length=10, default="VE")
    sales_label = models.CharField(_("its name"), max_length=60, default="Ventes")
    bank_code = models.CharField(_("code of the bank journal"), max_length=10, default="BQ")
    bank_label = models.CharField(_("its name"), max_length=60, default="Banque")
    other_code = models.CharField(_("code of the general journal"), max_length=10, default="OD")
    other_label = models.CharField(_("its name"), max_length=60, default="Opérations diverses")
    # Each client is an auxiliary account (CompAuxNum) beneath the collective one.
    with_auxiliary = models.BooleanField(_("an auxiliary account for each client"), default=True)
    # Money that settles no invoice yet: on the client's account, or on that of advances.
    cash_on_advances = models.BooleanField(
        _("money received goes to the advances account until it settles an invoice"), default=False
    )
    # A write-off of no more than this is a difference of a payment, not a bad debt.
    small_difference_minor = models.BigIntegerField(_("small differences up to"), default=500)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="there_is_one_journal_setup", condition=Q(pk=1)),
            models.CheckConstraint(
                name="small_differences_are_not_below_zero",
                condition=Q(small_difference_minor__gte=0),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sales_code} {self.bank_code} {self.other_code}"

    @classmethod
    def ours(cls) -> JournalSetup:
        return cls.objects.filter(pk=1).first() or cls(pk=1)


class LedgerAccount(models.Model):
    """An account that somebody chose instead of the usual one (accounting/chart.py), or beside it.

    The keys say what it is for: of sales the territory, VAT category, rate and nature, of VAT the
    rate. An empty key is any; the narrowest row counts.
    """

    class Role(models.TextChoices):
        CLIENTS = "clients", _("Clients")
        ADVANCES = "advances", _("Advances of clients")
        DEPOSITS = "deposits", _("Deposits billed")
        BANK = "bank", _("Bank")
        SALES = "sales", _("Sales")
        REBATES = "rebates", _("Rebates granted")
        SALES_DISCOUNT = "sales_discount", _("Discounts given on invoices")
        SALES_CHARGE = "sales_charge", _("Freight and other charges billed")
        RETENTION = "retention", _("Retentions held by clients")
        VAT = "vat", _("VAT collected")
        VAT_WAITING = "vat_waiting", _("VAT that waits for its receipt")
        EXCHANGE_GAIN = "exchange_gain", _("Exchange gains")
        EXCHANGE_LOSS = "exchange_loss", _("Exchange losses")
        BAD_DEBT = "bad_debt", _("Bad debts")
        DISCOUNT = "discount", _("Discounts that clients took")
        SMALL_LOSS = "small_loss", _("Small differences, to our cost")
        SMALL_GAIN = "small_gain", _("Small differences, in our favour")
        FEES = "fees", _("Bank charges")

    role = models.CharField(_("for"), max_length=20, choices=Role)
    territory = models.CharField(_("territory of the buyer"), max_length=20, blank=True)
    category = models.CharField(_("VAT category"), max_length=2, blank=True)
    rate = models.DecimalField(
        _("VAT rate in per cent"), max_digits=5, decimal_places=2, null=True, blank=True
    )
    nature = models.CharField(_("nature"), max_length=8, choices=NATURES, blank=True)
    number = models.CharField(_("account"), max_length=12)
    label = models.CharField(_("name"), max_length=100)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["role", "territory", "category", "-rate", "nature"]
        constraints = [
            models.UniqueConstraint(
                "role",
                "territory",
                "category",
                Coalesce(F("rate"), -1, output_field=models.DecimalField()),
                "nature",
                name="an_account_is_chosen_once",
            ),
            models.CheckConstraint(
                name="only_sales_and_vat_have_several_accounts",
                condition=Q(role="sales")
                | Q(role__in=["vat", "vat_waiting"], territory="", category="", nature="")
                | Q(territory="", category="", nature="", rate__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.label}"


class JournalExport(models.Model):
    """A journal that left: which period, which form, the digest of its bytes. Append-only."""

    starts_on = models.DateField()
    ends_on = models.DateField()
    format = models.CharField(max_length=20)
    with_history = models.BooleanField(default=False)
    filename = models.CharField(max_length=120)
    sha256 = models.CharField(max_length=64)
    entries = models.PositiveIntegerField()
    lines = models.PositiveIntegerField()
    # Debit and credit alike, in the company's currency.
    total_minor = models.BigIntegerField()
    # Facts that could not be written, as the person knew.
    left_out = models.PositiveIntegerField(default=0)
    # The moment from which on what is recorded is not in it: before the first row was read.
    read_at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="an_export_ends_after_it_starts", condition=Q(ends_on__gte=F("starts_on"))
            )
        ]

    def __str__(self) -> str:
        return self.filename
