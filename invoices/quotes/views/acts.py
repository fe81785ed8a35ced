"""What is done with a quote: sent, sent again, withdrawn, its link ended, an agreement recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from billing_portal.acts import already, carry_out, into, said
from billing_portal.confirming import ChangedMeanwhile, Shown, facts_of
from billing_portal.htmx import StaffRequest, go_to, render_dialog
from billing_portal.money import formatted_minor
from invoices.attachments.forms import choices_of, chosen_of
from invoices.company.numbering import next_number
from invoices.documents.pdf.render import PdfRefused
from invoices.documents.totals import TotalsRefused
from invoices.invoicing.forms.heads import ReasonForm
from invoices.models import NumberPattern, Quote, QuoteLine, QuoteVersion
from invoices.models.quotes import State
from invoices.outbox.queueing import MailRefused
from invoices.quotes import answering, drafting, sending
from invoices.quotes.choices import groups_of, proposed, taken, totals_of, whole
from invoices.quotes.forms.answers import picked
from invoices.quotes.forms.drafts import RecordForm, SendForm
from invoices.quotes.refusals import QuoteRefused
from invoices.quotes.views.drafts import draft_shown, visible
from invoices.quotes.views.editor import draft_of


class Changed:
    """What a dialog says when what it asked about is no longer so."""

    text = ""

    def take(self, refusal: Exception) -> None:
        self.text = str(refusal)


def quote_shown(quote: Quote) -> Shown:
    """What a person decides on: which version counts, and how it stands."""
    version = quote.version
    return Shown({"version": version.pk, **facts_of(version)} if version else {})


@require_http_methods(["GET", "POST"])
@permission_required("invoices.change_quote", raise_exception=True)
def send(request: StaffRequest, pk: int) -> HttpResponse:
    quote = visible(request, pk)
    draft = draft_of(quote)
    page = reverse("invoices:quote", args=[pk])
    if draft is None:
        return go_to(request, page)
    draft_id = draft.pk
    on = timezone.localdate()
    form = SendForm(request.POST or None, initial={"recipients": list(draft.recipients)})
    by_link, changed = request.POST.get("send") == "link", Changed()
    reasons = sending.reasons_not_to_send(draft, list(draft.lines.all()), on)
    if request.method == "POST" and form.is_valid() and not reasons:
        people = [] if by_link else form.cleaned_data["recipients"]
        if not people and not by_link:
            form.add_error("recipients", _("Say who receives it by email."))
        else:
            text = (
                _("The quote is ready: hand over its link.")
                if by_link
                else _("The quote is on its way.")
            )
            answer = _carried(
                request,
                form,
                changed,
                "send a quote",
                act=lambda: sending.send(
                    version_id=draft_id,
                    recipients=people,
                    by=request.user,
                    on=on,
                    standing=chosen_of(request.POST),
                ),
                confirmed=lambda: draft_shown(draft_of(drafting.locked(pk))),
                text=text,
                url=page,
            )
            if answer is not None:
                return answer
            draft = draft_of(visible(request, pk))
    before = quote.version if quote.version_id != (draft.pk if draft else None) else None
    return render_dialog(
        request,
        "invoices/quotes/send.html",
        {
            "quote": quote,
            "version": draft,
            "form": form,
            "reasons": reasons,
            "replaces": before if before is not None and before.status != State.DISCARDED else None,
            "changed": changed.text,
            "confirmed": draft_shown(draft).token,
            "next_number": "" if quote.number else next_number(NumberPattern.QUOTE, on),
            "standing": choices_of(quote, request.POST),
            "on": on,
        },
        back=reverse("invoices:quote-edit", args=[pk]),
        status=422 if form.errors or changed.text else 200,
    )


def _carried(
    request: StaffRequest,
    form: forms.Form,
    changed: Changed,
    action: str,
    *,
    act: Callable[[], Any],
    confirmed: Callable[[], Shown],
    text: str,
    url: str,
) -> HttpResponse | None:
    return carry_out(
        request,
        action=action,
        act=act,
        confirmed=confirmed,
        refused={
            QuoteRefused: into(form),
            PdfRefused: into(form),
            MailRefused: into(form, "recipients" if "recipients" in form.fields else None),
            ChangedMeanwhile: changed.take,
        },
        done=lambda _result: said(request, text, url),
        url=url,
    )


def _dialog(
    request: StaffRequest,
    quote: Quote,
    form: forms.Form,
    changed: Changed,
    template: str,
    **context: Any,
) -> HttpResponse:
    return render_dialog(
        request,
        template,
        {
            "quote": quote,
            "version": quote.version,
            "form": form,
            "changed": "" if form.errors else changed.text,
            "confirmed": quote_shown(quote).token,
            **context,
        },
        back=reverse("invoices:quote", args=[quote.pk]),
        status=422 if form.errors or changed.text else 200,
    )


@require_http_methods(["GET", "POST"])
@permission_required("invoices.change_quote", raise_exception=True)
def send_again(request: StaffRequest, pk: int) -> HttpResponse:
    quote = visible(request, pk)
    initial = {"recipients": list(quote.version.recipients) if quote.version else []}
    form, changed = SendForm(request.POST or None, initial=initial), Changed()
    if request.method == "POST" and form.is_valid():
        answer = _carried(
            request,
            form,
            changed,
            "send a quote again",
            act=lambda: sending.send_again(
                quote_id=pk,
                recipients=form.cleaned_data["recipients"],
                by=request.user,
                on=timezone.localdate(),
                standing=chosen_of(request.POST),
            ),
            confirmed=lambda: quote_shown(drafting.locked(pk)),
            text=_("The quote is on its way again."),
            url=reverse("invoices:quote", args=[pk]),
        )
        if answer is not None:
            return answer
        quote = visible(request, pk)
    return _dialog(
        request,
        quote,
        form,
        changed,
        "invoices/quotes/send_again.html",
        standing=choices_of(quote, request.POST),
    )


@require_http_methods(["GET", "POST"])
@permission_required("invoices.change_quote", raise_exception=True)
def withdraw(request: StaffRequest, pk: int) -> HttpResponse:
    quote = visible(request, pk)
    form, changed = ReasonForm(request.POST or None), Changed()
    if request.method == "POST" and form.is_valid():
        answer = _carried(
            request,
            form,
            changed,
            "withdraw a quote",
            act=lambda: sending.withdraw(
                quote_id=pk,
                reason=form.cleaned_data["reason"],
                by=request.user,
                on=timezone.localdate(),
            ),
            confirmed=lambda: quote_shown(drafting.locked(pk)),
            text=_("The quote is withdrawn; the client reads so behind the link."),
            url=reverse("invoices:quote", args=[pk]),
        )
        if answer is not None:
            return answer
        quote = visible(request, pk)
    return _dialog(request, quote, form, changed, "invoices/quotes/withdraw.html")


@require_POST
@permission_required("invoices.change_quote", raise_exception=True)
def link(request: StaffRequest, pk: int) -> HttpResponse:
    """End the client's link, or make another one."""
    visible(request, pk)
    page = reverse("invoices:quote", args=[pk])
    ends = request.POST.get("act") == "end"
    act = sending.end_link if ends else sending.renew_link

    def refused(refusal: Exception) -> HttpResponse:
        messages.error(request, str(refusal))
        return go_to(request, page)

    text = (
        _("The link is ended: whoever has it reads nothing any more.")
        if ends
        else _("There is a new link; the one before is ended.")
    )
    answer = carry_out(
        request,
        action="end the link of a quote" if ends else "new link of a quote",
        act=lambda: act(quote_id=pk, by=request.user, on=timezone.localdate()),
        refused={QuoteRefused: refused},
        done=lambda _quote: said(request, text, page),
        again=already(request),
        url=page,
    )
    assert answer is not None
    return answer


