"""The seller, and the rates that its documents use."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from invoices.documents.paper import OF_FRANCE
from invoices.models.natures import NATURES, USUAL_NATURE
from invoices.models.terms import TermsKind
from invoices.tax.supplies import Place

# Legal forms of companies with a share capital that are entered in the trade register.
WITH_CAPITAL = frozenset(
    [
        "SA", "SAS", "SASU", "SARL", "EURL", "SNC", "SCA", "SCS", "SE", "SCOP", "SCIC",
        "SELARL", "SELARLU", "SELAS", "SELASU", "SELAFA", "SCI", "SCP", "SC",
    ]
)  # fmt: skip


class VatRegime(models.TextChoices):
    NORMAL = "normal", _("VAT is charged")
    # CGI 293 B; CIBS L223-1 and following from 1 September 2026.
    FRANCHISE = "franchise", _("Franchise: no VAT is charged (CGI 293 B)")
    GROUP = "group", _("VAT is charged by a group of which we are a member (CGI 256 C)")


class Layout(models.TextChoices):
    CLASSIC = "classic", _("Classic")
    MODERN = "modern", _("Modern")
    COMPACT = "compact", _("Compact")


class Company(models.Model):
    """The seller. One row: every page and document speaks for it."""

    name = models.CharField(_("name"), max_length=255)
    legal_form = models.CharField(_("legal form"), max_length=60, blank=True)
    capital = models.CharField(_("share capital"), max_length=60, blank=True)
    siren = models.CharField(_("SIREN"), max_length=9, blank=True)
    siret = models.CharField(_("SIRET"), max_length=14, blank=True)
    rcs_city = models.CharField(_("RCS city"), max_length=80, blank=True)
    vat_id = models.CharField(_("VAT id"), max_length=20, blank=True)
    address_line1 = models.CharField(_("address"), max_length=255, blank=True)
    address_line2 = models.CharField(_("address, second line"), max_length=255, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=20, blank=True)
    city = models.CharField(_("city"), max_length=120, blank=True)
    country = models.CharField(_("country"), max_length=2, default="FR")
    email = models.EmailField(_("email"), max_length=254, blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    website = models.CharField(_("website"), max_length=200, blank=True)
    iban = models.CharField(_("IBAN"), max_length=34, blank=True)
    bic = models.CharField(_("BIC"), max_length=11, blank=True)
    logo_png = models.BinaryField(_("logo"), blank=True, default=b"")
    # How documents look from now on; what is issued keeps the look of its day (documents/look.py).
    layout = models.CharField(_("layout"), max_length=10, choices=Layout, default=Layout.CLASSIC)
    # "#rrggbb", or "" for ink.
    colour = models.CharField(_("colour"), max_length=7, blank=True)

    currency = models.CharField(_("currency"), max_length=3, default="EUR")
    language = models.CharField(_("language"), max_length=10, default="fr")
    terms_kind = models.CharField(
        _("payment terms"), max_length=20, choices=TermsKind, default=TermsKind.NET
    )
    terms_days = models.PositiveSmallIntegerField(_("days"), default=30)
    vat_rate = models.DecimalField(
        _("usual VAT rate"), max_digits=5, decimal_places=2, default=Decimal("20.00")
    )
    # Never inferred from a rate: in the franchise no document shows VAT, and each one says why.
    vat_regime = models.CharField(
        _("VAT regime"), max_length=10, choices=VatRegime, default=VatRegime.NORMAL
    )
    # Of the group, which each document names beside the company itself (CGI ann. II, 242 nonies A).
    vat_group_name = models.CharField(_("name of the VAT group"), max_length=255, blank=True)
    vat_group_address = models.CharField(_("address of the VAT group"), max_length=300, blank=True)
    vat_group_vat_id = models.CharField(_("VAT id of the VAT group"), max_length=20, blank=True)
    # What a new line supplies, until somebody says otherwise on the line.
    usual_nature = models.CharField(
        _("usually sold"), max_length=8, choices=NATURES, default=USUAL_NATURE
    )
    vat_on_debits = models.BooleanField(_("VAT on debits"), default=False)
    indemnity_minor = models.BigIntegerField(_("recovery indemnity"), default=4000)
    discount_terms_fr = models.CharField(
        _("early-payment discount, in French"),
        max_length=300,
        default="Pas d’escompte pour paiement anticipé.",
    )
    discount_terms_en = models.CharField(
        _("early-payment discount, in English"),
        max_length=300,
        default="No discount for early payment.",
    )
    # Up to how much of one invoice may be given up, with VAT in minor units of the company's
    # currency; null is without limit (payments/write_off_limits.py).
    write_off_limit = models.BigIntegerField(null=True, blank=True)
    write_off_limit_administrator = models.BigIntegerField(null=True, blank=True)
    # Deals won before this day were billed in the old system: the queue leaves them out.
    billing_starts_on = models.DateField(_("first day of billing here"), null=True, blank=True)

    # From this day on invoices to French businesses have to go through an approved platform.
    einvoicing_from = models.DateField(_("obliged to e-invoice from"), null=True, blank=True)

    # The last closed day: nothing is dated on it or before it. Only company/closing.py moves it.
    closed_until = models.DateField(_("closed until"), null=True, blank=True)

    class Meta:
        verbose_name_plural = "companies"
        constraints = [
            models.CheckConstraint(name="there_is_one_company", condition=Q(pk=1)),
            models.CheckConstraint(
                name="a_write_off_limit_is_not_below_zero",
                condition=(Q(write_off_limit=None) | Q(write_off_limit__gte=0))
                & (Q(write_off_limit_administrator=None) | Q(write_off_limit_administrator__gte=0)),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def in_franchise(self) -> bool:
        return self.vat_regime == VatRegime.FRANCHISE

    @property
    def of_france(self) -> bool:
        """In France or one of its departments overseas: a company with a SIREN, by French law."""
        return self.country in OF_FRANCE

    @property
    def place(self) -> Place:
        """Where it is for VAT."""
        return Place(self.country, self.postal_code)

    def must_einvoice(self, on: date) -> bool:
        return self.of_france and self.einvoicing_from is not None and self.einvoicing_from <= on

    @property
    def in_vat_group(self) -> bool:
        return self.vat_regime == VatRegime.GROUP

    @property
    def has_capital(self) -> bool:
        """Whether its legal form is that of a French company, which states capital and register."""
        first = self.legal_form.strip().upper().replace(".", "").split(maxsplit=1)
        return self.of_france and bool(first) and first[0] in WITH_CAPITAL

    @classmethod
    def ours(cls) -> Company | None:
        """None on a fresh database: pages then lead to the settings."""
        return cls.objects.filter(pk=1).first()


class ExchangeRate(models.Model):
    """How much one unit of `currency` is worth in the company's currency on a day."""

    currency = models.CharField(max_length=3)
    on = models.DateField()
    rate = models.DecimalField(max_digits=22, decimal_places=12)
    source = models.CharField(max_length=120)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["currency", "on"], name="one_rate_per_currency_and_day"
            ),
            models.CheckConstraint(name="exchange_rate_is_positive", condition=Q(rate__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.currency} {self.on} {self.rate}"


class LatePenaltyRate(models.Model):
    """The yearly late-payment rate in percent from a day on.

    That of the law is the ECB's of 1 January or 1 July and 10 points (C. com. L441-10), for one
    half-year; a contract's holds until another begins.
    """

    class Basis(models.TextChoices):
        ECB = "ecb", _("The law: ECB rate plus 10 points, for one half-year")
        CONTRACT = "contract", _("Our contracts: until another rate begins")

    starts_on = models.DateField(unique=True)
    ends_on = models.DateField(_("until"), null=True, blank=True)
    basis = models.CharField(_("set by"), max_length=10, choices=Basis, default=Basis.ECB)
    percent = models.DecimalField(max_digits=6, decimal_places=3)
    source = models.CharField(max_length=200)

    class Meta:
        ordering = ["-starts_on"]
        constraints = [
            models.CheckConstraint(
                name="a_late_rate_ends_after_it_starts",
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
            ),
            models.CheckConstraint(
                name="a_late_rate_of_the_law_has_a_last_day",
                condition=Q(basis="contract") | Q(ends_on__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.percent} % from {self.starts_on}"

    def save(self, *args: Any, **options: Any) -> None:
        if self.basis == self.Basis.ECB and self.ends_on is None:
            self.ends_on = end_of_half_year(self.starts_on)
        super().save(*args, **options)


def end_of_half_year(day: date) -> date:
    return date(day.year, 6, 30) if day.month < 7 else date(day.year, 12, 31)
