"""A rate of VAT that the law of France has, with its days."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing_portal.typed.fields import NumberField
from invoices.company.forms.law_rows import LawRowForm
from invoices.models import VatRate


class VatRateForm(LawRowForm[VatRate]):
    percent = NumberField(
        label=gettext_lazy("Per cent"), places=2, least=Decimal("0.01"), most=Decimal("99.99")
    )

    class Meta:
        model = VatRate
        fields = ["territory", "percent", "starts_on", "ends_on", "source"]
        labels = {
            "territory": gettext_lazy("Territory"),
            "source": gettext_lazy("Source"),
        }

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        first = data.get("starts_on")
        where, percent = data.get("territory"), data.get("percent")
        others = VatRate.objects.exclude(pk=self.instance.pk)
        if (where and percent and first) and others.filter(
            territory=where, percent=percent, starts_on=first
        ).exists():
            self.add_error(
                "starts_on", _("This rate is there from that day already: remove it first.")
            )
        return data
