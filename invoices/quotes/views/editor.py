"""A quote in its editor: what is typed, what is wrong with it, what it adds up to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing_portal.money import formatted_minor
from invoices.clients.vat import vat_treatment
from invoices.company.exemptions import Exemptions
from invoices.company.vat_rates import FrenchRates
from invoices.documents.nature import Nature
from invoices.documents.totals import STANDARD, LineInput, TotalsRefused, compute
from invoices.invoicing.draft_lines import MAX_LINES
from invoices.invoicing.forms import lines as typed
from invoices.invoicing.line_input import lines_in
from invoices.models import Company, QuoteLine, QuoteVersion
from invoices.models.natures import USUAL_NATURE
from invoices.quotes import words
from invoices.quotes.drafting import CHOICE_FIELDS, choice_problems
from invoices.quotes.forms import lines as quote_lines
from invoices.quotes.forms.drafts import QuoteForm
from invoices.quotes.forms.lines import TypedQuoteLine
from invoices.quotes.sending import reasons_not_to_send
from invoices.tax.territories import Territory


@dataclass
class Editor:
    """A draft as it stands in the form: typed, perhaps not saved, perhaps not even readable."""

    version: QuoteVersion
    form: QuoteForm
    lines: list[TypedQuoteLine]
    on: date
    # Sentences about the whole, above the form.
    problems: list[str] = field(default_factory=list)
    stale: bool = False

    @property
    def currency(self) -> str:
        return self.form.chosen_currency

    def check(self) -> list[dict[str, Any]]:
        """Clean the head and the lines; what `save_version` wants of those that could be read."""
        self.form.is_valid()
        values = quote_lines.clean(self.lines, self.currency)
        for line in self.lines:
            if line.place is None:
                continue
            given = values[line.place]
            inputs, problems = lines_in([_of_invoice(given)], self.currency)
            try:
                if problems:
                    raise TotalsRefused(next(iter(problems.values())))
                totals = compute([each.amounts for each in inputs], currency=self.currency)
            except TotalsRefused as refusal:
                line.errors[""] = str(refusal)
            else:
                line.net = (
                    "" if given["price_missing"] else typed.bare(totals.net_minor, self.currency)
                )
        return values

    @property
    def has_errors(self) -> bool:
        return bool(self.problems or self.form.errors or any(line.errors for line in self.lines))

    def take(self, problems: dict[str, str]) -> None:
        """Put what the rules found where it belongs."""
        names = {"terms_kind": "terms", "terms_days": "terms"}
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


def _of_invoice(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name not in CHOICE_FIELDS}


def stored_editor(version: QuoteVersion, on: date) -> Editor:
    rows = quote_lines.from_rows(version.lines.all(), version.currency)
    return Editor(version, QuoteForm(version=version, today=on), rows, on)


def typed_editor(version: QuoteVersion, given: Any, on: date) -> Editor:
    return Editor(version, QuoteForm(given, version=version, today=on), quote_lines.read(given), on)


def rearranged(editor: Editor, act: str) -> bool:
    """Buttons that change the lines on the page, for browsers without script; nothing is saved."""
    word, _dash, number = act.partition("-")
    lines = editor.lines
    if act == "add":
        if len(lines) <= MAX_LINES:
            lines.append(_new_line(editor.version, Company.ours()))
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


def _new_line(version: QuoteVersion, company: Company | None) -> TypedQuoteLine:
    nature = company.usual_nature if company else USUAL_NATURE
    return TypedQuoteLine(nature=nature, vat=_usual_vat(version, company, nature))


def _usual_vat(version: QuoteVersion, company: Company | None, nature: str) -> str:
    treatment = vat_treatment(version.quote.client, company, nature)
    return typed.vat_value(treatment.category, treatment.rate)


def _vat_choices(version: QuoteVersion, company: Company | None, on: date) -> typed.VatChoices:
    rates = FrenchRates()
    here = rates.on(on, vat_treatment(version.quote.client, company).territory)
    return typed.vat_choices(
        here or rates.on(on, Territory.METROPOLE),
        rates.on(on),
        Exemptions().on(on),
        zero=company is not None and company.country != "FR",
    )


def context_of(editor: Editor, *, live: bool = False) -> dict[str, Any]:
    version, on = editor.version, editor.on
    company = Company.ours()
    if not (editor.lines or live):
        rearranged(editor, "add")
    errors = [dict(line.errors) for line in editor.lines]
    if editor.form.is_bound:
        values = editor.check()
    else:
        bound = QuoteForm(_as_sent(editor.form), version=version, today=on)
        bound.is_valid()
        values = Editor(version, bound, editor.lines, on).check()
    for line, before in zip(editor.lines, errors, strict=True):
        line.errors = {**before, **line.errors}
    context: dict[str, Any] = {
        "quote": version.quote,
        "version": version,
        # The row of a line is that of an invoice's editor.
        "invoice": version,
        "client": version.quote.client,
        "form": editor.form,
        "lines": editor.lines,
        "begins": not any(line.description for line in editor.lines),
        "blank": _new_line(version, company),
        "usual_vat": {nature: _usual_vat(version, company, nature) for nature in map(str, Nature)},
        "vat": None if live else _vat_choices(version, company, on),
        "sections": list(dict.fromkeys(line.section for line in editor.lines if line.section)),
        "problems": editor.problems,
        "line_errors": [
            (n, line)
            for n, line in enumerate(editor.lines, 1)
            if editor.form.is_bound and line.errors
        ],
        "stale": editor.stale,
        "stamp": version.updated_at.isoformat(),
        "currency": editor.currency,
        "on": on,
        **_sums(editor, values),
    }
    if not live:
        context["contacts"] = [
            contact.email
            for contact in version.quote.client.contacts.all()
            if contact.email and contact.gone_at is None
        ][:20]
        context["reasons"] = reasons_not_to_send(version, list(version.lines.all()), on)
    return context


def _as_sent(form: QuoteForm) -> dict[str, Any]:
    """What the unbound form would send, to be read as what is typed is read."""
    found = {}
    for name, form_field in form.fields.items():
        found[name] = form_field.widget.format_value(form[name].value())
        if isinstance(found[name], list):
            found[name] = found[name][0] if found[name] else ""
    return found


def _sums(editor: Editor, values: list[dict[str, Any]]) -> dict[str, Any]:
    """With what is ticked at first, as the client will see it."""
    code = editor.currency
    good = [
        values[line.place] for line in editor.lines if line.place is not None and not line.errors
    ]
    left_out = sum(bool(line.errors) for line in editor.lines)
    found: dict[str, Any] = {
        "left_out": ngettext(
            "One line cannot be read and is left out.",
            "%(n)s lines cannot be read and are left out.",
            left_out,
        )
        % {"n": left_out}
        if left_out
        else ""
    }
    kept = [given for given in good if _is_taken(given, good)]
    try:
        totals = compute([_input(given) for given in kept], currency=code)
    except TotalsRefused as refusal:
        return {**found, "sums_refusal": str(refusal)}
    nothing = bool(left_out) and not good
    as_typed = QuoteVersion(
        **{
            name: value
            for name, value in (editor.form.header() if editor.form.is_bound else {}).items()
            if name in ("deposit_percent", "deposit_minor", "terms_kind", "terms_days")
        }
    )
    if not editor.form.is_bound:
        as_typed = editor.version
    language = "fr" if editor.version.language == "fr" else "en"
    return {
        **found,
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
        "plan": [
            (label, when, formatted_minor(minor, code))
            for label, when, minor in words.plan(as_typed, totals.total_minor, language)
        ]
        if totals.total_minor > 0 and not nothing
        else [],
        "not_taken": len(good) - len(kept),
        "choice_problems": list(dict.fromkeys(choice_problems(good).values())),
    }


def _is_taken(given: dict[str, Any], among: list[dict[str, Any]]) -> bool:
    role = given["role"]
    if role != QuoteLine.Role.ALTERNATIVE:
        return role == QuoteLine.Role.INCLUDED or bool(given["proposed"])
    group = [e for e in among if e["role"] == role and e["section"] == given["section"]]
    return given is next((e for e in group if e["proposed"]), group[0])


def _input(given: dict[str, Any]) -> LineInput:
    inputs, _problems = lines_in([_of_invoice(given)], "EUR")
    if not inputs:
        raise TotalsRefused(_("A line cannot be read."))
    return inputs[0].amounts
