"""With which documents a file of the company goes, and which of them go with an email."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from billing_portal.forms import row_id
from invoices.attachments.keeping import Owner, standing_for
from invoices.models import StandingFile

# Says that the boxes were shown: a box that is not ticked is not sent.
SHOWN, TICKED = "standing-shown", "standing"


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


def chosen_of(given: Any) -> frozenset[int] | None:
    """Of what was posted; None where nobody was asked."""
    if SHOWN not in given:
        return None
    return frozenset(pk for text in given.getlist(TICKED) if (pk := row_id(text)) is not None)


def choices_of(owner: Owner, given: Mapping[str, Any]) -> list[tuple[StandingFile, bool]]:
    """Each with whether it is ticked: all of them at first."""
    chosen = chosen_of(given)
    return [(each, chosen is None or each.pk in chosen) for each in standing_for(owner)]
