"""How the company invoices: numbers, terms, VAT, the words of its documents."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from moneyed import Money

from billing_portal.dates import day
from billing_portal.figures import grouped, percent
from billing_portal.forms import ModelForm
from billing_portal.money import from_minor, to_minor
from billing_portal.typed.days import is_far_ahead
from billing_portal.typed.fields import (
    DayField,
    LineField,
    MoneyField,
    NumberField,
    WholeNumberField,
)
from invoices.company.forms.details import CompactField, currency_choices
from invoices.company.vat_rates import FrenchRates
from invoices.documents.totals import STANDARD
from invoices.models import Company, Invoice
from invoices.models.company import VatRegime
from invoices.models.terms import TermsKind
from invoices.tax.vat_ids import state_of

# Code de commerce, D441-5: the flat indemnity of a late invoice, in euros.
INDEMNITY = Decimal(40)


_LIMITS = (
    ("write_off_limit", gettext_lazy("An accountant writes off at most")),
    ("write_off_limit_administrator", gettext_lazy("An administrator writes off at most")),
)


def _vat_group_problems(data: dict[str, Any], own: str) -> dict[str, str]:
    """By field; `own` is the company's VAT id."""
    if data.get("vat_regime") != VatRegime.GROUP:
        return {}
    names = ("vat_group_name", "vat_group_address", "vat_group_vat_id")
    missing = _("Each document of a member names its group: fill this in.")
    found = {name: missing for name in names if not data.get(name)}
    of_group = data.get("vat_group_vat_id", "")
    if of_group and (state_of(of_group) != "FR" or of_group == own):
        found["vat_group_vat_id"] = _(
            "Give the French VAT id of the group, not that of the company."
        )
    return found


