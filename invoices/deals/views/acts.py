"""What is done with deals of the queue: drafting one or several, setting aside, taking back."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.http import require_http_methods, require_POST

from billing_portal.acts import already, carry_out, into, said
from billing_portal.confirming import ChangedMeanwhile, Shown
from billing_portal.figures import grouped
from billing_portal.forms import row_id
from billing_portal.htmx import StaffRequest, go_to, render_dialog, wants_partial
from billing_portal.toasts import add_toast, close_overlays, refresh_counts
from invoices.deals.drafting import MOST_AT_ONCE, Drafted, draft_from_deal, draft_several
from invoices.deals.forms import QueueFilter, SetAsideForm
from invoices.deals.queue import (
    SetAsideRefused,
    examine,
    first_billing_day,
    set_aside,
    take_back,
)
from invoices.deals.views.queue import amount_of, narrowed, queue_page, totals_of
from invoices.invoicing.drafting import DraftRefused
from invoices.models import Deal, Invoice

# So many of a batch are named one by one; of the others the number is told.
MOST_NAMED = 10


# ─ Drafting ─────────────────────────────────────────────────────────────────────────────────────
@require_POST
@permission_required("invoices.bill_deal", raise_exception=True)
def draft_deal(request: StaffRequest, pk: int) -> HttpResponse:
    """One click: the draft is made; the queue goes on, or without script its editor opens."""
    on = timezone.localdate()
    following = _following(request, pk) if wants_partial(request) else None
    answer = carry_out(
        request,
        action="draft a deal",
        act=lambda: draft_from_deal(deal_id=pk, by=request.user, on=on),
        refused={DraftRefused: lambda refusal: _not_drafted(request, refusal, following)},
        done=lambda draft: _drafted(request, draft, following),
        again=lambda _before, url: (
            queue_page(request, focus=following) if wants_partial(request) else redirect(url)
        ),
        url=lambda made: reverse("invoices:edit", args=[made.pk]),
    )
    assert answer is not None
    return answer


def _not_drafted(
    request: StaffRequest, refusal: DraftRefused, following: int | None
) -> HttpResponse:
    existing = reverse("invoices:detail", args=[refusal.existing_id]) if refusal.existing_id else ""
    if wants_partial(request):
        return queue_page(
            request, problem=str(refusal), problem_url=existing, focus=following, status=422
        )
    messages.error(request, str(refusal))
    return redirect(existing or reverse("invoices:deals"))


def _drafted(request: StaffRequest, draft: Invoice, following: int | None) -> HttpResponse:
    url = reverse("invoices:edit", args=[draft.pk])
    text = _("The draft for %(client)s is made.") % {"client": draft.client.name}
    if not wants_partial(request):
        messages.success(request, text)
        return redirect(url)
    answer = queue_page(request, focus=following)
    add_toast(answer, text, detail=draft.title, url=url, link=pgettext("button", "Open"))
    return refresh_counts(answer)


def _following(request: StaffRequest, pk: int) -> int | None:
    """The row after this one on the page: the focus goes there when this one has left."""
    return row_id(request.POST.get("next", ""))


@require_http_methods(["GET", "POST"])
@permission_required("invoices.bill_deal", raise_exception=True)
def draft_deals(request: StaffRequest) -> HttpResponse:
    """Several at once: first what would be drafted and what is left out, then the drafts."""
    given = request.POST if request.method == "POST" else request.GET
    ids = [pk for pk in map(row_id, given.getlist("ids")) if pk is not None]
    if request.method == "POST":
        return _draft_now(request, ids)
    return _draft_dialog(request, ids)


def _shown(deals: QuerySet[Deal]) -> Shown:
    """For whom each of them is billed, and how much."""
    names = ("pk", "title", "client_id", "currency", "value_minor")
    return Shown({"deals": list(deals.order_by("pk").values_list(*names))})


def _draft_dialog(request: StaffRequest, ids: list[int], *, changed: str = "") -> HttpResponse:
    form = QueueFilter(request.GET, user=request.user)
    mine = Deal.objects.visible_to(request.user)
    deals = mine.filter(pk__in=ids) if ids else narrowed(request, form)
    queue = examine(deals.to_bill(first_billing_day()))  # type: ignore[attr-defined]
    chosen = [w for w in (queue.all if ids else queue.ready) if w.can_be_drafted]
    over = len(chosen) - MOST_AT_ONCE
    chosen = chosen[:MOST_AT_ONCE]
    left_out = [w for w in queue.lacking if not w.can_be_drafted] if ids else queue.lacking
    totals = totals_of(chosen)
    return render_dialog(
        request,
        "invoices/deals/draft_deals.html",
        {
            "chosen": chosen,
            "changed": changed,
            "confirmed": _shown(Deal.objects.filter(pk__in=[w.deal.pk for w in chosen])).token,
            "n": len(chosen),
            "amounts": [
                (
                    ngettext("%(n)s in %(currency)s", "%(n)s in %(currency)s", t.count)
                    % {"n": grouped(t.count), "currency": t.currency},
                    t.text("value_minor"),
                )
                for t in totals
            ],
            "incomplete": sum(not w.is_ready for w in chosen),
            "left_out": left_out[:8],
            "left_out_count": len(left_out),
            "left_out_more": max(0, len(left_out) - 8),
            # Chosen on a page that was older than what somebody did to them since.
            "gone": max(0, len(set(ids)) - len(queue.all)) if ids else 0,
            "over": max(0, over),
            "limit": MOST_AT_ONCE,
        },
        url=reverse("invoices:draft-deals"),
        back=reverse("invoices:deals"),
        status=422 if changed else 200,
    )


def _draft_now(request: StaffRequest, ids: list[int]) -> HttpResponse:
    on = timezone.localdate()
    back = f"{reverse('invoices:list')}?{urlencode({'state': 'draft'})}"
    if not ids:
        messages.error(request, _("Choose at least one deal. Nothing was drafted."))
        return go_to(request, reverse("invoices:deals"))
    answer = carry_out(
        request,
        action="draft several deals",
        act=lambda: draft_several(deal_ids=ids, by=request.user, on=on),
        confirmed=lambda: _shown(Deal.objects.select_for_update(of=("self",)).filter(pk__in=ids)),
        refused={
            ChangedMeanwhile: lambda refusal: _draft_dialog(request, ids, changed=str(refusal))
        },
        done=lambda made: _several_drafted(request, made, back),
        again=already(request),
        url=back,
    )
    assert answer is not None
    return answer


def _several_drafted(request: StaffRequest, made: Drafted, back: str) -> HttpResponse:
    n = len(made.drafts)
    if n:
        messages.success(
            request,
            ngettext("%(n)s draft is made.", "%(n)s drafts are made.", n) % {"n": grouped(n)},
        )
    for title, reason in made.refused[:MOST_NAMED]:
        messages.warning(
            request,
            _("“%(title)s” was left out. %(reason)s") % {"title": title, "reason": reason},
        )
    if (more := len(made.refused) - MOST_NAMED) > 0:
        text = ngettext(
            "%(n)s more was left out: it stays in the queue, with what it lacks.",
            "%(n)s more were left out: they stay in the queue, with what they lack.",
            more,
        )
        messages.warning(request, text % {"n": grouped(more)})
    return go_to(request, back if n else reverse("invoices:deals"))


# ─ Setting aside ────────────────────────────────────────────────────────────────────────────────
@require_http_methods(["GET", "POST"])
@permission_required("invoices.bill_deal", raise_exception=True)
def set_deal_aside(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Deal.objects.select_related("client"), pk=pk)
    form = SetAsideForm(request.POST or None)
    back = reverse("invoices:deals") + (f"?{request.GET.urlencode()}" if request.GET else "")
    if request.method == "POST" and form.is_valid():
        text = _("“%(title)s” is set aside.") % {"title": found.title}
        answer = carry_out(
            request,
            action="set a deal aside",
            act=lambda: set_aside(
                deal_id=pk, reason=form.cleaned_data["reason"], at=timezone.now()
            ),
            refused={SetAsideRefused: into(form)},
            done=lambda _deal: said(request, text, back),
            url=back,
        )
        if answer is not None:
            return answer
    return render_dialog(
        request,
        "invoices/deals/set_aside.html",
        {"deal": found, "value": amount_of(found), "form": form},
        back=back,
        status=422 if form.errors else 200,
    )


@require_POST
@permission_required("invoices.bill_deal", raise_exception=True)
def take_deal_back(request: StaffRequest, pk: int) -> HttpResponse:
    try:
        found = take_back(deal_id=pk)
    except SetAsideRefused:
        raise Http404 from None
    if wants_partial(request):
        answer = queue_page(request)
        add_toast(
            answer,
            _("“%(title)s” waits in the queue again.") % {"title": found.title},
            url=reverse("invoices:deal", args=[pk]),
            link=pgettext("button", "Open"),
        )
        return refresh_counts(close_overlays(answer))
    messages.success(request, _("“%(title)s” waits in the queue again.") % {"title": found.title})
    return redirect("invoices:deal", pk=pk)
