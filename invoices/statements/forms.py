"""Which days a statement is of, and who receives a letter."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing_portal.dates import as_typed
from billing_portal.typed.fields import DayField, LineField
from invoices.invoicing.forms.heads import RecipientsField


class DaysForm(forms.Form):
    """Of movements two days, of open items the last one; an empty one is the usual one."""

    since = DayField(label=gettext_lazy("From"), required=False)
    on = DayField(label=gettext_lazy("To"), required=False)

    def __init__(self, data: Any = None, *, today: date, movements: bool) -> None:
        # The usual days stand in the fields: what is shown is always said.
        on = data.get("on", "").strip() or as_typed(today)
        usual = as_typed(today.replace(month=1, day=1))
        since = data.get("since", "").strip() or usual
        super().__init__({"on": on, "since": since})
        self.today, self.movements = today, movements
        field: Any = self.fields["on"]
        field.today = today
        if not movements:
            del self.fields["since"]
            field.label = _("As of")

    def clean(self) -> dict[str, Any]:
        found = self.cleaned_data
        on = found.get("on")
        if on is not None and on > self.today:
            self.add_error("on", _("The day is in the future."))
        since = found.get("since")
        if since is not None and since > (on or self.today):
            self.add_error("since", _("The first day comes after the last one."))
        return found

    def days(self) -> tuple[date | None, date]:
        """First day, None of open items, and last day; the usual ones where the form has errors."""
        found = self.cleaned_data if not self.errors else {}
        on: date = found.get("on") or self.today
        if not self.movements:
            return None, on
        return found.get("since") or on.replace(month=1, day=1), on


class SendForm(forms.Form):
    recipients = RecipientsField(
        label=gettext_lazy("To"),
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": gettext_lazy("Say who receives it by email.")},
        help_text=gettext_lazy("Several addresses: separate them by commas."),
    )


class ClaimForm(forms.Form):
    recipients = RecipientsField(
        label=gettext_lazy("To"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Empty: the claim is made and kept, and you hand it over."),
    )


class WithdrawForm(forms.Form):
    reason = LineField(label=gettext_lazy("Why"), required=False, max_length=300)