class InvoicingForm(ModelForm[Company]):
    terms_days = WholeNumberField(label=gettext_lazy("Days"), least=0, most=365)
    vat_rate = NumberField(
        label=gettext_lazy("Usual VAT rate, in per cent"),
        places=2,
        least=Decimal(0),
        most=Decimal(100),
    )
    currency = forms.ChoiceField(label=gettext_lazy("Currency"), choices=currency_choices)
    language = forms.ChoiceField(
        label=gettext_lazy("Language of documents"),
        choices=[("fr", gettext_lazy("French")), ("en", gettext_lazy("English"))],
    )
    vat_group_name = LineField(label=gettext_lazy("Its name"), required=False, max_length=255)
    vat_group_address = LineField(label=gettext_lazy("Its address"), required=False, max_length=300)
    vat_group_vat_id = CompactField(label=gettext_lazy("Its VAT id"), required=False, max_length=30)
    billing_starts_on = DayField(
        label=gettext_lazy("First day of billing here"),
        required=False,
        help_text=gettext_lazy(
            "Deals won before it were billed in the old system: the queue leaves them out."
        ),
    )

    einvoicing_from = DayField(
        label=gettext_lazy("Obliged to e-invoice from"),
        required=False,
        help_text=gettext_lazy(
            "By law 1 September 2026 for large and mid-size companies, a year later for the others."
        ),
    )

    class Meta:
        model = Company
        fields = [
            "einvoicing_from",
            "billing_starts_on",
            "currency",
            "language",
            "terms_kind",
            "terms_days",
            "vat_regime",
            "vat_group_name",
            "vat_group_address",
            "vat_group_vat_id",
            "vat_rate",
            "usual_nature",
            "vat_on_debits",
            "discount_terms_fr",
            "discount_terms_en",
        ]
        labels = {
            "terms_kind": gettext_lazy("Payment terms"),
            "vat_regime": gettext_lazy("VAT regime"),
            "usual_nature": gettext_lazy("What you usually sell"),
            "vat_on_debits": gettext_lazy("VAT is due when invoiced (on debits)"),
            "discount_terms_fr": gettext_lazy("Early-payment discount, in French"),
            "discount_terms_en": gettext_lazy("Early-payment discount, in English"),
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        indemnity_currency = self.instance.currency or "EUR"
        self.fields["indemnity"] = MoneyField(
            label=_("Recovery indemnity per late invoice"),
            currency=indemnity_currency,
            least=Decimal(0),
            help_text=_("French law: 40 euros. Printed on each invoice."),
        )
        for name, label in _LIMITS:
            self.fields[name] = MoneyField(
                label=label,
                currency=indemnity_currency,
                required=False,
                least=Decimal(0),
                help_text=_("Per invoice, with VAT. Empty: without limit."),
            )
            limit = getattr(self.instance, name)
            if limit is not None:
                self.initial[name] = from_minor(limit, indemnity_currency)
        self.initial["indemnity"] = from_minor(self.instance.indemnity_minor, indemnity_currency)

    def clean_billing_starts_on(self) -> date | None:
        first: date | None = self.cleaned_data["billing_starts_on"]
        # Until then no deal would wait to be billed: a slip in the year stops all billing.
        if first and is_far_ahead(first, timezone.localdate()):
            raise ValidationError(
                _(
                    "%(day)s is more than a year away, and until then no deal would wait to be "
                    "billed: take an earlier day."
                )
                % {"day": day(first)}
            )
        return first

    def clean_indemnity(self) -> Money:
        amount: Money = self.cleaned_data["indemnity"]
        if self.instance.of_france and amount.amount < INDEMNITY:
            raise ValidationError(
                _(
                    "French law sets the indemnity of a late invoice at 40 euros (Code de "
                    "commerce, D441-5): a seller in France cannot ask for less."
                )
            )
        return amount

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        for name, text in _vat_group_problems(data, self.instance.vat_id).items():
            if name not in self.errors:
                self.add_error(name, text)
        return data

    def save(self, commit: bool = True) -> Company:
        self.instance.indemnity_minor = to_minor(self.cleaned_data["indemnity"])
        for name, _label in _LIMITS:
            given = self.cleaned_data.get(name)
            setattr(self.instance, name, None if given is None else to_minor(given))
        return super().save(commit)

    def changed_columns(self) -> list[str]:
        columns = super().changed_columns()
        columns = [*columns, "indemnity_minor"] if "indemnity" in self.changed_data else columns
        limits = [name for name, _label in _LIMITS if name in self.changed_data]
        return [*columns, *(name for name in limits if name not in columns)]

    def warnings(self) -> list[str]:
        return _second_looks(self.instance, self.changed_data)


def _second_looks(company: Company, changed: Collection[str]) -> list[str]:
    """What a saved form should make its person look twice at, a sentence each."""
    today = timezone.localdate()
    found = []
    if company.in_franchise and "vat_regime" in changed:
        drafts = Invoice.objects.drafts().filter(lines__vat_category=STANDARD).distinct()
        if n := drafts.count():
            found.append(
                ngettext(
                    "%(n)s draft bears VAT: it cannot be issued until the VAT is taken out.",
                    "%(n)s drafts bear VAT: they cannot be issued until the VAT is taken out.",
                    n,
                )
                % {"n": grouped(n)}
            )
    # C. com. L441-10: 60 days from the invoice date, or 45 with an end of month.
    if company.terms_days > (60 if company.terms_kind == TermsKind.NET else 45):
        found.append(
            _(
                "These payment terms are longer than French law allows between companies "
                "(60 days, or 45 days end of month): they are saved, and each invoice "
                "will warn."
            )
        )
    if company.billing_starts_on and company.billing_starts_on > today:
        found.append(
            _("Billing begins on %(day)s: deals won before it do not wait to be billed.")
            % {"day": day(company.billing_starts_on)}
        )
    if not company.of_france:
        return found
    if from_minor(company.indemnity_minor, company.currency).amount > INDEMNITY:
        found.append(
            _(
                "The law sets the indemnity at 40 euros; more is due where the contract says "
                "so or the costs are proved. Each new invoice prints what is saved here."
            )
        )
    lawful = FrenchRates().on(today)
    if company.vat_rate and company.vat_rate not in lawful:
        found.append(
            _(
                "%(rate)s is no French rate of VAT today (%(rates)s): an invoice with it is "
                "not issued."
            )
            % {
                "rate": percent(company.vat_rate),
                "rates": ", ".join(percent(each) for each in lawful),
            }
        )
    return found
