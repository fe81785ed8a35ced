"""Who buys: clients, their types and the people who receive the invoices."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce, Lower
from django.utils.translation import gettext_lazy as _

from billing_portal.keys import Keyed, KeyedQuerySet, KeyField, contains
from invoices.models.terms import PaymentTerms, TermsKind
from invoices.tax.supplies import Place


class ClientType(models.Model):
    """How clients are grouped where payment delays are measured."""

    class Mark(models.TextChoices):
        """Colour, plotly mark and dash of a type (ui/UI.md); never used for anything else."""

        LARGE = "large", "Large account"
        SME = "sme", "SME"
        STARTUP = "startup", "Start-up"
        PUBLIC = "public", "Public sector"
        NONPROFIT = "nonprofit", "Non-profit"
        INTERNATIONAL = "intl", "International"
        NONE = "none", _("grey, hollow circle")

    name = models.CharField(_("name"), max_length=80)
    mark = models.CharField(_("mark"), max_length=20, choices=Mark, default=Mark.NONE)
    position = models.PositiveSmallIntegerField(default=100)
    # Only while a merge is under way: the database lets issued invoices follow to this type, and
    # to no other.
    merged_into = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["position", "name"]
        constraints = [
            models.UniqueConstraint(Lower("name"), name="client_type_names_differ"),
            models.UniqueConstraint(
                fields=["mark"], condition=~Q(mark="none"), name="one_client_type_per_mark"
            ),
        ]

    def __str__(self) -> str:
        return self.name


def account(of: str = "") -> Coalesce:
    """The client whose account a row is part of: a client merged into another has none of its own.

    `of` leads from the row to its client's row, such as "invoice__".
    """
    return Coalesce(f"{of}client__merged_into", f"{of}client")


def type_of_today(of: str = "client__") -> Coalesce:
    """The type that the client's account has today; of an issued invoice it may be another one
    than the invoice keeps. `of` leads from the row to its client's row; "" from the client."""
    return Coalesce(f"{of}merged_into__client_type", f"{of}client_type")


class ClientQuerySet(KeyedQuerySet["Client"]):
    def living(self) -> Self:
        """Those that no other client took up."""
        return self.filter(merged_into__isnull=True)

    def called(self, text: str) -> Self:
        """With `text` in the name, or in that of one that was merged into it."""
        named = contains("name_key", text)
        former = Client.objects.filter(named, merged_into__isnull=False)
        return self.filter(named | Q(pk__in=former.order_by().values("merged_into")))

    def of_types(self, types: Iterable[int]) -> Self:
        """Whose account has one of these types today."""
        return self.annotate(type_of_account=type_of_today("")).filter(
            type_of_account__in=list(types)
        )

    def members_of(self, accounts: Any) -> QuerySet[Any, Any]:
        """The keys of these clients and of all that were merged into them."""
        became = self.annotate(account=Coalesce("merged_into", "pk"))
        return became.filter(account__in=accounts).order_by().values("pk")

    def account_of(self, client_id: int) -> Self:
        """The client, all that were merged into one with it, and the one that they became.

        What was issued to a client stays its own (the database freezes it); who owes and who pays
        is the account. A merge is written flat: one step leads from any client to its account.
        """
        became = Coalesce("merged_into", "pk")
        mine = Client.objects.filter(pk=client_id).annotate(account=became).values("account")
        return self.filter(Q(pk__in=mine) | Q(merged_into__in=mine))


class BuyerKind(models.TextChoices):
    """Whom the law takes a client for: late penalties, terms and reverse charge depend on it."""

    BUSINESS = "business", _("Business")
    PUBLIC = "public", _("Public body")
    CONSUMER = "consumer", _("Consumer")


def usual_ledger_code(client_id: int) -> str:
    """C000123: nobody has to think one up, and no two clients share it."""
    return f"C{client_id:06d}"


