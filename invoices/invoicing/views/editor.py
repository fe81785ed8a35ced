"""A draft in its editor: what is typed, what is wrong with it, what it adds up to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from billing_portal import dates
from billing_portal.accounts.models import User
from billing_portal.money import formatted_minor
from billing_portal.words import labelled
from invoices.documents.paper import Paper
from invoices.documents.totals import Totals, TotalsRefused
from invoices.invoicing import deducting, drafting, dues, origins
from invoices.invoicing.deal_basis import changed_of
from invoices.invoicing.deposits import to_deduct
from invoices.invoicing.drafting import DraftRefused
from invoices.invoicing.forms import lines as typed
from invoices.invoicing.forms.drafts import DraftForm
from invoices.invoicing.forms.dues import dues_as_typed
from invoices.invoicing.forms.lines import TypedLine
from invoices.invoicing.issuing import preview_paper, printed_draft
from invoices.invoicing.made_by import subscription_of
from invoices.invoicing.readiness import reasons_not_to_issue, warnings_before_issue
from invoices.invoicing.reasons import Reason
from invoices.invoicing.views import editing
from invoices.invoicing.views.editing import FIELD_NAMES, DocumentEditor
from invoices.invoicing.views.mending import linked
from invoices.invoicing.views.sums import adjusted_of, sums_of
from invoices.models import Client, Company, Invoice, InvoiceLine


@dataclass
class InvoiceEditor(DocumentEditor[Invoice]):
    """The draft of an invoice."""

    form: DraftForm

    field_names = {**FIELD_NAMES, "dues_typed": "terms"}
    refused = (DraftRefused,)
    addresses = {
        "edit": "invoices:edit",
        "totals": "invoices:totals",
        "preview": "invoices:preview",
        "page": "invoices:page-preview",
    }
    of_stored = ("invoices/invoicing/partials/draft_warnings.html",)

    @classmethod
    def form_of(cls, document: Invoice, on: date, given: Any = None) -> DraftForm:
        return DraftForm(given, document=document, client=document.client, today=on)

    @classmethod
    def rows_of(cls, document: Invoice) -> list[TypedLine]:
        return typed.from_rows(document.typed_lines, document.currency)

    @property
    def client(self) -> Client:
        return self.document.client

    @cached_property
    def deposits(self) -> list[InvoiceLine]:
        """The lines that take deposits off: the page shows them beside those that are typed."""
        return deducting.lines_of(self.document)

    def totals(self, values: Sequence[Mapping[str, Any]]) -> Totals:
        return drafting.preview_totals(values, self.currency, self.deposits, self.form.adjustments)

    def save(
        self, values: Sequence[Mapping[str, Any]], *, by: User | None, seen: datetime | None = None
    ) -> dict[str, str]:
        return drafting.save_draft(
            invoice_id=self.document.pk, header=self.header(), lines=values, by=by, seen=seen
        )

    def locked(self) -> Invoice | None:
        found = Invoice.objects.select_for_update().get(pk=self.document.pk)
        return found if found.is_draft else None

    def anew(self) -> InvoiceEditor:
        return InvoiceEditor.stored(draft_rows().get(pk=self.document.pk), self.on)

    def paper(self) -> Paper:
        return preview_paper(self.document, self.on)

    def printed(self, paper: Paper) -> bytes:
        return printed_draft(paper)

    def given_back(self, client_id: int) -> dict[str, Any]:
        return {"client_id": client_id}

    def context_of_stored(self, reader: User, company: Company | None = None) -> dict[str, Any]:
        company = company or Company.ours()
        warnings = warnings_before_issue(self.document, self.on, company=company)
        return {"warnings": linked(warnings, self.document, reader)}

    def rearranged(self, act: str) -> bool:
        if act == "deal":
            _take_from_deal(self)
            return True
        return super().rearranged(act)


def draft_rows() -> QuerySet[Invoice]:
    return Invoice.objects.select_related(
        "client__client_type", "deal__client", "created_by", "replaces", "corrects"
    )


def _take_from_deal(editor: InvoiceEditor) -> None:
    try:
        found = origins.lines_of(editor.document)
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


def context_of(editor: InvoiceEditor, reader: User, *, live: bool = False) -> dict[str, Any]:
    invoice, on = editor.document, editor.on
    company = Company.ours()
    values = editing.read_lines(editor, live=live)
    as_typed = _as_typed(editor, values)
    reasons = reasons_not_to_issue(
        as_typed,
        on,
        lines=[*_unsaved_lines(as_typed, values), *editor.deposits],
        company=company,
    )
    issue_date, _due = drafting.dates_of(as_typed, on)
    day = as_typed.service_until or issue_date
    context: dict[str, Any] = {
        **editing.context_of(editor, live=live, vat_day=day, company=company),
        "invoice": invoice,
        "blockers": linked(_told_once([*_unread(editor), *reasons], editor), invoice, reader),
        # Of what is stored: a decision is one about rows, not about what is being typed.
        "decidable": any(reason.key for reason in reasons),
        "client_complete": not any(r.anchor in ("client", "vat_check") for r in reasons),
        "lines_complete": not any(line.errors for line in editor.lines)
        and not any(r.anchor.startswith(("#lines", "#id_lines")) for r in reasons),
        **_days(as_typed, on),
        **_sums(editor, values),
    }
    if not live:
        context |= editor.context_of_stored(reader, company)
        context["notes"] = drafting.draft_notes(invoice)
        context["deductions"] = deducting.in_force(invoice) if invoice.is_final else []
        context["may_deduct"] = bool(context["deductions"] or to_deduct(invoice))
        context["deal_change"] = changed_of(invoice)
        context["subscription"] = subscription_of(invoice, reader)
    return context


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


def _told_once(reasons: list[Reason], editor: InvoiceEditor) -> list[Reason]:
    """What a line has wrong is not said again of all lines, nor that there are none."""
    if not any(line.errors for line in editor.lines):
        return reasons
    return [reason for reason in reasons if reason.anchor != "#lines"]


def _unread(editor: InvoiceEditor) -> list[Reason]:
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


def _by_terms(invoice: Invoice, on: date) -> date:
    plain = copy(invoice)
    plain.due_date_typed, plain.terms, plain.dues_typed = False, None, []
    plain.retention_percent = Decimal(0)
    return drafting.dates_of(plain, on)[1]


def _as_typed(editor: InvoiceEditor, values: Sequence[dict[str, Any]]) -> Invoice:
    """The draft with what is typed, in memory: nobody saves it."""
    found = copy(editor.document)
    if editor.form.is_bound:
        for name, value in editor.form.header().items():
            setattr(found, name, value)
        if "due_date" in editor.form.cleaned_data:
            found.due_date_typed = editor.form.cleaned_data["due_date"] is not None
    found.currency = editor.currency
    with suppress(TotalsRefused):
        # Shares of the total follow what is typed.
        found.total_minor = editor.totals(editor.readable(values)).total_minor
    return found


def _unsaved_lines(invoice: Invoice, values: Sequence[dict[str, Any]]) -> list[InvoiceLine]:
    return [InvoiceLine(invoice=invoice, **each) for each in values]


def _sums(editor: InvoiceEditor, values: Sequence[dict[str, Any]]) -> dict[str, Any]:
    sums = sums_of(editor, values)
    found = sums.shown
    taken = sum(line.net_minor for line in editor.deposits)
    if sums.totals is not None:
        found |= adjusted_of(editor, editor.readable(values))
    if sums.totals is not None and taken:
        code = editor.currency
        found["before_deposits"] = formatted_minor(sums.totals.net_minor - taken, code)
        found["deposits_taken"] = formatted_minor(taken, code)
    return found