@require_http_methods(["GET", "POST"])
@permission_required("invoices.change_quote", raise_exception=True)
def record(request: StaffRequest, pk: int) -> HttpResponse:
    """Accepted on paper or by mail: one of us says so, by name, with what was chosen."""
    quote = visible(request, pk)
    version = quote.version
    page = reverse("invoices:quote", args=[pk])
    on = timezone.localdate()
    if version is None or version.status not in (State.SENT, State.DECLINED):
        return go_to(request, page)
    lines = list(version.lines.all())
    choice = whole(lines, picked(request.POST)) if request.method == "POST" else proposed(lines)
    form, changed = RecordForm(request.POST or None), Changed()
    if request.method == "POST" and form.is_valid():
        answer = _carried(
            request,
            form,
            changed,
            "record the acceptance of a quote",
            act=lambda: answering.accept(
                version_id=version.pk,
                picked=choice,
                read_minor=None,
                signer=answering.Signer(form.cleaned_data["name"], form.cleaned_data["role"]),
                at=timezone.now(),
                recorded_by=request.user,
            ),
            confirmed=lambda: quote_shown(drafting.locked(pk)),
            text=_("The acceptance is recorded."),
            url=page,
        )
        if answer is not None:
            return answer
        quote = visible(request, pk)
    total = _total_of(version, taken(lines, choice))
    return _dialog(
        request,
        quote,
        form,
        changed,
        "invoices/quotes/record.html",
        options=[(line, line.pk in choice) for line in lines if line.role == "option"],
        groups=[
            (n, group.section, [(line, line.pk in choice) for line in group.lines])
            for n, group in enumerate(groups_of(lines))
        ],
        total=total,
        expired=version.valid_until < on,
    )


def _total_of(version: QuoteVersion, lines: list[QuoteLine]) -> str:
    """Of a choice that the discounts do not allow there is none: the form says so."""
    try:
        totals = totals_of(lines, version.currency, version.adjustments)
    except TotalsRefused:
        return "–"
    return formatted_minor(totals.total_minor, version.currency)
