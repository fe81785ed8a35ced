"""A deposit as people type it, a share or an amount, and which ones a draft deducts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from moneyed import Money

from billing_portal import dates
from billing_portal.money import LARGEST_MINOR, digits, formatted_minor, from_minor, to_minor
from billing_portal.typed import numbers
from billing_portal.typed.fields import LineField
from billing_portal.typed.texts import Unreadable, shown
from invoices.invoicing.deducting import total_left
from invoices.invoicing.forms.lines import written
from invoices.models import Invoice


class DepositField(LineField):
    """“30” and “30 %” are per cent, “500 EUR” is an amount with VAT.

    Cleans to (per cent, minor units), of which one is 0; nothing typed is (0, 0).
    """

    def __init__(self, *, currency: str = "EUR", **options: Any) -> None:
        super().__init__(max_length=40, **options)
        self.currency = currency

    def clean(self, value: Any) -> Any:
        text = str(super().clean(value)).strip()
        if not text:
            return Decimal(0), 0
        is_amount = numbers.names_a_currency(text)
        number = self._read(text, is_amount)
        places = digits(self.currency) if is_amount else 2
        if numbers.is_finer(number, places):
            raise ValidationError(numbers.too_fine(places))
        if number < 0:
            raise ValidationError(_("A deposit cannot be negative."))
        if not is_amount:
            if number > 100:
                raise ValidationError(
                    _("A deposit of more than 100 per cent? Write an amount with its currency.")
                )
            return number, 0
        if number * 1000 > LARGEST_MINOR:
            raise ValidationError(_("No amount here is that large: check the figure."))
        return Decimal(0), to_minor(Money(number, self.currency))

    def _read(self, text: str, is_amount: bool) -> Decimal:
        try:
            if is_amount:
                return numbers.read_amount(text, self.currency)
            return numbers.read_number(text.removesuffix("%").rstrip())
        except numbers.Ambiguous as question:
            raise ValidationError(str(question)) from question
        except Unreadable as problem:
            raise ValidationError(
                _("“%(text)s” is no deposit: write 30 for per cent, or 500 %(currency)s.")
                % {"text": shown(text), "currency": self.currency}
            ) from problem


def deposit_written(percent: Decimal, minor: int, currency: str) -> str:
    """As the field has it."""
    if minor:
        return f"{written(from_minor(minor, currency).amount, digits(currency))} {currency}"
    return f"{written(percent)} %" if percent else ""


class DepositForm(forms.Form):
    share = DepositField(
        label=gettext_lazy("Deposit"),
        error_messages={"required": gettext_lazy("Say how much: 30 is per cent.")},
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, currency: str, **options: Any):
        super().__init__(data, **options)
        field: Any = self.fields["share"]
        field.currency = currency

    def clean_share(self) -> tuple[Decimal, int]:
        share: tuple[Decimal, int] = self.cleaned_data["share"]
        if not any(share):
            raise forms.ValidationError(_("A deposit is above 0 and at most 100 per cent."))
        return share


class DeductForm(forms.Form):
    """The deposits that a draft may take off, each ticked or not."""

    deposits = forms.MultipleChoiceField(
        label=gettext_lazy("Deposits to deduct"),
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        invoice: Invoice,
        offered: Sequence[Invoice],
    ) -> None:
        taken = set(invoice.deductions.filter(released=False).values_list("deposit", flat=True))
        # One that is offered for the first time is proposed.
        first = not taken
        super().__init__(
            data,
            initial={"deposits": [str(row.pk) for row in offered if first or row.pk in taken]},
        )
        field: Any = self.fields["deposits"]
        field.choices = [(str(row.pk), _choice(row)) for row in offered]

    def chosen(self) -> list[int]:
        return [int(pk) for pk in self.cleaned_data["deposits"]]


def _choice(deposit: Invoice) -> str:
    assert deposit.issue_date is not None
    return _("%(number)s of %(day)s: %(total)s, %(paid)s of it paid") % {
        "number": deposit.number,
        "day": dates.day(deposit.issue_date),
        "total": formatted_minor(total_left(deposit), deposit.currency),
        "paid": formatted_minor(deposit.paid_minor, deposit.currency),
    }
