"""What every document that is written here says of itself: an invoice, a quote, a subscription."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy

from billing_portal.money import is_currency
from billing_portal.typed import texts
from billing_portal.typed.fields import LineField, LinesField
from invoices.company.currencies import company_currency, usual_currencies
from invoices.company.payment_terms import chosen_as, offered
from invoices.invoicing.forms.supplied import SuppliedForm
from invoices.models import Client
from invoices.models.supplied import SUPPLIED

COMMON_TERMS = (
    ("net", 0),
    ("net", 15),
    ("net", 30),
    ("net", 45),
    ("net", 60),
    ("eom_after", 30),
    ("eom_after", 45),
    ("eom_before", 30),
    ("eom_before", 45),
)
# What the choice of terms says beside a kind and its days: terms of several instalments.
NAMED = "named"
COMMON_CURRENCIES = ("EUR", "USD", "GBP", "CHF")
LANGUAGES = [("fr", gettext_lazy("French")), ("en", gettext_lazy("English"))]


class RecipientsField(LineField):
    """Addresses separated by commas, semicolons, spaces or lines; cleans to a list."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=2000, **options)

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]
        if isinstance(value, list):
            return value
        parts = (texts.one_line(part) for part in re.split(r"[\s,;]+", str(value or "")))
        return [part for part in parts if part]

    def run_validators(self, value: Any) -> None:
        """The addresses are judged by the domain, in its own words."""

    def validate(self, value: Any) -> None:
        if self.required and not value:
            raise forms.ValidationError(self.error_messages["required"], code="required")


class HeadForm(SuppliedForm):
    """Beside the lines; each kind of document adds its own fields."""

    title = LineField(label=gettext_lazy("Title"), required=False, max_length=255)
    recipients = RecipientsField(label=gettext_lazy("Invoice goes to"), required=False)
    terms = forms.ChoiceField(label=gettext_lazy("Payment terms"))
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=LANGUAGES)
    currency = forms.ChoiceField(label=gettext_lazy("Currency"))
    note = LinesField(
        label=gettext_lazy("Note under the lines"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    # Fields that read a day such as “tomorrow”.
    days: ClassVar[Sequence[str]] = ()
    # Fields that the rules do not know by their own name.
    read_apart: ClassVar[frozenset[str]] = frozenset({"terms"})

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, document: Any, client: Client, today: date
    ) -> None:
        super().__init__(data, initial=None if data is not None else self.initial_of(document))
        self.label_suffix = ""
        self.document = document
        for name in self.days:
            day: Any = self.fields[name]
            day.today = today
        pairs = dict.fromkeys(
            [
                (client.terms_kind, client.terms_days),
                (document.terms_kind, document.terms_days),
                *COMMON_TERMS,
            ]
        )
        self.choose("terms", [(f"{k}:{d}", chosen_as(k, d)) for k, d in pairs] + self.more_terms())
        codes = dict.fromkeys(
            [
                document.currency,
                client.currency,
                company_currency(),
                *COMMON_CURRENCIES,
                *usual_currencies(),
            ]
        )
        self.choose("currency", [(code, code) for code in codes])
        self.offer_places(document)

    def choose(self, name: str, choices: Sequence[tuple[Any, str]]) -> None:
        field: Any = self.fields[name]
        field.choices = choices

    def more_terms(self) -> list[tuple[str, str]]:
        """Those of several instalments, for the documents that may have them."""
        named = offered(also=self.document.terms_id)
        return [(f"{NAMED}:{terms.pk}", terms.name) for terms in named]

    @property
    def chosen_currency(self) -> str:
        value = str(self["currency"].value() or "")
        return value if is_currency(value) else self.document.currency

    def header(self) -> dict[str, Any]:
        """What of it is well typed, in the words of the function that saves it."""
        cleaned = self.cleaned_data
        apart = {*self.read_apart, *SUPPLIED}
        plain = {name: cleaned[name] for name in cleaned if name not in apart}
        return plain | self.supplied() | self.terms_chosen()

    def terms_chosen(self) -> dict[str, Any]:
        kind, _colon, which = self.cleaned_data.get("terms", "").partition(":")
        if not kind:
            return {}
        if kind == NAMED:
            return {"terms_id": int(which)}
        return {"terms_kind": kind, "terms_days": int(which), "terms_id": None}

    @classmethod
    def initial_of(cls, document: Any) -> dict[str, Any]:
        return {
            "title": document.title,
            "recipients": list(document.recipients),
            "terms": cls.terms_of(document),
            "language": document.language,
            "currency": document.currency,
            "note": document.note,
            **cls.initial_supplied(document),
        }

    @classmethod
    def terms_of(cls, document: Any) -> str:
        if document.terms_id:
            return f"{NAMED}:{document.terms_id}"
        return f"{document.terms_kind}:{document.terms_days}"


class ReasonForm(forms.Form):
    """Why a document is discarded, paused or withdrawn, where somebody wants to say."""

    reason = LineField(label=gettext_lazy("Why"), required=False, max_length=300)
