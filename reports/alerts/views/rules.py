"""The rules that fill the inbox of alerts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Max
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing_portal.acts import carry_out, said
from billing_portal.confirming import locked, row_under_lock
from billing_portal.editing import NotSaved, save_edit
from billing_portal.figures import grouped
from billing_portal.htmx import StaffRequest, go_to
from invoices.company.currencies import company_currency
from reports.alerts import previews
from reports.alerts import rules as editing
from reports.alerts.forms import RuleForm, initial_of, initial_of_kind, sentence
from reports.alerts.inbox import AlertRefused, waiting
from reports.alerts.kinds.registry import KINDS
from reports.alerts.permissions import CHANGE, VIEW_RULES
from reports.alerts.words import name_of, rule_in_words
from reports.models import Alert, AlertRule


@require_GET
@permission_required(VIEW_RULES, raise_exception=True)
def rules(request: StaffRequest) -> HttpResponse:
    currency = company_currency()
    rows = (
        AlertRule.objects.select_related("client_type")
        .annotate(
            fired=Count("alerts"),
            last_fired=Max("alerts__fired_on"),
        )
        .order_by("pk")
    )
    new = Alert.objects.filter(waiting(timezone.localdate())).order_by().values_list("rule")
    numbers = dict(new.annotate(n=Count("pk")))
    named = sorted(
        ((rule, name_of(rule, currency)) for rule in rows),
        key=lambda pair: (not pair[0].active, pair[1].casefold()),
    )
    return render(
        request,
        "reports/alerts/rules.html",
        {
            "rows": [
                (rule, name, rule_in_words(rule, currency), numbers.get(rule.pk, 0))
                for rule, name in named
            ]
        },
    )


@require_http_methods(["GET", "POST"])
@permission_required(CHANGE, raise_exception=True)
def rule_new(request: StaffRequest) -> HttpResponse:
    """Without a kind: the choice of what to watch."""
    kind = request.POST.get("kind") or request.GET.get("kind", "")
    if kind not in KINDS:
        return render(request, "reports/alerts/rule_kinds.html", {"kinds": KINDS.values()})
    currency = company_currency()
    form = RuleForm(
        request.POST if request.method == "POST" else None,
        kind=kind,
        currency=currency,
        initial=initial_of_kind(kind, request.GET, currency),
    )
    if request.method == "POST" and form.is_valid():
        return _save(
            request,
            lambda: _written(request, form, None),
            lambda form: _rule_page(request, form, None),
        )
    return _rule_page(request, form, None)


@require_http_methods(["GET", "POST"])
@permission_required(VIEW_RULES, raise_exception=True)
def rule(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(AlertRule.objects.select_related("client_type"), pk=pk)
    may_change = request.user.has_perm(CHANGE)
    if request.method == "POST" and not may_change:
        raise PermissionDenied
    currency = company_currency()

    def build(data: QueryDict | None, row: AlertRule) -> RuleForm:
        initial = initial_of(row, currency)
        return RuleForm(data, kind=found.kind, currency=currency, initial=initial)

    if request.method == "GET":
        return _rule_page(request, build(None, found), found, may_change=may_change)

    def save() -> AlertRule:
        return save_edit(
            request,
            lock=lambda: locked(AlertRule.objects.all(), pk),
            build=build,
            save=lambda form: _written(request, form, pk),
            by=request.user,
        )

    return _save(request, save, lambda form: _rule_page(request, form, found))


def _written(request: StaffRequest, form: RuleForm, pk: int | None) -> AlertRule:
    active = {"on": True, "off": False}.get(request.POST.get("switch", ""))
    return editing.save_rule(rule_id=pk, values=form.values(), active=active, by=request.user)


def _save(
    request: StaffRequest,
    save: Callable[[], AlertRule],
    page: Callable[[RuleForm], HttpResponse],
) -> HttpResponse:
    def done(saved: AlertRule) -> HttpResponse:
        text = (
            _("“%(name)s” is saved and switched on.") if saved.active else _("“%(name)s” is saved.")
        )
        if saved.active and saved.alerts.exists():
            text += " " + _("Alerts for which it no longer holds leave the new ones in seconds.")
        url = reverse("reports:rule", args=[saved.pk])
        return said(request, text % {"name": name_of(saved, company_currency())}, url)

    answer = carry_out(
        request,
        action="save alert rule",
        act=save,
        refused={NotSaved: lambda refusal: page(refusal.form)},
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
        "rule_name": name_of(found, form.currency) if found else "",
        "kind": form.kind,
        "sentence": sentence(form),
        "currency": form.currency,
        "may_change": may_change,
        "in_words": rule_in_words(found, form.currency) if found else "",
        "fired": found.alerts.count() if found else 0,
        **(
            previews.preview(tried, on, reader=request.user, render=render_to_string)
            if tried
            else {"invalid": True}
        ),
    }
    return render(request, "reports/alerts/rule.html", context, status=422 if form.errors else 200)


def _as_typed(form: RuleForm, found: AlertRule | None) -> AlertRule | None:
    """The rule to try: as sent, as stored, or as a new one begins."""
    if form.is_bound:
        return _typed(form, found) if form.is_valid() else None
    if found:
        return found
    begun = RuleForm(
        {name: "" if value is None else value for name, value in form.initial.items()},
        kind=form.kind,
        currency=form.currency,
    )
    return begun.rule() if begun.is_valid() else None


def _typed(form: RuleForm, found: AlertRule | None) -> AlertRule:
    """As typed, and with what the stored rule has said."""
    rule = form.rule()
    rule.pk = found.pk if found else None
    return rule


def _form_to_try(request: StaffRequest) -> RuleForm:
    kind = request.GET.get("kind", "")
    if kind not in KINDS:
        raise Http404
    return RuleForm(request.GET, kind=kind, currency=company_currency())


@require_GET
@permission_required(CHANGE, raise_exception=True)
def rule_try(request: StaffRequest) -> HttpResponse:
    """What the rule as typed would have done; nothing is saved."""
    form = _form_to_try(request)
    context: dict[str, Any] = {"form": form}
    if form.is_valid():
        given = request.GET.get("rule", "")
        found = (
            AlertRule.objects.filter(pk=int(given)).first()
            if given.isdecimal() and len(given) < 18
            else None
        )
        context |= previews.preview(
            _typed(form, found), timezone.localdate(), reader=request.user, render=render_to_string
        )
    else:
        context["invalid"] = True
    return render(request, "reports/alerts/partials/rule_tried.html", context)


@require_GET
@permission_required(VIEW_RULES, raise_exception=True)
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
    switched = editing.switch_rule(rule_id=pk, active=request.POST.get("active") == "1")
    said = _("“%(name)s” is switched on.") if switched.active else _("“%(name)s” is switched off.")
    messages.success(request, said % {"name": name_of(switched, company_currency())})
    return go_to(request, reverse("reports:rules"))


@require_POST
@permission_required(CHANGE, raise_exception=True)
def rule_delete(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(AlertRule, pk=pk)

    def refused(refusal: AlertRefused) -> HttpResponse:
        messages.error(request, str(refusal))
        return go_to(request, reverse("reports:rule", args=[pk]))

    text = _("“%(name)s” is deleted.") % {"name": name_of(found, company_currency())}
    url = reverse("reports:rules")
    answer = carry_out(
        request,
        action="delete alert rule",
        act=lambda: editing.delete_rule(rule_id=pk),
        confirmed=row_under_lock(AlertRule.objects.all(), pk),
        refused={AlertRefused: refused},
        done=lambda _gone: said(request, text, url),
        url=url,
    )
    assert answer is not None
    return answer
