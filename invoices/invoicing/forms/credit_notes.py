"""What to credit of an issued invoice, as people type it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from moneyed import Money

from billing_portal.money import digits, from_minor, round_half_up, to_minor
from billing_portal.typed.fields import LinesField, MoneyField
from billing_portal.typed.numbers import is_finer, read_amount, read_number, too_fine
from billing_portal.typed.texts import Unreadable
from invoices.invoicing.creditable import Creditable, CreditLine
from invoices.invoicing.forms.heads import RecipientsField
from invoices.invoicing.forms.lines import written
from invoices.models import Invoice, InvoiceLine

WHOLE, LINES, AMOUNT = "whole", "lines", "amount"


@dataclass
class CreditableLine:
    """A line of the invoice, what is left of it, and what was typed."""

    row: InvoiceLine
    left_minor: int
    quantity: str = ""
    net: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def pk(self) -> int:
        return self.row.pk

    def net_minor(self, currency: str) -> int:
        """What is to be credited; the net where it is typed, else the part of the quantity."""
        if self.net.strip() and self.quantity.strip():
            self.errors["net"] = _("Give the quantity or the net, not both.")
            return 0
        if self.net.strip():
            return self._read_net(currency)
        if not self.quantity.strip():
            return 0
        try:
            quantity = read_number(self.quantity)
        except Unreadable as problem:
            self.errors["quantity"] = str(problem)
            return 0
        whole = abs(self.row.quantity)
        if quantity < 0 or not whole or quantity > whole:
            self.errors["quantity"] = _("Between 0 and %(quantity)s.") % {
                "quantity": written(whole)
            }
            return 0
        if quantity == whole:
            return self.left_minor
        part = round_half_up(
            from_minor(self.row.net_minor, currency).amount * quantity / whole, currency
        )
        # Of what is left, when a part was credited before.
        return min(part, self.left_minor) if self.left_minor >= 0 else max(part, self.left_minor)

    def _read_net(self, currency: str) -> int:
        try:
            number = read_amount(self.net, currency)
        except Unreadable as problem:
            self.errors["net"] = str(problem)
            return 0
        if is_finer(number, digits(currency)):
            self.errors["net"] = too_fine(digits(currency))
            return 0
        if number * self.row.net_minor < 0:
            self.errors["net"] = _("Give an amount above zero.")
            return 0
        return to_minor(Money(number, currency))


class CreditForm(forms.Form):
    mode = forms.ChoiceField(
        label=gettext_lazy("What is credited"),
        choices=[
            (WHOLE, gettext_lazy("All that is left")),
            (LINES, gettext_lazy("Some lines")),
            (AMOUNT, gettext_lazy("An amount")),
        ],
        widget=forms.RadioSelect(attrs={"class": "form-check-input"}),
    )
    code = forms.ChoiceField(
        label=gettext_lazy("Reason"),
        choices=[
            ("", gettext_lazy("Choose…")),
            # What a correction gives by itself.
            *(each for each in Invoice.CreditReason.choices if each[0] != "replaced"),
        ],
        error_messages={"required": gettext_lazy("Choose why: it is printed, and counted.")},
    )
    reason = LinesField(
        label=gettext_lazy("In words"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": gettext_lazy("Say why: it stands on the credit note.")},
        help_text=gettext_lazy("It stands on the credit note, in the client’s language."),
    )
    to_client_of_today = forms.BooleanField(
        label=gettext_lazy("Name and address of today instead"), required=False
    )
    recipients = RecipientsField(
        label=gettext_lazy("Email it to"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        invoice: Invoice,
        rows: Sequence[InvoiceLine],
        left: Creditable,
        **options: Any,
    ) -> None:
        super().__init__(data, **options)
        self.currency = invoice.currency
        self.fields["amount"] = MoneyField(
            currency=invoice.currency,
            required=False,
            above_zero=True,
            label=gettext_lazy("Amount with VAT"),
        )
        if not rows:
            modes: Any = self.fields["mode"]
            modes.choices = [choice for choice in modes.choices if choice[0] != LINES]
        given = data or {}
        self.lines = [
            CreditableLine(
                row,
                left.left_of(row),
                quantity=str(given.get(f"quantity-{row.pk}", ""))[:40],
                net=str(given.get(f"line-{row.pk}", ""))[:40],
            )
            for row in rows
        ]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        mode = cleaned.get("mode")
        if mode == AMOUNT and not cleaned.get("amount") and "amount" not in self.errors:
            self.add_error("amount", _("Give an amount above zero."))
        if mode == LINES:
            wanted = [
                CreditLine(line.pk, minor)
                for line in self.lines
                if (minor := line.net_minor(self.currency))
            ]
            if any(line.errors for line in self.lines):
                self.add_error(None, _("A line cannot be read: see below."))
            elif not wanted:
                self.add_error(None, _("Nothing to credit: give an amount for at least one line."))
            cleaned["lines"] = wanted
        return cleaned

    def wanted(self) -> dict[str, Any]:
        """The arguments of `issue_credit_note` and `credit_totals`."""
        mode = self.cleaned_data.get("mode")
        if mode == AMOUNT:
            return {"amount": self.cleaned_data.get("amount")}
        return {"lines": self.cleaned_data.get("lines") if mode == LINES else None}
