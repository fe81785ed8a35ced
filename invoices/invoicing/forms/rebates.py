"""What to credit of several invoices at once, or for a period, as people type it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing_portal.money import reader_locale
from billing_portal.typed.fields import DayField, LineField, LinesField, MoneyField, NumberField
from billing_portal.typed.numbers import as_typed
from invoices.invoicing.forms.heads import RecipientsField
from invoices.invoicing.rebate_plan import Asked
from invoices.models import Invoice
from invoices.models.natures import NATURES

INVOICES, PERIOD = "invoices", "period"
PERCENT, AMOUNT = "percent", "amount"
_RADIO = {"class": "form-check-input"}


class RebateForm(forms.Form):
    over = forms.ChoiceField(
        label=gettext_lazy("Over"),
        choices=[
            (INVOICES, gettext_lazy("The invoices ticked below")),
            (PERIOD, gettext_lazy("A period, without naming invoices")),
        ],
        widget=forms.RadioSelect(attrs=_RADIO),
    )
    how = forms.ChoiceField(
        label=gettext_lazy("How much"),
        choices=[
            (PERCENT, gettext_lazy("Per cent of what they billed")),
            (AMOUNT, gettext_lazy("An amount before VAT")),
        ],
        widget=forms.RadioSelect(attrs=_RADIO),
    )
    percent = NumberField(
        label=gettext_lazy("Per cent"), required=False, places=4, above_zero=True, most=100
    )
    since = DayField(label=gettext_lazy("Period from"), required=False)
    until = DayField(label=gettext_lazy("Period until"), required=False)
    contract = LineField(
        label=gettext_lazy("Contract or agreement"),
        required=False,
        max_length=120,
        help_text=gettext_lazy("By which it is granted. Needed where no invoice is named."),
    )
    rate = forms.ChoiceField(label=gettext_lazy("VAT rate that was billed"), required=False)
    nature = forms.ChoiceField(label=gettext_lazy("Of what"), required=False, choices=NATURES)
    code = forms.ChoiceField(
        label=gettext_lazy("Reason"),
        choices=[
            (each, Invoice.CreditReason(each).label)
            for each in ("rebate", "goodwill", "price", "dispute", "other")
        ],
    )
    reason = LinesField(
        label=gettext_lazy("In words"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": gettext_lazy("Say why: it stands on the credit note.")},
        help_text=gettext_lazy("It stands on the credit note, in the client’s language."),
    )
    recipients = RecipientsField(
        label=gettext_lazy("Email it to"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(
        self,
        *args: Any,
        currency: str,
        rates: Sequence[Decimal],
        ids: Sequence[int],
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.ids = tuple(ids)
        self.fields["amount"] = MoneyField(
            currency=currency,
            required=False,
            above_zero=True,
            label=gettext_lazy("Amount before VAT"),
        )
        field: Any = self.fields["rate"]
        locale = reader_locale()
        field.choices = [
            (str(each), f"{as_typed(each.normalize() + 0, locale)} %") for each in rates
        ]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if data.get("over") == INVOICES and not self.ids:
            self.add_error("over", _("Tick at least one invoice."))
        how = AMOUNT if data.get("over") == PERIOD else data.get("how")
        if how in (PERCENT, AMOUNT) and data.get(how) is None and how not in self.errors:
            self.add_error(how, _("Give a percentage or an amount."))
        return data

    def asked(self) -> Asked:
        data = self.cleaned_data
        with_invoices = data["over"] == INVOICES
        by_percent = with_invoices and data["how"] == PERCENT
        return Asked(
            invoices=self.ids if with_invoices else (),
            percent=data.get("percent") if by_percent else None,
            amount=None if by_percent else data.get("amount"),
            since=data.get("since"),
            until=data.get("until"),
            contract=data.get("contract") or "",
            rate=Decimal(data.get("rate") or 0),
            nature=data.get("nature") or "",
        )


class SpanForm(forms.Form):
    """The days of issue of the invoices that are ticked at first."""

    issued_from = DayField(label=gettext_lazy("Issued from"), required=False)
    issued_to = DayField(label=gettext_lazy("Issued until"), required=False)

    def __init__(self, data: Any, *, today: date) -> None:
        super().__init__(data)
        for name in ("issued_from", "issued_to"):
            day: Any = self.fields[name]
            day.today = today

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        since, until = data.get("issued_from"), data.get("issued_to")
        if since and until and until < since:
            self.add_error("issued_to", _("The last day is before the first."))
        return data
