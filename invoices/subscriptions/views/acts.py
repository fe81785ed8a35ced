"""What is done with a subscription: started, paused, resumed, ended, its prices raised."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from billing_portal.acts import carry_out, into, said
from billing_portal.confirming import ChangedMeanwhile, Shown, locked
from billing_portal.htmx import StaffRequest, go_to, render_dialog
from billing_portal.money import formatted_minor
from invoices.invoicing.forms.heads import ReasonForm
from invoices.models import Invoice, PriceRise, Subscription, SubscriptionPeriod
from invoices.subscriptions import making, running, words
from invoices.subscriptions.forms.subscriptions import EndForm, ResumeForm, RiseForm
from invoices.subscriptions.periods import Period
from invoices.subscriptions.standing import SubscriptionRefused
from invoices.subscriptions.upcoming import Upcoming, contents_of, invoice_of, upcoming
from invoices.subscriptions.views.drafts import visible
from invoices.subscriptions.views.editor import told

Status = Subscription.Status


def shown_of(subscription: Subscription | None) -> Shown:
    """What a person decides on: its state, and how far it has come."""
    if subscription is None:
        return Shown({})
    names = ("status", "next_number", "next_total_minor", "way", "ends_on", "most_periods")
    facts = {name: getattr(subscription, name) for name in names}
    waiting = subscription.periods.waiting().values_list("pk", flat=True)
    return Shown(facts | {"waiting": sorted(set(waiting))})


def acted(
    request: StaffRequest,
    subscription: Subscription,
    template: str,
    action: str,
    *,
    act: Callable[[], Any],
    text: str | Callable[[Any], str],
    form: forms.Form | None = None,
    ready: bool = True,
    context: dict[str, Any] | None = None,
    back: str = "",
) -> HttpResponse:
    """A dialog with what it asks; sent, the act is carried out to what was shown."""
    page = reverse("invoices:subscription", args=[subscription.pk])
    problems: list[str] = []

    def refused(refusal: Exception) -> None:
        if form is not None:
            into(form)(refusal)
        else:
            problems.append(str(refusal))

    changed: list[str] = []
    if request.method == "POST" and ready:
        answer = carry_out(
            request,
            action=action,
            act=act,
            confirmed=lambda: shown_of(locked(Subscription.objects.all(), subscription.pk)),
            refused={
                SubscriptionRefused: refused,
                ChangedMeanwhile: lambda refusal: changed.append(str(refusal)),
            },
            done=lambda result: said(
                request, text if isinstance(text, str) else text(result), page
            ),
            url=page,
        )
        if answer is not None:
            return answer
        subscription = visible(request, subscription.pk)
    wrong = bool(problems or changed or (form is not None and form.errors))
    return render_dialog(
        request,
        f"invoices/subscriptions/{template}.html",
        {
            "subscription": subscription,
            "client": subscription.client,
            "form": form,
            "problems": problems,
            "changed": " ".join(changed),
            "confirmed": shown_of(subscription).token,
            **(context or {}),
        },
        back=back or page,
        status=422 if wrong else 200,
    )


@require_http_methods(["GET", "POST"])
@permission_required("invoices.change_subscription", raise_exception=True)
def start(request: StaffRequest, pk: int) -> HttpResponse:
    subscription = visible(request, pk)
    on = timezone.localdate()
    edit = reverse("invoices:subscription-edit", args=[pk])
    reasons = (
        running.reasons_not_to_start(subscription) if subscription.status == Status.DRAFT else []
    )
    contents = contents_of(subscription)
    due = contents.schedule.due_by(1, on, running.MOST_SKIPPED)
    at_once = [invoice_of(contents, period) for period in due]
    first = upcoming(contents, 1, 1)
    return acted(
        request,
        subscription,
        "start",
        "start a subscription",
        act=lambda: running.start(subscription_id=pk, by=request.user, on=on),
        text=_("The subscription is started."),
        ready=not reasons,
        context={
            "reasons": reasons,
            "first": told(first[0], contents.currency) if first else None,
            "at_once": len(at_once),
            "at_once_total": _sum(at_once, contents.currency),
            "asks": len(at_once) > making.MOST_BY_ITSELF and subscription.way != "draft",
            "rhythm": words.rhythm(subscription.unit, subscription.every),
            "way": subscription.get_way_display(),
        },
        back=edit,
    )


def _sum(coming: list[Upcoming], currency: str) -> str:
    total = sum(each.totals.total_minor for each in coming if each.totals is not None)
    return formatted_minor(total, currency)


@require_http_methods(["GET", "POST"])
@permission_required("invoices.change_subscription", raise_exception=True)
def discard(request: StaffRequest, pk: int) -> HttpResponse:
    subscription = visible(request, pk)
    return acted(
        request,
        subscription,
        "discard",
        "discard a subscription",
        act=lambda: running.discard(subscription_id=pk, by=request.user, on=timezone.localdate()),
        text=_("The subscription is discarded."),
    )


@require_http_methods(["GET", "POST"])
@permission_required("invoices.change_subscription", raise_exception=True)
def pause(request: StaffRequest, pk: int) -> HttpResponse:
    subscription = visible(request, pk)
    form = ReasonForm(request.POST or None)
    return acted(
        request,
        subscription,
        "pause",
        "pause a subscription",
        act=lambda: running.pause(
            subscription_id=pk,
            by=request.user,
            on=timezone.localdate(),
            reason=form.cleaned_data["reason"],
        ),
        text=_("The subscription is paused: nothing is made until it is resumed."),
        form=form,
        ready=form.is_valid(),
    )


@require_http_methods(["GET", "POST"])
@permission_required("invoices.change_subscription", raise_exception=True)
def resume(request: StaffRequest, pk: int) -> HttpResponse:
    subscription = visible(request, pk)
    on = timezone.localdate()
    contents = contents_of(subscription)
    choices = running.choices_of_next(subscription, contents, on)
    form = ResumeForm(
        request.POST or None, choices=[(c.number, _choice(c, choices)) for c in choices]
    )
    return acted(
        request,
        subscription,
        "resume",
        "resume a subscription",
        act=lambda: running.resume(
            subscription_id=pk, number=form.cleaned_data["number"], by=request.user, on=on
        ),
        text=_("The subscription is resumed."),
        form=form,
        ready=form.is_valid(),
    )


def _choice(period: Period, choices: list[Period]) -> str:
    left_out = period.number - choices[0].number
    text = words.span(period.first, period.last)
    if not left_out:
        return text
    return _("%(span)s (%(n)s not billed)") % {"span": text, "n": left_out}


@require_http_methods(["GET", "POST"])
@permission_required("invoices.change_subscription", raise_exception=True)
def skip(request: StaffRequest, pk: int) -> HttpResponse:
    subscription = visible(request, pk)
    contents = contents_of(subscription)
    coming = upcoming(contents, subscription.next_number, 1)
    number = subscription.next_number
    return acted(
        request,
        subscription,
        "skip",
        "skip a period",
        act=lambda: running.skip_next(
            subscription_id=pk, number=number, by=request.user, on=timezone.localdate()
        ),
        text=_("This period is not billed."),
        context={"next": told(coming[0], contents.currency) if coming else None},
    )


@require_http_methods(["GET", "POST"])
@permission_required("invoices.change_subscription", raise_exception=True)
def end(request: StaffRequest, pk: int) -> HttpResponse:
    subscription = visible(request, pk)
    until = running.billed_until(subscription)
    form = EndForm(request.POST or None, initial={"last_day": subscription.ends_on or until})
    return acted(
        request,
        subscription,
        "end",
        "end a subscription",
        act=lambda: running.end(
            subscription_id=pk,
            last_day=form.cleaned_data["last_day"],
            by=request.user,
            on=timezone.localdate(),
        ),
        text=_("The end is set."),
        form=form,
        ready=form.is_valid(),
        context={"until": until},
    )


@require_http_methods(["GET", "POST"])
@permission_required("invoices.change_subscription", raise_exception=True)
def rise(request: StaffRequest, pk: int) -> HttpResponse:
    subscription = visible(request, pk)
    form = RiseForm(request.POST or None)
    return acted(
        request,
        subscription,
        "rise",
        "raise prices",
        act=lambda: running.raise_prices(
            subscription_id=pk, by=request.user, on=timezone.localdate(), **form.cleaned_data
        ),
        text=_("The price rise is set."),
        form=form,
        ready=form.is_valid(),
    )


@require_POST
@permission_required("invoices.change_subscription", raise_exception=True)
def call_off_rise(request: StaffRequest, pk: int, rise_id: int) -> HttpResponse:
    subscription = visible(request, pk)
    get_object_or_404(PriceRise, pk=rise_id, subscription=subscription)
    return plainly(
        request,
        subscription,
        "call off a price rise",
        lambda: running.call_off_rise(rise_id=rise_id, by=request.user, on=timezone.localdate()),
        _("The price rise is called off."),
    )


@require_http_methods(["GET", "POST"])
@permission_required("invoices.issue_invoice", raise_exception=True)
def release(request: StaffRequest, pk: int) -> HttpResponse:
    subscription = visible(request, pk)
    drafts = Invoice.objects.filter(
        subscription_billing__period__in=subscription.periods.waiting()
    ).order_by("service_from", "pk")
    total = sum(invoice.total_minor for invoice in drafts)
    return acted(
        request,
        subscription,
        "release",
        "release invoices",
        act=lambda: _released(request, pk),
        text=lambda n: (
            ngettext(
                "%(n)s invoice is about to be issued.", "%(n)s invoices are about to be issued.", n
            )
            % {"n": n}
        ),
        context={
            "drafts": [(each, words.span(*_days(each))) for each in drafts],
            "total": formatted_minor(total, subscription.currency),
        },
    )


def _days(invoice: Invoice) -> tuple[Any, Any]:
    return invoice.service_from, invoice.service_until


def _released(request: StaffRequest, pk: int) -> int:
    from django_q.tasks import async_task

    count = making.release(subscription_id=pk, by=request.user, on=timezone.localdate())
    # The row is the truth: the task that runs anyway would find them too.
    async_task("invoices.tasks.make_recurring_invoices", task_name=f"subscription-{pk}")
    return count


@require_POST
@permission_required("invoices.change_subscription", raise_exception=True)
def draft_again(request: StaffRequest, pk: int, period_id: int) -> HttpResponse:
    subscription = visible(request, pk)
    get_object_or_404(SubscriptionPeriod, pk=period_id, subscription=subscription)
    return plainly(
        request,
        subscription,
        "draft a period again",
        lambda: making.draft_again(period_id=period_id, by=request.user, on=timezone.localdate()),
        _("The draft is made: look at it, then issue it."),
    )


def plainly(
    request: StaffRequest,
    subscription: Subscription,
    action: str,
    act: Callable[[], Any],
    text: str,
) -> HttpResponse:
    """A button without a dialog: what it does can be taken back."""
    page = reverse("invoices:subscription", args=[subscription.pk])

    def refused(refusal: Exception) -> HttpResponse:
        messages.error(request, str(refusal))
        return go_to(request, page)

    answer = carry_out(
        request,
        action=action,
        act=act,
        refused={SubscriptionRefused: refused},
        done=lambda _result: said(request, text, page),
        url=page,
    )
    assert answer is not None
    return answer
