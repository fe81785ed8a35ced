"""Quotes while they are written: beginning one, the editor, the preview, discarding."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_POST

from billing_portal.acts import carry_out, into, said
from billing_portal.confirming import ChangedMeanwhile, Shown, facts_of
from billing_portal.htmx import StaffRequest, go_to, render_dialog, render_page, wants_partial
from billing_portal.toasts import add_toast
from invoices.clients.forms.clients import chosen_client
from invoices.invoicing.forms.heads import ReasonForm
from invoices.invoicing.views import page_preview
from invoices.invoicing.views.keeping import keep_typed, opened, save_typed, undo
from invoices.models import Quote, QuoteVersion
from invoices.models.quotes import State
from invoices.quotes import beginning, drafting
from invoices.quotes.refusals import QuoteRefused
from invoices.quotes.views.editor import QuoteEditor, context_of, draft_of


def visible(request: StaffRequest, pk: int) -> Quote:
    rows = Quote.objects.visible_to(request.user).select_related(
        "client__client_type", "deal", "owner", "version", "copied_from"
    )
    return get_object_or_404(rows, pk=pk)


# ─ Beginning one ────────────────────────────────────────────────────────────────────────────────
@require_http_methods(["GET", "POST"])
@permission_required("invoices.change_quote", raise_exception=True)
def new(request: StaffRequest) -> HttpResponse:
    """For whom is chosen on the page of choices; this one begins the quote."""
    given = request.POST if request.method == "POST" else request.GET
    client = chosen_client(given.get("client", ""))
    choices = reverse("invoices:client-choices") + "?for=quote"
    if client is None:
        if request.method == "POST" or given.get("client"):
            messages.error(request, _("Choose the client first. No quote was begun."))
        return redirect(choices)
    if request.method == "GET":
        open_quotes = (
            Quote.objects.visible_to(request.user)
            .filter(client__in=type(client).objects.account_of(client.pk))
            .exclude(version__status=State.DISCARDED)
            .select_related("version")[:5]
        )
        context = {"client": client, "quotes": open_quotes, "on": timezone.localdate()}
        return render_dialog(request, "invoices/quotes/new.html", context, back=choices)
    return _begun(
        request,
        "new quote",
        lambda: beginning.new_quote(client_id=client.pk, by=request.user, on=timezone.localdate()),
        choices,
    )


@require_POST
@permission_required("invoices.change_quote", raise_exception=True)
def from_deal(request: StaffRequest, pk: int) -> HttpResponse:
    return _begun(
        request,
        "quote from a deal",
        lambda: beginning.quote_from_deal(deal_id=pk, by=request.user, on=timezone.localdate()),
        reverse("invoices:deal", args=[pk]),
    )


@require_POST
@permission_required("invoices.change_quote", raise_exception=True)
def copy(request: StaffRequest, pk: int) -> HttpResponse:
    return _begun(
        request,
        "copy a quote",
        lambda: beginning.copy_quote(quote_id=pk, by=request.user, on=timezone.localdate()),
        reverse("invoices:quote", args=[pk]),
    )


@require_POST
@permission_required("invoices.change_quote", raise_exception=True)
def version(request: StaffRequest, pk: int) -> HttpResponse:
    return _begun(
        request,
        "new version of a quote",
        lambda: beginning.new_version(quote_id=pk, by=request.user, on=timezone.localdate()).quote,
        reverse("invoices:quote", args=[pk]),
    )


def _begun(request: StaffRequest, action: str, act: Callable[[], Quote], back: str) -> HttpResponse:
    def refused(refusal: Exception) -> HttpResponse:
        messages.error(request, str(refusal))
        return go_to(request, back)

    answer = carry_out(
        request,
        action=action,
        act=act,
        refused={QuoteRefused: refused},
        done=lambda quote: go_to(request, reverse("invoices:quote-edit", args=[quote.pk])),
        url=lambda quote: reverse("invoices:quote-edit", args=[quote.pk]),
    )
    assert answer is not None
    return answer


# ─ The editor ───────────────────────────────────────────────────────────────────────────────────
@require_http_methods(["GET", "POST"])
@permission_required("invoices.change_quote", raise_exception=True)
def edit(request: StaffRequest, pk: int) -> HttpResponse:
    quote = visible(request, pk)
    draft = draft_of(quote)
    on = timezone.localdate()
    if draft is None:
        if request.method == "POST":
            text = _("It can no longer be changed: it was sent or discarded meanwhile.")
            messages.warning(request, f"{text} {_('What you typed was not kept.')}")
        return go_to(request, reverse("invoices:quote", args=[pk]))
    if request.method == "GET":
        return _page(request, opened(QuoteEditor, draft, on))
    act = request.POST.get("act", "save")
    if act == "keep":
        return keep_typed(request, QuoteEditor, draft, on)
    if act == "undo":
        editor = undo(request, QuoteEditor, draft, on)
        return _page(request, editor, status=422 if editor.problems else 200)
    editor = QuoteEditor.typed(draft, request.POST, on)
    if editor.rearranged(act):
        return _page(request, editor)
    if not save_typed(request, editor, act):
        return _page(request, editor, status=422)
    if act == "send":
        return go_to(request, reverse("invoices:quote-send", args=[pk]))
    if not wants_partial(request):
        messages.success(request, _("The quote is saved."))
        return redirect("invoices:quote-edit", pk=pk)
    return add_toast(_page(request, editor.anew()), _("The quote is saved."))


def _page(request: StaffRequest, editor: QuoteEditor, status: int = 200) -> HttpResponse:
    return render_page(
        request,
        page="invoices/quotes/edit.html",
        partial="invoices/quotes/partials/editor.html",
        context=context_of(editor, request.user),
        status=status,
    )


@require_POST
@permission_required("invoices.change_quote", raise_exception=True)
def totals(request: StaffRequest, pk: int) -> HttpResponse:
    """What is typed, added up; nothing is saved."""
    draft = draft_of(visible(request, pk))
    if draft is None:
        return go_to(request, reverse("invoices:quote", args=[pk]))
    editor = QuoteEditor.typed(draft, request.POST, timezone.localdate())
    context = context_of(editor, request.user, live=True)
    return render(request, "invoices/quotes/partials/live.html", context)


# ─ Preview, discard ─────────────────────────────────────────────────────────────────────────────
@require_http_methods(["GET", "POST"])
@xframe_options_sameorigin
@permission_required("invoices.view_quote", raise_exception=True)
def preview(request: StaffRequest, pk: int) -> HttpResponse:
    """The page that the draft would become; the editor sends along what is on its screen."""
    quote = visible(request, pk)
    draft = draft_of(quote)
    if draft is None:
        return redirect("invoices:quote", pk=pk)
    return page_preview.pdf(
        request,
        QuoteEditor,
        draft,
        may_change=request.user.has_perm("invoices.change_quote"),
        filename=f"quote-{pk}-draft.pdf",
    )


@require_POST
@permission_required("invoices.change_quote", raise_exception=True)
def page(request: StaffRequest, pk: int) -> HttpResponse:
    """The page beside the editor, of what is typed."""
    draft = draft_of(visible(request, pk))
    if draft is None:
        return HttpResponse(status=204)
    editor = QuoteEditor.typed(draft, request.POST, timezone.localdate())
    return page_preview.drawn(request, editor)


_LINE = (
    *("role", "section", "proposed", "description", "quantity", "unit", "unit_price"),
    *("discount_percent", "discount_amount", "vat_category", "vat_rate", "exemption_id", "nature"),
)


def draft_shown(version: QuoteVersion | None) -> Shown:
    if version is None:
        return Shown({})
    lines = [[str(getattr(line, name)) for name in _LINE] for line in version.lines.all()]
    return Shown({**facts_of(version), "lines": lines, "to": version.recipients})


@require_http_methods(["GET", "POST"])
@permission_required("invoices.change_quote", raise_exception=True)
def discard(request: StaffRequest, pk: int) -> HttpResponse:
    quote = visible(request, pk)
    draft = draft_of(quote)
    left = reverse("invoices:quotes") if not quote.number else reverse("invoices:quote", args=[pk])
    if draft is None:
        return go_to(request, reverse("invoices:quote", args=[pk]))
    form, draft_id = ReasonForm(request.POST or None), draft.pk
    changed = ""

    def look_again(refusal: Exception) -> None:
        nonlocal changed
        changed = str(refusal)

    if request.method == "POST":
        answer = carry_out(
            request,
            action="discard a quote",
            act=lambda: drafting.discard(
                version_id=draft_id, by=request.user, on=timezone.localdate()
            ),
            confirmed=lambda: draft_shown(draft_of(drafting.locked(pk))),
            refused={QuoteRefused: into(form), ChangedMeanwhile: look_again},
            done=lambda _quote: said(request, _("The draft is discarded."), left),
            url=left,
        )
        if answer is not None:
            return answer
        draft = draft_of(quote)
    return render_dialog(
        request,
        "invoices/quotes/discard.html",
        {
            "quote": quote,
            "version": draft,
            "form": form,
            "changed": changed,
            "confirmed": draft_shown(draft).token,
        },
        back=reverse("invoices:quote-edit", args=[pk]),
        status=422 if form.errors or changed else 200,
    )
