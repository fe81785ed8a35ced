"""A draft kept while it is typed, stepped back, saved, and printed as it stands on the screen."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from django.db import transaction
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from billing_portal import dates
from billing_portal.changes import last_change
from billing_portal.htmx import StaffRequest
from invoices.documents.paper import Paper
from invoices.documents.totals import TotalsRefused
from invoices.invoicing import versions
from invoices.invoicing.freezing import IssueRefused
from invoices.invoicing.views.editing import DocumentEditor, moment_of, too_many_lines
from invoices.models import DraftVersion

Editor = TypeVar("Editor", bound=DocumentEditor[Any])


class PageRefused(Exception):
    """The page cannot be drawn; the message says what cannot be read."""


def opened(kind: type[Editor], document: Any, on: date) -> Editor:
    """As it was typed last: before the window closed, perhaps with what is not readable yet."""
    unread = versions.not_taken(document)
    return _of(kind, unread, document, on) if unread else kind.stored(document, on)


def _of(kind: type[Editor], version: DraftVersion, document: Any, on: date) -> Editor:
    """A version as if its form had just been sent."""
    given = QueryDict(mutable=True)
    given.update(version.typed["head"])
    lines = version.typed["lines"]
    given["lines-TOTAL_FORMS"] = str(len(lines))
    for n, line in enumerate(lines):
        given.update({f"lines-{n}-{name}": text for name, text in line.items()})
    return kind.typed(document, given, on)


def texts_of(editor: DocumentEditor[Any]) -> dict[str, Any]:
    """What is kept of a version: for whom it is, and the texts of the form."""
    head = {}
    for name, field in editor.form.fields.items():
        value = editor.form[name].value()
        shown = field.widget.format_value(value)
        if isinstance(value, bool):
            # An unticked box sends nothing.
            if value:
                head[name] = "on"
        elif isinstance(shown, list):
            head[name] = str(shown[0]) if shown else ""
        else:
            head[name] = str(shown or "") if value is not None else ""
    lines = [{name: getattr(line, name) for name in line.fields} for line in editor.lines]
    return {"client": editor.client.pk, "head": head, "lines": lines}


def parse_stamp(text: str) -> datetime | None:
    try:
        return parse_datetime(text)
    except ValueError:
        return None


def who_saved(document: Any, seen: datetime | None) -> str:
    """The sentence for whoever types into a draft that somebody else saved in between."""
    change = last_change(document, since=(seen or document.created_at) + timedelta(microseconds=1))
    if change is None:
        return _("This draft was saved elsewhere in between.")
    return _("%(who)s saved this draft in between (%(moment)s).") % {
        "who": change.who,
        "moment": dates.moment(change.at),
    }


def keep_typed(
    request: StaffRequest, kind: type[DocumentEditor[Any]], document: Any, on: date
) -> HttpResponse:
    """While somebody types: into the rows if it can be read, and word for word in any case."""
    editor = kind.typed(document, request.POST, on)
    values = editor.check()
    seen = parse_stamp(request.POST.get("seen", ""))
    before = kind.stored(document, on)
    with transaction.atomic():
        locked = editor.locked()
        if locked is None or (seen is not None and locked.updated_at != seen):
            return _in_between(request, editor, locked, seen)
        versions.begin(locked, texts_of(before), by=before.begun_by)
        readable = not editor.has_errors
        if readable:
            problems = editor.save(values, by=request.user)
            editor.take(problems)
            readable = not problems
        version = versions.keep(locked, texts_of(editor), by=request.user, taken=readable)
    fresh = editor.anew()
    context = {
        **fresh.context_of_stored(request.user),
        "editor": fresh,
        "document": fresh.document,
        "client": fresh.client,
        **moment_of(fresh),
        "kept_at": version.at,
        "on": on,
        "readable": readable,
        "may_undo": True,
    }
    return render(request, "invoices/invoicing/partials/draft_kept.html", context)


def _in_between(
    request: StaffRequest, editor: DocumentEditor[Any], locked: Any, seen: datetime | None
) -> HttpResponse:
    editor.document.refresh_from_db()
    context = {
        "sentence": who_saved(editor.document, seen),
        "edit_url": editor.address("edit"),
        "still_open": locked is not None,
    }
    template = "invoices/invoicing/partials/draft_in_between.html"
    return render(request, template, context, status=409)


def undo(request: StaffRequest, kind: type[Editor], document: Any, on: date) -> Editor:
    """The version before the last, saved again; the page shows it."""
    seen = parse_stamp(request.POST.get("seen", ""))
    with transaction.atomic():
        editor = kind.stored(document, on)
        locked = editor.locked()
        if locked is None or (seen is not None and locked.updated_at != seen):
            editor = kind.typed(document, request.POST, on)
            document.refresh_from_db()
            editor.problems.append(who_saved(document, seen))
            editor.stale = True
            return editor
        version = versions.before_last(locked)
        if version is None:
            editor.problems.append(_("There is nothing left to undo."))
            return editor
        editor = _of(kind, version, document, on)
        values = editor.check()
        unread = editor.has_errors
        if not unread:
            editor.also = editor.given_back(version.typed["client"])
            editor.save(values, by=request.user)
        versions.drop_last(locked)
    fresh = editor.anew()
    return _of(kind, version, fresh.document, on) if unread else fresh


def save_typed(request: StaffRequest, editor: DocumentEditor[Any], act: str) -> bool:
    """By the button: whether it is saved; if not, the editor says why."""
    values = editor.check()
    too_many_lines(editor)
    if editor.has_errors:
        return False
    seen = None if act == "overwrite" else parse_stamp(request.POST.get("seen", ""))
    before = type(editor).stored(editor.document, editor.on)
    try:
        with transaction.atomic():
            problems = editor.save(values, by=request.user, seen=seen)
            if not problems and editor.keeps_itself:
                versions.begin(editor.document, texts_of(before), by=before.begun_by)
                versions.keep(editor.document, texts_of(editor), by=request.user, taken=True)
    except editor.refused as refusal:
        with transaction.atomic():
            locked = editor.locked()
        changed = seen is not None and locked is not None and locked.updated_at != seen
        editor.problems.append(
            who_saved(locked, seen) if changed and editor.keeps_itself else str(refusal)
        )
        editor.stale = locked is not None
        return False
    editor.take(problems)
    return not editor.has_errors


# ─ The PDF of what is on the screen ─────────────────────────────────────────────────────────────
def paper_of_typed(editor: DocumentEditor[Any]) -> Paper:
    """What the page would say; nothing is saved by looking. Raises PageRefused."""
    values = editor.check()
    if editor.has_errors:
        raise PageRefused(_why_not(editor))
    with transaction.atomic():
        # Saved, read as paper and taken back: the very code that a real save goes through.
        try:
            problems = editor.save(values, by=None)
            if problems:
                raise PageRefused(" ".join(problems.values()))
            paper = editor.anew().paper()
        except _no_page(editor) as refusal:
            raise PageRefused(str(refusal)) from None
        finally:
            transaction.set_rollback(True)
    return paper


def paper_of_stored(editor: DocumentEditor[Any]) -> Paper:
    """What the page would say of the rows. Raises PageRefused."""
    try:
        return editor.paper()
    except _no_page(editor) as refusal:
        raise PageRefused(str(refusal)) from None


def _no_page(editor: DocumentEditor[Any]) -> tuple[type[Exception], ...]:
    return (*editor.refused, TotalsRefused, IssueRefused)


def _why_not(editor: DocumentEditor[Any]) -> str:
    said = [str(text) for texts in editor.form.errors.values() for text in texts]
    for number, line in enumerate(editor.lines, 1):
        said += [
            _("Line %(number)s: %(text)s") % {"number": number, "text": text} for text in line.told
        ]
    return " ".join(said)
