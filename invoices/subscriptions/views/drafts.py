"""Subscriptions while they are written: beginning one, the editor, what it shows meanwhile."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from billing_portal.acts import carry_out
from billing_portal.htmx import StaffRequest, go_to, render_dialog, render_page, wants_partial
from billing_portal.toasts import add_toast
from invoices.clients.forms.clients import chosen_client
from invoices.invoicing.views import page_preview
from invoices.invoicing.views.keeping import keep_typed, opened, save_typed, undo
from invoices.models import Deal, Invoice, Quote, Subscription
from invoices.subscriptions import beginning, from_deals
from invoices.subscriptions.standing import SubscriptionRefused
from invoices.subscriptions.views.editor import SubscriptionEditor, context_of


def visible(request: StaffRequest, pk: int) -> Subscription:
    rows = Subscription.objects.visible_to(request.user).select_related(
        "client__client_type", "deal", "quote", "owner", "repeats", "terms"
    )
    return get_object_or_404(rows, pk=pk)


# ─ Beginning one ────────────────────────────────────────────────────────────────────────────────
@require_http_methods(["GET", "POST"])
@permission_required("invoices.change_subscription", raise_exception=True)
def new(request: StaffRequest) -> HttpResponse:
    """Asks before it begins one: a link that is opened twice must not make two."""
    given = request.POST if request.method == "POST" else request.GET
    client = chosen_client(given.get("client", ""))
    choices = reverse("invoices:client-choices") + "?for=subscription"
    if client is None:
        if request.method == "POST" or given.get("client"):
            messages.error(request, _("Choose the client first. No subscription was begun."))
        return redirect(choices)
    if request.method == "GET":
        running = (
            Subscription.objects.visible_to(request.user)
            .filter(client__in=type(client).objects.account_of(client.pk))
            .exclude(status=Subscription.Status.DISCARDED)[:5]
        )
        context = {"client": client, "subscriptions": running}
        return render_dialog(request, "invoices/subscriptions/new.html", context, back=choices)
    return _begun(
        request,
        "new subscription",
        lambda: beginning.new_subscription(
            client_id=client.pk, by=request.user, on=timezone.localdate()
        ),
        choices,
    )


@require_POST
@permission_required("invoices.change_subscription", raise_exception=True)
def from_invoice(request: StaffRequest, pk: int) -> HttpResponse:
    get_object_or_404(Invoice.objects.visible_to(request.user), pk=pk)
    return _begun(
        request,
        "repeat an invoice",
        lambda: beginning.from_invoice(invoice_id=pk, by=request.user, on=timezone.localdate()),
        reverse("invoices:detail", args=[pk]),
    )


@require_POST
@permission_required("invoices.change_subscription", raise_exception=True)
def from_quote(request: StaffRequest, pk: int) -> HttpResponse:
    get_object_or_404(Quote.objects.visible_to(request.user), pk=pk)
    return _begun(
        request,
        "subscription from a quote",
        lambda: beginning.from_quote(quote_id=pk, by=request.user, on=timezone.localdate()),
        reverse("invoices:quote", args=[pk]),
    )


@require_POST
@permission_required("invoices.change_subscription", raise_exception=True)
def from_deal(request: StaffRequest, pk: int) -> HttpResponse:
    get_object_or_404(Deal.objects.visible_to(request.user), pk=pk)
    return _begun(
        request,
        "subscription from a deal",
        lambda: from_deals.begin(deal_id=pk, by=request.user, on=timezone.localdate())[0],
        reverse("invoices:deal", args=[pk]),
    )


@require_POST
@permission_required("invoices.change_subscription", raise_exception=True)
def copy(request: StaffRequest, pk: int) -> HttpResponse:
    visible(request, pk)
    return _begun(
        request,
        "copy a subscription",
        lambda: beginning.copy(subscription_id=pk, by=request.user, on=timezone.localdate()),
        reverse("invoices:subscription", args=[pk]),
    )


def _begun(
    request: StaffRequest, action: str, act: Callable[[], Subscription], back: str
) -> HttpResponse:
    def refused(refusal: Exception) -> HttpResponse:
        messages.error(request, str(refusal))
        return go_to(request, back)

    answer = carry_out(
        request,
        action=action,
        act=act,
        refused={SubscriptionRefused: refused},
        done=lambda made: go_to(request, reverse("invoices:subscription-edit", args=[made.pk])),
        url=lambda made: reverse("invoices:subscription-edit", args=[made.pk]),
    )
    assert answer is not None
    return answer


# ─ The editor ───────────────────────────────────────────────────────────────────────────────────
@require_http_methods(["GET", "POST"])
@permission_required("invoices.change_subscription", raise_exception=True)
def edit(request: StaffRequest, pk: int) -> HttpResponse:
    subscription = visible(request, pk)
    on = timezone.localdate()
    if not subscription.is_open:
        if request.method == "POST":
            text = _("It ended or was discarded meanwhile and can no longer be changed.")
            messages.warning(request, f"{text} {_('What you typed was not kept.')}")
        return go_to(request, reverse("invoices:subscription", args=[pk]))
    if request.method == "GET":
        return _page(request, opened(SubscriptionEditor, subscription, on))
    act = request.POST.get("act", "save")
    editor = SubscriptionEditor.typed(subscription, request.POST, on)
    if editor.keeps_itself and act == "keep":
        return keep_typed(request, SubscriptionEditor, subscription, on)
    if editor.keeps_itself and act == "undo":
        editor = undo(request, SubscriptionEditor, subscription, on)
        return _page(request, editor, status=422 if editor.problems else 200)
    if editor.rearranged(act):
        return _page(request, editor)
    if not save_typed(request, editor, act):
        return _page(request, editor, status=422)
    return _saved(request, editor, act)


def _saved(request: StaffRequest, editor: SubscriptionEditor, act: str) -> HttpResponse:
    subscription = editor.document
    page = reverse("invoices:subscription", args=[subscription.pk])
    if act == "start":
        return go_to(request, reverse("invoices:subscription-start", args=[subscription.pk]))
    if subscription.status != Subscription.Status.DRAFT:
        messages.success(request, _("The subscription is saved."))
        return go_to(request, page)
    if not wants_partial(request):
        messages.success(request, _("The subscription is saved."))
        return redirect("invoices:subscription-edit", pk=subscription.pk)
    return add_toast(_page(request, editor.anew()), _("The subscription is saved."))


def _page(request: StaffRequest, editor: SubscriptionEditor, status: int = 200) -> HttpResponse:
    return render_page(
        request,
        page="invoices/subscriptions/edit.html",
        partial="invoices/subscriptions/partials/editor.html",
        context=context_of(editor),
        status=status,
    )


@require_POST
@permission_required("invoices.change_subscription", raise_exception=True)
def totals(request: StaffRequest, pk: int) -> HttpResponse:
    """What is typed, added up, and the invoices it would make; nothing is saved."""
    subscription = visible(request, pk)
    if not subscription.is_open:
        return go_to(request, reverse("invoices:subscription", args=[pk]))
    editor = SubscriptionEditor.typed(subscription, request.POST, timezone.localdate())
    context = context_of(editor, live=True)
    return render(request, "invoices/subscriptions/partials/live.html", context)


@require_http_methods(["GET", "POST"])
@permission_required("invoices.view_subscription", raise_exception=True)
def preview(request: StaffRequest, pk: int) -> HttpResponse:
    """Of the next invoice, as a PDF; while it is written, of what is typed."""
    subscription = visible(request, pk)
    if not subscription.is_open:
        return go_to(request, reverse("invoices:subscription", args=[pk]))
    return page_preview.pdf(
        request,
        SubscriptionEditor,
        subscription,
        may_change=request.user.has_perm("invoices.change_subscription"),
        filename=f"subscription-{pk}.pdf",
    )


@require_POST
@permission_required("invoices.change_subscription", raise_exception=True)
def page(request: StaffRequest, pk: int) -> HttpResponse:
    """The page beside the editor: the next invoice, of what is typed."""
    subscription = visible(request, pk)
    if not subscription.is_open:
        return HttpResponse(status=204)
    editor = SubscriptionEditor.typed(subscription, request.POST, timezone.localdate())
    return page_preview.drawn(request, editor)
