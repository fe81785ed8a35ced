"""With which documents a file of the company goes."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy

from invoices.models import StandingFile


class StandingForm(forms.Form):
    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("Goes with emails of"),
        choices=list(StandingFile.KINDS.items()),
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
        error_messages={"required": gettext_lazy("Choose with which documents it goes.")},
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Documents"), choices=StandingFile.Language, required=False
    )
