"""Discounts and charges on the whole document, as people type them beside its lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing_portal.typed.fields import LineField
from invoices.company.vat_rates import FrenchRates
from invoices.documents.adjustments import (
    CHARGE,
    CODES,
    DISCOUNT,
    MAX_REASON,
    MOST,
    Adjustment,
    read,
    stored,
    usual_code,
)
from invoices.invoicing.forms.heads import HeadForm
from invoices.invoicing.forms.lines import TypedLine, discount_of, vat_label, vat_value, written
from invoices.models import Client

TOTAL = "adjust-TOTAL"
PARTS = ("kind", "value", "reason", "code", "vat")
PREFIX = "adjust-"
# Buttons of the page: add one, take one away.
ADD, REMOVE = (DISCOUNT, CHARGE), "unadjust"


class AdjustedForm(HeadForm):
    """A head with a row of fields for each discount or charge; they are kept and undone with it."""

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, document: Any, client: Client, today: date
    ) -> None:
        super().__init__(data, document=document, client=client, today=today)
        self.adjusted: list[Adjustment] = []
        kept = [] if data is not None else read(self.kept_of(document))
        count = _count(data) if data is not None else len(kept)
        self.fields[TOTAL] = forms.CharField(
            widget=forms.HiddenInput, required=False, initial=str(count)
        )
        rates = FrenchRates().on(today) if count else []
        for n in range(count):
            given = data.get(f"{PREFIX}{n}-kind") if data is not None else kept[n].kind
            kind = CHARGE if given == CHARGE else DISCOUNT
            self._add_row(n, kind, rates, kept[n] if kept else None)

    def _add_row(
        self, n: int, kind: str, rates: Iterable[Decimal], kept: Adjustment | None
    ) -> None:
        chosen = self.data.get(f"{PREFIX}{n}-vat", "")
        value = f"{vat_value(*kept.only)}" if kept and kept.only else chosen
        choices = dict.fromkeys(
            [*(vat_value("S", rate) for rate in rates), *([value] if value else [])]
        )
        label = gettext_lazy("Charge") if kind == CHARGE else gettext_lazy("Discount")
        found: dict[str, forms.Field] = {
            "kind": forms.CharField(widget=forms.HiddenInput, initial=kind),
            "value": LineField(
                label=label,
                required=False,
                max_length=40,
                initial=_value_of(kept, self.chosen_currency),
            ),
            "reason": LineField(
                label=gettext_lazy("Label on the document"),
                required=False,
                max_length=MAX_REASON,
                initial=kept.reason if kept else "",
            ),
            "code": forms.ChoiceField(
                label=gettext_lazy("Reason"),
                required=False,
                choices=list(CODES[kind].items()),
                initial=kept.code if kept else usual_code(kind),
            ),
            "vat": forms.ChoiceField(
                label=gettext_lazy("VAT"),
                required=False,
                choices=[("", _("As the lines")), *((each, vat_label(each)) for each in choices)],
                initial=value,
            ),
        }
        for name, field in found.items():
            self.fields[f"{PREFIX}{n}-{name}"] = field

    @property
    def adjustment_rows(self) -> list[dict[str, Any]]:
        """The fields of each, for the page."""
        return [
            {
                "n": n,
                "is_charge": self[f"{PREFIX}{n}-kind"].value() == CHARGE,
                **{name: self[f"{PREFIX}{n}-{name}"] for name in PARTS},
            }
            for n in range(self._rows)
        ]

    @property
    def adjust_total(self) -> Any:
        return self[TOTAL]

    @property
    def _rows(self) -> int:
        return sum(name.endswith("-kind") for name in self.fields if name.startswith(PREFIX))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        currency = str(data.get("currency") or self.document.currency)
        for n in range(self._rows):
            found = {name: str(data.get(f"{PREFIX}{n}-{name}") or "") for name in PARTS}
            if not found["value"].strip():
                if found["reason"].strip():
                    self.add_error(f"{PREFIX}{n}-value", _("Give a percentage or an amount."))
                continue
            line = TypedLine(discount=found["value"])
            percent, amount = discount_of(line, currency)
            if text := line.errors.get("discount"):
                self.add_error(f"{PREFIX}{n}-value", text)
                continue
            if percent < 0 or amount < 0 or percent == amount == 0:
                text = _("Give a percentage or an amount above zero.")
                self.add_error(f"{PREFIX}{n}-value", text)
                continue
            category, _colon, rate = found["vat"].partition(":")
            self.adjusted.append(
                Adjustment(
                    CHARGE if found["kind"] == CHARGE else DISCOUNT,
                    percent,
                    amount,
                    found["reason"].strip(),
                    found["code"],
                    (category, Decimal(rate)) if category else None,
                )
            )
        return data

    def header(self) -> dict[str, Any]:
        found = {
            name: value for name, value in super().header().items() if not name.startswith(PREFIX)
        }
        return found | self.adjusted_header()

    def adjusted_header(self) -> dict[str, Any]:
        """Unreadable ones are told in the form; what is kept stays meanwhile."""
        wrong = any(name.startswith(PREFIX) for name in self.errors)
        return {} if wrong else {"adjustments": self.adjustments}

    @classmethod
    def kept_of(cls, document: Any) -> list[dict[str, str]]:
        """Those that are stored."""
        return list(document.adjustments)

    @property
    def adjustments(self) -> list[dict[str, str]]:
        """As the document keeps them: those that are typed, or of an untouched form the stored."""
        return stored(self.adjusted) if self.is_bound else self.kept_of(self.document)


def _count(data: Mapping[str, Any]) -> int:
    text = str(data.get(TOTAL, ""))
    return min(int(text), MOST) if text.isascii() and text.isdigit() and len(text) < 4 else 0


def _value_of(kept: Adjustment | None, currency: str) -> str:
    if kept is None:
        return ""
    return f"{written(kept.amount)} {currency}" if kept.amount else written(kept.percent)


def rearranged(given: Mapping[str, Any], act: str) -> QueryDict | None:
    """What was typed with one row more or less, for the buttons of the page; None for any other."""
    word, _dash, number = act.partition("-")
    data = QueryDict(mutable=True)
    data.update(given)
    count = _count(data)
    if act in ADD and count < MOST:
        data[TOTAL] = str(count + 1)
        data[f"{PREFIX}{count}-kind"] = act
        data[f"{PREFIX}{count}-code"] = usual_code(act)
        return data
    if word != REMOVE or not (number.isascii() and number.isdigit()) or int(number[:3]) >= count:
        return data if act in ADD else None
    for n in range(int(number), count - 1):
        for name in PARTS:
            data[f"{PREFIX}{n}-{name}"] = data.get(f"{PREFIX}{n + 1}-{name}", "")
    data[TOTAL] = str(count - 1)
    return data
