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

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if found.get("delivered_to") == DeliveredTo.OTHER and found.get("delivery_country") == "":
            self.add_error("delivery_country", _("Choose the country of the delivery."))
        if found.get("tie") and found.get("tie_country") == "":
            text = _("Choose the country in which the service takes place.")
            self.add_error("tie_country", text)
        return found

    def supplied(self) -> dict[str, Any]:
        """What of it is well typed; half an address is left as it is stored."""
        typed = self.cleaned_data
        found: dict[str, Any] = {name: typed[name] for name in SUPPLIED if name in typed}
        for choice, country in (("delivered_to", "delivery_country"), ("tie", "tie_country")):
            if choice not in typed or country not in typed:
                stem = f"{country.partition('_')[0]}_"
                found = {
                    name: value
                    for name, value in found.items()
                    if name != choice and not name.startswith(stem)
                }
        return tidied(found)

    @property
    def says_where(self) -> bool:
        """Whether the fields are shown from the start."""
        values = (self[name].value() for name in ("delivered_to", "tie"))
        return any(values) or any(name in self.errors for name in SUPPLIED)

    @classmethod
    def initial_supplied(cls, document: Any) -> dict[str, Any]:
        return {name: getattr(document, name) for name in SUPPLIED}
