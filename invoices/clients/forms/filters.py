"""The client among the filters of a list."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy

from billing_portal.forms import row_id
from billing_portal.typed.addresses import AddressForm
from billing_portal.typed.fields import LineField
from invoices.models import Client


class OfAClientForm(AddressForm):
    """What a list contains, and of whom; a client is chosen by search, so one alone is offered."""

    q = LineField(label=gettext_lazy("Contains"), required=False, max_length=200)
    client = forms.ModelChoiceField(
        Client.objects.none(), label=gettext_lazy("Client"), required=False
    )

    def __init__(self, params: QueryDict) -> None:
        super().__init__(params)
        if (client_id := row_id(params.get("client", ""))) is not None:
            field: Any = self.fields["client"]
            field.queryset = Client.objects.filter(pk=client_id)
