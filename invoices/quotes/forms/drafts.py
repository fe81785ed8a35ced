"""The head of a quote, and the small forms of what is done with one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from billing_portal.money import is_currency
from billing_portal.typed.fields import DayField, LineField, LinesField
from invoices.company.currencies import company_currency, usual_currencies
from invoices.invoicing.forms.deposits import DepositField, deposit_written
from invoices.invoicing.forms.drafts import (
    COMMON_CURRENCIES,
    COMMON_TERMS,
    RecipientsField,
    terms_in_words,
)
from invoices.models import QuoteVersion

LANGUAGES = [("fr", gettext_lazy("French")), ("en", gettext_lazy("English"))]


class QuoteForm(forms.Form):
    title = LineField(label=gettext_lazy("Title"), required=False, max_length=255)
    recipients = RecipientsField(label=gettext_lazy("Quote goes to"), required=False)
    valid_until = DayField(
        label=gettext_lazy("Valid until"),
        error_messages={"required": gettext_lazy("Say until when it can be accepted.")},
    )
    terms = forms.ChoiceField(label=gettext_lazy("Payment terms"))
    deposit = DepositField(label=gettext_lazy("Deposit"), required=False)
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=LANGUAGES)
    currency = forms.ChoiceField(label=gettext_lazy("Currency"))
    note = LinesField(
        label=gettext_lazy("Note under the lines"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, version: QuoteVersion, today: date
    ) -> None:
        super().__init__(data, initial=None if data is not None else initial_of(version))
        self.label_suffix = ""
        self.version = version
        day: Any = self.fields["valid_until"]
        day.today = today
        client = version.quote.client
        pairs = dict.fromkeys(
            [
                (client.terms_kind, client.terms_days),
                (version.terms_kind, version.terms_days),
                *COMMON_TERMS,
            ]
        )
        self._choices("terms", [(f"{k}:{d}", terms_in_words(k, d)) for k, d in pairs])
        codes = dict.fromkeys(
            [
                version.currency,
                client.currency,
                company_currency(),
                *COMMON_CURRENCIES,
                *usual_currencies(),
            ]
        )
        self._choices("currency", [(code, code) for code in codes])
        deposit: Any = self.fields["deposit"]
        deposit.currency = self.chosen_currency

    def _choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        field: Any = self.fields[name]
        field.choices = choices

    @property
    def chosen_currency(self) -> str:
        value = str(self["currency"].value() or "")
        return value if is_currency(value) else self.version.currency

    def header(self) -> dict[str, Any]:
        """What of it is well typed, in the words of `save_version`."""
        cleaned = self.cleaned_data
        found = {name: cleaned[name] for name in cleaned if name not in ("terms", "deposit")}
        if "terms" in cleaned:
            kind, _colon, days = cleaned["terms"].partition(":")
            found |= {"terms_kind": kind, "terms_days": int(days)}
        if "deposit" in cleaned:
            found["deposit_percent"], found["deposit_minor"] = cleaned["deposit"]
        return found


def initial_of(version: QuoteVersion) -> dict[str, Any]:
    return {
        "title": version.title,
        "recipients": list(version.recipients),
        "valid_until": version.valid_until,
        "terms": f"{version.terms_kind}:{version.terms_days}",
        "deposit": deposit_written(
            Decimal(version.deposit_percent), version.deposit_minor, version.currency
        ),
        "language": version.language,
        "currency": version.currency,
        "note": version.note,
    }


class SendForm(forms.Form):
    recipients = RecipientsField(
        label=gettext_lazy("To"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Several addresses: separate them by commas."),
    )


class ReasonForm(forms.Form):
    reason = LineField(label=gettext_lazy("Why"), required=False, max_length=300)


class RecordForm(forms.Form):
    """Accepted on paper or by mail: who, in which function, and how we know."""

    name = LineField(
        label=gettext_lazy("Who accepted"),
        max_length=120,
        error_messages={"required": gettext_lazy("Say who accepted it: the name is kept.")},
    )
    role = LineField(label=gettext_lazy("Function"), required=False, max_length=120)
