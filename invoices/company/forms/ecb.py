"""The ECB's file, from which day on, and of which currencies."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing_portal.typed.fields import DayField
from invoices.company.forms.details import currency_choices


class EcbForm(forms.Form):
    file = forms.FileField(label=gettext_lazy("File of the ECB"), allow_empty_file=True)
    since = DayField(label=gettext_lazy("From this day on"))
    currencies = forms.MultipleChoiceField(
        label=gettext_lazy("Currencies"),
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
        error_messages={"required": gettext_lazy("Choose at least one currency.")},
    )

    def __init__(self, *args: Any, ours: str, used: list[str], on: date, **options: Any) -> None:
        super().__init__(*args, **options)
        self.on = on
        names = dict(currency_choices())
        chosen = self.fields["currencies"]
        assert isinstance(chosen, forms.MultipleChoiceField)
        others = [code for code in ("USD", "GBP", "CHF") if code not in {ours, *used}]
        chosen.choices = [(code, names.get(code, code)) for code in [*used, *others]]
        chosen.initial = used
        self.fields["since"].initial = date(on.year - 1, 1, 1)

    def clean_since(self) -> date:
        since: date = self.cleaned_data["since"]
        if since > self.on:
            raise ValidationError(_("The day is in the future."))
        return since
