"""A subscription in its editor: what is typed, what is wrong with it, what it would bill."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from billing_portal.money import formatted_minor
from invoices.clients.vat import vat_treatment
from invoices.company.exemptions import Exemptions
from invoices.company.vat_rates import FrenchRates
from invoices.documents.nature import Nature
from invoices.documents.totals import STANDARD, TotalsRefused
from invoices.invoicing.draft_lines import MAX_LINES, DraftLine
from invoices.invoicing.drafting import preview_totals
from invoices.invoicing.forms import lines as typed
from invoices.invoicing.forms.lines import TypedLine
from invoices.invoicing.line_input import lines_in
from invoices.models import Company, Subscription
from invoices.models.natures import USUAL_NATURE
from invoices.subscriptions import words
from invoices.subscriptions.forms.subscriptions import SubscriptionForm
from invoices.subscriptions.standing import next_number
from invoices.subscriptions.upcoming import Contents, Upcoming, contents_of, schedule_of, upcoming
from invoices.subscriptions.writing import calendar_problems, choices_of_from
from invoices.tax.territories import Territory

SHOWN = 4


@dataclass
class Editor:
    """As it stands in the form: typed, perhaps not saved, perhaps not even readable."""

    subscription: Subscription
    form: SubscriptionForm
    lines: list[TypedLine]
    on: date
    # Sentences about the whole, above the form.
    problems: list[str] = field(default_factory=list)
    stale: bool = False

    @property
    def currency(self) -> str:
        return self.form.chosen_currency

    def check(self) -> list[dict[str, Any]]:
        """Clean the head and the lines; what `save_subscription` wants of those that were read."""
        self.form.is_valid()
        values = typed.clean(self.lines, self.currency)
        for line in self.lines:
            if line.place is None:
                continue
            try:
                totals = preview_totals([values[line.place]], self.currency)
            except TotalsRefused as refusal:
                line.errors[""] = str(refusal)
            else:
                missing = values[line.place]["price_missing"]
                line.net = "" if missing else typed.bare(totals.net_minor, self.currency)
        return values

    @property
    def has_errors(self) -> bool:
        return bool(self.problems or self.form.errors or any(line.errors for line in self.lines))

    def take(self, problems: dict[str, str]) -> None:
        """Put what the rules found where it belongs."""
        names = dict.fromkeys(("terms_kind", "terms_days", "terms_id"), "terms")
        names |= {"owner_id": "owner", "in_arrears": "billed", "month_day": "month_end"}
        parts = {"vat_rate": "vat", "vat_category": "vat"}
        for key, text in problems.items():
            head, *rest = key.split(".")
            name = names.get(head, head)
            if head == "lines" and rest:
                part = rest[1] if len(rest) > 1 else ""
                for line in self.lines:
                    if line.place == int(rest[0]):
                        line.errors.setdefault(parts.get(part, part), text)
            elif name in self.form.fields:
                self.form.add_error(name, text)
            else:
                self.problems.append(text)


def form_of(subscription: Subscription, on: date, given: Any = None) -> SubscriptionForm:
    return SubscriptionForm(
        given,
        subscription=subscription,
        today=on,
        choices_of_from=choices_of_from(subscription),
    )


def stored_editor(subscription: Subscription, on: date) -> Editor:
    """With the lines of the version that holds last, and the period from which it does."""
    version = subscription.versions.last()
    rows = version.lines.all() if version else []
    lines = typed.from_rows(rows, subscription.currency)  # type: ignore[arg-type]
    form = form_of(subscription, on)
    if version is not None:
        planned = [n for n, day in choices_of_from(subscription) if day == version.first_day]
        form.initial["lines_from"] = planned[0] if planned else next_number(subscription)
    return Editor(subscription, form, lines, on)


def typed_editor(subscription: Subscription, given: Any, on: date) -> Editor:
    return Editor(subscription, form_of(subscription, on, given), typed.read(given), on)


def rearranged(editor: Editor, act: str) -> bool:
    """Buttons that change the lines on the page, for browsers without script; nothing is saved."""
    word, _dash, number = act.partition("-")
    lines = editor.lines
    if act == "add":
        if len(lines) <= MAX_LINES:
            lines.append(_new_line(editor.subscription, Company.ours()))
        return True
    if word not in ("remove", "up", "down") or not (number.isascii() and number.isdigit()):
        return False
    n = int(number[:6])
    if n < len(lines):
        if word == "remove":
            del lines[n]
        else:
            other = n - 1 if word == "up" else n + 1
            if 0 <= other < len(lines):
                lines[n], lines[other] = lines[other], lines[n]
    return True


def _new_line(subscription: Subscription, company: Company | None) -> TypedLine:
    nature = company.usual_nature if company else USUAL_NATURE
    return TypedLine(nature=nature, vat=_usual_vat(subscription, company, nature))


def _usual_vat(subscription: Subscription, company: Company | None, nature: str) -> str:
    treatment = vat_treatment(subscription.client, company, nature)
    return typed.vat_value(treatment.category, treatment.rate)


def _vat_choices(subscription: Subscription, company: Company | None, on: date) -> typed.VatChoices:
    rates = FrenchRates()
    here = rates.on(on, vat_treatment(subscription.client, company).territory)
    return typed.vat_choices(
        here or rates.on(on, Territory.METROPOLE),
        rates.on(on),
        Exemptions().on(on),
        zero=company is not None and company.country != "FR",
    )


def context_of(editor: Editor, *, live: bool = False) -> dict[str, Any]:
    subscription, on = editor.subscription, editor.on
    company = Company.ours()
    if not (editor.lines or live):
        rearranged(editor, "add")
    values = _read(editor)
    made = next_number(subscription) > 1
    context: dict[str, Any] = {
        "subscription": subscription,
        # The row of a line is that of an invoice's editor.
        "invoice": subscription,
        "client": subscription.client,
        "form": editor.form,
        "lines": editor.lines,
        "begins": not any(line.description for line in editor.lines),
        "blank": _new_line(subscription, company),
        "usual_vat": {
            nature: _usual_vat(subscription, company, nature) for nature in map(str, Nature)
        },
        "vat": None if live else _vat_choices(subscription, company, on),
        "problems": editor.problems,
        "line_errors": [
            (n, line)
            for n, line in enumerate(editor.lines, 1)
            if editor.form.is_bound and line.errors
        ],
        "stale": editor.stale,
        "stamp": subscription.updated_at.isoformat(),
        "currency": editor.currency,
        "on": on,
        # Periods were made by its calendar: it stays.
        "made": made,
        **_sums(editor, values),
    }
    return context


def _read(editor: Editor) -> list[dict[str, Any]]:
    """The lines as typed; what was found wrong before stays said."""
    errors = [dict(line.errors) for line in editor.lines]
    if editor.form.is_bound:
        values = editor.check()
    else:
        values = Editor(editor.subscription, editor.form, editor.lines, editor.on).check()
    for line, before in zip(editor.lines, errors, strict=True):
        line.errors = {**before, **line.errors}
    return values


def _sums(editor: Editor, values: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The next invoices by the very code that will make them, of what can be read so far."""
    good = [
        values[line.place] for line in editor.lines if line.place is not None and not line.errors
    ]
    left_out = sum(bool(line.errors) for line in editor.lines)
    code = editor.currency
    found: dict[str, Any] = {"left_out": left_out, "coming": [], "sums_refusal": ""}
    try:
        totals = preview_totals(good, code)
    except TotalsRefused as refusal:
        return found | {"sums_refusal": str(refusal)}
    nothing = bool(left_out) and not good
    found |= {
        "net": "–" if nothing else formatted_minor(totals.net_minor, code),
        "groups": [
            (
                typed.vat_label(typed.vat_value(g.vat_category, g.vat_rate)),
                g.vat_category == STANDARD,
                formatted_minor(g.basis_minor, code),
                formatted_minor(g.vat_minor, code),
            )
            for g in totals.breakdown
        ],
        "total": "–" if nothing else formatted_minor(totals.total_minor, code),
    }
    contents = _as_typed(editor, good)
    if contents is not None and good:
        number = next_number(editor.subscription)
        found["coming"] = [told(each, code) for each in upcoming(contents, number, SHOWN)]
    return found


