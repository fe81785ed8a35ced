"""Which journal is wanted: its days and its form."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing_portal.typed.fields import DayField
from invoices.accounting.journal.formats import FORMATS


class PeriodForm(forms.Form):
    first = DayField(label=gettext_lazy("From"))
    last = DayField(label=gettext_lazy("To"))
    history = forms.BooleanField(
        label=gettext_lazy("With what was brought in from the older system"), required=False
    )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        first, last = data.get("first"), data.get("last")
        if first and last and last < first:
            self.add_error("last", _("The last day is before the first one."))
        return data


class ExportForm(PeriodForm):
    format = forms.ChoiceField(
        label=gettext_lazy("Format"),
        choices=[(each.key, each.name) for each in FORMATS.values()],
        initial="fec",
    )
    # What cannot be written is known, and the file is wanted without it.
    leave_out = forms.BooleanField(
        label=gettext_lazy("I know: export without them"), required=False
    )
