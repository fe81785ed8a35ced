"""A payment as it is typed, and what it settles."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Self

from django import forms
from django.forms.utils import ErrorDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from moneyed import Money

from billing_portal.money import formatted
from billing_portal.typed.fields import DayField, LineField, MoneyField
from invoices.models import Invoice, Payment
from invoices.payments.entry import PART, part_name

# More open invoices than this are settled in several steps.
MOST_SHOWN = 100


class PaymentForm(forms.Form):
    amount: Any
    received_on = DayField(label=gettext_lazy("Value date"), asks="past")
    reference = LineField(label=gettext_lazy("Label or reference"), required=False, max_length=140)
    method = forms.ChoiceField(label=gettext_lazy("Method"), choices=Payment.Method)
    note = LineField(label=gettext_lazy("Note"), required=False, max_length=300)

    def __init__(
        self,
        *args: Any,
        currency: str,
        today: date,
        invoices: Sequence[Invoice],
        knows_payer: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.currency = currency
        self.knows_payer = knows_payer
        amount = MoneyField(
            currency=currency, label=gettext_lazy("Amount received"), above_zero=True
        )
        amount.widget.attrs["autofocus"] = True
        charges = MoneyField(
            currency=currency, label=gettext_lazy("Charges the bank kept"), required=False, least=0
        )
        charges.widget.attrs["class"] = "num"
        self.fields = {"amount": amount, "charges": charges, **self.fields}
        field: Any = self.fields["received_on"]
        field.today = today
        self.invoices = list(invoices)
        for invoice in self.invoices:
            part = MoneyField(
                currency=currency,
                required=False,
                label=_("Part for %(number)s") % {"number": invoice},
            )
            part.widget.attrs["class"] = "num"
            self.fields[part_name(invoice)] = part

    def unjudged(self) -> Self:
        """What is still being typed is not held against the person."""
        self._errors: Any = ErrorDict()
        return self

    def parts(self) -> list[tuple[Invoice, Any]]:
        """Each open invoice with the field that says how much of it is settled."""
        return [(invoice, self[part_name(invoice)]) for invoice in self.invoices]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.knows_payer and self._parts_of_others():
            # Recorded all the same, it would lie unapplied beside the payment that settled them.
            raise forms.ValidationError(
                _(
                    "An invoice that this payment was meant for is no longer open: somebody "
                    "settled it meanwhile. Look whether the payment is here already."
                )
            )
        for invoice in self.invoices:
            part: Money | None = cleaned.get(part_name(invoice))
            if part is not None and part.amount < 0:
                self.add_error(part_name(invoice), _("Give an amount above zero."))
            elif part is not None and part > invoice.outstanding_balance:
                self.add_error(
                    part_name(invoice),
                    _("%(number)s has %(owed)s outstanding.")
                    % {"number": invoice, "owed": formatted(invoice.outstanding_balance)},
                )
        return cleaned

    def _parts_of_others(self) -> bool:
        """Something was typed for an invoice that is not offered (any more)."""
        return any(
            name.startswith(PART) and name not in self.fields and self.data[name].strip(" 0.,")
            for name in self.data
        )

    def allocations(self) -> list[tuple[int, Money]]:
        return [
            (invoice.pk, part)
            for invoice in self.invoices
            if (part := self.cleaned_data.get(part_name(invoice))) and part.amount
        ]


class AllocationForm(PaymentForm):
    """The parts alone: cash that is here already is applied later."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name in ("amount", "charges", "received_on", "reference", "method", "note"):
            del self.fields[name]


class ReversalForm(forms.Form):
    on = DayField(label=gettext_lazy("Reversed on"), asks="past")
    reason = LineField(
        label=gettext_lazy("Why"),
        max_length=300,
        help_text=gettext_lazy("Shown in the history of its invoices."),
    )


class TakeBackForm(forms.Form):
    reason = LineField(
        label=gettext_lazy("Why"),
        max_length=300,
        help_text=gettext_lazy("Shown in the history."),
        error_messages={"required": gettext_lazy("Say why it is taken back.")},
    )


class RefundForm(forms.Form):
    amount: Any
    refunded_on = DayField(label=gettext_lazy("Day on the bank’s line"), asks="past")
    reference = LineField(label=gettext_lazy("Reference"), required=False, max_length=140)
    method = forms.ChoiceField(label=gettext_lazy("Method"), choices=Payment.Method)
    reason = LineField(
        label=gettext_lazy("Reason"),
        max_length=300,
        error_messages={"required": gettext_lazy("Say why it is refunded.")},
    )

    def __init__(self, *args: Any, currency: str, today: date, **options: Any) -> None:
        super().__init__(*args, **options)
        amount = MoneyField(currency=currency, label=gettext_lazy("Amount"))
        amount.widget.attrs["inputmode"] = "decimal"
        self.fields = {"amount": amount, **self.fields}
        day: Any = self.fields["refunded_on"]
        day.today = today
