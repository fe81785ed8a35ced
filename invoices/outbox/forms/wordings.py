"""The text of a mail, as staff type it."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy

from billing_portal.typed.fields import LineField, LinesField
from invoices.outbox.wording import LONGEST_BODY, LONGEST_SUBJECT


class WordingForm(forms.Form):
    subject = LineField(label=gettext_lazy("Subject"), max_length=LONGEST_SUBJECT)
    body = LinesField(
        label=gettext_lazy("Text"),
        max_length=LONGEST_BODY,
        widget=forms.Textarea({"rows": 18, "spellcheck": "true"}),
    )
    # The version that was shown: another one since then is not written over.
    seen = forms.IntegerField(widget=forms.HiddenInput, min_value=0, required=False)
    # Which document the preview is filled from; the newest without it.
    number = LineField(label=gettext_lazy("Shown with the document"), max_length=60, required=False)
