"""Forms of the billing queue."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing_portal.accounts.models import User
from billing_portal.accounts.roles import sees_everything
from billing_portal.forms import RowsField
from billing_portal.typed.addresses import AddressForm
from billing_portal.typed.fields import DayField, LineField
from invoices.models import ClientType, Deal, Pipeline

NOBODY = "0"


class QueueFilter(AddressForm):
    """What the queue can be narrowed by; the state of the page is its query string."""

    q = LineField(label=gettext_lazy("Contains"), required=False, max_length=200)
    pipeline = forms.ModelChoiceField(
        Pipeline.objects.all(), label=gettext_lazy("Pipeline"), required=False, empty_label="–"
    )
    owner = forms.ChoiceField(label=gettext_lazy("Sold by"), required=False)
    type = RowsField(
        ClientType.objects.all(),
        label=gettext_lazy("Client type"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    currency = forms.ChoiceField(label=gettext_lazy("Currency"), required=False)
    won_from = DayField(label=gettext_lazy("Won since"), required=False)

    def __init__(self, params: QueryDict, *, user: User) -> None:
        super().__init__(params)
        people = User.objects.all() if sees_everything(user) else User.objects.filter(pk=user.pk)
        names = people.order_by("name", "email").values_list("pk", "name", "email")[:500]
        self._choices(
            "owner",
            [(NOBODY, _("Nobody")), *((str(pk), name or email) for pk, name, email in names)],
        )
        codes = Deal.objects.visible_to(user).order_by().values_list("currency", flat=True)
        self._choices("currency", [(code, code) for code in sorted(set(codes.distinct()))])

    def _choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        field: Any = self.fields[name]
        field.choices = [("", "–"), *choices]


class SetAsideForm(forms.Form):
    reason = LineField(
        label=gettext_lazy("Why is it not billed here?"),
        max_length=300,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": gettext_lazy("Say why it is not billed here.")},
    )


class DealChangeForm(forms.Form):
    """An issued invoice wants a word (deals/changes.py refuses without), a draft none."""

    word = LineField(
        label=gettext_lazy("Why does it stand as it is?"),
        max_length=300,
        error_messages={"required": gettext_lazy("Say why the invoice stands as it is.")},
    )

    def __init__(self, data: QueryDict | None, *, is_draft: bool) -> None:
        super().__init__(data)
        self.fields["word"].required = not is_draft
