"""E-invoicing: the strip of groups, the life of one invoice, and the list."""

from __future__ import annotations

from typing import Any, Final

from django.contrib.auth.decorators import permission_required
from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from billing_portal import dates
from billing_portal.forms import row_id
from billing_portal.htmx import StaffRequest, render_page
from billing_portal.money import formatted_minor
from invoices.einvoicing import platforms
from invoices.lifecycle import worklist
from invoices.lifecycle.views.showing import ROWS, life_context, rows_of
from invoices.models import Company, Transmission
from invoices.models.einvoicing import Group

SIZE: Final = 25
_LOOKS: Final = {
    Group.FAILED: ("alert-circle", gettext_lazy("need a new number")),
    Group.DISPUTED: ("message-exclamation", gettext_lazy("the client waits for you")),
    Group.WAITING: ("clock", ""),
    Group.CLIENT: ("send", ""),
    Group.PAID: ("cash", ""),
}


@require_GET
@permission_required("invoices.view_invoice", raise_exception=True)
def einvoicing(request: StaffRequest) -> HttpResponse:
    now = timezone.now()
    mine = worklist.visible(request.user)
    group = request.GET.get("is", "")
    group = group if group in worklist.SHOWN else ""
    rows = mine.filter(group=group) if group else mine
    ordered = worklist.in_order(rows).select_related(*ROWS)
    start = _start(request)
    page = list(ordered[start : start + SIZE + 1])
    waiting = list(worklist.needing(mine, now).values_list("pk", flat=True)[:200])
    shown = _shown(request, mine, waiting)
    counts = worklist.counts(mine)
    context: dict[str, Any] = {
        "platform": platforms.connected(),
        "company": Company.ours(),
        "strip": [_tile(key, counts[key], now) for key in worklist.SHOWN],
        "group": group,
        "group_label": Group(group).label if group else "",
        "rows": rows_of(page[:SIZE]),
        "first": start + 1,
        "last": start + len(page[:SIZE]),
        "previous": max(0, start - SIZE) if start else None,
        "next": start + SIZE if len(page) > SIZE else None,
        "count": sum(each.count for each in counts.values()),
        "unknown": list(worklist.unknown()[:20]) if _sees_all(request) else [],
        "unknown_count": worklist.unknown().count() if _sees_all(request) else 0,
        "incoming": worklist.incoming() if _sees_all(request) else (0, None),
    }
    if shown is not None:
        context |= life_context(shown)
        context |= _neighbours(shown.pk, waiting)
    return render_page(
        request,
        page="invoices/lifecycle/einvoicing.html",
        partial="invoices/lifecycle/einvoicing.html",
        context=context,
    )


def _sees_all(request: StaffRequest) -> bool:
    return request.user.has_perm("invoices.view_client")


def _start(request: StaffRequest) -> int:
    text = request.GET.get("from", "")
    return min(int(text), 1_000_000) if text.isdecimal() and len(text) < 8 else 0


def _shown(
    request: StaffRequest, mine: QuerySet[Transmission], waiting: list[int]
) -> Transmission | None:
    """The one that was chosen, else the oldest that needs somebody."""
    wanted = row_id(request.GET.get("show", ""))
    pk = wanted if wanted is not None else next(iter(waiting), None)
    return mine.select_related(*ROWS).filter(pk=pk).first() if pk is not None else None


def _neighbours(pk: int, waiting: list[int]) -> dict[str, Any]:
    if pk not in waiting:
        return {"needing": len(waiting), "first_needing": next(iter(waiting), None)}
    place = waiting.index(pk)
    return {
        "needing": len(waiting),
        "place": place + 1,
        "before": waiting[place - 1] if place else None,
        "after": waiting[place + 1] if place + 1 < len(waiting) else None,
    }


def _tile(key: Group, found: worklist.Counted, now: Any) -> dict[str, Any]:
    icon, note = _LOOKS[key]
    sums = ", ".join(formatted_minor(minor, code) for code, minor in sorted(found.sums.items()))
    if key == Group.WAITING and found.oldest is not None:
        note = _("oldest: %(moment)s") % {"moment": dates.moment(found.oldest, now)}
    return {
        "key": key,
        "label": key.label,
        "icon": icon,
        "count": found.count,
        "sums": sums if found.count else "",
        "note": note if found.count else _("none"),
        "late": key == Group.FAILED and found.count > 0,
        "url": f"{reverse('invoices:einvoicing')}?is={key.value}",
    }
