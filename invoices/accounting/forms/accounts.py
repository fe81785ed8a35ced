"""What the accountant's ledger calls its journals and accounts, as somebody types it."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing_portal.forms import ModelForm
from billing_portal.money import from_minor, to_minor
from billing_portal.typed.fields import LineField, MoneyField, NumberField
from invoices.accounting.chart import BEGINNINGS, USUAL, Key, Role, key_of
from invoices.models import JournalSetup, LedgerAccount
from invoices.models.natures import NATURES

_CODE = re.compile(r"[A-Z0-9]{1,10}")
CATEGORIES = [
    ("S", gettext_lazy("S: with VAT")),
    ("AE", gettext_lazy("AE: reverse charge")),
    ("K", gettext_lazy("K: delivery within the EU")),
    ("G", gettext_lazy("G: export")),
    ("O", gettext_lazy("O: outside the scope of VAT")),
    ("E", gettext_lazy("E: exempt")),
]
TERRITORIES = [
    ("metropole", gettext_lazy("Metropolitan France and Monaco")),
    ("corsica", gettext_lazy("Corsica")),
    ("dom_with_vat", gettext_lazy("Guadeloupe, Martinique, Réunion")),
    ("dom_without_vat", gettext_lazy("Guyane, Mayotte")),
    ("collectivity", gettext_lazy("Overseas collectivities")),
    ("eu", gettext_lazy("European Union")),
    ("eu_outside_vat", gettext_lazy("European Union, outside its VAT territory")),
    ("northern_ireland", gettext_lazy("Northern Ireland")),
    ("beyond", gettext_lazy("Rest of the world")),
]
_TELL_SALES = ("category", "territory", "nature")
_KEY = ("role", "rate", *_TELL_SALES)
SEVERAL = [
    (Role.SALES.value, Role.SALES.label),
    (Role.REBATES.value, Role.REBATES.label),
    (Role.VAT.value, Role.VAT.label),
    (Role.VAT_WAITING.value, Role.VAT_WAITING.label),
]


class SetupForm(ModelForm[JournalSetup]):
    sales_code = LineField(label=gettext_lazy("Sales journal, code"), max_length=10)
    sales_label = LineField(label=gettext_lazy("Sales journal, name"), max_length=60)
    bank_code = LineField(label=gettext_lazy("Bank journal, code"), max_length=10)
    bank_label = LineField(label=gettext_lazy("Bank journal, name"), max_length=60)
    other_code = LineField(label=gettext_lazy("General journal, code"), max_length=10)
    other_label = LineField(label=gettext_lazy("General journal, name"), max_length=60)

    class Meta:
        model = JournalSetup
        fields = [
            "sales_code",
            "sales_label",
            "bank_code",
            "bank_label",
            "other_code",
            "other_label",
            "with_auxiliary",
            "cash_on_advances",
        ]
        labels = {
            "with_auxiliary": gettext_lazy("An auxiliary account for each client"),
            "cash_on_advances": gettext_lazy(
                "Money received goes to the advances account until it settles an invoice"
            ),
        }

    def __init__(self, *args: Any, currency: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["small_difference"] = MoneyField(
            label=_("Write-offs up to this are small differences"),
            currency=currency,
            least=Decimal(0),
            help_text=_("Above it a write-off is a bad debt."),
        )
        minor = self.instance.small_difference_minor
        self.initial["small_difference"] = from_minor(minor, currency)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        codes: set[str] = set()
        for name in ("sales_code", "bank_code", "other_code"):
            code = data[name] = str(data.get(name, "")).upper()
            if name in self.errors:
                continue
            if not _CODE.fullmatch(code):
                self.add_error(name, _("Write one to ten letters A–Z or figures: VE, BQ, OD."))
            elif code in codes:
                self.add_error(name, _("Each journal has a code of its own."))
            codes.add(code)
        return data

    def save(self, commit: bool = True) -> JournalSetup:
        self.instance.small_difference_minor = to_minor(self.cleaned_data["small_difference"])
        return super().save(commit)

    def changed_columns(self) -> list[str]:
        columns = super().changed_columns()
        changed = "small_difference" in self.changed_data
        return [*columns, "small_difference_minor", "updated_at"] if changed else columns


class AccountForm(ModelForm[LedgerAccount]):
    """The number and name of one account; what it is for stays."""

    number = LineField(label=gettext_lazy("Account"), max_length=20)
    label = LineField(label=gettext_lazy("Its name"), max_length=100)

    class Meta:
        model = LedgerAccount
        fields = ["number", "label"]

    @property
    def role(self) -> str:
        return self.instance.role

    def clean_number(self) -> str:
        number = re.sub(r"[\s.]", "", self.cleaned_data["number"])
        if not re.fullmatch(r"[0-9]{3,12}", number):
            raise ValidationError(_("An account has 3 to 12 figures, such as 706000."))
        return number

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        beginnings = BEGINNINGS.get(self.role, ())
        number = data.get("number", "")
        if number and beginnings and not number.startswith(beginnings):
            self.add_error(
                "number",
                _("An account for “%(role)s” begins with %(figures)s.")
                % {"role": Role(self.role).label, "figures": ", ".join(beginnings)},
            )
        if "number" in data and self._is_taken():
            self.add_error(
                None, _("A colleague chose an account for this meanwhile: look at the page again.")
            )
        return data

    def _is_taken(self) -> bool:
        if not self.instance._state.adding:
            return False
        wanted = key_of(self.instance)
        rows = LedgerAccount.objects.filter(role=wanted.role)
        return any(key_of(row) == wanted for row in rows)


class NewAccountForm(AccountForm):
    """One for more than the usual cases: a rate, a territory, a category, a nature."""

    rate = NumberField(
        label=gettext_lazy("VAT rate, in per cent"), places=2, least=0, most=100, required=False
    )

    class Meta:
        model = LedgerAccount
        fields = ["role", "rate", "category", "territory", "nature", "number", "label"]
        labels = {"role": gettext_lazy("For")}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        anything = ("", _("any"))
        self.fields["role"] = forms.ChoiceField(label=_("For"), choices=SEVERAL)
        for name, label, choices in (
            ("category", _("VAT category"), CATEGORIES),
            ("territory", _("Territory of the buyer"), TERRITORIES),
            ("nature", _("Nature"), NATURES),
        ):
            self.fields[name] = forms.ChoiceField(
                label=label, choices=[anything, *choices], required=False
            )
        self.fields["rate"].help_text = _("Empty: any rate. VAT collected needs one.")
        self.fields["category"].help_text = _("Of sales and rebates only, as territory and nature.")

    @property
    def role(self) -> str:
        return str(self.cleaned_data.get("role", "")) if self.is_bound else Role.SALES

    def _is_taken(self) -> bool:
        return False

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if self.errors:
            return data
        wanted = key_of(LedgerAccount(**{name: data[name] for name in _KEY}))
        if wanted.role not in (Role.SALES, Role.REBATES):
            for name in _TELL_SALES:
                if data[name]:
                    self.add_error(name, _("Only sales and rebates are told apart by this."))
        elif wanted == Key(wanted.role):
            self.add_error("category", _("Say for which sales: those of each nature are there."))
        if wanted == Key(Role.VAT):
            self.add_error("rate", _("Say for which rate."))
        rows = LedgerAccount.objects.filter(role=wanted.role)
        if not self.errors and (wanted in USUAL or wanted in {key_of(row) for row in rows}):
            self.add_error(None, _("There is an account for exactly this: change it on the page."))
        return data
