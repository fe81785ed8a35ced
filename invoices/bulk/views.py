"""Issuing and sending many: what will happen, the click, how far it is, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from billing_portal.acts import carry_out
from billing_portal.confirming import row_under_lock
from billing_portal.forms import row_id
from billing_portal.htmx import StaffRequest, go_to
from billing_portal.money import formatted_minor
from invoices.bulk import beginning, foretelling
from invoices.bulk.beginning import BatchRefused
from invoices.invoicing.reasons import Reason
from invoices.invoicing.views.mending import place_of
from invoices.models import Batch, BatchItem, Invoice
from invoices.models.einvoicing import Way
from invoices.selections.filters import InvoiceFilter, select

State, ItemState = Batch.State, BatchItem.State
# Of a list that is shown with others; alone it has pages of PAGE.
FEW, PAGE = 20, 100
TITLES = {
    ItemState.FAILED: gettext_lazy("Refused"),
    ItemState.OTHERS: gettext_lazy("Done by somebody else meanwhile"),
    ItemState.LEFT_OUT: gettext_lazy("What will not happen, and why"),
    ItemState.WAITING: gettext_lazy("What will happen"),
    ItemState.DONE: gettext_lazy("What was done"),
}
WAY_ICONS = {"platform": "building-bank", "mail": "mail", "post": "printer", "unknown": "help"}
LOOKS = {
    State.LOOKING: ("hourglass", "promised"),
    State.READY: ("eye", "issued"),
    State.RUNNING: ("refresh", "sent"),
    State.STOPPED: ("hand-stop", "overdue"),
    State.DONE: ("circle-check", "settled"),
}


# ─ Chosen in a list ─────────────────────────────────────────────────────────────────────────────
@require_POST
@permission_required("invoices.send_invoice", raise_exception=True)
def new(request: StaffRequest) -> HttpResponse:
    """What was ticked, or all that the list's filter finds; nothing happens to it yet."""
    act = request.POST.get("act", "")
    if act not in Batch.Act.values:
        act = Batch.Act.SEND
    _allowed(request, act)
    back = reverse("invoices:list") + _query(request)
    chosen, problems = _chosen(request, act)
    if problems:
        # Of a filter that was half understood "all" would mean more than was seen.
        messages.error(request, " ".join(problems) + " " + _("Nothing was begun."))
        return redirect(back)
    try:
        batch = beginning.begin(act=act, chosen=chosen, by=request.user, on=timezone.localdate())
    except BatchRefused as refusal:
        messages.error(request, str(refusal))
        return redirect(back)
    return redirect("invoices:batch", pk=batch.pk)


def _query(request: StaffRequest) -> str:
    text = request.POST.get("query", "").lstrip("?")[:2_000]
    # Spelled anew: an address that was made up leads to the list and nowhere else.
    return f"?{QueryDict(text).urlencode()}" if text else ""


def _chosen(request: StaffRequest, act: str) -> tuple[QuerySet[Invoice], list[str]]:
    mine = Invoice.objects.visible_to(request.user)
    if "all" not in request.POST:
        given = [pk for pk in map(row_id, request.POST.getlist("ids")) if pk is not None]
        return mine.filter(pk__in=given), []
    wanted, problems = InvoiceFilter.read(QueryDict(_query(request).lstrip("?")))
    found, _columns = select(mine, wanted, timezone.localdate())
    pks = found.order_by().values("pk")
    # Of a list that shows both, "all" are those to which this can happen at all.
    fitting = mine.drafts() if act != Batch.Act.SEND else mine.issued()
    return fitting.filter(pk__in=pks), problems


def _allowed(request: StaffRequest, act: str) -> None:
    if act != Batch.Act.SEND and not request.user.has_perm("invoices.issue_invoice"):
        raise PermissionDenied


# ─ Its page ─────────────────────────────────────────────────────────────────────────────────────
@require_GET
@permission_required("invoices.send_invoice", raise_exception=True)
def batch(request: StaffRequest, pk: int) -> HttpResponse:
    found = _one(pk)
    counts = foretelling.counts_of(found)
    shown = request.GET.get("show", "")
    states = [state for state in TITLES if counts[state]]
    alone = shown if shown in states else ""
    context: dict[str, Any] = {
        **_progress(found, counts),
        "sections": [
            _section(request, found, state, counts[state], alone=bool(alone))
            for state in states
            if not alone or state == alone
        ],
        "alone": alone,
        "sums": foretelling.sums_of(found),
        "numbers": foretelling.numbers_of(found),
        "ways": foretelling.ways_of(found),
        "nothing": found.state == State.READY and not counts[ItemState.WAITING],
        "may": found.act == Batch.Act.SEND or request.user.has_perm("invoices.issue_invoice"),
        "look": LOOKS[State(found.state)],
        "list_url": reverse("invoices:list") + ("?state=draft" if found.issues else ""),
    }
    return render(request, "invoices/bulk/batch.html", context)