class Client(Keyed):
    name = models.CharField(_("name"), max_length=255, db_index=True)
    name_key = KeyField("name", db_index=True)
    client_type = models.ForeignKey(
        ClientType, verbose_name=_("client type"), on_delete=models.PROTECT, related_name="clients"
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("account owner"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="clients",
    )
    language = models.CharField(_("language"), max_length=10, default="fr")
    # Documents say everything in the other language too.
    bilingual = models.BooleanField(_("documents in both languages"), default=False)
    currency = models.CharField(_("currency"), max_length=3, default="EUR")
    terms_kind = models.CharField(
        _("payment terms"), max_length=20, choices=TermsKind, default=TermsKind.NET
    )
    terms_days = models.PositiveSmallIntegerField(_("days"), default=30)
    # Instead of the two above, terms that make several instalments.
    terms = models.ForeignKey(
        PaymentTerms,
        verbose_name=_("instalments"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="clients",
    )
    buyer_kind = models.CharField(
        _("who buys"), max_length=10, choices=BuyerKind, default=BuyerKind.BUSINESS
    )
    vat_id = models.CharField(_("VAT id"), max_length=20, blank=True)
    siren = models.CharField(_("SIREN"), max_length=9, blank=True)
    # Its auxiliary account in the ledger; empty for the usual one, which follows from its id.
    ledger_code = models.CharField(_("auxiliary account"), max_length=17, blank=True)
    address_line1 = models.CharField(_("address"), max_length=255, blank=True)
    address_line2 = models.CharField(_("address, second line"), max_length=255, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=20, blank=True)
    city = models.CharField(_("city"), max_length=120, blank=True)
    country = models.CharField(_("country"), max_length=2, default="FR")
    # Only where goods or services go elsewhere than the invoice.
    delivery_address = models.CharField(_("delivery address"), max_length=500, blank=True)
    delivery_postal_code = models.CharField(_("postal code"), max_length=20, blank=True)
    delivery_city = models.CharField(_("city"), max_length=120, blank=True)
    # Empty is the client's own.
    delivery_country = models.CharField(_("country"), max_length=2, blank=True)
    billing_email = models.EmailField(_("billing email"), max_length=254, blank=True)
    needs_purchase_order = models.BooleanField(_("asks for a purchase order"), default=False)
    note = models.TextField(_("note"), blank=True)
    # A statement of account by mail when a month is over, as long as something is open.
    monthly_statement = models.BooleanField(_("statement each month"), default=False)
    # The CRM no longer has it; its history stays.
    gone_at = models.DateTimeField(null=True, blank=True)
    merged_into = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ClientQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        indexes = [models.Index(Lower("name"), name="client_lower_name")]
        constraints = [
            models.UniqueConstraint(
                fields=["ledger_code"],
                condition=~Q(ledger_code=""),
                name="an_auxiliary_account_is_of_one_client",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def ledger_account(self) -> str:
        """The auxiliary account that the ledger knows it by."""
        return self.ledger_code or usual_ledger_code(self.pk)

    @property
    def account_id(self) -> int:
        """The client whose account this one's invoices and payments are part of."""
        return self.merged_into_id or self.pk

    @property
    def has_address(self) -> bool:
        return bool(self.address_line1 and self.city)

    @property
    def place(self) -> Place:
        """Where it is for VAT."""
        return Place(self.country, self.postal_code)

    @property
    def place_of_delivery(self) -> Place | None:
        """Where goods go unless a document says otherwise; None where they go to the client."""
        if not (self.delivery_country or self.delivery_postal_code):
            return None
        return Place(self.delivery_country or self.country, self.delivery_postal_code)

    @property
    def delivery_lines(self) -> list[str]:
        city = " ".join(filter(None, (self.delivery_postal_code, self.delivery_city)))
        lines = [*self.delivery_address.splitlines(), city]
        return [line for line in map(str.strip, lines) if line]

    @property
    def address_lines(self) -> list[str]:
        city = " ".join(part for part in (self.postal_code, self.city) if part)
        return [line for line in (self.address_line1, self.address_line2, city) if line]


class Contact(models.Model):
    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="contacts")
    name = models.CharField(_("name"), max_length=255)
    email = models.EmailField(_("email"), max_length=254, blank=True)
    phone = models.CharField(_("phone"), max_length=60, blank=True)
    job_title = models.CharField(_("position"), max_length=120, blank=True)
    receives_invoices = models.BooleanField(_("receives the invoices"), default=False)
    gone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-receives_invoices", "name", "pk"]

    def __str__(self) -> str:
        return self.name
