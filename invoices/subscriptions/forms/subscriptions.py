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
from billing_portal.typed.fields import (
    DayField,
    LineField,
    NumberField,
    WholeNumberField,
)
from invoices.invoicing.forms.adjustments import AdjustedForm
from invoices.invoicing.forms.heads import RecipientsField
from invoices.models import Client, Subscription
from invoices.subscriptions.lines import adjustments_of
from invoices.subscriptions.periods import WEEK, is_last_of_month

IN_ADVANCE, IN_ARREARS = "advance", "arrears"
OPEN, BY_DAY, BY_COUNT = "open", "day", "count"


class SubscriptionForm(AdjustedForm):
    recipients = RecipientsField(label=gettext_lazy("Invoices go to"), required=False)
    owner = forms.ModelChoiceField(
        User.objects.none(), label=gettext_lazy("Salesperson"), required=False
    )
    purchase_order = LineField(label=gettext_lazy("Purchase order"), required=False, max_length=120)
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

    days = ("starts_on", "whole_from", "ends_on")

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        document: Subscription,
        client: Client,
        today: date,
        choices_of_from: Sequence[tuple[int, date]] = (),
    ) -> None:
        super().__init__(data, document=document, client=client, today=today)
        owner: Any = self.fields["owner"]
        owner.queryset = User.objects.order_by("name", "email")
        self.choose(
            "lines_from",
            [
                (n, _("the period of %(day)s") % {"day": dates.day(day)})
                for n, day in choices_of_from
            ],
        )

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
        if "ends" in cleaned:
            found["ends_on"] = cleaned.get("ends_on") if cleaned["ends"] == BY_DAY else None
            found["most_periods"] = (
                cleaned.get("most_periods") if cleaned["ends"] == BY_COUNT else None
            )
        return (
            found
            | self.supplied()
            | self.terms_chosen()
            | self._calendar()
            | self.adjusted_header()
        )

    @classmethod
    def kept_of(cls, document: Subscription) -> list[dict[str, str]]:
        return adjustments_of(document)

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

    @classmethod
    def initial_of(cls, document: Subscription) -> dict[str, Any]:
        begins_whole = document.whole_from == document.starts_on
        ends = BY_DAY if document.ends_on else BY_COUNT if document.most_periods else OPEN
        return super().initial_of(document) | {
            "owner": document.owner_id,
            "purchase_order": document.purchase_order,
            "starts_on": document.starts_on,
            "every": document.every,
            "unit": document.unit,
            "whole_from": None if begins_whole else document.whole_from,
            "month_end": document.month_day > document.whole_from.day
            or (document.month_day == 31 and is_last_of_month(document.whole_from)),
            "billed": IN_ARREARS if document.in_arrears else IN_ADVANCE,
            "prorated": document.prorated,
            "ends": ends,
            "ends_on": document.ends_on,
            "most_periods": document.most_periods,
            "way": document.way,
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
