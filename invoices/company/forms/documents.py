"""How documents look: layout and colour."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing_portal.forms import ModelForm
from billing_portal.typed.fields import LineField
from invoices.documents.look import READABLE, WHITE, contrast, readable
from invoices.models import Company

SAMPLES = (
    ("fr", gettext_lazy("Invoice in French")),
    ("en", gettext_lazy("Invoice in English")),
    ("both", gettext_lazy("Invoice in both languages")),
    ("long", gettext_lazy("Invoice of 30 lines")),
)


class LookForm(ModelForm[Company]):
    class Meta:
        model = Company
        fields = ["layout", "colour"]
        labels = {"layout": gettext_lazy("Layout"), "colour": gettext_lazy("Colour")}
        widgets = {"layout": forms.RadioSelect({"class": "form-check-input"})}

    def clean_colour(self) -> str:
        text: str = self.cleaned_data["colour"].strip().lower()
        short = re.fullmatch(r"#?([0-9a-f])([0-9a-f])([0-9a-f])", text)
        if short:
            text = "".join(2 * part for part in short.groups())
        if not text:
            return ""
        if not re.fullmatch(r"#?[0-9a-f]{6}", text):
            raise ValidationError(
                _("Write a colour as # and six figures or letters from a to f, as in #0b6e4f.")
            )
        return "#" + text.removeprefix("#")

    def told(self) -> str:
        """What becomes of a colour that cannot be read on white."""
        colour = self.cleaned_data.get("colour", "")
        if not colour or contrast(colour, WHITE) >= READABLE:
            return ""
        return _(
            "%(colour)s is too light to be read on white: words are printed in %(darker)s, grounds "
            "in the colour itself."
        ) % {"colour": colour, "darker": readable(colour)}


class ShownForm(forms.Form):
    """What the preview shows: a sample, or a document that was issued."""

    sample = forms.ChoiceField(label=gettext_lazy("Shown with"), choices=SAMPLES, required=False)
    number = LineField(
        label=gettext_lazy("Or with an issued document"), max_length=60, required=False
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.initial.setdefault("sample", "fr")
