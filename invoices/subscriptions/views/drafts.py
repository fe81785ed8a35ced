"""Subscriptions while they are written: beginning one, the editor, its live panel."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from billing_portal.acts import carry_out
from billing_portal.htmx import StaffRequest, go_to, render_dialog, render_page, wants_partial
from billing_portal.toasts import add_toast
from invoices.clients.forms.clients import chosen_client
from invoices.invoicing.draft_lines import MAX_LINES
from invoices.models import Deal, Invoice, Quote, Subscription
from invoices.subscriptions import beginning, from_deals, writing
from invoices.subscriptions.standing import SubscriptionRefused
from invoices.subscriptions.views.editor import (
    Editor,
    context_of,
    rearranged,
    stored_editor,
    typed_editor,
)


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
        return _page(request, stored_editor(subscription, on))
    act = request.POST.get("act", "save")
    editor = typed_editor(subscription, request.POST, on)
    if rearranged(editor, act):
        return _page(request, editor)
    return _save(request, editor, act)


def _save(request: StaffRequest, editor: Editor, act: str) -> HttpResponse:
    values = editor.check()
    subscription = editor.subscription
    if len(editor.lines) > MAX_LINES:
        editor.problems.append(_("More than %(limit)s lines.") % {"limit": MAX_LINES})
    if not editor.has_errors:
        try:
            problems = writing.save_subscription(
                subscription_id=subscription.pk,
                header=editor.form.header(),
                lines=values,
                by=request.user,
                on=editor.on,
                from_number=editor.form.cleaned_data["lines_from"],
                seen=None if act == "overwrite" else _stamp(request.POST.get("seen", "")),
            )
        except SubscriptionRefused as refusal:
            editor.problems.append(str(refusal))
            editor.stale = True
        else:
            editor.take(problems)
    if editor.has_errors:
        return _page(request, editor, status=422)
    page = reverse("invoices:subscription", args=[subscription.pk])
    if act == "start":
        return go_to(request, reverse("invoices:subscription-start", args=[subscription.pk]))
    if subscription.status != Subscription.Status.DRAFT:
        messages.success(request, _("The subscription is saved."))
        return go_to(request, page)
    if not wants_partial(request):
        messages.success(request, _("The subscription is saved."))
        return redirect("invoices:subscription-edit", pk=subscription.pk)
    fresh = stored_editor(visible(request, subscription.pk), editor.on)
    return add_toast(_page(request, fresh), _("The subscription is saved."))


def _stamp(text: str) -> datetime | None:
    try:
        return parse_datetime(text)
    except ValueError:
        return None


def _page(request: StaffRequest, editor: Editor, status: int = 200) -> HttpResponse:
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
    editor = typed_editor(subscription, request.POST, timezone.localdate())
    context = context_of(editor, live=True)
    return render(request, "invoices/subscriptions/partials/live.html", context)
