"""Values of indexes, and which of them a subscription follows, as people type them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing_portal.typed.fields import DayField, LineField, LinesField, NumberField
from invoices.models import Indexation
from invoices.models.price_indexes import Index
from invoices.subscriptions.indexing import read_period

_PERIOD = gettext_lazy("Quarterly as 2026-Q3, monthly as 2026-08.")


class ValueForm(forms.Form):
    index = forms.ChoiceField(label=gettext_lazy("Index"), choices=Index.choices)
    period = LineField(label=gettext_lazy("Period"), max_length=20, help_text=_PERIOD)
    value = NumberField(label=gettext_lazy("Value"), places=4, above_zero=True, most=99_999_999)
    source = LineField(
        label=gettext_lazy("Source"),
        max_length=200,
        help_text=gettext_lazy("Where it was published, and when."),
    )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if data.get("index") and data.get("period"):
            check_period(self, data["index"], "period")
        return data


class RowsForm(forms.Form):
    rows = LinesField(
        label=gettext_lazy("Rows"),
        max_length=100_000,
        widget=forms.Textarea(attrs={"rows": 5, "class": "tnum", "spellcheck": "false"}),
        help_text=gettext_lazy("From a CSV file: index; period; value; source, one row a line."),
    )


class FollowForm(forms.Form):
    index = forms.ChoiceField(label=gettext_lazy("Index"), choices=Index.choices)
    base_period = LineField(label=gettext_lazy("Base period"), max_length=20, help_text=_PERIOD)
    first_review = DayField(label=gettext_lazy("First review"))
    missing = forms.ChoiceField(
        label=gettext_lazy("While a value is not known"),
        choices=Indexation.Missing.choices,
        widget=forms.RadioSelect(attrs={"class": "form-check-input"}),
    )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if data.get("index") and data.get("base_period"):
            check_period(self, data["index"], "base_period")
        return data


def check_period(form: forms.Form, index: str, name: str) -> None:
    try:
        form.cleaned_data[name] = read_period(index, form.cleaned_data[name])
    except ValueError:
        sample = "2026-08" if index == Index.SYNTEC else "2026-Q3"
        text = _("This index needs a period such as %(sample)s.") % {"sample": sample}
        form.add_error(name, ValidationError(text))
