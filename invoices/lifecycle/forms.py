"""Acts on what stands on the platform."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing_portal.typed.fields import LineField, LinesField
from invoices.documents.cdar.message import Attachment
from invoices.documents.facturx.spelling import plain
from invoices.einvoicing.answering import LARGEST_FILE, LONGEST_WORDS
from invoices.models.einvoicing import Way


class ReplaceForm(forms.Form):
    """Which address it is sent to; "" leaves the one in use."""

    address = forms.ChoiceField(label=gettext_lazy("Electronic address"), required=False)

    def __init__(self, data: Any, *, in_use: str, others: tuple[str, ...]) -> None:
        super().__init__(data, initial={"address": others[0] if others else ""})
        field: Any = self.fields["address"]
        field.choices = [(each, each) for each in dict.fromkeys((*others, in_use))]


class OutcomeForm(forms.Form):
    outcome = LineField(label=gettext_lazy("How it was settled"), max_length=300)


class DisputeForm(forms.Form):
    reason = LineField(label=gettext_lazy("What the client contests"), max_length=300)


# Of those that EN 16931 allows to be attached: what is known by its first bytes.
_KINDS = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
)


class AnswerForm(forms.Form):
    words = LinesField(
        label=gettext_lazy("What you answer"),
        max_length=LONGEST_WORDS,
        widget=forms.Textarea({"rows": 4}),
    )
    file = forms.FileField(
        label=gettext_lazy("File"),
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput({"accept": "application/pdf,image/png,image/jpeg"}),
    )

    def clean_words(self) -> str:
        return plain(self.cleaned_data["words"])

    def clean_file(self) -> Attachment | None:
        """By its content, whatever it is called; its name without any path."""
        upload = self.cleaned_data.get("file")
        if not upload:
            return None
        if upload.size > LARGEST_FILE:
            raise ValidationError(_("The file is larger than 5 MB."))
        content = upload.read()
        kind = next((kind for start, kind in _KINDS if content.startswith(start)), "")
        if not kind:
            raise ValidationError(_("It is neither a PDF nor a picture (PNG, JPEG)."))
        name = re.sub(r"[^\w.() -]", "_", upload.name.rsplit("/", 1)[-1])[-120:]
        return Attachment(name, kind, content)


class WayForm(forms.Form):
    way = forms.ChoiceField(
        label=gettext_lazy("Reached by"),
        required=False,
        choices=[
            ("", gettext_lazy("as the rule says")),
            *((way.value, way.label) for way in (Way.PLATFORM, Way.MAIL, Way.POST)),
        ],
    )
    reason = LineField(label=gettext_lazy("Reason"), required=False, max_length=300)
