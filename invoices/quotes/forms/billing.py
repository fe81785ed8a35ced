"""What of an accepted quote is billed: the share of a deposit, or quantities of its lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from billing_portal.typed.fields import NumberField
from invoices.models import QuoteLine
from invoices.quotes.converting import LeftOfLine


class LinesForm(forms.Form):
    """A field per accepted line, filled with what is left of it."""

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, rows: Sequence[LeftOfLine]
    ) -> None:
        super().__init__(data)
        self.rows = rows
        for row in rows:
            self.fields[self.name_of(row.line)] = NumberField(
                label=row.line.description.split("\n")[0][:80] or _("Line"),
                places=4,
                required=False,
                most=Decimal("999999999"),
                initial=row.left.normalize() + 0,
            )

    @staticmethod
    def name_of(line: QuoteLine) -> str:
        return f"line-{line.pk}"

    def shown(self) -> list[tuple[LeftOfLine, Any]]:
        return [(row, self[self.name_of(row.line)]) for row in self.rows]

    def quantities(self) -> dict[int, Decimal]:
        found = {}
        for row in self.rows:
            value = self.cleaned_data.get(self.name_of(row.line))
            if value:
                found[row.line.pk] = value
        return found
