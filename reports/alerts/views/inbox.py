"""The inbox of alerts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import Count, Max, Q, QuerySet
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing_portal import dates
from billing_portal.figures import grouped
from billing_portal.htmx import StaffRequest, go_to, render_page, wants_partial
from billing_portal.lists.columns import Column
from billing_portal.lists.paging import paginate
from billing_portal.toasts import add_toast, refresh_counts
from invoices.company.currencies import company_currency
from reports.alerts import inbox as handling
from reports.alerts.forms import SnoozeForm
from reports.alerts.listing import latest_waiting, with_words
from reports.alerts.permissions import HANDLE, VIEW, VIEW_RULES
from reports.alerts.words import name_of, words_of
from reports.models import Alert, AlertRule

_COLUMNS = (Column("fired", "", order="fired_on", falling=True),)


def _states(on: date) -> dict[str, Q]:
    return {
        "new": handling.waiting(on),
        "snoozed": handling.snoozed(on),
        "ended": handling.ended(),
        "done": Q(state=Alert.State.ACKNOWLEDGED),
    }


def _inbox_context(request: StaffRequest, on: date) -> dict[str, Any]:
    states, currency = _states(on), company_currency()
    state = request.GET.get("state", "new")
    state = state if state in states else "new"
    rows = Alert.objects.visible_to(request.user)
    rule = None
    if (given := request.GET.get("rule", "")).isdecimal() and len(given) < 18:
        rule = AlertRule.objects.filter(pk=int(given)).first()
        if rule:
            rows = rows.filter(rule=rule)
            if not request.user.has_perm(VIEW_RULES) and not rows.exists():
                # Which rules there are is told to who may see them.
                rule = None
    numbers = rows.aggregate(**{key: Count("pk", filter=q) for key, q in states.items()})
    page = paginate(
        handling.inbox(rows.filter(states[state])),
        request.GET,
        _COLUMNS,
        default="-fired",
        count=numbers[state],
    )
    newest = rows.filter(states["new"]).aggregate(pk=Max("pk"))["pk"] if rule else None
    return {
        "state": state,
        "rule": rule,
        "rule_name": name_of(rule, currency) if rule else "",
        "newest": newest,
        "count": numbers[state],
        "page": page,
        "rows": with_words(page.rows, request.user),
        "tabs": [
            ("new", _("New"), numbers["new"]),
            ("snoozed", _("Snoozed"), numbers["snoozed"]),
            ("ended", _("No longer so"), numbers["ended"]),
            ("done", _("Acknowledged"), numbers["done"]),
        ],
        "rules_exist": any(numbers.values()) or AlertRule.objects.exists(),
        "on": on,
    }


@require_GET
@permission_required(VIEW, raise_exception=True)
def inbox(request: StaffRequest) -> HttpResponse:
    return render_page(
        request,
        page="reports/alerts/alerts.html",
        partial="reports/alerts/partials/alert_list.html",
        context=_inbox_context(request, timezone.localdate()),
    )


def _mine(request: StaffRequest) -> QuerySet[Alert]:
    return handling.inbox(Alert.objects.visible_to(request.user))


@require_POST
@permission_required(HANDLE, raise_exception=True)
def acknowledge(request: StaffRequest, pk: int) -> HttpResponse:
    alert = get_object_or_404(_mine(request), pk=pk)
    return _handled(
        request,
        lambda: handling.acknowledge(alert_id=pk, by=request.user),
        _("Acknowledged: %(title)s") % {"title": words_of(alert, company_currency()).title},
    )


@require_POST
@permission_required(HANDLE, raise_exception=True)
def acknowledge_all(request: StaffRequest, pk: int) -> HttpResponse:
    """All new alerts of one rule, as many as the page showed the number of."""
    get_object_or_404(AlertRule, pk=pk)
    given = request.POST.get("up_to", "")
    up_to = int(given) if given.isdecimal() and len(given) < 18 else 0
    on = timezone.localdate()
    number = handling.acknowledge_all(rule_id=pk, up_to=up_to, by=request.user, on=on)
    messages.success(
        request,
        ngettext("%(n)s alert is acknowledged.", "%(n)s alerts are acknowledged.", number)
        % {"n": grouped(number)},
    )
    if left := handling.inbox().filter(handling.waiting(on), rule=pk).count():
        text = ngettext(
            "%(n)s alert of this rule stays new: it came after you opened the page.",
            "%(n)s alerts of this rule stay new: they came after you opened the page.",
            left,
        )
        messages.info(request, text % {"n": grouped(left)})
    return go_to(request, reverse("reports:alerts"))


@require_POST
@permission_required(HANDLE, raise_exception=True)
def reopen(request: StaffRequest, pk: int) -> HttpResponse:
    alert = get_object_or_404(_mine(request), pk=pk)
    said = (
        _("Not acknowledged any more, but no longer so: %(title)s")
        if handling.is_over(alert_id=pk)
        else _("New again: %(title)s")
    )
    return _handled(
        request,
        lambda: handling.reopen(alert_id=pk, by=request.user),
        said % {"title": words_of(alert, company_currency()).title},
    )


@require_http_methods(["GET", "POST"])
@permission_required(HANDLE, raise_exception=True)
def snooze(request: StaffRequest, pk: int) -> HttpResponse:
    """A dialog, or a page without script: presets and a day."""
    alert = get_object_or_404(_mine(request), pk=pk)
    on = timezone.localdate()
    form = SnoozeForm(_sent(request), on=on)
    if form.is_valid():
        until = form.cleaned_data["until"]
        try:
            handling.snooze(alert_id=pk, until=until, by=request.user, on=on)
        except handling.AlertRefused as refusal:
            form.add_error("until", str(refusal))
        else:
            messages.success(
                request,
                _("Snoozed until %(day)s: %(title)s")
                % {"day": dates.day(until), "title": words_of(alert, company_currency()).title},
            )
            return go_to(request, _back(request))
    return render_page(
        request,
        page="reports/alerts/snooze.html",
        partial="reports/alerts/partials/snooze_dialog.html",
        context={
            "alert": alert,
            "words": words_of(alert, company_currency()),
            "form": form,
            "next": _back(request),
            "presets": [
                (1, _("Tomorrow"), on + timedelta(days=1)),
                (7, _("In a week"), on + timedelta(days=7)),
                (14, _("In two weeks"), on + timedelta(days=14)),
                (30, _("In 30 days"), on + timedelta(days=30)),
            ],
        },
        status=422 if form.errors else 200,
    )


def _sent(request: StaffRequest) -> QueryDict | None:
    # An empty form that was sent is sent all the same.
    return request.POST if request.method == "POST" else None


def _back(request: StaffRequest) -> str:
    """Where the person was: the inbox or the desk."""
    place = request.POST.get("from") or request.GET.get("from")
    return reverse("reports:desk") if place == "desk" else reverse("reports:alerts")


def _handled(request: StaffRequest, act: Callable[[], Any], said: str) -> HttpResponse:
    on = timezone.localdate()
    try:
        act()
    except handling.AlertRefused as refusal:  # pragma: no cover - neither act refuses today
        messages.error(request, str(refusal))
        return go_to(request, _back(request))
    if not wants_partial(request):
        messages.success(request, said)
        return redirect(_back(request))
    if request.POST.get("from") == "desk":
        listed = latest_waiting(request.user, on)
        tile = {"key": "alerts", "count": listed.count, "unit": _("new"), "text": listed.text}
        answer = render(
            request,
            "reports/desk/partials/desk_alerts.html",
            {"alerts": listed, "on": on, "tile": tile},
        )
    else:
        answer = render(
            request, "reports/alerts/partials/alert_list.html", _inbox_context(request, on)
        )
    return refresh_counts(add_toast(answer, said))
