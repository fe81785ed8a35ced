"""What the client sends back from the page of a quote."""

from __future__ import annotations

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy

from billing_portal.forms import row_id
from billing_portal.typed.fields import LineField, LinesField
from invoices.models import QuoteVersion


def picked(given: QueryDict) -> frozenset[int]:
    """Keys of the lines that are ticked: options, and one of each heading."""
    sent = given.getlist("pick")
    sent += [str(value) for name, value in given.items() if name.startswith("group-")]
    return frozenset(pk for text in sent if (pk := row_id(text)) is not None)


class AcceptForm(forms.Form):
    name = LineField(
        label=gettext_lazy("Your first and last name"),
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={"required": gettext_lazy("Write your name: it stands for the agreement.")},
    )
    role = LineField(
        label=gettext_lazy("Your function"),
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "organization-title"}),
    )
    power = forms.BooleanField(
        label=gettext_lazy("I may commit the client"),
        error_messages={
            "required": gettext_lazy("Tick this box if you may accept in the name of your company.")
        },
    )


class DeclineForm(forms.Form):
    why = forms.ChoiceField(
        label=gettext_lazy("What makes you decline"),
        choices=QuoteVersion.DeclineReason.choices,
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Say what makes you decline."),
            "invalid_choice": gettext_lazy("Say what makes you decline."),
        },
    )
    words = LinesField(
        label=gettext_lazy("A few words"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
