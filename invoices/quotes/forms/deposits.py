"""A deposit as people type it: a share of the quote, or an amount of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from moneyed import Money

from billing_portal.money import LARGEST_MINOR, digits, from_minor, to_minor
from billing_portal.typed import numbers
from billing_portal.typed.fields import LineField
from billing_portal.typed.texts import Unreadable, shown
from invoices.invoicing.forms.lines import written


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
