"""What people type about alerts; nothing here saves."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from string import Formatter
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing_portal.accounts.models import User
from billing_portal.forms import RowsField
from billing_portal.money import from_minor, to_minor
from billing_portal.typed.fields import DayField, LineField, MoneyField, WholeNumberField
from billing_portal.typed.numbers import as_typed, machine_number
from invoices.models import ClientType
from reports.alerts.kinds.registry import KINDS
from reports.models import AlertRule

MOST_ADDRESSES = 20
# What the sentence of a kind may ask for; each kind names its own.
SENTENCE_FIELDS = {"days", "amount", "measure", "client_type", "window_days", "min_payments"}


def _days(label: Any, least: int, most: int) -> WholeNumberField:
    return WholeNumberField(label=label, least=least, most=most)


class RuleForm(forms.Form):
    """A rule as the sentence of its kind."""

    # Left as it was proposed, or empty: the rule is called by what it watches, in any language.
    # Left empty it is what the rule watches, by its figures of today: a name that stood here would
    # go on to say the figures of yesterday.
    name = LineField(
        label=gettext_lazy("Name"),
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": gettext_lazy("Named after what it watches")}),
    )
    measure = forms.ChoiceField(label=gettext_lazy("Measure"))
    client_type = forms.ModelChoiceField(
        label=gettext_lazy("Client type"),
        queryset=ClientType.objects.all(),
        required=False,
        empty_label=gettext_lazy("each client type"),
    )
    window_days = _days(gettext_lazy("Days looked back"), 7, 3650)
    days = _days(gettext_lazy("Days"), 0, 3650)
    min_payments = _days(gettext_lazy("Payments behind it"), 5, 10_000)
    cooldown_days = _days(gettext_lazy("Quiet days"), 0, 3650)
    finance = forms.BooleanField(label=gettext_lazy("The finance team"), required=False)
    owner = forms.BooleanField(label=gettext_lazy("The owner"), required=False)
    users = RowsField(
        label=gettext_lazy("People"),
        queryset=User.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
    )
    emails = LineField(
        label=gettext_lazy("Other addresses"),
        required=False,
        max_length=2000,
        help_text=gettext_lazy("Separated by commas or spaces."),
    )

    def __init__(self, *args: Any, kind: str, currency: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.kind, self.currency = kind, currency
        self.fields["amount"] = MoneyField(
            currency=currency, label=_("Amount"), least=0, required=False
        )
        measures = {
            AlertRule.Measure.P50: _("the median of days late"),
            AlertRule.Measure.P75: _("the third quartile of days late"),
            AlertRule.Measure.MEAN: _("the mean of days late"),
        }
        self.fields["measure"].choices = list(measures.items())  # type: ignore[attr-defined]
        self.fields["users"].queryset = (  # type: ignore[attr-defined]
            User.objects.filter(is_active=True)
            .filter(~Q(role=User.Role.SALES) | Q(pk__in=self.initial.get("users") or []))
            .order_by("name", "email")
        )
        for name in SENTENCE_FIELDS - set(KINDS[kind].fields):
            del self.fields[name]
        if not KINDS[kind].has_owner:
            del self.fields["owner"]

    def clean_emails(self) -> list[str]:
        found: dict[str, str] = {}
        for address in self.cleaned_data["emails"].replace(",", " ").replace(";", " ").split():
            try:
                validate_email(address)
            except ValidationError:
                raise ValidationError(
                    _("“%(address)s” is not an email address.") % {"address": address[:80]}
                ) from None
            found.setdefault(address.lower(), address)
        if len(found) > MOST_ADDRESSES:
            raise ValidationError(
                _("At most %(most)s addresses: use a mailing list for more.")
                % {"most": MOST_ADDRESSES}
            )
        return list(found.values())

    def values(self) -> dict[str, Any]:
        """The columns of the rule."""
        data = self.cleaned_data
        amount = data.get("amount")
        recipients: dict[str, Any] = {
            "emails": data["emails"],
            "users": [user.pk for user in data["users"]],
            "owner": bool(data.get("owner")),
            "roles": [User.Role.FINANCE.value] if data["finance"] else [],
        }
        columns: dict[str, Any] = {
            name: data[name]
            for name in ("days", "measure", "client_type", "window_days", "min_payments")
            if name in data
        }
        rule = {
            **KINDS[self.kind].defaults,
            **columns,
            "name": data["name"],
            "kind": self.kind,
            "amount_minor": to_minor(amount) if amount is not None else 0,
            "cooldown_days": data["cooldown_days"],
            "recipients": recipients,
        }
        if rule["name"] == KINDS[self.kind].name(AlertRule(**rule), self.currency):
            rule["name"] = ""
        return rule

    def rule(self) -> AlertRule:
        """The rule as typed, unsaved."""
        return AlertRule(**self.values())


@dataclass(frozen=True)
class Piece:
    """A piece of a kind's sentence: some words, and the field after them."""

    text: str
    field: forms.BoundField | None
    classes: str = ""


