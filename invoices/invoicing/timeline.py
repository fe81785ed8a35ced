"""What happened to an invoice, told to the reader from its events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from billing_portal import dates
from invoices.invoicing.events_in_words import SENTENCES, other, people
from invoices.models import Invoice, InvoiceEvent, Message

Kind = InvoiceEvent.Kind


@dataclass(frozen=True)
class Step:
    """One entry; `strong` stands before `text` in bold, `iso` is `when` for machines."""

    icon: str
    text: str
    when: str
    iso: str
    strong: str = ""
    by: str = ""
    details: tuple[str, ...] = ()
    url: str = ""
    link: str = ""
    late: bool = False
    later: bool = False


def steps(
    invoice: Invoice,
    events: Iterable[InvoiceEvent],
    messages: Iterable[Message],
    on: date,
    *,
    may_see_money: bool = True,
    may_see_mail: bool = True,
) -> list[Step]:
    """Newest first; what is still to come stands on top."""
    found: list[tuple[datetime, Step]] = []
    for event in events:
        found.append((_moment(event), _told(event, may_see_money, may_see_mail)))
    overdue = _overdue(invoice, on)
    if overdue is not None:
        found.append(overdue)
    found.sort(key=lambda pair: pair[0], reverse=True)
    waiting = [
        _waiting(message, may_see_mail)
        for message in messages
        if message.state in (Message.State.QUEUED, Message.State.SENDING)
    ]
    ahead = [] if overdue else _due(invoice, on)
    return [*ahead, *waiting, *(step for _at, step in found)]


def _moment(event: InvoiceEvent) -> datetime:
    """Where it stands in the list: its day, and the hour when it was written down that very day."""
    local = timezone.localtime(event.at)
    if local.date() == event.on:
        return local
    return datetime(event.on.year, event.on.month, event.on.day, 12, tzinfo=local.tzinfo)


def _when(event: InvoiceEvent) -> tuple[str, str]:
    local = timezone.localtime(event.at)
    if local.date() == event.on:
        return dates.exact_moment(event.at), local.isoformat(timespec="seconds")
    return dates.day(event.on), event.on.isoformat()


def _told(event: InvoiceEvent, may_see_money: bool, may_see_mail: bool) -> Step:
    data = event.data
    when, iso = _when(event)
    icon, strong, text, details, url, link, late = SENTENCES.get(event.kind, other)(event, data)
    if url.startswith("payment:"):
        url = reverse("invoices:payment", args=[int(url[8:])]) if may_see_money else ""
    elif url.startswith("refund:"):
        url = reverse("invoices:refund", args=[int(url[7:])]) if may_see_money else ""
    elif url.startswith("mail:"):
        url = reverse("invoices:mail-message", args=[int(url[5:])]) if may_see_mail else ""
    return Step(
        icon=icon,
        strong=strong,
        text=text,
        by=str(event.by) if event.by else "",
        when=when,
        iso=iso,
        details=tuple(part for part in details if part),
        url=url,
        link=link if url else "",
        late=late,
    )


def _waiting(message: Message, may_see_mail: bool) -> Step:
    handed = message.state == Message.State.SENDING and message.claimed_until is None
    return Step(
        icon="mail-exclamation" if handed else "clock",
        text=(
            _("Email handed over, not confirmed: decide whether it arrived")
            if handed
            else _("Email waits to leave")
        ),
        when=dates.exact_moment(message.next_attempt_at or message.created_at),
        iso=(message.next_attempt_at or message.created_at).isoformat(timespec="seconds"),
        details=(people({"to": message.to}), message.error[:160])
        if message.error
        else (people({"to": message.to}),),
        url=reverse("invoices:mail-message", args=[message.pk]) if may_see_mail else "",
        link=_("see the email") if may_see_mail else "",
        late=handed,
        later=not handed,
    )


def _overdue(invoice: Invoice, on: date) -> tuple[datetime, Step] | None:
    """The day after the first due date on which something was still owed."""
    if invoice.is_credit_note or not invoice.is_issued:
        return None
    late = [
        due for due, settled in _dues(invoice) if due < on and (settled is None or settled > due)
    ]
    if not late:
        return None
    day = date.fromordinal(min(late).toordinal() + 1)
    at = datetime(day.year, day.month, day.day, tzinfo=timezone.get_current_timezone())
    step = Step("clock-exclamation", _("Overdue"), dates.day(day), day.isoformat(), late=True)
    return at, step


def _due(invoice: Invoice, on: date) -> list[Step]:
    if not invoice.is_outstanding:
        return []
    return [
        Step("calendar-due", _("Due"), dates.day(due), due.isoformat(), later=True)
        for due, settled in sorted(_dues(invoice), reverse=True)
        if settled is None and due >= on
    ]


def _dues(invoice: Invoice) -> list[tuple[date, date | None]]:
    """The day of each instalment, or of the whole, and when it was settled."""
    parts = list(invoice.instalments.values_list("due_date", "settled_on"))
    if not parts and invoice.due_date is not None:
        return [(invoice.due_date, invoice.settled_on)]
    return parts
