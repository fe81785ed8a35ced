"""The inbox of alerts, and the rules that fill it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Max, Q
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing_portal import dates
from billing_portal.acts import carry_out, said
from billing_portal.figures import grouped
from billing_portal.htmx import StaffRequest, go_to, render_page, wants_partial
from billing_portal.lists.paging import Column, paginate
from billing_portal.toasts import add_toast, refresh_counts
from invoices.selections.filters import company_currency
from reports.alerts import previews, running
from reports.alerts.forms import SENTENCE, RuleForm, SnoozeForm, initial_of, initial_of_kind
from reports.alerts.words import tell, told_rule
from reports.desk import desk as desks
from reports.models import Alert, AlertRule

VIEW = "reports.view_alert"
HANDLE = "reports.handle_alert"
CHANGE = "reports.change_alertrule"

_COLUMNS = (Column("fired", "", order="fired_on", falling=True),)


# ─ The inbox ────────────────────────────────────────────────────────────────────────────────────


def _states(on: date) -> dict[str, Q]:
    return {
        "new": running.waiting(on),
        "snoozed": running.snoozed(on),
        "done": Q(state=Alert.State.ACKNOWLEDGED),
    }


def _inbox_context(request: StaffRequest, on: date) -> dict[str, Any]:
    states = _states(on)
    state = request.GET.get("state", "new")
    state = state if state in states else "new"
    rows = Alert.objects.all()
    rule = None
    if (given := request.GET.get("rule", "")).isdecimal() and len(given) < 18:
        rule = AlertRule.objects.filter(pk=int(given)).first()
        if rule:
            rows = rows.filter(rule=rule)
    numbers = rows.aggregate(**{key: Count("pk", filter=q) for key, q in states.items()})
    page = paginate(
        running.inbox(rows.filter(states[state])),
        request.GET,
        _COLUMNS,
        default="-fired",
        count=numbers[state],
    )
    newest = rows.filter(states["new"]).aggregate(pk=Max("pk"))["pk"] if rule else None
    return {
        "state": state,
        "rule": rule,
        "newest": newest,
        "count": numbers[state],
        "page": page,
        "rows": [(alert, tell(alert)) for alert in page.rows],
        "tabs": [
            ("new", _("New"), numbers["new"]),
            ("snoozed", _("Snoozed"), numbers["snoozed"]),
            ("done", _("Acknowledged"), numbers["done"]),
        ],
        "rules_exist": bool(numbers["new"] + numbers["snoozed"] + numbers["done"])
        or AlertRule.objects.exists(),
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


@require_POST
@permission_required(HANDLE, raise_exception=True)
def acknowledge(request: StaffRequest, pk: int) -> HttpResponse:
    alert = get_object_or_404(running.inbox(), pk=pk)
    return _handled(
        request,
        lambda: running.acknowledge(alert_id=pk, by=request.user),
        _("Acknowledged: %(title)s") % {"title": tell(alert).title},
    )


@require_POST
@permission_required(HANDLE, raise_exception=True)
def acknowledge_all(request: StaffRequest, pk: int) -> HttpResponse:
    """All new alerts of one rule, as many as the page showed the number of."""
    get_object_or_404(AlertRule, pk=pk)
    given = request.POST.get("up_to", "")
    up_to = int(given) if given.isdecimal() and len(given) < 18 else 0
    on = timezone.localdate()
    number = running.acknowledge_all(rule_id=pk, up_to=up_to, by=request.user, on=on)
    desks.forget_counts(request.user, on)
    messages.success(
        request,
        ngettext("%(n)s alert is acknowledged.", "%(n)s alerts are acknowledged.", number)
        % {"n": grouped(number)},
    )
    return go_to(request, reverse("reports:alerts"))


@require_POST
@permission_required(HANDLE, raise_exception=True)
def reopen(request: StaffRequest, pk: int) -> HttpResponse:
    alert = get_object_or_404(running.inbox(), pk=pk)
    return _handled(
        request,
        lambda: running.reopen(alert_id=pk, by=request.user),
        _("Back in the inbox: %(title)s") % {"title": tell(alert).title},
    )


@require_http_methods(["GET", "POST"])
@permission_required(HANDLE, raise_exception=True)
def snooze(request: StaffRequest, pk: int) -> HttpResponse:
    """A dialog, or a page without script: presets and a day."""
    alert = get_object_or_404(running.inbox(), pk=pk)
    on = timezone.localdate()
    form = SnoozeForm(_sent(request), on=on)
    if form.is_valid():
        until = form.cleaned_data["until"]
        try:
            running.snooze(alert_id=pk, until=until, by=request.user, on=on)
        except running.AlertRefused as refusal:
            form.add_error("until", str(refusal))
        else:
            desks.forget_counts(request.user, on)
            messages.success(
                request,
                _("Snoozed until %(day)s: %(title)s")
                % {"day": dates.day(until), "title": tell(alert).title},
            )
            return go_to(request, _back(request))
    return render_page(
        request,
        page="reports/alerts/snooze.html",
        partial="reports/alerts/partials/snooze_dialog.html",
        context={
            "alert": alert,
            "words": tell(alert),
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
    except running.AlertRefused as refusal:  # pragma: no cover - neither act refuses today
        messages.error(request, str(refusal))
        return go_to(request, _back(request))
    desks.forget_counts(request.user, on)
    if not wants_partial(request):
        messages.success(request, said)
        return redirect(_back(request))
    if request.POST.get("from") == "desk":
        answer = render(
            request,
            "reports/desk/partials/desk_alerts.html",
            {"alerts": desks.alert_list(on), "on": on},
        )
    else:
        answer = render(
            request, "reports/alerts/partials/alert_list.html", _inbox_context(request, on)
        )
    return refresh_counts(add_toast(answer, said))


# ─ The rules ────────────────────────────────────────────────────────────────────────────────────


@require_GET
@permission_required(VIEW, raise_exception=True)
def rules(request: StaffRequest) -> HttpResponse:
    currency = company_currency()
    rows = (
        AlertRule.objects.select_related("client_type")
        .annotate(
            fired=Count("alerts"),
            last_fired=Max("alerts__fired_on"),
            waiting=Count("alerts", filter=Q(alerts__state=Alert.State.NEW)),
        )
        .order_by("-active", "name", "pk")
    )
    return render(
        request,
        "reports/alerts/rules.html",
        {"rows": [(rule, told_rule(rule, currency)) for rule in rows]},
    )


@require_http_methods(["GET", "POST"])
@permission_required(CHANGE, raise_exception=True)
def rule_new(request: StaffRequest) -> HttpResponse:
    """Without a kind: the choice of what to watch."""
    kind = request.POST.get("kind") or request.GET.get("kind", "")
    if kind not in SENTENCE:
        return render(request, "reports/alerts/rule_kinds.html", {"kinds": _kinds()})
    currency = company_currency()
    form = RuleForm(
        _sent(request),
        kind=kind,
        currency=currency,
        initial=initial_of_kind(kind, request.GET, currency),
    )
    if request.method == "POST" and form.is_valid():
        return _save(request, form, None)
    return _rule_page(request, form, None)


@require_http_methods(["GET", "POST"])
@permission_required(VIEW, raise_exception=True)
def rule(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(AlertRule.objects.select_related("client_type"), pk=pk)
    may_change = request.user.has_perm(CHANGE)
    if request.method == "POST" and not may_change:
        raise PermissionDenied
    currency = company_currency()
    form = RuleForm(
        _sent(request),
        kind=found.kind,
        currency=currency,
        initial=initial_of(found, currency),
    )
    if request.method == "POST" and form.is_valid():
        return _save(request, form, found)
    return _rule_page(request, form, found, may_change=may_change)


def _save(request: StaffRequest, form: RuleForm, found: AlertRule | None) -> HttpResponse:
    active = {"on": True, "off": False}.get(request.POST.get("switch", ""))

    def done(saved: AlertRule) -> HttpResponse:
        text = (
            _("“%(name)s” is saved and switched on.") if saved.active else _("“%(name)s” is saved.")
        )
        url = reverse("reports:rule", args=[saved.pk])
        return said(request, text % {"name": saved.name}, url)

    answer = carry_out(
        request,
        action="save alert rule",
        act=lambda: running.save_rule(
            rule_id=found.pk if found else None,
            values=form.values(),
            active=active,
            by=request.user,
        ),
        done=done,
        url=lambda made: reverse("reports:rule", args=[made.pk]),
    )
    assert answer is not None
    return answer


def _rule_page(
    request: StaffRequest, form: RuleForm, found: AlertRule | None, *, may_change: bool = True
) -> HttpResponse:
    on = timezone.localdate()
    tried = _as_typed(form, found)
    context = {
        "form": form,
        "rule": found,
        "kind": form.kind,
        "currency": form.currency,
        "may_change": may_change,
        "fired": found.alerts.count() if found else 0,
        **(previews.preview(tried, on, reader=request.user) if tried else {"invalid": True}),
    }
    return render(request, "reports/alerts/rule.html", context, status=422 if form.errors else 200)


def _as_typed(form: RuleForm, found: AlertRule | None) -> AlertRule | None:
    """The rule to try: as sent, as stored, or as a new one begins."""
    if form.is_bound:
        return form.rule() if form.is_valid() else None
    if found:
        return found
    begun = RuleForm(
        {name: "" if value is None else value for name, value in form.initial.items()},
        kind=form.kind,
        currency=form.currency,
        for_preview=True,
    )
    return begun.rule() if begun.is_valid() else None


def _form_to_try(request: StaffRequest) -> RuleForm:
    kind = request.GET.get("kind", "")
    if kind not in SENTENCE:
        raise Http404
    return RuleForm(request.GET, kind=kind, currency=company_currency(), for_preview=True)


@require_GET
@permission_required(CHANGE, raise_exception=True)
def rule_try(request: StaffRequest) -> HttpResponse:
    """What the rule as typed would have done; nothing is saved."""
    form = _form_to_try(request)
    context: dict[str, Any] = {"kind": form.kind, "form": form, "currency": form.currency}
    if form.is_valid():
        context |= previews.preview(form.rule(), timezone.localdate(), reader=request.user)
    else:
        context["invalid"] = True
    return render(request, "reports/alerts/partials/rule_tried.html", context)


@require_GET
@permission_required(VIEW, raise_exception=True)
def rule_tried(request: StaffRequest, pk: int) -> HttpResponse:
    """How often the rule would have fired in twelve months, in words; kept for a while."""
    found = get_object_or_404(AlertRule, pk=pk)
    number = previews.times_fired(found, timezone.localdate())
    return HttpResponse(
        ngettext("%(n)s time", "%(n)s times", number) % {"n": grouped(number)},
        content_type="text/plain; charset=utf-8",
    )


@require_POST
@permission_required(CHANGE, raise_exception=True)
def rule_switch(request: StaffRequest, pk: int) -> HttpResponse:
    get_object_or_404(AlertRule, pk=pk)
    switched = running.switch_rule(rule_id=pk, active=request.POST.get("active") == "1")
    said = _("“%(name)s” is switched on.") if switched.active else _("“%(name)s” is switched off.")
    messages.success(request, said % {"name": switched.name})
    return go_to(request, reverse("reports:rules"))


@require_POST
@permission_required(CHANGE, raise_exception=True)
def rule_delete(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(AlertRule, pk=pk)
    try:
        running.delete_rule(rule_id=pk)
    except running.AlertRefused as refusal:
        messages.error(request, str(refusal))
        return go_to(request, reverse("reports:rule", args=[pk]))
    messages.success(request, _("“%(name)s” is deleted.") % {"name": found.name})
    return go_to(request, reverse("reports:rules"))


def _kinds() -> list[tuple[str, Any, str, str]]:
    return [
        (
            AlertRule.Kind.OVERDUE,
            AlertRule.Kind.OVERDUE.label,
            _("By more than some days, and above an amount if you like."),
            "clock-exclamation",
        ),
        (
            AlertRule.Kind.TYPE_DELAY,
            AlertRule.Kind.TYPE_DELAY.label,
            _("Median, third quartile or mean of days late, over a moving window."),
            "chart-histogram",
        ),
        (
            AlertRule.Kind.HABIT,
            AlertRule.Kind.HABIT.label,
            _("An open invoice waits longer than this client is used to."),
            "building",
        ),
        (
            AlertRule.Kind.NOT_INVOICED,
            AlertRule.Kind.NOT_INVOICED.label,
            _("Some days after it was won, no draft and no invoice exist."),
            "briefcase",
        ),
    ]
