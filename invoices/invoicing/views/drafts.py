"""Drafts: starting one, the editor with its live totals, the preview, discarding."""

from __future__ import annotations

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
from billing_portal.confirming import ChangedMeanwhile
from billing_portal.htmx import StaffRequest, go_to, render_dialog, render_page, wants_partial
from billing_portal.keys import contains
from billing_portal.lists.filters import searched
from billing_portal.toasts import add_toast
from invoices.clients.forms.clients import chosen_client
from invoices.clients.routes import have_asked
from invoices.invoicing import drafting, origins
from invoices.invoicing.confirming import draft_shown, under_lock
from invoices.invoicing.drafting import DraftRefused
from invoices.invoicing.forms import lines as typed
from invoices.invoicing.forms.heads import ReasonForm
from invoices.invoicing.views import page_preview
from invoices.invoicing.views.editor import InvoiceEditor, context_of, draft_rows
from invoices.invoicing.views.keeping import keep_typed, opened, save_typed, undo
from invoices.models import Client, Invoice


# ─ Starting one ─────────────────────────────────────────────────────────────────────────────────
@require_http_methods(["GET", "POST"])
@permission_required("invoices.change_invoice", raise_exception=True)
def new(request: StaffRequest) -> HttpResponse:
    """For whom is chosen on the page of choices; this one makes the draft."""
    given = request.POST if request.method == "POST" else request.GET
    text = given.get("client", "")
    client = chosen_client(text)
    if client is None:
        if request.method == "POST" or text:
            messages.error(request, _("Choose the client first. Nothing was drafted."))
        return redirect("invoices:client-choices")
    if request.method == "GET":
        waiting = origins.waiting_for(client) if request.user.has_perm("invoices.bill_deal") else []
        account = Client.objects.account_of(client.pk)
        drafts = Invoice.objects.drafts().filter(client__in=account).order_by("-pk")[:5]
        return render(
            request,
            "invoices/invoicing/new.html",
            {"client": client, "waiting": waiting, "drafts": drafts},
        )

    def refused(refusal: DraftRefused) -> HttpResponse:
        messages.error(request, str(refusal))
        return redirect("invoices:client-choices")

    answer = carry_out(
        request,
        action="new draft",
        act=lambda: drafting.new_draft(
            client_id=client.pk, by=request.user, on=timezone.localdate()
        ),
        refused={DraftRefused: refused},
        done=lambda made: redirect("invoices:edit", pk=made.pk),
        url=lambda made: reverse("invoices:edit", args=[made.pk]),
    )
    assert answer is not None
    return answer


# ─ The editor ───────────────────────────────────────────────────────────────────────────────────
def _draft(pk: int) -> Invoice:
    return get_object_or_404(draft_rows(), pk=pk)


@require_http_methods(["GET", "POST"])
@permission_required("invoices.change_invoice", raise_exception=True)
def edit(request: StaffRequest, pk: int) -> HttpResponse:
    invoice = _draft(pk)
    on = timezone.localdate()
    if not invoice.is_draft:
        if request.method == "POST":
            messages.warning(
                request,
                _("It can no longer be changed: it was issued or discarded meanwhile.")
                + " "
                + _("What you typed was not kept."),
            )
        return go_to(request, reverse("invoices:detail", args=[pk]))
    if request.method == "GET":
        have_asked(invoice.client_id)
        return _page(request, opened(InvoiceEditor, invoice, on))
    act = request.POST.get("act", "save")
    if act == "keep":
        return keep_typed(request, InvoiceEditor, invoice, on)
    if act == "undo":
        editor = undo(request, InvoiceEditor, invoice, on)
        return _page(request, editor, status=422 if editor.problems else 200)
    editor = InvoiceEditor.typed(invoice, request.POST, on)
    if editor.rearranged(act):
        return _page(request, editor)
    if not save_typed(request, editor, act):
        return _page(request, editor, status=422)
    return _saved(request, pk, act)


def _saved(request: StaffRequest, pk: int, act: str) -> HttpResponse:
    on = timezone.localdate()
    if act == "client":
        return go_to(request, reverse("invoices:draft-client", args=[pk]))
    if not wants_partial(request):
        if act == "issue":
            return redirect("invoices:issue", pk=pk)
        messages.success(request, _("The draft is saved."))
        return redirect("invoices:edit", pk=pk)
    invoice = _draft(pk)
    editor = InvoiceEditor.stored(invoice, on)
    if act == "issue":
        from invoices.invoicing.views.issuing import issue_dialog

        answer = issue_dialog(request, invoice, on)
        answer["HX-Retarget"], answer["HX-Reswap"] = "#dialog", "innerHTML"
        fresh = {**context_of(editor, request.user), "oob_editor": True}
        answer.write(
            render(request, "invoices/invoicing/partials/editor.html", fresh).content.decode()
        )
        return answer
    return add_toast(_page(request, editor), _("The draft is saved."))


def _page(request: StaffRequest, editor: InvoiceEditor, status: int = 200) -> HttpResponse:
    return render_page(
        request,
        page="invoices/invoicing/edit.html",
        partial="invoices/invoicing/partials/editor.html",
        context=context_of(editor, request.user),
        status=status,
    )


