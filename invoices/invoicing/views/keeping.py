"""A draft kept while it is typed, stepped back, and printed as it stands on the screen."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from billing_portal import dates
from billing_portal.changes import last_change
from billing_portal.htmx import StaffRequest
from invoices.documents.paper import Paper
from invoices.invoicing import drafting, versions
from invoices.invoicing.drafting import DraftRefused
from invoices.invoicing.forms import lines as typed
from invoices.invoicing.forms.drafts import DraftForm
from invoices.invoicing.freezing import IssueRefused
from invoices.invoicing.issuing import preview_paper, preview_pdf, printed_draft
from invoices.invoicing.readiness import warnings_before_issue
from invoices.invoicing.views.editor import Editor
from invoices.invoicing.views.mending import linked
from invoices.models import DraftVersion, Invoice


def stored_editor(invoice: Invoice, on: date) -> Editor:
    """The draft as its rows have it."""
    rows = typed.from_rows(invoice.lines.filter(deducts=None), invoice.currency)
    return Editor(invoice, DraftForm(invoice=invoice, today=on), rows, on)


def typed_editor(invoice: Invoice, given: QueryDict, on: date) -> Editor:
    """The draft as it stands in a form."""
    form = DraftForm(given, invoice=invoice, today=on)
    return Editor(invoice, form, typed.read(given), on, saved=False)


def texts_of(editor: Editor) -> dict[str, Any]:
    """What is kept of a version: whom it bills, and the texts of the form."""
    head = {}
    for name, field in editor.form.fields.items():
        value = editor.form[name].value()
        head[name] = str(field.widget.format_value(value) or "") if value is not None else ""
        if isinstance(shown := field.widget.format_value(value), list):
            head[name] = str(shown[0]) if shown else ""
    lines = [{name: getattr(line, name) for name in typed.FIELDS} for line in editor.lines]
    return {"client": editor.invoice.client_id, "head": head, "lines": lines}


def editor_of(version: DraftVersion, invoice: Invoice, on: date) -> Editor:
    """A version as if its form had just been sent."""
    given = QueryDict(mutable=True)
    given.update(version.typed["head"])
    lines = version.typed["lines"]
    given["lines-TOTAL_FORMS"] = str(len(lines))
    for n, line in enumerate(lines):
        given.update({f"lines-{n}-{name}": text for name, text in line.items()})
    return typed_editor(invoice, given, on)


def parse_stamp(text: str) -> datetime | None:
    try:
        return parse_datetime(text)
    except ValueError:
        return None


def who_saved(invoice: Invoice, seen: datetime | None) -> str:
    """The sentence for whoever types into a draft that somebody else saved in between."""
    change = last_change(invoice, since=(seen or invoice.created_at) + timedelta(microseconds=1))
    if change is None:
        return _("This draft was saved elsewhere in between.")
    return _("%(who)s saved this draft in between (%(moment)s).") % {
        "who": change.who,
        "moment": dates.moment(change.at),
    }


def keep_typed(request: StaffRequest, invoice: Invoice, on: date) -> HttpResponse:
    """While somebody types: into the rows if it can be read, and word for word in any case."""
    editor = typed_editor(invoice, request.POST, on)
    values = editor.check()
    seen = parse_stamp(request.POST.get("seen", ""))
    begun = texts_of(stored_editor(invoice, on))
    with transaction.atomic():
        locked = Invoice.objects.select_for_update().get(pk=invoice.pk)
        if not locked.is_draft or (seen is not None and locked.updated_at != seen):
            return _in_between(request, locked, seen)
        versions.begin(locked, begun)
        readable = not editor.has_errors
        if readable:
            problems = drafting.save_draft(
                invoice_id=invoice.pk, header=editor.form.header(), lines=values, by=request.user
            )
            editor.take(problems)
            readable = not problems
        version = versions.keep(locked, texts_of(editor), by=request.user, taken=readable)
    invoice.refresh_from_db()
    context = {
        "invoice": invoice,
        "stamp": invoice.updated_at.isoformat(),
        "kept_at": version.at,
        "on": on,
        "readable": readable,
        "may_undo": True,
        "warnings": linked(warnings_before_issue(invoice, on), invoice, request.user),
    }
    return render(request, "invoices/invoicing/partials/draft_kept.html", context)


def _in_between(request: StaffRequest, invoice: Invoice, seen: datetime | None) -> HttpResponse:
    context = {"invoice": invoice, "sentence": who_saved(invoice, seen)}
    template = "invoices/invoicing/partials/draft_in_between.html"
    return render(request, template, context, status=409)


def undo(request: StaffRequest, invoice: Invoice, on: date) -> Editor:
    """The version before the last, saved again; the page shows it."""
    seen = parse_stamp(request.POST.get("seen", ""))
    with transaction.atomic():
        locked = Invoice.objects.select_for_update().get(pk=invoice.pk)
        if seen is not None and locked.updated_at != seen:
            editor = typed_editor(invoice, request.POST, on)
            editor.problems.append(who_saved(locked, seen))
            editor.stale = True
            return editor
        version = versions.before_last(locked)
        if version is None:
            editor = stored_editor(invoice, on)
            editor.problems.append(_("There is nothing left to undo."))
            return editor
        editor = editor_of(version, invoice, on)
        values = editor.check()
        if not editor.has_errors:
            client = {"client_id": version.typed["client"]}
            drafting.save_draft(
                invoice_id=invoice.pk,
                header={**editor.form.header(), **client},
                lines=values,
                by=request.user,
            )
        versions.drop_last(locked)
    fresh = Invoice.objects.select_related("client__client_type", "deal__client", "created_by")
    invoice = fresh.get(pk=invoice.pk)
    return editor_of(version, invoice, on) if editor.has_errors else stored_editor(invoice, on)


# ─ The PDF of what is on the screen ─────────────────────────────────────────────────────────────
def preview_of_typed(request: StaffRequest, invoice: Invoice, on: date) -> bytes:
    """Nothing is saved by looking. Raises IssueRefused, PdfRefused."""
    if request.method == "GET" or not request.user.has_perm("invoices.change_invoice"):
        return preview_pdf(invoice, on)
    return printed_draft(paper_of_typed(request.POST, invoice, on))


def paper_of_typed(given: QueryDict, invoice: Invoice, on: date) -> Paper:
    """What the page would say. Raises IssueRefused for what cannot be read yet."""
    editor = typed_editor(invoice, given, on)
    values = editor.check()
    if editor.has_errors:
        raise IssueRefused(_why_not(editor))
    return _paper(editor, values, on)


def _paper(editor: Editor, values: list[dict[str, Any]], on: date) -> Paper:
    pk = editor.invoice.pk
    with transaction.atomic():
        # Saved, read as paper and taken back: the very code that a real save goes through.
        try:
            problems = drafting.save_draft(
                invoice_id=pk, header=editor.form.header(), lines=values, by=None
            )
        except DraftRefused as refusal:
            raise IssueRefused(str(refusal)) from None
        if problems:
            raise IssueRefused(" ".join(problems.values()))
        paper = preview_paper(Invoice.objects.select_related("client", "corrects").get(pk=pk), on)
        transaction.set_rollback(True)
    return paper


def _why_not(editor: Editor) -> str:
    said = [str(text) for texts in editor.form.errors.values() for text in texts]
    for number, line in enumerate(editor.lines, 1):
        said += [
            _("Line %(number)s: %(text)s") % {"number": number, "text": text} for text in line.told
        ]
    return " ".join(said)
