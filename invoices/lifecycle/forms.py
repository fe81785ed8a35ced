"""Acts on what stands on the platform."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from billing_portal.typed.fields import LineField
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