@require_GET
@permission_required("invoices.send_invoice", raise_exception=True)
def progress(request: StaffRequest, pk: int) -> HttpResponse:
    """The fragment that the page polls; at its end it leads the window to the result."""
    found = _one(pk)
    if not found.is_moving:
        return go_to(request, reverse("invoices:batch", args=[pk]))
    context = _progress(found, foretelling.counts_of(found))
    return render(request, "invoices/bulk/partials/progress.html", context)


def _one(pk: int) -> Batch:
    return get_object_or_404(Batch.objects.select_related("created_by", "started_by"), pk=pk)


def _progress(found: Batch, counts: dict[str, int]) -> dict[str, Any]:
    count = sum(counts.values())
    left = counts[ItemState.NEW] if found.state == State.LOOKING else counts[ItemState.WAITING]
    total = count if found.state == State.LOOKING else count - counts[ItemState.LEFT_OUT]
    return {
        "batch": found,
        "counts": counts,
        "count": count,
        "total": total,
        "left": left,
        "ended": total - left,
        "refused": counts[ItemState.FAILED],
    }


def _section(
    request: StaffRequest, found: Batch, state: str, count: int, *, alone: bool
) -> dict[str, Any]:
    rows = (
        found.items.filter(state=state)
        .select_related("invoice__client__client_type", "message")
        .order_by("position")
    )
    page = Paginator(rows, PAGE if alone else FEW).get_page(request.GET.get("page") or 1)
    return {
        "state": state,
        "title": TITLES[ItemState(state)],
        "count": count,
        "page": page,
        "rows": [_row(item, found, request) for item in page.object_list],
        "more": count - FEW if not alone else 0,
    }


def _row(item: BatchItem, found: Batch, request: StaffRequest) -> dict[str, Any]:
    invoice = item.invoice
    edit_url = reverse("invoices:edit", args=[invoice.pk])
    sign = -1 if invoice.is_credit_note else 1

    def linked(kept: list[dict[str, str]]) -> list[tuple[str, str]]:
        reasons = [Reason(**each) for each in kept]
        return [(r.text, place_of(r, invoice, request.user, edit_url)) for r in reasons]

    return {
        "item": item,
        "invoice": invoice,
        "client": invoice.client_name,
        "amount": formatted_minor(sign * invoice.total_minor, invoice.currency),
        "reasons": linked(item.reasons),
        "warnings": linked(item.warnings) if item.state == ItemState.WAITING else [],
        "way": Way(item.way).label if item.way else "",
        "way_icon": WAY_ICONS.get(item.way, "help"),
        "to": ", ".join(item.recipients[:3]) + ("…" if len(item.recipients) > 3 else ""),
        "mails": found.sends,
    }


@require_GET
@permission_required("invoices.send_invoice", raise_exception=True)
def batches(request: StaffRequest) -> HttpResponse:
    """Those of before, with what came of them."""
    ends = {
        name: Count("items", filter=Q(items__state=state))
        for name, state in (
            ("n_done", ItemState.DONE),
            ("n_failed", ItemState.FAILED),
            ("n_others", ItemState.OTHERS),
            ("n_left_out", ItemState.LEFT_OUT),
        )
    }
    rows = Batch.objects.select_related("created_by").annotate(n=Count("items"), **ends)
    rows = rows.order_by("-pk")
    page = Paginator(rows, 50).get_page(request.GET.get("page") or 1)
    context = {
        "page": page,
        "rows": [{"batch": row, "look": LOOKS[State(row.state)]} for row in page.object_list],
    }
    return render(request, "invoices/bulk/batches.html", context)


# ─ The clicks ───────────────────────────────────────────────────────────────────────────────────
@require_POST
@permission_required("invoices.send_invoice", raise_exception=True)
def start(request: StaffRequest, pk: int) -> HttpResponse:
    return _click(
        request, pk, "start a batch", lambda: beginning.start(batch_id=pk, by=request.user)
    )


@require_POST
@permission_required("invoices.send_invoice", raise_exception=True)
def stop(request: StaffRequest, pk: int) -> HttpResponse:
    """Whatever was seen: what is wrong is stopped first and looked at then."""
    _allowed(request, _one(pk).act)
    beginning.stop(batch_id=pk)
    return go_to(request, reverse("invoices:batch", args=[pk]))


@require_POST
@permission_required("invoices.send_invoice", raise_exception=True)
def resume(request: StaffRequest, pk: int) -> HttpResponse:
    return _click(
        request,
        pk,
        "resume a batch",
        lambda: beginning.resume(batch_id=pk, by=request.user, on=timezone.localdate()),
    )


def _click(request: StaffRequest, pk: int, action: str, act: Callable[[], Batch]) -> HttpResponse:
    _allowed(request, _one(pk).act)
    url = reverse("invoices:batch", args=[pk])

    def refused(refusal: BatchRefused) -> HttpResponse:
        messages.error(request, str(refusal))
        return go_to(request, url)

    answer = carry_out(
        request,
        action=action,
        act=act,
        confirmed=row_under_lock(Batch.objects.all(), pk),
        refused={BatchRefused: refused},
        done=lambda _batch: go_to(request, url),
        url=url,
    )
    assert answer is not None
    return answer
