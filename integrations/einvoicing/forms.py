"""What people type to connect an approved platform."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from billing_portal.typed.fields import LineField

_URL = {"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}


class PlatformForm(forms.Form):
    account_name = LineField(label=gettext_lazy("Name of the platform"), max_length=100)
    base_url = LineField(
        label=gettext_lazy("Address of its flow service"),
        max_length=300,
        widget=forms.TextInput(attrs=_URL),
    )
    directory_url = LineField(
        label=gettext_lazy("Address of its directory service"),
        max_length=300,
        required=False,
        widget=forms.TextInput(attrs=_URL),
    )
    api_token = LineField(
        label=gettext_lazy("API token"),
        max_length=4_000,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    token_url = LineField(
        label=gettext_lazy("Address of the login"),
        max_length=300,
        required=False,
        widget=forms.TextInput(attrs=_URL),
    )
    client_id = LineField(
        label=gettext_lazy("Client id"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    client_secret = LineField(
        label=gettext_lazy("Client secret"),
        max_length=4_000,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, data: Any, *, helps: Mapping[str, Any], initial: Any) -> None:
        super().__init__(data, initial=initial)
        for name, text in helps.items():
            self.fields[name].help_text = text