def _as_typed(editor: Editor, good: Sequence[dict[str, Any]]) -> Contents | None:
    """What would be billed if it were saved; None where its calendar cannot be read."""
    found = copy(editor.subscription)
    form = editor.form
    if form.is_bound:
        head = form.header()
        if "starts_on" in form.errors or "every" in form.errors or "whole_from" in form.errors:
            return None
        for name, value in head.items():
            setattr(found, name, value)
        if calendar_problems(found):
            return None
    lines, problems = lines_in(good, editor.currency)
    if problems:
        return None
    contents = replace(
        contents_of(editor.subscription),
        schedule=schedule_of(found),
        currency=editor.currency,
        language=found.language,
        prorated=found.prorated,
    )
    return replace(contents, versions=_versions(contents, lines, editor))


def _versions(
    contents: Contents, lines: Sequence[DraftLine], editor: Editor
) -> list[tuple[date, Sequence[DraftLine]]]:
    """The versions with the lines that are typed, from the period that is chosen."""
    first = next_number(editor.subscription)
    number = first
    if editor.form.is_bound:
        number = editor.form.cleaned_data.get("lines_from") or first
    elif editor.form.initial.get("lines_from"):
        number = editor.form.initial["lines_from"]
    period = contents.schedule.period(number)
    day = period.first if period else contents.schedule.starts_on
    kept = [(since, rows) for since, rows in contents.versions if since < day and first > 1]
    if first == 1 and number > 1:
        kept = [(contents.schedule.starts_on, contents.versions[0][1])]
    return [*kept, (day, lines)]


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
