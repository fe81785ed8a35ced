"""An item as people type it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing_portal.forms import ModelForm, row_id
from billing_portal.money import is_currency
from billing_portal.typed import numbers
from billing_portal.typed.fields import LineField, NumberField
from invoices.catalogue.keeping import keep_here, taken_code, write_prices
from invoices.company.currencies import company_currency, usual_currencies
from invoices.company.exemptions import Exemptions
from invoices.company.vat_rates import FrenchRates
from invoices.invoicing.forms.lines import UNITS, vat_label, vat_value
from invoices.models import CatalogueItem
from invoices.tax.territories import Territory

_PRICE: Final = "price_"
_LARGEST: Final = Decimal(10) ** 13


class PriceField(NumberField):
    """A unit price: up to six decimals, in the currency of its label."""

    def __init__(self, currency: str, **options: Any) -> None:
        super().__init__(places=6, least=0, most=_LARGEST, required=False, **options)
        self.currency = currency

    def read(self, text: str) -> Decimal:
        return numbers.read_amount(text, self.currency)


class ItemForm(ModelForm[CatalogueItem]):
    unit = forms.ChoiceField(label=gettext_lazy("Unit"))
    vat = forms.ChoiceField(label=gettext_lazy("VAT"), required=False)
    other_currency = LineField(label=gettext_lazy("Another currency"), required=False, max_length=3)
    other_price = NumberField(
        label=gettext_lazy("Price in it"), required=False, places=6, least=0, most=_LARGEST
    )

    class Meta:
        model = CatalogueItem
        fields = ["code", "name", "description", "nature"]
        widgets = {"description": forms.Textarea({"rows": 3})}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        item = self.instance
        self._held = {row.currency: row.unit_price for row in item.prices.all()} if item.pk else {}
        self._choices("unit", _units(item.unit))
        self._choices("vat", _vat_choices(item))
        self.initial.update(unit=item.unit, vat=_vat_of(item))
        codes = dict.fromkeys([company_currency(), *usual_currencies(), *self._held])
        for code in codes:
            self.fields[f"{_PRICE}{code}"] = PriceField(
                code, label=_("Price in %(currency)s, before VAT") % {"currency": code}
            )
            self.initial[f"{_PRICE}{code}"] = self._held.get(code)
        self.fields["other_currency"].help_text = _("Three letters: EUR, USD, GBP…")

    def _choices(self, name: str, choices: list[tuple[str, Any]]) -> None:
        field: Any = self.fields[name]
        field.choices = choices

    @property
    def prices(self) -> list[Any]:
        """The bound fields, for the page."""
        return [self[name] for name in self.fields if name.startswith(_PRICE)]

    def clean_code(self) -> str:
        code = " ".join(str(self.cleaned_data["code"]).split())
        if taken_code(code, but=self.instance.pk or 0):
            raise ValidationError(
                _("%(code)s is another item’s code; capitals make no difference.") % {"code": code}
            )
        return code

    def clean_other_currency(self) -> str:
        code = str(self.cleaned_data["other_currency"]).upper()
        if code and not is_currency(code):
            raise ValidationError(
                _("“%(code)s” is not a currency: write EUR, USD, GBP…") % {"code": code}
            )
        return code

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        code, price = data.get("other_currency"), data.get("other_price")
        if price is not None and not code and "other_currency" not in self.errors:
            self.add_error("other_currency", _("Say in which currency this price is."))
        if code and price is None and "other_price" not in self.errors:
            self.add_error("other_price", _("Say the price in this currency."))
        return data

    def wanted_prices(self) -> dict[str, Decimal]:
        data = self.cleaned_data
        found = {
            name.removeprefix(_PRICE): value
            for name, value in data.items()
            if name.startswith(_PRICE) and value is not None
        }
        if data.get("other_currency"):
            found[data["other_currency"]] = data["other_price"]
        return found

    def save(self, commit: bool = True) -> CatalogueItem:
        item = self.instance
        if not item._state.adding and not self.is_merged:
            raise RuntimeError("a row is edited by billing_portal.editing.save_edit")
        data = self.cleaned_data
        item.unit = data["unit"]
        if "vat" in self.changed_data or item._state.adding:
            category, _colon, rest = data["vat"].partition(":")
            rate, _colon, why = rest.partition(":")
            item.vat_category, item.vat_rate = category, Decimal(rate or 0)
            item.exemption_id = row_id(why)
        changed = [name for name in self.changed_data if not name.startswith((_PRICE, "other_"))]
        prices = self.wanted_prices()
        if prices != self._held:
            changed.append("prices")
        keep_here(item, changed)
        item.save()
        write_prices(item, prices)
        return item


def _units(held: str) -> list[tuple[str, Any]]:
    known = list(UNITS)
    return known if held in dict(known) else [*known, (held, held)]


def _vat_of(item: CatalogueItem) -> str:
    if not item.vat_category:
        return ""
    return vat_value(item.vat_category, Decimal(item.vat_rate), item.exemption_id)


def _vat_choices(item: CatalogueItem) -> list[tuple[str, Any]]:
    """As the client’s situation asks; a rate; a reason to be exempt; and what the item has."""
    today = timezone.localdate()
    rates = [vat_value("S", rate) for rate in FrenchRates().on(today, Territory.METROPOLE)]
    reasons = [
        (vat_value("E", Decimal(0), row.pk), str(row))
        for row in Exemptions().on(today)
        if row.category == "E"
    ]
    found: list[tuple[str, Any]] = [("", _("As the client’s situation asks"))]
    found += [(value, vat_label(value)) for value in rates]
    held = _vat_of(item)
    if held and held not in {value for value, _label in [*found, *reasons]}:
        found.append((held, str(item.exemption) if item.exemption else vat_label(held)))
    return [*found, (_("Exempt"), sorted(reasons, key=lambda each: each[1]))] if reasons else found
