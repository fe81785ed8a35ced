"""A subscription in its editor: what its own is beside that of every document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from billing_portal.accounts.models import User
from billing_portal.money import formatted_minor
from invoices.documents.paper import Paper
from invoices.invoicing.draft_lines import DraftLine
from invoices.invoicing.forms import lines as typed
from invoices.invoicing.forms.lines import TypedLine
from invoices.invoicing.issuing import printed_draft
from invoices.invoicing.line_input import lines_in
from invoices.invoicing.views import editing
from invoices.invoicing.views.editing import FIELD_NAMES, DocumentEditor
from invoices.invoicing.views.sums import adjusted_of, sums_of
from invoices.models import Client, Subscription
from invoices.subscriptions import words, writing
from invoices.subscriptions.forms.subscriptions import SubscriptionForm
from invoices.subscriptions.previewing import next_paper
from invoices.subscriptions.standing import SubscriptionRefused, locked, next_number
from invoices.subscriptions.upcoming import (
    Contents,
    Upcoming,
    Version,
    contents_of,
    schedule_of,
    upcoming,
)
from invoices.subscriptions.writing import calendar_problems, choices_of_from

SHOWN = 4


@dataclass
class SubscriptionEditor(DocumentEditor[Subscription]):
    """A subscription that is written, or changed while it runs."""

    form: SubscriptionForm

    field_names = {
        **FIELD_NAMES,
        "owner_id": "owner",
        "in_arrears": "billed",
        "month_day": "month_end",
    }
    refused = (SubscriptionRefused,)
    addresses = {
        "edit": "invoices:subscription-edit",
        "totals": "invoices:subscription-totals",
        "preview": "invoices:subscription-preview",
        "page": "invoices:subscription-page-preview",
    }

    @classmethod
    def form_of(cls, document: Subscription, on: date, given: Any = None) -> SubscriptionForm:
        choices = choices_of_from(document)
        form = SubscriptionForm(
            given, document=document, client=document.client, today=on, choices_of_from=choices
        )
        version = document.versions.last()
        if given is None and version is not None:
            # The lines are those of the version that holds last, and the period is its first.
            planned = [n for n, day in choices if day == version.first_day]
            form.initial["lines_from"] = planned[0] if planned else next_number(document)
        return form

    @classmethod
    def rows_of(cls, document: Subscription) -> list[TypedLine]:
        version = document.versions.last()
        rows = version.lines.all() if version else []
        return typed.from_rows(rows, document.currency)  # type: ignore[arg-type]

    @property
    def client(self) -> Client:
        return self.document.client

    @property
    def keeps_itself(self) -> bool:
        """One that runs bills by what it says: it changes when somebody saves it, not before."""
        return self.document.status == Subscription.Status.DRAFT

    def save(
        self, values: Sequence[Mapping[str, Any]], *, by: User | None, seen: datetime | None = None
    ) -> dict[str, str]:
        return writing.save_subscription(
            subscription_id=self.document.pk,
            header=self.header(),
            lines=values,
            by=by,
            on=self.on,
            from_number=self.form.cleaned_data["lines_from"],
            seen=seen,
        )

    def locked(self) -> Subscription | None:
        try:
            found = locked(self.document.pk)
        except SubscriptionRefused:
            return None
        return found if found.is_open else None

    def anew(self) -> SubscriptionEditor:
        rows = Subscription.objects.select_related(
            "client__client_type", "deal", "quote", "owner", "repeats", "terms"
        )
        return SubscriptionEditor.stored(rows.get(pk=self.document.pk), self.on)

    def paper(self) -> Paper:
        return next_paper(self.document.pk, self.on)

    def printed(self, paper: Paper) -> bytes:
        return printed_draft(paper)


def context_of(editor: SubscriptionEditor, *, live: bool = False) -> dict[str, Any]:
    values = editing.read_lines(editor, live=live)
    return {
        **editing.context_of(editor, live=live),
        "subscription": editor.document,
        # Periods were made by its calendar: it stays.
        "made": next_number(editor.document) > 1,
        **_sums(editor, values),
    }


def _sums(editor: SubscriptionEditor, values: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The next invoices by the very code that will make them, of what can be read so far."""
    found: dict[str, Any] = sums_of(editor, values).shown | {"coming": []}
    if found["sums_refusal"]:
        return found
    found |= adjusted_of(editor, editor.readable(values))
    good, code = editor.readable(values), editor.currency
    contents = _as_typed(editor, good)
    if contents is not None and good:
        number = next_number(editor.document)
        found["coming"] = [told(each, code) for each in upcoming(contents, number, SHOWN)]
    return found


def _as_typed(editor: SubscriptionEditor, good: Sequence[dict[str, Any]]) -> Contents | None:
    """What would be billed if it were saved; None where its calendar cannot be read."""
    found = copy(editor.document)
    form = editor.form
    if form.is_bound:
        head = form.header()
        if "starts_on" in form.errors or "every" in form.errors or "whole_from" in form.errors:
            return None
        for name, value in head.items():
            if name != "adjustments":
                setattr(found, name, value)
        if calendar_problems(found):
            return None
    lines, problems = lines_in(good, editor.currency)
    if problems:
        return None
    contents = replace(
        contents_of(editor.document),
        schedule=schedule_of(found),
        currency=editor.currency,
        language=found.language,
        prorated=found.prorated,
    )
    return replace(contents, versions=_versions(contents, lines, editor))


def _versions(
    contents: Contents, lines: Sequence[DraftLine], editor: SubscriptionEditor
) -> list[Version]:
    """The versions with the lines that are typed, from the period that is chosen."""
    first = next_number(editor.document)
    number = first
    if editor.form.is_bound:
        number = editor.form.cleaned_data.get("lines_from") or first
    elif editor.form.initial.get("lines_from"):
        number = editor.form.initial["lines_from"]
    period = contents.schedule.period(number)
    day = period.first if period else contents.schedule.starts_on
    kept = [each for each in contents.versions if each.first_day < day and first > 1]
    if first == 1 and number > 1:
        kept = [replace(contents.versions[0], first_day=contents.schedule.starts_on)]
    return [*kept, Version(day, lines, editor.form.adjustments)]


def told(coming: Upcoming, currency: str) -> dict[str, Any]:
    totals, period = coming.totals, coming.period
    return {
        "number": coming.period.number,
        "due_on": coming.due_on,
        "span": words.span(coming.period.first, coming.period.last),
        "first": coming.period.first,
        "last": coming.period.last,
        "part": "" if period.is_whole else f"{period.days}/{period.whole_days}",
        "net": formatted_minor(totals.net_minor, currency) if totals else "–",
        "vat": formatted_minor(totals.vat_minor, currency) if totals else "–",
        "total": formatted_minor(totals.total_minor, currency) if totals else "–",
        "refusal": coming.refusal,
        "waits": "",
    }
