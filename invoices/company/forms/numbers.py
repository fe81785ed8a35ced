"""What an administrator types about the form of the numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.utils.translation import gettext_lazy

from billing_portal.typed.fields import LineField, WholeNumberField
from invoices.company.changing_numbers import pattern_of
from invoices.company.closing import LONGEST_REASON
from invoices.company.forms.books import NUMBERED
from invoices.company.patterns import pattern_problem
from invoices.documents.numbers import MOST_DIGITS, Pattern
from invoices.models import NumberPattern

NEXT_PERIOD, AT_ONCE = "period", "once"


class NumbersForm(forms.Form):
    begins = forms.ChoiceField(
        label=gettext_lazy("Where a series has begun, the new form holds"),
        widget=forms.RadioSelect(attrs={"class": "form-check-input"}),
        choices=[
            (NEXT_PERIOD, gettext_lazy("from the next year or month on")),
            (AT_ONCE, gettext_lazy("from the next document on: the series ends")),
        ],
        initial=NEXT_PERIOD,
        required=False,
    )
    reason = LineField(
        label=gettext_lazy("Reason"),
        required=False,
        max_length=LONGEST_REASON,
        help_text=gettext_lazy("Needed to end a series; kept in the log."),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for kind, _words in NUMBERED:
            now = pattern_of(kind)
            self.fields[f"{kind}_prefix"] = LineField(
                label=gettext_lazy("Begins with"), required=False, max_length=40
            )
            self.fields[f"{kind}_width"] = WholeNumberField(
                label=gettext_lazy("Digits"), least=1, most=MOST_DIGITS
            )
            self.fields[f"{kind}_restart"] = forms.ChoiceField(
                label=gettext_lazy("Counter begins again"), choices=NumberPattern.Restart.choices
            )
            self.initial[f"{kind}_prefix"] = now.prefix
            self.initial[f"{kind}_width"] = now.width
            self.initial[f"{kind}_restart"] = now.restart

    @property
    def rows(self) -> Iterator[tuple[str, str, list[BoundField]]]:
        """Kind, its word, and its fields in the order of the page."""
        for kind, words in NUMBERED:
            yield kind, str(words), [self[f"{kind}_{n}"] for n in ("prefix", "width", "restart")]

    def patterns(self) -> dict[str, Pattern]:
        """Of the kinds whose fields can be read."""
        data = self.cleaned_data
        return {
            kind: Pattern(data[f"{kind}_prefix"], data[f"{kind}_width"], data[f"{kind}_restart"])
            for kind, _words in NUMBERED
            if {f"{kind}_prefix", f"{kind}_width", f"{kind}_restart"} <= set(data)
        }

    @property
    def at_once(self) -> bool:
        return self.cleaned_data.get("begins") == AT_ONCE

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        for kind, form in self.patterns().items():
            if text := pattern_problem(form):
                self.add_error(f"{kind}_prefix", text)
        return data
