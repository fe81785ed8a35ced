"""What the list of invoices can be narrowed by."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing_portal.accounts.models import User
from billing_portal.accounts.roles import sees_everything
from billing_portal.forms import RowsField, row_id
from billing_portal.typed.addresses import AddressForm
from billing_portal.typed.fields import DayField, LineField, NumberField, WholeNumberField
from invoices.company.currencies import usual_currencies
from invoices.models import Client, ClientType, Invoice, Subscription
from invoices.models.einvoicing import Group
from invoices.selections.ageing import BUCKETS_DUE, BUCKETS_ISSUE
from invoices.selections.filters import REPLACING


def _days(label: Any) -> WholeNumberField:
    return WholeNumberField(label=label, required=False, least=-99_999, most=99_999)


class FilterForm(AddressForm):
    """What the list can be narrowed by; the names are those of `InvoiceFilter`."""

    q = LineField(label=gettext_lazy("Contains"), required=False, max_length=200)
    type = RowsField(
        ClientType.objects.all(),
        label=gettext_lazy("Client type"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    type_today = forms.BooleanField(
        label=gettext_lazy("Clients by their type of today"), required=False
    )
    client = forms.ModelChoiceField(
        Client.objects.none(), label=gettext_lazy("Client"), required=False
    )
    subscription = forms.ModelChoiceField(
        Subscription.objects.none(), label=gettext_lazy("Subscription"), required=False
    )
    owner = forms.ChoiceField(label=gettext_lazy("Sold by"), required=False)
    currency = forms.ChoiceField(label=gettext_lazy("Currency"), required=False)
    issued_from = DayField(label=gettext_lazy("Issued from"), required=False)
    issued_to = DayField(label=gettext_lazy("Issued until"), required=False)
    due_from = DayField(label=gettext_lazy("Due from"), required=False)
    due_to = DayField(label=gettext_lazy("Due until"), required=False)
    paid_from = DayField(label=gettext_lazy("Paid from"), required=False)
    paid_to = DayField(label=gettext_lazy("Paid until"), required=False)
    amount_min = NumberField(label=gettext_lazy("Total from"), required=False)
    amount_max = NumberField(label=gettext_lazy("Total up to"), required=False)
    converted = forms.BooleanField(
        label=gettext_lazy("Compare totals in the company’s currency"), required=False
    )
    late_min = _days(gettext_lazy("Days late, at least"))
    late_max = _days(gettext_lazy("Days late, at most"))
    to_pay_min = _days(gettext_lazy("Days to pay, at least"))
    to_pay_max = _days(gettext_lazy("Days to pay, at most"))
    bucket = forms.ChoiceField(
        label=gettext_lazy("Ageing"),
        required=False,
        choices=[
            ("", "–"),
            *((key, key) for key in dict.fromkeys([*BUCKETS_DUE, *BUCKETS_ISSUE])),
        ],
    )
    ageing = forms.ChoiceField(
        label=gettext_lazy("Ageing counts from"),
        required=False,
        choices=[("", gettext_lazy("the due date")), ("issue", gettext_lazy("the invoice date"))],
    )
    purpose = forms.ChoiceField(
        label=gettext_lazy("Invoices that are"),
        required=False,
        choices=[
            ("", "–"),
            *Invoice.Purpose.choices,
            (REPLACING, gettext_lazy("Corrected invoice")),
        ],
    )
    reason = forms.ChoiceField(
        label=gettext_lazy("Credited because of"),
        required=False,
        choices=[("", "–"), *Invoice.CreditReason.choices],
    )
    as_of = DayField(label=gettext_lazy("As of"), required=False)
    einvoice = forms.ChoiceField(
        label=gettext_lazy("On the platform"),
        required=False,
        choices=[("", "–"), *Group.choices, ("none", gettext_lazy("Never handed over"))],
    )
    said = forms.ChoiceField(
        label=gettext_lazy("The client said"),
        required=False,
        choices=[
            ("", gettext_lazy("anything")),
            ("taken_up", gettext_lazy("that it is taken up (204)")),
            ("approved", gettext_lazy("that it is approved (205)")),
            ("announced", gettext_lazy("that payment is on its way (211)")),
        ],
    )
    disputed = forms.BooleanField(label=gettext_lazy("In dispute"), required=False)

    def __init__(self, params: QueryDict, *, user: User, currencies: Iterable[str] = ()) -> None:
        """`currencies` of the selection; the others are those of clients and rates."""
        super().__init__(params)
        chosen = params.get("client", "")
        if (client_id := row_id(chosen)) is not None:
            # Only the one that the address names: the list of all would be long.
            named = Client.objects.filter(pk=client_id)
            if not sees_everything(user):
                # The chip says the client's name: not of a client that is somebody else's.
                named = named.filter(pk__in=Invoice.objects.visible_to(user).values("client"))
            self._choices_of("client", named)
        if (made_by := row_id(params.get("subscription", ""))) is not None:
            mine = Subscription.objects.visible_to(user).filter(pk=made_by)
            self._choices_of("subscription", mine.select_related("client"))
        people = [(str(pk), name or email) for pk, name, email in _owners(user)]
        self._choices_of("owner", [("", "–"), ("0", _("Nobody")), *people])
        codes = {*currencies, *usual_currencies()}
        self._choices_of("currency", [("", "–"), *((code, code) for code in sorted(codes))])

    def _choices_of(self, name: str, choices: Any) -> None:
        field: Any = self.fields[name]
        if isinstance(field, forms.ModelChoiceField):
            field.queryset = choices
        else:
            field.choices = choices


def _owners(user: User) -> list[tuple[int, str, str]]:
    people = User.objects.all() if sees_everything(user) else User.objects.filter(pk=user.pk)
    return list(people.order_by("name", "email").values_list("pk", "name", "email")[:500])
