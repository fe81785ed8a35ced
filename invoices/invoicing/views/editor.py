"""A draft in its editor: what is typed, what is wrong with it, what it adds up to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing_portal import dates
from billing_portal.accounts.models import User
from billing_portal.money import formatted_minor, is_currency
from billing_portal.words import labelled
from invoices.clients.vat import vat_treatment
from invoices.company.exemptions import Exemptions
from invoices.company.vat_rates import FrenchRates
from invoices.documents.nature import Nature
from invoices.documents.totals import STANDARD, Totals, TotalsRefused
from invoices.invoicing import deducting, drafting, dues, origins
from invoices.invoicing.deal_basis import changed_of
from invoices.invoicing.deposits import to_deduct
from invoices.invoicing.draft_lines import MAX_LINES
from invoices.invoicing.forms import lines as typed
from invoices.invoicing.forms.drafts import DraftForm
from invoices.invoicing.forms.dues import dues_as_typed
from invoices.invoicing.forms.lines import TypedLine
from invoices.invoicing.made_by import subscription_of
from invoices.invoicing.readiness import reasons_not_to_issue, warnings_before_issue
from invoices.invoicing.reasons import Reason
from invoices.invoicing.views.mending import linked
from invoices.models import Company, Invoice, InvoiceLine
from invoices.models.natures import USUAL_NATURE
from invoices.tax.territories import Territory


@dataclass
class Editor:
    """A draft as it stands in the form: typed, perhaps not saved, perhaps not even readable."""

    invoice: Invoice
    form: DraftForm
    lines: list[TypedLine]
    on: date
    # Sentences about the whole, above the form.
    problems: list[str] = field(default_factory=list)
    stale: bool = False
    saved: bool = True

    @cached_property
    def deposits(self) -> list[InvoiceLine]:
        """The lines that take deposits off: the page shows them beside those that are typed."""
        return deducting.lines_of(self.invoice)

    @property
    def currency(self) -> str:
        value = str(self.form["currency"].value() or "")
        return value if is_currency(value) else self.invoice.currency

    def check(self) -> list[dict[str, Any]]:
        """Clean the head and the lines; what `save_draft` wants of the lines that could be read."""
        self.form.is_valid()
        values = typed.clean(self.lines, self.currency)
        for line in self.lines:
            if line.place is None:
                continue
            try:
                totals = drafting.preview_totals([values[line.place]], self.currency)
            except TotalsRefused as refusal:
                line.errors[""] = str(refusal)
            else:
                line.net = net_shown(values[line.place], totals, self.currency)
        return values

    @property
    def has_errors(self) -> bool:
        return bool(self.problems or self.form.errors or any(line.errors for line in self.lines))

    def take(self, problems: dict[str, str]) -> None:
        """Put what the domain found where it belongs."""
        names = dict.fromkeys(("terms_kind", "terms_days", "terms_id", "dues_typed"), "terms")
        for key, text in problems.items():
            head, *rest = key.split(".")
            name = names.get(head, head)
            if head == "lines" and rest:
                place = int(rest[0])
                part = {"vat_rate": "vat", "vat_category": "vat"}.get(
                    rest[1] if len(rest) > 1 else "", rest[1] if len(rest) > 1 else ""
                )
                for line in self.lines:
                    if line.place == place:
                        line.errors.setdefault(part, text)
            elif name in self.form.fields:
                self.form.add_error(name, text)
            else:
                self.problems.append(text)


def net_shown(values: Mapping[str, Any], totals: Totals, currency: str) -> str:
    """Nothing beside a line without a price: 0.00 would say that it is free."""
    return "" if values["price_missing"] else typed.bare(totals.net_minor, currency)


def rearranged(editor: Editor, act: str) -> bool:
    """Buttons that change the lines on the page, for browsers without script; nothing is saved."""
    word, _dash, number = act.partition("-")
    lines = editor.lines
    if act == "add":
        if len(lines) <= MAX_LINES:
            lines.append(_new_line(editor.invoice, Company.ours()))
        return True
    if act == "deal":
        _take_from_deal(editor)
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


def _new_line(invoice: Invoice, company: Company | None) -> TypedLine:
    nature = company.usual_nature if company else USUAL_NATURE
    return TypedLine(nature=nature, vat=_usual_vat(invoice, company, nature))


def _usual_vat(invoice: Invoice, company: Company | None, nature: str) -> str:
    """What a new line is taxed with, from where the client is."""
    treatment = vat_treatment(invoice.client, company, nature)
    return typed.vat_value(treatment.category, treatment.rate)


def _vat_choices(invoice: Invoice, company: Company | None, on: date) -> typed.VatChoices:
    """The rates of the day of supply; of a seller elsewhere we know no others than the French."""
    issue_date, _due = drafting.dates_of(invoice, on)
    day = invoice.service_until or issue_date
    rates = FrenchRates()
    here = rates.on(day, vat_treatment(invoice.client, company).territory)
    return typed.vat_choices(
        here or rates.on(day, Territory.METROPOLE),
        rates.on(day),
        Exemptions().on(day),
        zero=company is not None and company.country != "FR",
    )


def _take_from_deal(editor: Editor) -> None:
    try:
        found = origins.lines_of(editor.invoice)
    except TotalsRefused as refusal:
        editor.problems.append(str(refusal))
        return
    if found is None:
        editor.problems.append(_("This draft does not come from a deal."))
        return
    rows = [
        InvoiceLine(
            description=line.description,
            unit=line.unit,
            quantity=line.amounts.quantity,
            unit_price=line.amounts.unit_price,
            discount_percent=line.amounts.discount_percent,
            discount_amount=line.amounts.discount_amount,
            vat_category=line.amounts.vat_category,
            vat_rate=line.amounts.vat_rate,
            nature=line.nature,
            item_id=line.item_id,
        )
        for line in found.lines
    ]
    editor.lines[:] = typed.from_rows(rows, found.currency)


def context_of(editor: Editor, reader: User, *, live: bool = False) -> dict[str, Any]:
    invoice, form, on = editor.invoice, editor.form, editor.on
    company = Company.ours()
    if not (editor.lines or live):
        # The first line waits for its words: nothing is saved of it while it stays empty.
        rearranged(editor, "add")
    values = _read_lines(editor)
    as_typed = _as_typed(editor, values)
    reasons = reasons_not_to_issue(
        as_typed,
        on,
        lines=[*_unsaved_lines(as_typed, values), *editor.deposits],
        company=company,
    )
    context: dict[str, Any] = {
        "invoice": invoice,
        "client": invoice.client,
        "form": form,
        "lines": editor.lines,
        "begins": not form.is_bound and not any(line.description for line in editor.lines),
        "blank": _new_line(invoice, company),
        "usual_vat": {nature: _usual_vat(invoice, company, nature) for nature in map(str, Nature)},
        "most_lines": MAX_LINES,
        "vat": None if live else _vat_choices(as_typed, company, on),
        "problems": editor.problems,
        "line_errors": [
            (n, line) for n, line in enumerate(editor.lines, 1) if form.is_bound and line.errors
        ],
        "stale": editor.stale,
        "saved": editor.saved,
        "stamp": invoice.updated_at.isoformat(),
        "kept_at": invoice.updated_at,
        "may_undo": invoice.versions.all()[1:2].exists() if not live else False,
        "wrong": _wrong(editor),
        "back_here": "?" + urlencode({"next": reverse("invoices:edit", args=[invoice.pk])}),
        "blockers": linked(_told_once([*_unread(editor), *reasons], editor), invoice, reader),
        # Of what is stored: a decision is one about rows, not about what is being typed.
        "decidable": any(reason.key for reason in reasons),
        "client_complete": not any(r.anchor in ("client", "vat_check") for r in reasons),
        "lines_complete": not any(line.errors for line in editor.lines)
        and not any(r.anchor.startswith(("#lines", "#id_lines")) for r in reasons),
        "currency": editor.currency,
        "on": on,
        **_days(as_typed, on),
        **_sums(editor, values),
    }
    if not live:
        warnings = warnings_before_issue(invoice, on, company=company)
        context["warnings"] = linked(warnings, invoice, reader)
        context["notes"] = drafting.draft_notes(invoice)
        context["deductions"] = deducting.in_force(invoice) if invoice.is_final else []
        context["may_deduct"] = bool(context["deductions"] or to_deduct(invoice))
        context["deal_change"] = changed_of(invoice)
        context["subscription"] = subscription_of(invoice, reader)
        context["contacts"] = [
            contact.email
            for contact in invoice.client.contacts.all()
            if contact.email and contact.gone_at is None
        ][:20]
    return context


def _read_lines(editor: Editor) -> list[dict[str, Any]]:
    """The lines as typed, with the net of each; what was found wrong before stays said."""
    if editor.form.is_bound:
        errors = [dict(line.errors) for line in editor.lines]
        values = editor.check()
        for line, before in zip(editor.lines, errors, strict=True):
            line.errors = {**before, **line.errors}
        return values
    values = typed.clean(editor.lines, editor.currency)
    for line in editor.lines:
        if line.place is not None:
            try:
                one = drafting.preview_totals([values[line.place]], editor.currency)
                line.net = net_shown(values[line.place], one, editor.currency)
            except TotalsRefused as refusal:
                line.errors[""] = str(refusal)
    return values


def _days(as_typed: Invoice, on: date) -> dict[str, Any]:
    """The days that count, and what an empty field means: it stands in the field."""
    issue_date, due = drafting.dates_of(as_typed, on)
    by_terms = _by_terms(as_typed, on)
    parts = dues.dues_of(as_typed, issue_date)
    shares: list[dues.Planned] = list(parts) or [(due, None)]
    return {
        "issue_date": issue_date,
        "due": due,
        "due_hint": _("Empty: %(day)s, by the terms.") % {"day": dates.day(by_terms)},
        "due_typed": dates.as_typed(by_terms),
        "dues": [
            (dates.day(day), formatted_minor(minor, as_typed.currency)) for day, minor in parts
        ],
        # What the field begins with when they are typed by hand from here.
        "dues_typed": dues_as_typed(shares, as_typed.currency),
        "today_typed": dates.as_typed(on),
    }


def _told_once(reasons: list[Reason], editor: Editor) -> list[Reason]:
    """What a line has wrong is not said again of all lines, nor that there are none."""
    if not any(line.errors for line in editor.lines):
        return reasons
    return [reason for reason in reasons if reason.anchor != "#lines"]


def _unread(editor: Editor) -> list[Reason]:
    """What is typed and cannot be taken, each with the way to its field."""
    form = editor.form
    found = [
        Reason(name, labelled(form.fields[name].label, errors[0]), f"#id_{name}")
        for name, errors in (form.errors.items() if form.is_bound else ())
        if name in form.fields
    ]
    for n, line in enumerate(editor.lines):
        words = _("Line %(number)s") % {"number": n + 1}
        found += [
            Reason("lines", labelled(words, text), f"#id_lines-{n}-{name or 'description'}")
            for name, text in line.errors.items()
        ]
    return found


def _wrong(editor: Editor) -> str:
    """Names of the fields that cannot be read, for marking them while somebody types."""
    names = [name for name in editor.form.errors if name in editor.form.fields]
    for n, line in enumerate(editor.lines):
        names += [f"lines-{n}-{name}" for name in line.errors if name]
    return " ".join(names)


def _by_terms(invoice: Invoice, on: date) -> date:
    plain = copy(invoice)
    plain.due_date_typed, plain.terms, plain.dues_typed = False, None, []
    return drafting.dates_of(plain, on)[1]


def _as_typed(editor: Editor, values: Sequence[dict[str, Any]]) -> Invoice:
    """The draft with what is typed, in memory: nobody saves it."""
    found = copy(editor.invoice)
    if editor.form.is_bound:
        for name, value in editor.form.header().items():
            setattr(found, name, value)
        if "due_date" in editor.form.cleaned_data:
            found.due_date_typed = editor.form.cleaned_data["due_date"] is not None
    found.currency = editor.currency
    good = [
        values[line.place] for line in editor.lines if line.place is not None and not line.errors
    ]
    with suppress(TotalsRefused):
        # Shares of the total follow what is typed.
        totals = drafting.preview_totals(good, found.currency, editor.deposits)
        found.total_minor = totals.total_minor
    return found


def _unsaved_lines(invoice: Invoice, values: Sequence[dict[str, Any]]) -> list[InvoiceLine]:
    return [InvoiceLine(invoice=invoice, **each) for each in values]


def _sums(editor: Editor, values: Sequence[dict[str, Any]]) -> dict[str, Any]:
    good = [
        values[line.place] for line in editor.lines if line.place is not None and not line.errors
    ]
    left_out = sum(bool(line.errors) for line in editor.lines)
    code = editor.currency
    try:
        totals: Totals | None = drafting.preview_totals(good, code, editor.deposits)
        refusal = ""
    except TotalsRefused as problem:
        totals, refusal = None, str(problem)
    found: dict[str, Any] = {
        "sums_refusal": refusal,
        "left_out": ngettext(
            "One line cannot be read and is left out.",
            "%(n)s lines cannot be read and are left out.",
            left_out,
        )
        % {"n": left_out}
        if left_out
        else "",
    }
    if totals is not None:
        # Of nothing that can be read there is no sum: 0.00 would look like one.
        nothing = bool(left_out) and not good
        taken = sum(line.net_minor for line in editor.deposits)
        if taken:
            found["before_deposits"] = formatted_minor(totals.net_minor - taken, code)
            found["deposits_taken"] = formatted_minor(taken, code)
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
    return found
