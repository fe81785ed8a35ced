"""Payment terms of several steps, as people type them: a row for each step."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing_portal.forms import ModelForm
from billing_portal.typed.fields import NumberField, WholeNumberField
from invoices.company.payment_terms import Step, by_the_month, problem, save_steps
from invoices.documents.instalments import MOST_INSTALMENTS
from invoices.models import PaymentTerms
from invoices.models.terms import TermsKind

PIECES = ("percent", "months", "days", "kind")
# Rows that wait for a step, beside those that there are.
SPARE = 2
FEWEST = 3


class PaymentTermsForm(ModelForm[PaymentTerms]):
    equal_parts = WholeNumberField(
        label=gettext_lazy("Equal parts by the month"),
        required=False,
        least=2,
        most=MOST_INSTALMENTS,
        help_text=gettext_lazy("How many; the rows below are then made by themselves."),
    )
    first_after = WholeNumberField(
        label=gettext_lazy("First part after, days"), required=False, least=0, most=365
    )

    class Meta:
        model = PaymentTerms
        fields = ["name"]
        labels = {"name": gettext_lazy("Name")}

    def __init__(self, data: Mapping[str, Any] | None = None, **options: Any) -> None:
        super().__init__(data, **options)
        steps = list(self.instance.steps.all()) if self.instance.pk else []
        self.rows = max(FEWEST, len(steps) + SPARE)
        if data is not None:
            # As many as the page had: another person may have changed them since.
            self.rows = min(
                MOST_INSTALMENTS, sum(f"kind_{n}" in data for n in range(MOST_INSTALMENTS))
            )
        for n in range(self.rows):
            self._add_row(n, steps[n] if n < len(steps) else None)

    def _add_row(self, n: int, step: Any) -> None:
        fields: dict[str, forms.Field] = {
            "percent": NumberField(
                label=_("Share in %%, step %(n)s") % {"n": n + 1},
                places=2,
                least=Decimal("0.01"),
                most=Decimal(100),
                required=False,
            ),
            "months": WholeNumberField(
                label=_("Months, step %(n)s") % {"n": n + 1}, least=0, most=60, required=False
            ),
            "days": WholeNumberField(
                label=_("Days, step %(n)s") % {"n": n + 1}, least=0, most=365, required=False
            ),
            "kind": forms.ChoiceField(
                label=_("Counted, step %(n)s") % {"n": n + 1}, choices=TermsKind.choices
            ),
        }
        for piece, field in fields.items():
            name = f"{piece}_{n}"
            self.fields[name] = field
            self.initial[name] = getattr(step, piece) if step else ""
        if step is None:
            self.initial[f"kind_{n}"] = TermsKind.NET

    def step_rows(self) -> list[dict[str, Any]]:
        """The fields of each row, for the template."""
        return [
            {"number": n + 1, **{piece: self[f"{piece}_{n}"] for piece in PIECES}}
            for n in range(self.rows)
        ]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        parts = data.get("equal_parts")
        if parts:
            self.steps = by_the_month(parts, data.get("first_after") or 0)
            return data
        self.steps = [
            Step(
                data.get(f"percent_{n}"),
                data.get(f"months_{n}") or 0,
                data.get(f"days_{n}") or 0,
                data.get(f"kind_{n}") or TermsKind.NET,
            )
            for n in range(self.rows)
            if self._is_given(data, n)
        ]
        if not self.errors and (text := problem(self.steps)):
            self.add_error(None, text)
        return data

    @staticmethod
    def _is_given(data: Mapping[str, Any], n: int) -> bool:
        """A row of which anything but the way of counting is typed; 0 days are typed."""
        return any(data.get(f"{piece}_{n}") is not None for piece in ("percent", "months", "days"))

    def save(self, commit: bool = True) -> PaymentTerms:
        terms = super().save(commit)
        save_steps(terms, self.steps)
        return terms
