"""What an administrator types about the books: the closed day, the next number, an exception."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from billing_portal.typed.fields import DayField, LineField, WholeNumberField
from invoices.company.closing import LONGEST_REASON
from invoices.company.first_numbers import settable
from invoices.company.numbering import series_for
from invoices.documents.numbers import MOST
from invoices.models import Invoice, NumberPattern

KINDS = [
    (Invoice.Kind.INVOICE.value, gettext_lazy("Invoices")),
    (Invoice.Kind.CREDIT_NOTE.value, gettext_lazy("Credit notes")),
]
# Quotes have numbers, and no rule for their dates.
NUMBERED = [*KINDS, (NumberPattern.QUOTE, gettext_lazy("Quotes"))]


def _reason(*, required: bool, help_text: Any = "") -> LineField:
    return LineField(
        label=gettext_lazy("Reason"),
        required=required,
        max_length=LONGEST_REASON,
        help_text=help_text,
        error_messages={"required": gettext_lazy("Say why: it stays in the log.")},
    )


class ClosingForm(forms.Form):
    until = DayField(
        label=gettext_lazy("Closed until"),
        required=False,
        help_text=gettext_lazy(
            "Nothing is dated on this day or before it. Empty: no day is closed."
        ),
    )
    # The closed day that the page showed: moved by somebody else meanwhile, nothing is changed.
    seen = forms.DateField(required=False, widget=forms.HiddenInput)
    reason = _reason(
        required=False,
        help_text=gettext_lazy("Needed to open a period again; kept in the log."),
    )


class NextNumberForm(forms.Form):
    # Kind and period, for both belong together: each kind has series of its own.
    series = forms.ChoiceField(label=gettext_lazy("Series"))
    value = WholeNumberField(
        label=gettext_lazy("Next number"),
        least=Decimal(1),
        most=Decimal(MOST - 1),
        help_text=gettext_lazy("The figures alone: 432 for F-2026-0432."),
    )
    reason = _reason(required=False)

    def __init__(self, *args: Any, on: date, **options: Any) -> None:
        super().__init__(*args, **options)
        series: Any = self.fields["series"]
        series.choices = [
            (f"{kind} {period}", f"{words} · {series_for(kind, day).next_number(day)}")
            for kind, words in NUMBERED
            for period, day in settable(kind, on).items()
        ]

    def clean_series(self) -> tuple[str, str]:
        """The kind, and its period."""
        kind, _space, period = self.cleaned_data["series"].partition(" ")
        return kind, period


class ExceptionForm(forms.Form):
    kind = forms.ChoiceField(label=gettext_lazy("Documents"), choices=KINDS)
    earliest = DayField(label=gettext_lazy("Dated from"))
    until = DayField(
        label=gettext_lazy("Granted until"),
        help_text=gettext_lazy("Today or a few days more."),
    )
    reason = _reason(required=True)
