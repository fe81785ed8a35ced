"""The head of a quote, and the small forms of what is done with one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from billing_portal.typed.fields import DayField, LineField
from invoices.invoicing.forms.adjustments import AdjustedForm
from invoices.invoicing.forms.deposits import DepositField, deposit_written
from invoices.invoicing.forms.heads import RecipientsField
from invoices.models import Client, QuoteVersion


class QuoteForm(AdjustedForm):
    recipients = RecipientsField(label=gettext_lazy("Quote goes to"), required=False)
    valid_until = DayField(
        label=gettext_lazy("Valid until"),
        error_messages={"required": gettext_lazy("Say until when it can be accepted.")},
    )
    deposit = DepositField(label=gettext_lazy("Deposit"), required=False)

    field_order = (
        *("title", "recipients", "valid_until", "terms", "deposit"),
        *("language", "currency", "note"),
    )
    days = ("valid_until",)
    read_apart = frozenset({"terms", "deposit"})

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        document: QuoteVersion,
        client: Client,
        today: date,
    ) -> None:
        super().__init__(data, document=document, client=client, today=today)
        deposit: Any = self.fields["deposit"]
        deposit.currency = self.chosen_currency

    def more_terms(self) -> list[tuple[str, str]]:
        """None: what is asked in parts is the deposit, and the rest."""
        return []

    def header(self) -> dict[str, Any]:
        found = super().header()
        if "deposit" in self.cleaned_data:
            found["deposit_percent"], found["deposit_minor"] = self.cleaned_data["deposit"]
        return found

    def terms_chosen(self) -> dict[str, Any]:
        return {name: value for name, value in super().terms_chosen().items() if name != "terms_id"}

    @classmethod
    def terms_of(cls, document: QuoteVersion) -> str:
        return f"{document.terms_kind}:{document.terms_days}"

    @classmethod
    def initial_of(cls, document: QuoteVersion) -> dict[str, Any]:
        return super().initial_of(document) | {
            "valid_until": document.valid_until,
            "deposit": deposit_written(
                Decimal(document.deposit_percent), document.deposit_minor, document.currency
            ),
        }


class SendForm(forms.Form):
    recipients = RecipientsField(
        label=gettext_lazy("To"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Several addresses: separate them by commas."),
    )


class RecordForm(forms.Form):
    """Accepted on paper or by mail: who, in which function, and how we know."""

    name = LineField(
        label=gettext_lazy("Who accepted"),
        max_length=120,
        error_messages={"required": gettext_lazy("Say who accepted it: the name is kept.")},
    )
    role = LineField(label=gettext_lazy("Function"), required=False, max_length=120)
