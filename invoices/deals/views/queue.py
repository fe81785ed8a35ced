"""Deals to bill: the queue and its exports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.db.models import Prefetch, QuerySet
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy, pgettext, pgettext_lazy
from django.views.decorators.http import require_GET

from billing_portal.accounts.models import User
from billing_portal.figures import grouped
from billing_portal.htmx import StaffRequest, render_page, wants_partial
from billing_portal.keys import contains, text_key
from billing_portal.lists.columns import POSITION, Amount, Column
from billing_portal.lists.filters import chips, left_out, panel_context
from billing_portal.lists.page import Listing, carried, export, show_panel, wants_panel
from billing_portal.lists.paging import Page
from billing_portal.lists.totals import Total, joined, totals_per_currency
from billing_portal.money import formatted_minor, is_currency
from billing_portal.templatetags.portal import query_with
from billing_portal.toasts import announce
from billing_portal.typed.addresses import typed_filters
from invoices.deals.forms import NOBODY, QueueFilter
from invoices.deals.queue import (
    MOST_EXAMINED,
    Queue,
    Waiting,
    examine,
    first_billing_day,
)
from invoices.deals.views.chips import Chip, chip
from invoices.models import Company, Deal, Invoice

PAGE_SIZE = 50
TABS = (
    ("", pgettext_lazy("deals", "All")),
    ("ready", gettext_lazy("Ready")),
    ("missing", gettext_lazy("Something missing")),
    ("aside", gettext_lazy("Set aside")),
    ("billed", gettext_lazy("Billed")),
)
COLUMNS = (
    Column("title", gettext_lazy("Deal"), order="title_key", value=lambda row: row.title),
    Column(
        "client",
        gettext_lazy("Client"),
        order="client__name_key",
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
        gettext_lazy("Value"),
        order="value_minor",
        falling=True,
        classes="num",
        value=lambda row: (
            Amount(row.value_minor, row.currency) if is_currency(row.currency) else None
        ),
    ),
    Column("currency", gettext_lazy("Currency"), value=lambda row: row.currency),
    Column("prices", gettext_lazy("Prices"), value=lambda row: row.get_tax_method_display()),
)
LISTING = Listing(
    name="deals",
    title=gettext_lazy("Deals"),
    columns=COLUMNS,
    default="-won",
    words=ngettext_lazy("%(n)s deal", "%(n)s deals", "count"),
    sums=("value_minor",),
    size=PAGE_SIZE,
)


@dataclass(frozen=True)
class Row:
    deal: Deal
    value: str
    lacks: list[Chip]
    remarks: list[Chip]
    can_be_drafted: bool
    # Where its client is chosen, if that is what keeps it from being drafted.
    choose_url: str
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
            contains("title_key", q) | contains("client__name_key", q) | contains("order_key", q)
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


def _set_aside(deals: QuerySet[Deal]) -> QuerySet[Deal]:
    return deals.filter(status=Deal.Status.WON, set_aside_at__isnull=False)


def _billed(deals: QuerySet[Deal]) -> QuerySet[Deal]:
    alive = Invoice.objects.billing()
    return (
        deals.filter(pk__in=alive.filter(deal__isnull=False).values("deal"))
        .select_related("client__client_type", "owner")
        .prefetch_related(Prefetch("invoices", queryset=alive, to_attr="bills"))
    )


@require_GET
@permission_required("invoices.view_deal", raise_exception=True)
@typed_filters(QueueFilter)
def deal_queue(request: StaffRequest) -> HttpResponse:
    if wants_panel(request):
        form = QueueFilter(request.GET, user=request.user)
        panel = "invoices/deals/partials/deal_filter.html"
        return show_panel(request, panel, form, ("state", "sort"))
    return queue_page(request)


def queue_page(
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
    since = first_billing_day()
    queue = examine(deals.to_bill(since))  # type: ignore[attr-defined]
    aside = _set_aside(deals)
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
        totals = totals_per_currency(rows, *LISTING.sums)
        count = sum(total.count for total in totals)
        totals = [total for total in totals if is_currency(total.currency)]
        page = LISTING.page_of(rows, params, count)
        context["deals"] = [(deal, amount_of(deal)) for deal in page.rows]
    else:
        chosen = {"": queue.all, "ready": queue.ready, "missing": queue.lacking}[state]
        totals = totals_of(chosen)
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
        "found": str(LISTING.words % {"count": count, "n": grouped(count)}),
        "found_total": joined(totals, "value_minor"),
        "ready_count": len(queue.ready),
        "cut_off": MOST_EXAMINED if queue.cut_off else 0,
        "since": since,
        "form": form,
        "chips": chips(form, params),
        "clear_url": query_with(QueryDict(), {"state": state}) if state else "?",
        "kept": carried(params, ("state", "sort")),
        **panel_context(form, params),
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
        page="invoices/deals/deals.html",
        partial="invoices/deals/partials/deal_list.html",
        context=context,
        status=status,
    )
    if wants_partial(request) and not problem:
        announce(answer, f"{context['found']}, {context['found_total']}")
    return answer


def totals_of(waiting: list[Waiting]) -> list[Total]:
    sums: dict[str, list[int]] = {}
    for each in waiting:
        if not is_currency(each.deal.currency):
            continue
        sums.setdefault(each.deal.currency, []).append(each.deal.value_minor)
    found = [Total(code, len(v), {"value_minor": sum(v)}) for code, v in sums.items()]
    return sorted(found, key=lambda t: (-abs(t.sums["value_minor"]), t.currency))


_KEYS: dict[str, Any] = {
    "title": lambda deal: deal.title_key,
    "client": lambda deal: deal.client.name_key if deal.client else "",
    "owner": lambda deal: text_key(str(deal.owner or "")),
    "won": lambda deal: deal.won_on or date.min,
    "amount": lambda deal: deal.value_minor,
}


def _in_order(queue: Queue, state: str, params: QueryDict) -> list[Waiting]:
    """Ready ones first, each group in the chosen order."""
    sort, _path = LISTING.sorted_by(params)
    key = _KEYS[sort.lstrip("-")]
    groups = {"ready": [queue.ready], "missing": [queue.lacking]}
    return [
        each
        for group in groups.get(state, [queue.ready, queue.lacking])
        for each in sorted(
            group, key=lambda w: (key(w.deal), w.deal.pk), reverse=sort.startswith("-")
        )
    ]


def _page(queue: Queue, state: str, params: QueryDict) -> Page[Waiting]:
    """A page of what is in memory anyway."""
    rows = _in_order(queue, state, params)
    at = params.get("at", "")
    first = int(at) if at.isascii() and at.isdigit() and len(at) < 9 else 1
    if not 1 <= first <= len(rows):
        first = 1
    shown = rows[first - 1 : first - 1 + PAGE_SIZE]
    empty = LISTING.page_of(Deal.objects.none(), params, 0)
    before, after = first - PAGE_SIZE, first + PAGE_SIZE
    return Page(
        rows=shown,
        heads=empty.heads,
        sort=empty.sort,
        count=len(rows),
        capped=False,
        first=first if shown else 0,
        previous_url=query_with(params, {**POSITION, "at": max(1, before)}) if first > 1 else "",
        next_url=query_with(params, {**POSITION, "at": after}) if after <= len(rows) else "",
        head=empty.head,
    )


def _groups(page: Page[Waiting], queue: Queue, user: User, focus: int | None) -> list[Group]:
    ready = [w for w in page.rows if w.is_ready]
    lacking = [w for w in page.rows if not w.is_ready]
    order = [w.deal.pk for w in [*ready, *lacking]]
    following = dict(pairwise(order))
    both = (
        (pgettext("deals", "Ready to bill"), "circle-check", len(queue.ready), ready),
        (_("Something missing"), "alert-triangle", len(queue.lacking), lacking),
    )
    return [
        Group(title, icon, count, [_row(w, user, following.get(w.deal.pk), focus) for w in rows])
        for title, icon, count, rows in both
        if rows
    ]


def _row(waiting: Waiting, user: User, following: int | None, focus: int | None) -> Row:
    deal = waiting.deal
    lacks = [chip(each, deal, user) for each in waiting.blocking]
    choice = reverse("invoices:deal-client", args=[deal.pk])
    return Row(
        deal=deal,
        value=amount_of(deal),
        lacks=lacks,
        choose_url=choice if choice in {each.url for each in lacks} else "",
        remarks=[chip(each, deal, user) for each in waiting.remarks],
        can_be_drafted=waiting.can_be_drafted,
        next=following,
        focus=deal.pk == focus,
    )


def amount_of(deal: Deal) -> str:
    # A currency that nobody knows has no coin to count in: the deal says so where it is listed.
    if not is_currency(deal.currency):
        return f"? {deal.currency}"
    return formatted_minor(deal.value_minor, deal.currency)


@require_GET
@permission_required("invoices.export", raise_exception=True)
def export_deals(request: StaffRequest, kind: str) -> HttpResponseBase:
    """The deals of the tab, all of them, with what each lacks."""
    params = request.GET
    form = QueueFilter(params, user=request.user)
    deals = narrowed(request, form)
    not_done = left_out(form)
    state = params.get("state", "")
    if state in ("aside", "billed"):
        rows = _set_aside(deals) if state == "aside" else _billed(deals)
        found = LISTING.in_order(rows.select_related("client", "owner"), params)
        return export(
            LISTING,
            kind,
            found.iterator(chunk_size=1000),
            title=f"{LISTING.title} {dict(TABS)[state]}",
            left_out=not_done,
        )
    queue = examine(deals.to_bill(first_billing_day()))  # type: ignore[attr-defined]
    chosen = _in_order(queue, state, params)
    lacking = {w.deal.pk: w.blocking for w in chosen}
    lacks = Column(
        "lacks",
        _("What it lacks"),
        value=lambda deal: " ".join(each.text for each in lacking[deal.pk]),
    )
    return export(
        LISTING,
        kind,
        (w.deal for w in chosen),
        columns=[*COLUMNS, lacks],
        title=_("Deals to bill"),
        left_out=[*not_done, *([_cut_off()] if queue.cut_off else [])],
    )


def _cut_off() -> str:
    text = _("More than %(n)s deals wait: these are the latest won.")
    return text % {"n": grouped(MOST_EXAMINED)}