@require_POST
@permission_required("invoices.change_invoice", raise_exception=True)
def totals(request: StaffRequest, pk: int) -> HttpResponse:
    """What is typed, added up; nothing is read back or saved."""
    invoice = _draft(pk)
    on = timezone.localdate()
    editor = InvoiceEditor.typed(invoice, request.POST, on)
    return render(
        request,
        "invoices/invoicing/partials/draft_live.html",
        context_of(editor, request.user, live=True),
    )


# ─ Another client ───────────────────────────────────────────────────────────────────────────────
@require_http_methods(["GET", "POST"])
@permission_required("invoices.change_invoice", raise_exception=True)
def draft_client(request: StaffRequest, pk: int) -> HttpResponse:
    """Who is billed; the terms, language and recipients of the new client come along."""
    invoice = _draft(pk)
    if not invoice.is_draft:
        return go_to(request, reverse("invoices:detail", args=[pk]))
    problem = ""
    if request.method == "POST":
        found = chosen_client(request.POST.get("client", ""))
        problem = _give_to(request, invoice, found) if found else _("Choose a client.")
        if not problem:
            return go_to(request, reverse("invoices:edit", args=[pk]))
    q = searched(request.GET)
    clients = Client.objects.filter(merged_into__isnull=True).exclude(pk=invoice.client_id)
    if q:
        clients = clients.filter(contains("name_key", q))
    return render_page(
        request,
        page="invoices/invoicing/draft_client.html",
        partial="invoices/invoicing/partials/draft_client_choices.html",
        context={
            "invoice": invoice,
            "q": q,
            "problem": problem,
            "clients": clients.select_related("client_type").order_by("name_key")[:20],
        },
        status=422 if problem else 200,
    )


def _give_to(request: StaffRequest, invoice: Invoice, client: Client) -> str:
    rows = typed.from_rows(invoice.typed_lines, invoice.currency)
    lines = typed.clean(rows, invoice.currency)
    try:
        problems = drafting.save_draft(
            invoice_id=invoice.pk,
            header=drafting.taken_from(client),
            lines=lines,
            by=request.user,
        )
    except DraftRefused as refusal:
        return str(refusal)
    if problems:
        return " ".join(problems.values())
    messages.success(request, _("The draft is now for %(client)s.") % {"client": client.name})
    return ""


# ─ Preview, discard ─────────────────────────────────────────────────────────────────────────────
@require_http_methods(["GET", "POST"])
@xframe_options_sameorigin
@permission_required("invoices.view_invoice", raise_exception=True)
def preview(request: StaffRequest, pk: int) -> HttpResponse:
    """The page that the draft would become; the editor sends along what is on its screen."""
    invoice = get_object_or_404(
        Invoice.objects.visible_to(request.user).select_related("client", "corrects"), pk=pk
    )
    if not invoice.is_draft:
        return redirect("invoices:document", pk=pk)
    return page_preview.pdf(
        request,
        InvoiceEditor,
        invoice,
        may_change=request.user.has_perm("invoices.change_invoice"),
        filename=f"draft-{pk}.pdf",
    )


@require_http_methods(["GET", "POST"])
@permission_required("invoices.change_invoice", raise_exception=True)
def void(request: StaffRequest, pk: int) -> HttpResponse:
    invoice = _draft(pk)
    form = ReasonForm(request.POST or None)
    back = (
        reverse("invoices:deals") if invoice.deal_id else reverse("invoices:list") + "?state=draft"
    )
    if request.method == "POST" and form.is_valid():
        text = (
            _("The draft is discarded; the deal waits in the queue again.")
            if invoice.deal_id
            else _("The draft is discarded.")
        )
        answer = carry_out(
            request,
            action="discard a draft",
            act=lambda: drafting.void_draft(
                invoice_id=pk,
                by=request.user,
                on=timezone.localdate(),
                reason=form.cleaned_data["reason"],
            ),
            confirmed=under_lock(pk, lambda found: draft_shown(found, timezone.localdate())),
            refused={
                DraftRefused: into(form),
                ChangedMeanwhile: lambda refusal: _void_again(request, pk, refusal),
            },
            done=lambda _draft: said(request, text, back),
            url=back,
        )
        if answer is not None:
            return answer
    if request.method == "GET" and not invoice.is_draft:
        return go_to(request, reverse("invoices:detail", args=[pk]))
    return _void_dialog(request, invoice, form)


def _void_again(request: StaffRequest, pk: int, refusal: ChangedMeanwhile) -> HttpResponse:
    invoice = _draft(pk)
    form = ReasonForm(request.POST)
    if not invoice.is_draft:
        # Nothing is left to confirm: the refusal of the act itself says what became of it.
        try:
            drafting.refuse_unless_draft(invoice)
        except DraftRefused as gone:
            form.add_error(None, str(gone))
    return _void_dialog(request, invoice, form, changed=str(refusal))


def _void_dialog(
    request: StaffRequest, invoice: Invoice, form: ReasonForm, *, changed: str = ""
) -> HttpResponse:
    return render_dialog(
        request,
        "invoices/invoicing/void.html",
        {
            "invoice": invoice,
            "form": form,
            "changed": "" if form.errors else changed,
            "confirmed": draft_shown(invoice, timezone.localdate()).token,
        },
        back=reverse("invoices:edit", args=[invoice.pk]),
        status=422 if form.errors or changed else 200,
    )
