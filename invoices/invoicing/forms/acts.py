"""Small forms of the invoice page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing_portal.typed.fields import DayField, LineField, MoneyField
from invoices.models import WriteOff


class ApplyForm(forms.Form):
    source = forms.ChoiceField(label=gettext_lazy("Take it from"))

    def __init__(
        self,
        *args: Any,
        currency: str,
        sources: Sequence[tuple[str, str]],
        instalments: Sequence[tuple[str, str]] = (),
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        if len(instalments) > 1:
            oldest = ("", _("The oldest that is open"))
            self.fields["instalment"] = forms.ChoiceField(
                label=_("It settles first"), choices=[oldest, *instalments], required=False
            )
        field: Any = self.fields["source"]
        field.choices = list(sources)
        self.fields["amount"] = MoneyField(
            currency=currency, label=gettext_lazy("Amount"), above_zero=True
        )


class CorrectForm(forms.Form):
    move_payments = forms.BooleanField(
        label=gettext_lazy("What was paid settles the new invoice"), required=False
    )


class WriteOffForm(forms.Form):
    cause = forms.ChoiceField(
        label=gettext_lazy("What it is"),
        choices=[("", gettext_lazy("Choose…")), *WriteOff.Cause.choices],
        error_messages={
            "required": gettext_lazy("Choose what it is: the ledger tells them apart.")
        },
        help_text=gettext_lazy(
            "VAT that was paid over on a bad debt can be claimed back once the claim is lost for "
            "good, with proof (CGI 272, 1)."
        ),
    )
    reason = LineField(
        label=gettext_lazy("Why is it given up?"),
        max_length=300,
        error_messages={"required": gettext_lazy("Say why it is written off.")},
    )

    def __init__(self, *args: Any, currency: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["amount"] = MoneyField(
            currency=currency, label=gettext_lazy("Amount"), above_zero=True
        )
        self.order_fields(["amount", "cause", "reason"])


class ReleaseForm(forms.Form):
    to = DayField(
        label=gettext_lazy("Released on"),
        asks="both",
        error_messages={"required": gettext_lazy("Say on which day it is released.")},
    )
    reason = LineField(
        label=gettext_lazy("Why"),
        max_length=300,
        help_text=gettext_lazy("Kept in the history of the invoice, with your name."),
        error_messages={"required": gettext_lazy("Say why: it is kept with the invoice.")},
    )

    def __init__(self, *args: Any, today: date, **options: Any) -> None:
        super().__init__(*args, **options)
        day: Any = self.fields["to"]
        day.today = today
