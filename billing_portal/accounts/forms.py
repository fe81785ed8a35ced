from __future__ import annotations

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from billing_portal.accounts.models import User
from billing_portal.forms import ModelForm
from billing_portal.typed.fields import LineField


class ProfileForm(ModelForm[User]):
    class Meta:
        model = User
        fields = ["name", "language", "shortcuts"]
        widgets = {
            "name": forms.TextInput({"autocomplete": "name"}),
            "language": forms.Select(choices=settings.LANGUAGES),
        }
        help_texts = {
            "shortcuts": _("Single keys such as / and j; those with Ctrl or Alt work always."),
        }

    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    name = LineField(label=_("Name"), max_length=255)


class PersonForm(forms.Form):
    name = LineField(label=_("Name"), max_length=255)
    role = forms.ChoiceField(label=_("Role"), choices=User.Role.choices)
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    is_active = forms.BooleanField(label=_("May sign in"), required=False)


class InviteForm(forms.Form):
    email = forms.EmailField(label=_("Email"), max_length=254)
    name = LineField(label=_("Name"), max_length=255)
    role = forms.ChoiceField(label=_("Role"), choices=User.Role.choices, initial=User.Role.FINANCE)
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
