"""The texts of mails: read, changed, looked at on a real document, tried on oneself."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing_portal.acts import carry_out, into, said
from billing_portal.htmx import StaffRequest
from billing_portal.idempotency import key_of
from invoices.models import MailWording
from invoices.outbox import changing_words
from invoices.outbox.changing_words import WordsChanged, WordsRefused, latest, words_now
from invoices.outbox.forms.wordings import WordingForm
from invoices.outbox.queueing import MailRefused
from invoices.outbox.wording import Block, Example, Link, Wording, pieces_of, wording_of
from invoices.outbox.wording import wordings as known_wordings

may_change = permission_required("invoices.change_wording", raise_exception=True)
LANGUAGES = {"fr": gettext_lazy("French"), "en": gettext_lazy("English")}
VERSIONS_SHOWN = 30


@require_GET
@may_change
def wordings(request: StaffRequest) -> HttpResponse:
    rows = [
        {
            "title": each.title(),
            "kind": each.kind,
            "texts": [
                (language, name, _changed(latest(each.kind, language)))
                for language, name in LANGUAGES.items()
            ],
        }
        for each in known_wordings()
    ]
    return render(request, "invoices/outbox/wordings.html", {"rows": rows})


def _changed(row: MailWording | None) -> MailWording | None:
    return row if row is not None and not row.is_standard else None


def _found(kind: str, language: str) -> Wording:
    found = wording_of(kind)
    if found is None or language not in LANGUAGES:
        raise Http404
    return found


@require_http_methods(["GET", "POST"])
@may_change
def wording(request: StaffRequest, kind: str, language: str) -> HttpResponse:
    found = _found(kind, language)
    if request.method == "GET":
        return _page(request, found, language, None)
    form = WordingForm(request.POST)
    url = reverse("invoices:wording", args=[kind, language])
    if form.is_valid():
        answer = carry_out(
            request,
            action="words of a mail",
            act=lambda: changing_words.keep(
                found,
                language,
                subject=form.cleaned_data["subject"],
                body=form.cleaned_data["body"],
                seen=form.cleaned_data["seen"] or 0,
                by=request.user,
            ),
            refused={
                WordsRefused: lambda refusal: _told(form, refusal),
                WordsChanged: into(form),
            },
            done=lambda row: said(
                request,
                _("The text is saved: emails that leave from now on say this.")
                if row
                else _("Nothing was to be changed."),
                url,
            ),
            url=url,
        )
        if answer is not None:
            return answer
    return _page(request, found, language, form)


@require_POST
@may_change
def standard(request: StaffRequest, kind: str, language: str) -> HttpResponse:
    found = _found(kind, language)
    url = reverse("invoices:wording", args=[kind, language])
    form = WordingForm(request.POST)
    form.is_valid()
    answer = carry_out(
        request,
        action="standard words of a mail",
        act=lambda: changing_words.back_to_standard(
            found, language, seen=form.cleaned_data.get("seen") or 0, by=request.user
        ),
        refused={WordsChanged: into(form)},
        done=lambda _row: said(request, _("The standard text leaves again."), url),
        url=url,
    )
    return answer if answer is not None else _page(request, found, language, form)


@require_POST
@may_change
def preview(request: StaffRequest, kind: str, language: str) -> HttpResponse:
    """What is typed, filled from a real document; or the lines in which it is wrong."""
    found = _found(kind, language)
    form = WordingForm(request.POST)
    context: dict[str, Any] = {}
    if not form.is_valid():
        context["problems"] = _errors(form)
    else:
        context = _filled(found, language, form)
    return render(request, "invoices/outbox/partials/wording_preview.html", context)


@require_POST
@may_change
def test(request: StaffRequest, kind: str, language: str) -> HttpResponse:
    found = _found(kind, language)
    form = WordingForm(request.POST)
    url = reverse("invoices:wording", args=[kind, language])
    example = _example(found, language, form) if form.is_valid() else None
    if form.is_valid() and example is None:
        form.add_error("number", _no_example(form))
    if example is not None:
        answer = carry_out(
            request,
            action="test of a mail",
            act=lambda: changing_words.send_test(
                found,
                language,
                subject=form.cleaned_data["subject"],
                body=form.cleaned_data["body"],
                example=example,
                key=key_of(request),
                to=request.user,
            ),
            refused={
                WordsRefused: lambda refusal: _told(form, refusal),
                MailRefused: into(form),
            },
            done=lambda mail: _page(request, found, language, form, sent_to=mail.to[0]),
            url=url,
        )
        if answer is not None:
            return answer
    return _page(request, found, language, form)


def _told(form: WordingForm, refusal: WordsRefused) -> None:
    for problem in refusal.problems:
        form.add_error("body" if problem.line else None, changing_words.said(problem))


def _errors(form: WordingForm) -> list[str]:
    return [str(text) for texts in form.errors.values() for text in texts]


def _example(found: Wording, language: str, form: WordingForm) -> Example | None:
    return found.example(form.cleaned_data.get("number", "").strip(), language)


def _no_example(form: WordingForm) -> str:
    if number := form.cleaned_data.get("number", "").strip():
        return _("There is no document %(number)s that was issued or sent.") % {"number": number}
    return _("There is no document yet to try it on.")


def _filled(found: Wording, language: str, form: WordingForm) -> dict[str, Any]:
    subject, body = form.cleaned_data["subject"], form.cleaned_data["body"]
    try:
        changing_words.check(found, subject, body)
    except WordsRefused as refusal:
        return {"problems": [changing_words.said(each) for each in refusal.problems]}
    example = _example(found, language, form)
    if example is None:
        return {"problems": [_no_example(form)]}
    title, text, _html = changing_words.worded(subject, body, example.values, language)
    return {
        "subject": title,
        "text": text,
        "example": example.name,
        "paragraphs": [
            [_piece(piece) for piece in lines] for lines in pieces_of(body, example.values)
        ],
    }


def _piece(piece: str | Block | Link) -> dict[str, Any]:
    """For the template, which may not ask what something is."""
    if isinstance(piece, Block):
        return {"rows": piece.rows}
    return {"link": piece} if isinstance(piece, Link) else {"line": piece}


def _page(
    request: StaffRequest,
    found: Wording,
    language: str,
    form: WordingForm | None,
    *,
    sent_to: str = "",
) -> HttpResponse:
    row = latest(found.kind, language)
    subject, body = words_now(found, language)
    if form is None:
        form = WordingForm(initial={"subject": subject, "body": body, "seen": row.pk if row else 0})
    return render(
        request,
        "invoices/outbox/wording.html",
        {
            "form": form,
            "wording": found,
            "title": found.title(),
            "language": language,
            "language_name": LANGUAGES[language],
            "variables": [(each.name, each.meaning(), each.alone) for each in found.variables],
            "is_changed": _changed(row) is not None,
            "standard": found.standard[language],
            "seen": row.pk if row else 0,
            "sent_to": sent_to,
            "versions": MailWording.objects.filter(
                kind=found.kind, language=language
            ).select_related("by")[:VERSIONS_SHOWN],
        },
        status=422 if form.errors else 200,
    )
