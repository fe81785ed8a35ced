"""Where a document delivers and where its services are, as people say it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing_portal.typed.fields import LineField, LinesField
from invoices.company.forms.details import country_choices
from invoices.invoicing.supplying import tidied
from invoices.models.supplied import SUPPLIED, TIES, DeliveredTo


class SuppliedForm(forms.Form):
    """The usual is chosen at first: most documents go where their client is."""

    delivered_to = forms.ChoiceField(
        label=gettext_lazy("Goods are delivered to"), choices=DeliveredTo, required=False
    )
    delivery_address = LinesField(
        label=gettext_lazy("Delivery address"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    delivery_postal_code = LineField(
        label=gettext_lazy("Postal code"), required=False, max_length=20
    )
    delivery_city = LineField(label=gettext_lazy("City"), required=False, max_length=120)
    delivery_country = forms.ChoiceField(label=gettext_lazy("Country"), required=False)
    tie = forms.ChoiceField(label=gettext_lazy("Services take place"), required=False)
    tie_address = LineField(
        label=gettext_lazy("Which building or event"), required=False, max_length=300
    )
    tie_postal_code = LineField(label=gettext_lazy("Postal code"), required=False, max_length=20)
    tie_country = forms.ChoiceField(label=gettext_lazy("Country"), required=False)

    def offer_places(self, document: Any) -> None:
        """Fill in the choices; what a document has stays one."""
        known = country_choices()
        for name in ("delivery_country", "tie_country"):
            kept = getattr(document, name)
            more = [(kept, kept)] if kept and kept not in dict(known) else []
            field: Any = self.fields[name]
            field.choices = [("", "–"), *known, *more]
        tie: Any = self.fields["tie"]
        tie.choices = [("", _("Where the client is")), *TIES]

    def supplied(self) -> dict[str, Any]:
        """What of it is well typed."""
        return tidied(
            {name: value for name, value in self.cleaned_data.items() if name in SUPPLIED}
        )

    @property
    def says_where(self) -> bool:
        """Whether the fields are shown from the start."""
        values = (self[name].value() for name in ("delivered_to", "tie"))
        return any(values) or any(name in self.errors for name in SUPPLIED)

    @classmethod
    def initial_supplied(cls, document: Any) -> dict[str, Any]:
        return {name: getattr(document, name) for name in SUPPLIED}
