"""The general terms of sale as an administrator brings them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing_portal.typed.fields import LinesField
from invoices.company.sales_terms import LARGEST, LONGEST
from invoices.models import SalesTerms


class SalesTermsForm(forms.Form):
    language = forms.ChoiceField(
        label=gettext_lazy("Language"), choices=SalesTerms.Language.choices
    )
    text = LinesField(
        label=gettext_lazy("Text"),
        required=False,
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 14}),
        help_text=gettext_lazy(
            "An empty line between paragraphs; a line that begins with # is a heading."
        ),
    )
    file = forms.FileField(
        label=gettext_lazy("Or a PDF"),
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": "application/pdf"}),
    )

    def clean_file(self) -> bytes:
        upload: UploadedFile[Any] | None = self.cleaned_data.get("file")
        # Also False: "clear" and no file, which no page of ours sends.
        if not upload:
            return b""
        if upload.size is None or upload.size > LARGEST:
            raise forms.ValidationError(
                _("The file has more than %(n)s MB: make it smaller.") % {"n": LARGEST // 1_000_000}
            )
        content: bytes = upload.read()
        if not content:
            raise forms.ValidationError(_("The file is empty."))
        return content
