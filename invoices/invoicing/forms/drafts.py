"""The head of a draft, as people type it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing_portal.dates import as_typed
from billing_portal.typed.fields import DayField, LineField, LinesField
from invoices.company.currencies import company_currency, usual_currencies
from invoices.company.payment_terms import offered
from invoices.invoicing.dues import Planned, planned, stored
from invoices.invoicing.forms.dues import dues_as_typed, read_dues
from invoices.models import Invoice
from invoices.models.terms import TermsKind

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
# What the choice of terms says beside a kind and its days: terms of several instalments by their
# id, and those that are typed.
NAMED, BY_HAND = "named", "by-hand"
COMMON_CURRENCIES = ("EUR", "USD", "GBP", "CHF")


def terms_in_words(kind: str, days: int) -> str:
    if kind == TermsKind.NET:
        if not days:
            return _("On receipt")
        words = ngettext("%(days)s day", "%(days)s days", days)
    elif kind == TermsKind.END_OF_MONTH_AFTER:
        words = ngettext("%(days)s day, end of month", "%(days)s days, end of month", days)
    else:
        words = ngettext(
            "End of month, then %(days)s day", "End of month, then %(days)s days", days
        )
    return words % {"days": days}


class RecipientsField(LineField):
    """Addresses separated by commas, semicolons, spaces or lines; cleans to a list."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=2000, **options)

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]
        if isinstance(value, list):
            return value
        return [part for part in re.split(r"[\s,;]+", str(value or "")) if part]

    def run_validators(self, value: Any) -> None:
        """The addresses are judged by the domain, in its own words."""

    def validate(self, value: Any) -> None:
        if self.required and not value:
            raise forms.ValidationError(self.error_messages["required"], code="required")