def sentence(form: RuleForm) -> list[tuple[str, list[Piece]]]:
    """The kind's own sentence with its fields in their places: “Watch …”, “Tell when …”."""
    kind = KINDS[form.kind]
    return [
        (head, [_piece(form, text, name) for text, name, _format, _conversion in parts])
        for head, parts in (
            (_("Watch"), Formatter().parse(kind.watches)),
            (_("Tell when"), Formatter().parse(kind.when)),
        )
    ]


def _piece(form: RuleForm, text: str, name: str | None) -> Piece:
    if not name:
        return Piece(text, None)
    if name == "currency":
        return Piece(text + form.currency, None)
    classes = {"amount": "num wide", "measure": "", "client_type": ""}.get(name, "num")
    return Piece(text, form[name], classes)


def initial_of(rule: AlertRule, currency: str) -> dict[str, Any]:
    recipients = rule.recipients
    return {
        "name": rule.name,
        "measure": rule.measure,
        "client_type": rule.client_type_id,
        "window_days": rule.window_days,
        "days": rule.days,
        "min_payments": rule.min_payments,
        "cooldown_days": rule.cooldown_days,
        "amount": _typed(rule.amount_minor, currency) if rule.amount_minor else "",
        "finance": User.Role.FINANCE in recipients.get("roles", []),
        "owner": bool(recipients.get("owner")),
        "users": recipients.get("users", []),
        "emails": ", ".join(recipients.get("emails", [])),
    }


def _typed(amount_minor: int, currency: str) -> str:
    return as_typed(from_minor(amount_minor, currency).amount)


def initial_of_kind(kind: str, given: Any, currency: str) -> dict[str, Any]:
    """A new rule: the defaults of its kind, and what the query string asks for."""
    initial: dict[str, Any] = {"measure": AlertRule.Measure.P50, **KINDS[kind].defaults}
    if least := initial.pop("amount_minor", 0):
        initial["amount"] = _typed(least, currency)
    initial["finance"] = True
    for name in ("days", "window_days", "min_payments", "cooldown_days", "amount", "name"):
        if value := given.get(name):
            initial[name] = str(value)[:120]
    if "amount" in given:
        with suppress(ValueError):
            # Of an address of ours: the reader sees it as the field writes it.
            initial["amount"] = as_typed(machine_number(str(given["amount"])))
    if given.get("measure") in AlertRule.Measure.values:
        initial["measure"] = given["measure"]
    if (chosen := given.get("client_type", "")).isdecimal() and len(chosen) < 18:
        initial["client_type"] = int(chosen)
    return initial


class SnoozeForm(forms.Form):
    """Until a day, or for a number of days."""

    until = DayField(label=gettext_lazy("Or until the day"), required=False)
    days = forms.TypedChoiceField(
        choices=[(n, n) for n in (1, 7, 14, 30)], coerce=int, empty_value=None, required=False
    )

    def __init__(self, *args: Any, on: date, **options: Any) -> None:
        super().__init__(*args, **options)
        self.on = on

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("days"):
            data["until"] = self.on + timedelta(days=data["days"])
        elif not data.get("until") and not self.errors:
            self.add_error("until", _("Say until when."))
        return data
