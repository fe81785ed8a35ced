"""The head of a draft, as people type it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing_portal.dates import as_typed
from billing_portal.typed.fields import DayField, LineField, LinesField, NumberField
from invoices.invoicing.dues import Planned, planned, stored
from invoices.invoicing.forms.adjustments import AdjustedForm
from invoices.invoicing.forms.dues import dues_as_typed, read_dues
from invoices.invoicing.forms.heads import RecipientsField
from invoices.models import Client, Invoice

# Instalments that are typed, among the choices of terms.
BY_HAND = "by-hand"


class DraftForm(AdjustedForm):
    issue_date = DayField(label=gettext_lazy("Issue date"), required=False, asks="both")
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
    retention_percent = NumberField(
        label=gettext_lazy("Retention %"), required=False, places=2, least=0, most=99
    )
    retention_on = DayField(
        label=gettext_lazy("Retention released on"), required=False, asks="both"
    )

    field_order = (
        *("title", "recipients", "issue_date", "terms", "dues", "due_date", "purchase_order"),
        *("service_from", "service_until", "language", "currency", "note"),
        *("retention_percent", "retention_on"),
    )
    days = ("issue_date", "due_date", "service_from", "service_until", "retention_on")
    read_apart = frozenset({"terms", "dues"})

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        document: Invoice,
        client: Client,
        today: date,
    ) -> None:
        self.by_hand: list[Planned] = []
        super().__init__(data, document=document, client=client, today=today)
        self._today = today
        words = {"share": "30 %", "example": f"{as_typed(date(today.year, 12, 15))} 30 %"}
        self.fields["dues"].help_text = (
            _("A day and an amount, a share such as %(share)s, or “rest”: %(example)s") % words
        )
        # The usual problem is an address typed wrong; the note is for the client's eyes.
        language = (
            data.get("language", document.language) if data is not None else document.language
        )
        self.fields["note"].label = (
            _("Note under the lines, in French")
            if language == "fr"
            else _("Note under the lines, in English")
        )

    def more_terms(self) -> list[tuple[str, str]]:
        return [*super().more_terms(), (BY_HAND, _("Instalments by hand…"))]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("terms") == BY_HAND and "dues" in data:
            currency = data.get("currency") or self.document.currency
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
        found = super().header()
        if "retention_percent" in found:
            found["retention_percent"] = found["retention_percent"] or Decimal(0)
        return found

    def terms_chosen(self) -> dict[str, Any]:
        chosen = self.cleaned_data.get("terms", "")
        if chosen == BY_HAND:
            # Unreadable ones are told in the form; what is kept stays meanwhile.
            typed = {"dues_typed": stored(self.by_hand), "terms_id": None, "due_date": None}
            return typed if "dues" in self.cleaned_data and self.by_hand else {}
        found = super().terms_chosen()
        if found:
            found["dues_typed"] = []
        # Named terms say every day themselves.
        return found | ({"due_date": None} if found.get("terms_id") else {})

    @classmethod
    def terms_of(cls, document: Invoice) -> str:
        return BY_HAND if document.dues_typed else super().terms_of(document)

    @classmethod
    def initial_of(cls, document: Invoice) -> dict[str, Any]:
        return super().initial_of(document) | {
            "issue_date": document.issue_date,
            "dues": dues_as_typed(planned(document, date.max), document.currency)
            if document.dues_typed
            else "",
            "due_date": document.due_date if document.due_date_typed else None,
            "purchase_order": document.purchase_order,
            "service_from": document.service_from,
            "service_until": document.service_until,
            "retention_percent": document.retention_percent if document.retention_percent else None,
            "retention_on": document.retention_on,
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