class DraftForm(forms.Form):
    title = LineField(label=gettext_lazy("Title"), required=False, max_length=255)
    recipients = RecipientsField(label=gettext_lazy("Invoice goes to"), required=False)
    issue_date = DayField(label=gettext_lazy("Issue date"), required=False, asks="both")
    terms = forms.ChoiceField(label=gettext_lazy("Payment terms"))
    dues = LinesField(
        label=gettext_lazy("Instalments, one on each line"),
        required=False,
        max_length=3000,
        widget=forms.Textarea(attrs={"rows": 3, "class": "tnum", "spellcheck": "false"}),
    )
    due_date = DayField(label=gettext_lazy("Due date"), required=False, asks="both")
    purchase_order = LineField(label=gettext_lazy("Purchase order"), required=False, max_length=120)
    service_from = DayField(label=gettext_lazy("Service from"), required=False)
    service_until = DayField(label=gettext_lazy("Service until"), required=False)
    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        choices=[("fr", gettext_lazy("French")), ("en", gettext_lazy("English"))],
    )
    currency = forms.ChoiceField(label=gettext_lazy("Currency"))
    note = LinesField(
        label=gettext_lazy("Note under the lines"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, invoice: Invoice, today: date
    ) -> None:
        self.by_hand: list[Planned] = []
        super().__init__(data, initial=None if data is not None else initial_of(invoice))
        self.label_suffix = ""
        for name in ("issue_date", "due_date", "service_from", "service_until"):
            day: Any = self.fields[name]
            day.today = today
        client = invoice.client
        pairs = dict.fromkeys(
            [
                (client.terms_kind, client.terms_days),
                (invoice.terms_kind, invoice.terms_days),
                *COMMON_TERMS,
            ]
        )
        named = offered(also=invoice.terms_id)
        self._choices(
            "terms",
            [
                *((f"{k}:{d}", terms_in_words(k, d)) for k, d in pairs),
                *((f"{NAMED}:{terms.pk}", terms.name) for terms in named),
                (BY_HAND, _("Instalments by hand…")),
            ],
        )
        self._invoice, self._today = invoice, today
        words = {"share": "30 %", "example": f"{as_typed(date(today.year, 12, 15))} 30 %"}
        self.fields["dues"].help_text = (
            _("A day and an amount, a share such as %(share)s, or “rest”: %(example)s") % words
        )
        codes = dict.fromkeys(
            [
                invoice.currency,
                client.currency,
                company_currency(),
                *COMMON_CURRENCIES,
                *usual_currencies(),
            ]
        )
        self._choices("currency", [(code, code) for code in codes])
        # The usual problem is an address typed wrong; the note is for the client's eyes.
        language = data.get("language", invoice.language) if data is not None else invoice.language
        self.fields["note"].label = (
            _("Note under the lines, in French")
            if language == "fr"
            else _("Note under the lines, in English")
        )

    def _choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        field: Any = self.fields[name]
        field.choices = choices

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("terms") == BY_HAND and "dues" in data:
            currency = data.get("currency") or self._invoice.currency
            today = data.get("issue_date") or self._today
            try:
                self.by_hand = read_dues(data["dues"], currency, today)
            except ValidationError as problem:
                self.add_error("dues", problem)
            else:
                if not self.by_hand:
                    self.add_error("dues", _("Say what is due when, a line for each day."))
        return data

    def header(self) -> dict[str, Any]:
        """What of it is well typed, in the words of `save_draft`."""
        cleaned = self.cleaned_data
        found = {name: cleaned[name] for name in cleaned if name not in ("terms", "dues")}
        kind, _colon, which = cleaned.get("terms", "").partition(":")
        if not kind:
            return found
        if kind == BY_HAND:
            # Unreadable ones are told in the form; what is kept stays meanwhile.
            typed = {"dues_typed": stored(self.by_hand), "terms_id": None, "due_date": None}
            return found | (typed if "dues" in cleaned and self.by_hand else {})
        if kind == NAMED:
            return found | {"terms_id": int(which), "dues_typed": [], "due_date": None}
        plain = {"terms_kind": kind, "terms_days": int(which)}
        return found | {**plain, "terms_id": None, "dues_typed": []}


def _terms_of(invoice: Invoice) -> str:
    if invoice.dues_typed:
        return BY_HAND
    if invoice.terms_id:
        return f"{NAMED}:{invoice.terms_id}"
    return f"{invoice.terms_kind}:{invoice.terms_days}"


def initial_of(invoice: Invoice) -> dict[str, Any]:
    return {
        "title": invoice.title,
        "recipients": list(invoice.recipients),
        "issue_date": invoice.issue_date,
        "terms": _terms_of(invoice),
        "dues": dues_as_typed(planned(invoice, date.max), invoice.currency)
        if invoice.dues_typed
        else "",
        "due_date": invoice.due_date if invoice.due_date_typed else None,
        "purchase_order": invoice.purchase_order,
        "service_from": invoice.service_from,
        "service_until": invoice.service_until,
        "language": invoice.language,
        "currency": invoice.currency,
        "note": invoice.note,
    }


class IssueForm(forms.Form):
    recipients = RecipientsField(
        label=gettext_lazy("Email it to"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Several addresses: separate them by commas."),
    )


class SendForm(forms.Form):
    recipients = RecipientsField(
        label=gettext_lazy("To"),
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": gettext_lazy("Say who receives it by email.")},
        help_text=gettext_lazy("Several addresses: separate them by commas."),
    )


class NoteForm(forms.Form):
    text = LinesField(
        label=gettext_lazy("Note"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": gettext_lazy("Write the note first.")},
    )


class DecideForm(forms.Form):
    reason = LineField(
        label=gettext_lazy("Why"),
        max_length=300,
        help_text=gettext_lazy("Kept in the history of the invoice, with your name."),
        error_messages={"required": gettext_lazy("Say why: it is kept with the invoice.")},
    )


class DiscardForm(forms.Form):
    reason = LineField(label=gettext_lazy("Why"), required=False, max_length=300)
