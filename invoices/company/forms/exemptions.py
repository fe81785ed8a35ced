"""Why a supply is exempt from VAT, as an administrator writes it down."""

from __future__ import annotations

import re
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from invoices.company.forms.law_rows import LawRowForm
from invoices.models import ExemptionReason

# BT-121 of EN 16931 takes codes of this list; which ones there are, its keeper decides.
_CODE = re.compile(r"VATEX-[A-Z]{2}-[A-Z0-9-]{1,20}")
_SAID = ("code", "name_fr", "name_en", "sentence_fr", "sentence_en")


class ExemptionForm(LawRowForm[ExemptionReason]):
    class Meta:
        model = ExemptionReason
        fields = ["category", *_SAID, "starts_on", "ends_on", "source"]
        labels = {
            "category": gettext_lazy("What it means"),
            "code": gettext_lazy("Code"),
            "name_fr": gettext_lazy("What it is, in French"),
            "name_en": gettext_lazy("What it is, in English"),
            "sentence_fr": gettext_lazy("Sentence on documents, in French"),
            "sentence_en": gettext_lazy("Sentence on documents, in English"),
            "source": gettext_lazy("Source"),
        }

    def clean_code(self) -> str:
        code = str(self.cleaned_data["code"]).upper()
        if not _CODE.fullmatch(code):
            self.add_error(
                "code",
                _("Write a code of the list VATEX, for example VATEX-FR-CGI261-4."),
            )
        return code

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        row = self.instance
        kept = ("category", *_SAID)
        changed = [name for name in kept if name in self.changed_data] if row.pk else []
        # A credit note says what its invoice said: the sentence may not change behind it.
        if changed and row.lines.exclude(invoice__status__in=("draft", "void")).exists():
            for name in changed:
                self.add_error(
                    name,
                    _("It stands on issued documents: give it a last day and add a new one."),
                )
        others = ExemptionReason.objects.exclude(pk=row.pk)
        same = {name: data.get(name) for name in ("code", "name_fr", "starts_on")}
        if all(same.values()) and others.filter(**same).exists():
            self.add_error("starts_on", _("This reason is there from that day already."))
        return data
