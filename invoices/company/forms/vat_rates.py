"""A rate of VAT that the law of France has, with its days."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing_portal.forms import ModelForm
from billing_portal.typed.fields import DayField, NumberField
from invoices.models import VatRate


class VatRateForm(ModelForm[VatRate]):
    percent = NumberField(
        label=gettext_lazy("Per cent"), places=2, least=Decimal("0.01"), most=Decimal("99.99")
    )
    starts_on = DayField(label=gettext_lazy("First day"))
    ends_on = DayField(
        label=gettext_lazy("Last day"),
        required=False,
        help_text=gettext_lazy("Empty while the law names none."),
    )

    class Meta:
        model = VatRate
        fields = ["territory", "percent", "starts_on", "ends_on", "source"]
        labels = {
            "territory": gettext_lazy("Territory"),
            "source": gettext_lazy("Source"),
        }

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        first, last = data.get("starts_on"), data.get("ends_on")
        if first and last and last < first:
            self.add_error("ends_on", _("The last day is before the first."))
        where, percent = data.get("territory"), data.get("percent")
        others = VatRate.objects.exclude(pk=self.instance.pk)
        if (where and percent and first) and others.filter(
            territory=where, percent=percent, starts_on=first
        ).exists():
            self.add_error(
                "starts_on", _("This rate is there from that day already: remove it first.")
            )
        return data
