"""The outbox: what waits, what left, what was refused, and what only staff can decide."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy, pgettext
from django.views.decorators.http import require_GET, require_POST

from billing_portal.acts import already, carry_out
from billing_portal.confirming import row_under_lock
from billing_portal.htmx import StaffRequest
from billing_portal.lists.columns import POSITION, Column
from billing_portal.lists.page import Listing, show
from billing_portal.templatetags.portal import query_with
from invoices.models import Message
from invoices.outbox.kinds import Held, Moot, kind_of, trouble_of, words_of
from invoices.outbox.queueing import MailRefused
from invoices.outbox.settling_doubts import cancel, confirm_arrived, resend
from invoices.outbox.waiting import WAITING, waiting_for_a_person

COLUMNS = (
    Column("created", gettext_lazy("Written"), order="created_at", falling=True),
    Column("subject", gettext_lazy("Subject"), order="subject"),
)
LISTING = Listing(
    name="mails",
    title=gettext_lazy("Emails"),
    columns=COLUMNS,
    default="-created",
    words=ngettext_lazy("%(n)s email", "%(n)s emails", "count"),
    page="invoices/outbox/mail.html",
    partial="invoices/outbox/partials/mail_list.html",
)
# Icon and look of each state.
LOOKS = {
    Message.State.QUEUED: ("clock", "issued"),
    Message.State.SENDING: ("help-circle", "promised"),
    Message.State.SENT: ("send", "sent"),
    Message.State.FAILED: ("mail-x", "overdue"),
    Message.State.CANCELLED: ("ban", "draft"),
    Message.State.HELD: ("clock-pause", "promised"),
}

UNSENT = (Message.State.QUEUED, Message.State.HELD, Message.State.FAILED)


@require_GET
@permission_required("invoices.view_mail", raise_exception=True)
def mail_list(request: StaffRequest) -> HttpResponse:
    state = request.GET.get("state", "")
    by_state = dict(
        Message.objects.order_by()
        .values_list("state")
        .annotate(n=Count("pk"))
        .values_list("state", "n")
    )
    rows = Message.objects.select_related("invoice")
    waiting = waiting_for_a_person()
    number_waiting = waiting.count()
    if state == WAITING:
        rows = waiting.select_related("invoice")
    elif state in Message.State.values:
        rows = rows.filter(state=state)
    else:
        state = ""
    tabs = [
        {
            "label": label,
            "n": n,
            "url": query_with(request.GET, {"state": key, **POSITION}),
            "current": key == state,
            "key": key or "all",
        }
        for key, label, n in [
            ("", pgettext("mail", "All"), sum(by_state.values())),
            (WAITING, _("Need you"), number_waiting),
            *((key, label, by_state.get(key, 0)) for key, label in Message.State.choices),
        ]
    ]
    return show(
        request,
        LISTING,
        rows,
        written=lambda page: [(mail, *LOOKS[Message.State(mail.state)]) for mail in page],
        context={"tabs": tabs, "filtered": bool(state)},
    )


@require_GET
@permission_required("invoices.view_mail", raise_exception=True)
def mail(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(
        Message.objects.select_related("invoice", "client", "created_by"), pk=pk
    )
    sign, look = LOOKS[Message.State(found.state)]
    trouble, words = trouble_of(found), None
    try:
        # What left stands in the row; what has not left is shown as it would leave now.
        words = words_of(found).kept() if found.state in UNSENT else None
    except (Held, Moot) as reason:
        trouble = trouble or kind_of(found).reason(reason.code)
    return render(
        request,
        "invoices/outbox/mail_message.html",
        {
            "mail": found,
            "subject": words.subject if words else found.subject,
            "text": words.text if words else found.body_text,
            "unsent": found.state in UNSENT,
            "trouble": trouble,
            "attachments": found.attachments.defer("content"),
            "enclosures": found.enclosures.all(),
            "sign": sign,
            "look": look,
        },
    )


def _decide(
    request: StaffRequest, pk: int, action: str, act: Callable[[], Message], text: Any
) -> HttpResponse:
    def page(found: int, say: Callable[..., None], text: Any) -> HttpResponse:
        say(request, text)
        if request.POST.get("from") == "desk":
            # By address: invoices knows no reports.
            return redirect("/")
        return redirect("invoices:mail-message", pk=found)

    answer = carry_out(
        request,
        action=action,
        act=act,
        confirmed=row_under_lock(Message.objects.all(), pk),
        refused={MailRefused: lambda refusal: page(pk, messages.error, str(refusal))},
        done=lambda found: page(found.pk, messages.success, text),
        again=already(request),
        url=reverse("invoices:mail-message", args=[pk]),
    )
    assert answer is not None
    return answer


@require_POST
@permission_required("invoices.send_invoice", raise_exception=True)
def mail_resend(request: StaffRequest, pk: int) -> HttpResponse:
    return _decide(
        request,
        pk,
        "resend",
        lambda: resend(message_id=pk, by=request.user),
        _("The email waits in the outbox and leaves in a moment."),
    )


@require_POST
@permission_required("invoices.send_invoice", raise_exception=True)
def mail_arrived(request: StaffRequest, pk: int) -> HttpResponse:
    return _decide(
        request,
        pk,
        "arrived",
        lambda: confirm_arrived(message_id=pk, by=request.user),
        _("Noted as arrived."),
    )


@require_POST
@permission_required("invoices.send_invoice", raise_exception=True)
def mail_cancel(request: StaffRequest, pk: int) -> HttpResponse:
    return _decide(
        request,
        pk,
        "cancel",
        lambda: cancel(message_id=pk, by=request.user),
        _("The email will not leave."),
    )
