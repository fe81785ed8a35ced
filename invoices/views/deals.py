"""Deals to bill: the queue, one deal, drafting one or several, setting aside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import Prefetch, Q, QuerySet
from django.http import Http404, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from moneyed import Money

from billing_portal.accounts.models import User
from billing_portal.htmx import StaffRequest, go_to, render_page, wants_partial
from billing_portal.lists import (
    POSITION,
    Column,
    Page,
    Total,
    chips,
    joined,
    paginate,
    stream_csv,
    totals_per_currency,
)
from billing_portal.money import digits, formatted, formatted_minor, from_minor, is_currency
from billing_portal.once import AlreadyDone, carry_out, key_of
from billing_portal.templatetags.portal import grouped, query_with
from billing_portal.toasts import add_toast, announce, close_overlays, refresh_counts
from invoices.billing_queue import (
    CHIPS,
    MOST_AT_ONCE,
    MOST_EXAMINED,
    OF_THE_CLIENT,
    Queue,
    SetAsideRefused,
    Waiting,
    draft_several,
    examine,
    set_aside,
    take_back,
)
from invoices.drafting import (
    DraftRefused,
    Missing,
    draft_from_deal,
    drafted_lines,
    missing_for,
    told,
    with_what_billing_needs,
)
from invoices.forms.deals import NOBODY, QueueFilter, SetAsideForm
from invoices.models import Client, Company, Deal, Invoice
from invoices.totals import STANDARD, TotalsRefused
from invoices.vat import vat_treatment

PAGE_SIZE = 50
TABS = (
    ("", gettext_lazy("All")),
    ("ready", gettext_lazy("Ready")),
    ("missing", gettext_lazy("Something missing")),
    ("aside", gettext_lazy("Set aside")),
    ("billed", gettext_lazy("Billed")),
)
COLUMNS = (
    Column("title", gettext_lazy("Deal"), order="title", value=lambda row: row.title),
    Column(
        "client",
        gettext_lazy("Client"),
        order="client__name",
        value=lambda row: row.client.name if row.client else "",
    ),
    Column(
        "owner",
        gettext_lazy("Sold by"),
        order="owner__name",
        nullable=True,
        classes="d-none d-xl-table-cell",
        value=lambda row: str(row.owner or ""),
    ),
    Column(
        "won",
        gettext_lazy("Won"),
        order="won_on",
        nullable=True,
        falling=True,
        classes="d-none d-md-table-cell",
        value=lambda row: row.won_on,
    ),
    Column(
        "amount",
        gettext_lazy("Before VAT"),
        order="value_minor",
        falling=True,
        classes="num",
        value=lambda row: (
            from_minor(row.value_minor, row.currency) if is_currency(row.currency) else None
        ),
    ),
    Column("currency", gettext_lazy("Currency"), value=lambda row: row.currency),
)


@dataclass(frozen=True)
class Chip:
    """One thing that a deal lacks, and where it is mended."""

    text: str
    url: str
    hint: str


@dataclass(frozen=True)
class Row:
    deal: Deal
    value: str
    lacks: list[Chip]
    remarks: list[Chip]
    can_be_drafted: bool
    # The row after it: its button receives the focus when this one has gone.
    next: int | None = None
    focus: bool = False


@dataclass(frozen=True)
class Group:
    title: str
    icon: str
    count: int
    rows: list[Row]


def narrowed(request: StaffRequest, form: QueueFilter) -> QuerySet[Deal]:
    """The deals that this person may see and the address means, whatever their state."""
    found = Deal.objects.visible_to(request.user)
    form.is_valid()
    wanted = form.cleaned_data
    if q := wanted.get("q"):
        found = found.filter(
            Q(title__icontains=q) | Q(client__name__icontains=q) | Q(purchase_order__icontains=q)
        )
    if pipeline := wanted.get("pipeline"):
        found = found.filter(stage__pipeline=pipeline)
    if types := list(wanted.get("type") or ()):
        found = found.filter(client__client_type__in=types)
    if code := wanted.get("currency"):
        found = found.filter(currency=code)
    if since := wanted.get("won_from"):
        found = found.filter(won_on__gte=since)
    if owner := wanted.get("owner"):
        found = (
            found.filter(owner__isnull=True) if owner == NOBODY else found.filter(owner_id=owner)
        )
    return found


def _since() -> date | None:
    return Company.objects.filter(pk=1).values_list("billing_starts_on", flat=True).first()


def _billed(deals: QuerySet[Deal]) -> QuerySet[Deal]:
    alive = Invoice.objects.filter(kind=Invoice.Kind.INVOICE).exclude(status=Invoice.Status.VOID)
    return (
        deals.filter(pk__in=alive.filter(deal__isnull=False).values("deal"))
        .select_related("client__client_type", "owner")
        .prefetch_related(Prefetch("invoices", queryset=alive, to_attr="bills"))
    )


@require_GET
@permission_required("invoices.view_deal", raise_exception=True)
def deal_queue(request: StaffRequest) -> HttpResponse:
    return _queue_page(request)


def _queue_page(
    request: StaffRequest,
    *,
    problem: str = "",
    problem_url: str = "",
    focus: int | None = None,
    status: int = 200,
) -> HttpResponse:
    params = request.GET
    state = params.get("state", "")
    if state not in dict(TABS):
        state = ""
    form = QueueFilter(params, user=request.user)
    deals = narrowed(request, form)
    since = _since()
    queue = examine(deals.to_bill(since))  # type: ignore[attr-defined]
    aside = deals.filter(status=Deal.Status.WON, set_aside_at__isnull=False)
    counts = {
        "": len(queue.all),
        "ready": len(queue.ready),
        "missing": len(queue.lacking),
        "aside": aside.count(),
    }
    context: dict[str, Any] = {}
    if state in ("aside", "billed"):
        rows = (
            aside.select_related("client__client_type", "owner")
            if state == "aside"
            else _billed(deals)
        )
        totals = totals_per_currency(rows, "value_minor")
        count = sum(total.count for total in totals)
        totals = [total for total in totals if is_currency(total.currency)]
        page = paginate(rows, params, COLUMNS, default="-won", size=PAGE_SIZE, count=count)
        context["deals"] = [(deal, _amount(deal)) for deal in page.rows]
    else:
        chosen = {"": queue.all, "ready": queue.ready, "missing": queue.lacking}[state]
        totals = _totals(chosen)
        count = len(chosen)
        page = _page(queue, state, params)
        context["groups"] = _groups(page, queue, request.user, focus)
    context |= {
        "page": page,
        "state": state,
        "tabs": [
            {
                "key": key or "all",
                "label": label,
                "count": grouped(counts[key]) if key in counts else "",
                "url": query_with(params, {"sort": None, **POSITION, "state": key}),
                "current": key == state,
            }
            for key, label in TABS
        ],
        "count": count,
        "found": ngettext("%(n)s deal", "%(n)s deals", count) % {"n": grouped(count)},
        "found_total": joined(totals, "value_minor"),
        "ready_count": len(queue.ready),
        "cut_off": MOST_EXAMINED if queue.cut_off else 0,
        "since": since,
        "form": form,
        "chips": chips(form, params),
        "clear_url": query_with(QueryDict(), {"state": state}) if state else "?",
        "kept": [(key, v) for key in ("state", "sort") for v in params.getlist(key)],
        "filtered": any(params.get(name) for name in form.fields),
        "query": f"?{params.urlencode()}" if params else "",
        "problem": problem,
        "problem_url": problem_url,
        "may_bill": request.user.has_perm("invoices.bill_deal"),
        "has_company": Company.objects.filter(pk=1).exists(),
        "nothing_at_all": not count and not Deal.objects.visible_to(request.user).exists(),
    }
    answer = render_page(
        request,
        page="invoices/deals.html",
        partial="invoices/partials/deal_list.html",
        context=context,
        status=status,
    )
    if wants_partial(request) and not problem:
        announce(answer, f"{context['found']}, {context['found_total']}")
    return answer


def _totals(waiting: list[Waiting]) -> list[Total]:
    sums: dict[str, list[int]] = {}
    for each in waiting:
        if not is_currency(each.deal.currency):
            continue
        sums.setdefault(each.deal.currency, []).append(each.deal.value_minor)
    found = [Total(code, len(v), {"value_minor": sum(v)}) for code, v in sums.items()]
    return sorted(found, key=lambda t: (-abs(t.sums["value_minor"]), t.currency))


_KEYS: dict[str, Any] = {
    "title": lambda deal: deal.title.lower(),
    "client": lambda deal: deal.client.name.lower() if deal.client else "",
    "owner": lambda deal: str(deal.owner or "").lower(),
    "won": lambda deal: deal.won_on or date.min,
    "amount": lambda deal: deal.value_minor,
}


def _page(queue: Queue, state: str, params: QueryDict) -> Page[Waiting]:
    """A page of what is in memory anyway: ready ones first, each group in the chosen order."""
    sort = params.get("sort", "")
    if sort.lstrip("-") not in _KEYS:
        sort = "-won"
    key = _KEYS[sort.lstrip("-")]
    groups = {"": [queue.ready, queue.lacking], "ready": [queue.ready], "missing": [queue.lacking]}
    rows = [
        each
        for group in groups[state]
        for each in sorted(
            group, key=lambda w: (key(w.deal), w.deal.pk), reverse=sort.startswith("-")
        )
    ]
    at = params.get("at", "")
    first = int(at) if at.isascii() and at.isdigit() and len(at) < 9 else 1
    if not 1 <= first <= len(rows):
        first = 1
    shown = rows[first - 1 : first - 1 + PAGE_SIZE]
    empty = paginate(Deal.objects.none(), params, COLUMNS, default="-won", count=0)
    before, after = first - PAGE_SIZE, first + PAGE_SIZE
    return Page(
        rows=shown,
        heads=empty.heads,
        sort=sort,
        count=len(rows),
        capped=False,
        first=first if shown else 0,
        previous_url=query_with(params, {**POSITION, "at": max(1, before)}) if first > 1 else "",
        next_url=query_with(params, {**POSITION, "at": after}) if after <= len(rows) else "",
        head=empty.head,
    )


def _groups(page: Page[Waiting], queue: Queue, user: User, focus: int | None) -> list[Group]:
    may_edit = user.has_perm("invoices.change_client")
    ready = [w for w in page.rows if w.is_ready]
    lacking = [w for w in page.rows if not w.is_ready]
    order = [w.deal.pk for w in [*ready, *lacking]]
    following = dict(pairwise(order))
    both = (
        (_("Ready to bill"), "circle-check", len(queue.ready), ready),
        (_("Something missing"), "alert-triangle", len(queue.lacking), lacking),
    )
    return [
        Group(
            title, icon, count, [_row(w, may_edit, following.get(w.deal.pk), focus) for w in rows]
        )
        for title, icon, count, rows in both
        if rows
    ]


def _row(waiting: Waiting, may_edit: bool, following: int | None, focus: int | None) -> Row:
    deal = waiting.deal
    return Row(
        deal=deal,
        value=_amount(deal),
        lacks=[chip(each, deal, may_edit) for each in waiting.blocking],
        remarks=[chip(each, deal, may_edit) for each in waiting.remarks],
        can_be_drafted=waiting.can_be_drafted,
        next=following,
        focus=deal.pk == focus,
    )


def _amount(deal: Deal) -> str:
    # A currency that nobody knows has no coin to count in: the deal says so where it is listed.
    if not is_currency(deal.currency):
        return f"? {deal.currency}"
    return formatted_minor(deal.value_minor, deal.currency)


def chip(missing: Missing, deal: Deal, may_edit: bool) -> Chip:
    short = CHIPS.get(missing.field)
    text = str(short) if short else missing.text
    if missing.field in OF_THE_CLIENT and deal.client_id and may_edit:
        url = reverse("invoices:client-edit", args=[deal.client_id])
    else:
        url = reverse("invoices:deal", args=[deal.pk])
    return Chip(text, url, missing.text)


@require_GET
@permission_required("invoices.export", raise_exception=True)
def export_deals_csv(request: StaffRequest) -> HttpResponseBase:
    """The deals of the tab, all of them, with what each lacks."""
    form = QueueFilter(request.GET, user=request.user)
    deals = narrowed(request, form)
    state = request.GET.get("state", "")
    if state in ("aside", "billed"):
        rows = (
            deals.filter(status=Deal.Status.WON, set_aside_at__isnull=False)
            if state == "aside"
            else _billed(deals)
        ).select_related("client", "owner")
        return stream_csv(rows.iterator(chunk_size=1000), COLUMNS, f"deals-{state}.csv")
    queue = examine(deals.to_bill(_since()))  # type: ignore[attr-defined]
    chosen = {"ready": queue.ready, "missing": queue.lacking}.get(state, queue.all)
    lacks = Column(
        "lacks",
        _("What it lacks"),
        value=lambda deal: " ".join(each.text for each in lacking[deal.pk]),
    )
    lacking = {w.deal.pk: w.blocking for w in chosen}
    return stream_csv((w.deal for w in chosen), [*COLUMNS, lacks], "deals-to-bill.csv")


# ─ One deal ─────────────────────────────────────────────────────────────────────────────────────
@require_GET
@permission_required("invoices.view_deal", raise_exception=True)
def deal(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(
        with_what_billing_needs(Deal.objects.visible_to(request.user)).select_related(
            "stage__pipeline"
        ),
        pk=pk,
    )
    company = Company.objects.filter(pk=1).first()
    bills = list(found.invoices.filter(kind=Invoice.Kind.INVOICE).order_by("-pk"))
    alive = next((bill for bill in bills if bill.status != Invoice.Status.VOID), None)
    missing = missing_for([found], company)[found.pk]
    waiting = Waiting(found, tuple(missing))
    may_edit = request.user.has_perm("invoices.change_client")
    can_bill = (
        request.user.has_perm("invoices.bill_deal")
        and alive is None
        and found.set_aside_at is None
        and found.status == Deal.Status.WON
    )
    return render_page(
        request,
        page="invoices/deal.html",
        partial="invoices/deal.html",
        context={
            "deal": found,
            "value": _amount(found),
            "bills": bills,
            "alive": alive,
            "on": timezone.localdate(),
            "lacks": [chip(each, found, may_edit) for each in waiting.blocking],
            "remarks": [chip(each, found, may_edit) for each in waiting.remarks],
            "can_bill": can_bill,
            "can_draft": can_bill and waiting.can_be_drafted,
            "left_out": [line for line in found.lines.all() if not line.enabled],
            **_added_up(found, company),
        },
    )


def _added_up(found: Deal, company: Company | None) -> dict[str, Any]:
    """The deal as an invoice would say it: lines, totals, and how they differ from its value."""
    if not is_currency(found.currency):
        text = _("“%(code)s” is not a currency that we know.")
        return {"refusal": text % {"code": found.currency[:10]}}
    try:
        treatment = vat_treatment(found.client or Client(country="FR"), company)
        drafted = drafted_lines(found, treatment)
    except TotalsRefused as refusal:
        return {"refusal": str(refusal)}
    totals = drafted.totals
    code = found.currency
    difference = found.value_minor - drafted.deal_sum_minor
    return {
        "lines": [
            {
                "text": line.description,
                "quantity": line.amounts.quantity,
                "price": _price(line.amounts.unit_price, code),
                "percent": line.amounts.discount_percent,
                "amount": (
                    _price(line.amounts.discount_amount, code)
                    if line.amounts.discount_amount
                    else ""
                ),
                "rate": line.amounts.vat_rate if line.amounts.vat_category == STANDARD else None,
                "net": formatted_minor(sums.net_minor, code),
            }
            for line, sums in zip(drafted.lines, totals.lines, strict=True)
        ],
        "net": formatted_minor(totals.net_minor, code),
        "groups": [
            (
                group.vat_rate if group.vat_category == STANDARD else None,
                formatted_minor(group.basis_minor, code),
                formatted_minor(group.vat_minor, code),
            )
            for group in totals.breakdown
        ],
        "total": formatted_minor(totals.total_minor, code),
        "difference": formatted_minor(difference, code) if difference else "",
        "deal_sum": formatted_minor(drafted.deal_sum_minor, code),
        "notes": [told(note) for note in drafted.notes],
    }


def _price(price: Decimal, currency: str) -> str:
    """A unit price keeps its decimals beyond the coin."""
    places = max(digits(currency), -int(price.normalize().as_tuple().exponent))
    return formatted(Money(price.quantize(Decimal(1).scaleb(-places)), currency))


# ─ Drafting ─────────────────────────────────────────────────────────────────────────────────────
@require_POST
@permission_required("invoices.bill_deal", raise_exception=True)
def draft_deal(request: StaffRequest, pk: int) -> HttpResponse:
    """One click: the draft is made; the queue goes on, or without script its editor opens."""
    on = timezone.localdate()
    following = _following(request, pk) if wants_partial(request) else None
    try:
        draft = carry_out(
            key=key_of(request),
            action="draft a deal",
            by=request.user,
            act=lambda: draft_from_deal(deal_id=pk, by=request.user, on=on),
            url=lambda made: reverse("invoices:edit", args=[made.pk]),
        )
    except DraftRefused as refusal:
        existing = (
            reverse("invoices:detail", args=[refusal.existing_id]) if refusal.existing_id else ""
        )
        if wants_partial(request):
            return _queue_page(
                request, problem=str(refusal), problem_url=existing, focus=following, status=422
            )
        messages.error(request, str(refusal))
        return redirect(existing or reverse("invoices:deals"))
    except AlreadyDone as done:
        if wants_partial(request):
            return _queue_page(request, focus=following)
        return redirect(done.result_url or reverse("invoices:deals"))
    url = reverse("invoices:edit", args=[draft.pk])
    said = _("The draft for %(client)s is made.") % {"client": draft.client.name}
    if not wants_partial(request):
        messages.success(request, said)
        return redirect(url)
    answer = _queue_page(request, focus=following)
    add_toast(answer, said, detail=draft.title, url=url, link=pgettext("button", "Open"))
    return refresh_counts(answer)


def _following(request: StaffRequest, pk: int) -> int | None:
    """The row after this one on the page: the focus goes there when this one has left."""
    text = request.POST.get("next", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else None


@require_http_methods(["GET", "POST"])
@permission_required("invoices.bill_deal", raise_exception=True)
def draft_deals(request: StaffRequest) -> HttpResponse:
    """Several at once: first what would be drafted and what is left out, then the drafts."""
    given = request.POST if request.method == "POST" else request.GET
    ids = [int(text) for text in given.getlist("ids") if text.isdigit() and len(text) < 18]
    form = QueueFilter(request.GET, user=request.user)
    if request.method == "POST":
        return _draft_now(request, ids)
    deals = Deal.objects.filter(pk__in=ids) if ids else narrowed(request, form)
    queue = examine(deals.to_bill(_since()))  # type: ignore[attr-defined]
    chosen = [w for w in (queue.all if ids else queue.ready) if w.can_be_drafted]
    over = len(chosen) - MOST_AT_ONCE
    chosen = chosen[:MOST_AT_ONCE]
    left_out = [w for w in queue.lacking if not w.can_be_drafted] if ids else queue.lacking
    totals = _totals(chosen)
    return render_page(
        request,
        page="invoices/draft_deals_page.html",
        partial="invoices/draft_deals.html",
        context={
            "chosen": chosen,
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
            "over": max(0, over),
            "limit": MOST_AT_ONCE,
        },
    )


def _draft_now(request: StaffRequest, ids: list[int]) -> HttpResponse:
    on = timezone.localdate()
    back = f"{reverse('invoices:list')}?{urlencode({'state': 'draft'})}"
    if not ids:
        messages.error(request, _("Choose at least one deal. Nothing was drafted."))
        return go_to(request, reverse("invoices:deals"))
    try:
        made = carry_out(
            key=key_of(request),
            action="draft several deals",
            by=request.user,
            act=lambda: draft_several(deal_ids=ids, by=request.user, on=on),
            url=lambda _made: back,
        )
    except AlreadyDone as done:
        messages.info(request, str(done))
        return go_to(request, done.result_url or back)
    n = len(made.drafts)
    if n:
        messages.success(
            request,
            ngettext("%(n)s draft is made.", "%(n)s drafts are made.", n) % {"n": grouped(n)},
        )
    for title, reason in made.refused[:10]:
        messages.warning(
            request,
            _("“%(title)s” was left out. %(reason)s") % {"title": title, "reason": reason},
        )
    return go_to(request, back if n else reverse("invoices:deals"))


# ─ Setting aside ────────────────────────────────────────────────────────────────────────────────
@require_http_methods(["GET", "POST"])
@permission_required("invoices.bill_deal", raise_exception=True)
def set_deal_aside(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Deal.objects.select_related("client"), pk=pk)
    form = SetAsideForm(request.POST or None)
    back = reverse("invoices:deals") + (f"?{request.GET.urlencode()}" if request.GET else "")
    if request.method == "POST" and form.is_valid():
        try:
            carry_out(
                key=key_of(request),
                action="set a deal aside",
                by=request.user,
                act=lambda: set_aside(
                    deal_id=pk, reason=form.cleaned_data["reason"], at=timezone.now()
                ),
                url=lambda _deal: back,
            )
        except SetAsideRefused as refusal:
            form.add_error(None, str(refusal))
        except AlreadyDone:
            return go_to(request, back)
        else:
            said = _("“%(title)s” is set aside.") % {"title": found.title}
            messages.success(request, said)
            return go_to(request, back)
    return render_page(
        request,
        page="invoices/set_aside_page.html",
        partial="invoices/set_aside.html",
        context={"deal": found, "value": _amount(found), "form": form, "back": back},
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
        answer = _queue_page(request)
        add_toast(
            answer,
            _("“%(title)s” waits in the queue again.") % {"title": found.title},
            url=reverse("invoices:deal", args=[pk]),
            link=pgettext("button", "Open"),
        )
        return refresh_counts(close_overlays(answer))
    messages.success(request, _("“%(title)s” waits in the queue again.") % {"title": found.title})
    return redirect("invoices:deal", pk=pk)
