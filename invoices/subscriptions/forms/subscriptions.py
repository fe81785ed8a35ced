"""The head of a subscription, and the small forms of what is done with one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing_portal import dates
from billing_portal.accounts.models import User
from billing_portal.money import is_currency
from billing_portal.typed.fields import (
    DayField,
    LineField,
    LinesField,
    NumberField,
    WholeNumberField,
)
from invoices.company.currencies import company_currency, usual_currencies
from invoices.company.payment_terms import offered
from invoices.invoicing.forms.drafts import (
    COMMON_CURRENCIES,
    COMMON_TERMS,
    NAMED,
    RecipientsField,
    terms_in_words,
)
from invoices.models import Subscription
from invoices.subscriptions.periods import WEEK, is_last_of_month

LANGUAGES = [("fr", gettext_lazy("French")), ("en", gettext_lazy("English"))]
IN_ADVANCE, IN_ARREARS = "advance", "arrears"
OPEN, BY_DAY, BY_COUNT = "open", "day", "count"


class SubscriptionForm(forms.Form):
    title = LineField(label=gettext_lazy("Title"), required=False, max_length=255)
    recipients = RecipientsField(label=gettext_lazy("Invoices go to"), required=False)
    owner = forms.ModelChoiceField(
        User.objects.none(), label=gettext_lazy("Salesperson"), required=False
    )
    terms = forms.ChoiceField(label=gettext_lazy("Payment terms"))
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=LANGUAGES)
    currency = forms.ChoiceField(label=gettext_lazy("Currency"))
    purchase_order = LineField(label=gettext_lazy("Purchase order"), required=False, max_length=120)
    note = LinesField(
        label=gettext_lazy("Note under the lines"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    starts_on = DayField(
        label=gettext_lazy("Starts on"),
        error_messages={"required": gettext_lazy("Say from which day on it is billed.")},
    )
    every = WholeNumberField(label=gettext_lazy("Every"), least=1, most=120)
    unit = forms.ChoiceField(label=gettext_lazy("Unit"), choices=Subscription.Unit)
    whole_from = DayField(label=gettext_lazy("Whole periods begin on"), required=False)
    month_end = forms.BooleanField(
        label=gettext_lazy("Always on the last day of the month"), required=False
    )
    billed = forms.ChoiceField(
        label=gettext_lazy("Billed"),
        choices=[
            (IN_ADVANCE, gettext_lazy("in advance, on the first day of the period")),
            (IN_ARREARS, gettext_lazy("in arrears, on the last day of the period")),
        ],
    )
    prorated = forms.BooleanField(
        label=gettext_lazy("Part periods cost their share by days"), required=False
    )
    ends = forms.ChoiceField(
        label=gettext_lazy("Ends"),
        choices=[
            (OPEN, gettext_lazy("when somebody ends it")),
            (BY_DAY, gettext_lazy("on a day")),
            (BY_COUNT, gettext_lazy("after so many periods")),
        ],
    )
    ends_on = DayField(label=gettext_lazy("Last day"), required=False)
    most_periods = WholeNumberField(
        label=gettext_lazy("Periods"), required=False, least=1, most=1200
    )
    way = forms.ChoiceField(label=gettext_lazy("On the day"), choices=Subscription.Way)
    lines_from = forms.TypedChoiceField(
        label=gettext_lazy("The lines hold from"), coerce=int, required=False, empty_value=None
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        subscription: Subscription,
        today: date,
        choices_of_from: Sequence[tuple[int, date]] = (),
    ) -> None:
        super().__init__(data, initial=None if data is not None else initial_of(subscription))
        self.label_suffix = ""
        self.subscription = subscription
        for name in ("starts_on", "whole_from", "ends_on"):
            day: Any = self.fields[name]
            day.today = today
        owner: Any = self.fields["owner"]
        owner.queryset = User.objects.order_by("name", "email")
        client = subscription.client
        pairs = dict.fromkeys(
            [
                (client.terms_kind, client.terms_days),
                (subscription.terms_kind, subscription.terms_days),
                *COMMON_TERMS,
            ]
        )
        named = offered(also=subscription.terms_id)
        self._choices(
            "terms",
            [
                *((f"{k}:{d}", terms_in_words(k, d)) for k, d in pairs),
                *((f"{NAMED}:{terms.pk}", terms.name) for terms in named),
            ],
        )
        codes = dict.fromkeys(
            [
                subscription.currency,
                client.currency,
                company_currency(),
                *COMMON_CURRENCIES,
                *usual_currencies(),
            ]
        )
        self._choices("currency", [(code, code) for code in codes])
        self._choices(
            "lines_from",
            [
                (n, _("the period of %(day)s") % {"day": dates.day(day)})
                for n, day in choices_of_from
            ],
        )

    def _choices(self, name: str, choices: Sequence[tuple[Any, str]]) -> None:
        field: Any = self.fields[name]
        field.choices = choices

    @property
    def chosen_currency(self) -> str:
        value = str(self["currency"].value() or "")
        return value if is_currency(value) else self.subscription.currency

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("ends") == BY_DAY and "ends_on" in data and data["ends_on"] is None:
            self.add_error("ends_on", _("Say on which day it ends."))
        if data.get("ends") == BY_COUNT and "most_periods" in data and data["most_periods"] is None:
            self.add_error("most_periods", _("Say after how many periods it ends."))
        return data

    def header(self) -> dict[str, Any]:
        """What of it is well typed, in the words of `save_subscription`."""
        cleaned = self.cleaned_data
        plain = ("title", "recipients", "language", "currency", "purchase_order", "note", "way")
        found = {name: cleaned[name] for name in plain if name in cleaned}
        found["prorated"] = cleaned.get("prorated", False)
        if "owner" in cleaned:
            found["owner_id"] = cleaned["owner"].pk if cleaned["owner"] else None
        kind, _colon, which = cleaned.get("terms", "").partition(":")
        if kind == NAMED:
            found["terms_id"] = int(which)
        elif kind:
            found |= {"terms_kind": kind, "terms_days": int(which), "terms_id": None}
        if "ends" in cleaned:
            found["ends_on"] = cleaned.get("ends_on") if cleaned["ends"] == BY_DAY else None
            found["most_periods"] = (
                cleaned.get("most_periods") if cleaned["ends"] == BY_COUNT else None
            )
        return found | self._calendar()

    def _calendar(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        names: tuple[str, ...] = ("unit", "every")
        found: dict[str, Any] = {name: cleaned[name] for name in names if name in cleaned}
        if "billed" in cleaned:
            found["in_arrears"] = cleaned["billed"] == IN_ARREARS
        if "starts_on" in cleaned and "whole_from" in cleaned:
            whole = cleaned["whole_from"] or cleaned["starts_on"]
            found |= {"starts_on": cleaned["starts_on"], "whole_from": whole}
            goes_by_last_days = cleaned.get("month_end") and cleaned.get("unit") != WEEK
            found["month_day"] = 31 if goes_by_last_days else whole.day
        return found


def initial_of(subscription: Subscription) -> dict[str, Any]:
    if subscription.terms_id:
        terms = f"{NAMED}:{subscription.terms_id}"
    else:
        terms = f"{subscription.terms_kind}:{subscription.terms_days}"
    begins_whole = subscription.whole_from == subscription.starts_on
    ends = BY_DAY if subscription.ends_on else BY_COUNT if subscription.most_periods else OPEN
    return {
        "title": subscription.title,
        "recipients": list(subscription.recipients),
        "owner": subscription.owner_id,
        "terms": terms,
        "language": subscription.language,
        "currency": subscription.currency,
        "purchase_order": subscription.purchase_order,
        "note": subscription.note,
        "starts_on": subscription.starts_on,
        "every": subscription.every,
        "unit": subscription.unit,
        "whole_from": None if begins_whole else subscription.whole_from,
        "month_end": subscription.month_day > subscription.whole_from.day
        or (subscription.month_day == 31 and is_last_of_month(subscription.whole_from)),
        "billed": IN_ARREARS if subscription.in_arrears else IN_ADVANCE,
        "prorated": subscription.prorated,
        "ends": ends,
        "ends_on": subscription.ends_on,
        "most_periods": subscription.most_periods,
        "way": subscription.way,
    }


class RiseForm(forms.Form):
    first_day = DayField(
        label=gettext_lazy("From"),
        error_messages={"required": gettext_lazy("Say from which day on prices rise.")},
    )
    percent = NumberField(
        label=gettext_lazy("By per cent"),
        places=4,
        least=Decimal("-99"),
        most=900,
        error_messages={"required": gettext_lazy("Say by how many per cent.")},
    )
    yearly = forms.BooleanField(label=gettext_lazy("On that day of every year"), required=False)


class PauseForm(forms.Form):
    reason = LineField(label=gettext_lazy("Why"), required=False, max_length=300)


class ResumeForm(forms.Form):
    number = forms.TypedChoiceField(label=gettext_lazy("Bill again from"), coerce=int)

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, choices: Sequence[tuple[int, str]]
    ) -> None:
        super().__init__(data, initial={"number": choices[-1][0] if choices else None})
        field: Any = self.fields["number"]
        field.choices = choices


class EndForm(forms.Form):
    last_day = DayField(
        label=gettext_lazy("Last day that is billed"),
        error_messages={"required": gettext_lazy("Say on which day it ends.")},
    )
