"""The life of a document on the platform, as its page tells it: one track, why, what next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext, pgettext_lazy

from billing_portal import dates
from billing_portal.money import formatted_minor
from invoices.einvoicing.folding import in_order
from invoices.einvoicing.reasons import OF_THE_ADDRESS, reason_in_words
from invoices.einvoicing.statuses import (
    COMPLETED,
    IN_DISPUTE,
    MEANINGS,
    RECEIVED_MONEY,
    REFUSED,
    REJECTED,
    SUSPENDED,
    label_of,
)
from invoices.models import Invoice, LifecycleStatus, PlatformFlow, Transmission
from invoices.models.einvoicing import Group

# With no word of the platform for so long it needs somebody.
SILENT: Final = timedelta(days=1)
_TRACK: Final = (
    ("deposited", "200", gettext_lazy("Deposited")),
    ("received", "202", pgettext_lazy("e-invoice", "Received")),
    ("available", "203", gettext_lazy("Made available")),
    ("answer", "204–211", gettext_lazy("Client’s answer")),
    ("paid", "212", pgettext_lazy("e-invoice", "Paid")),
)
_ORDER: Final = tuple(step for step, _codes, _label in _TRACK)
_SAID_BY: Final = {
    "WK": gettext_lazy("the platform"),
    "BY": gettext_lazy("the client"),
    "SE": gettext_lazy("us"),
}


@dataclass(frozen=True)
class Mark:
    """A place on the track; `look` is done, bad, todo or now."""

    label: str
    when: str
    note: str
    look: str

    @property
    def icon(self) -> str:
        looks = {"done": "circle-check", "bad": "alert-circle", "now": "clock"}
        return looks.get(self.look, "circle-dashed")


@dataclass(frozen=True)
class Said:
    """One message, for the list of files and what was said."""

    pk: int
    label: str
    when: str
    by: str
    filename: str
    known: bool


@dataclass(frozen=True)
class Life:
    transmission: Transmission
    marks: Sequence[Mark]
    state: str
    icon: str
    colour: str
    # Our sentence, then the code and text as received.
    why: str = ""
    said: str = ""
    after: str = ""
    # As it waits in the outbox.
    waits: str = ""
    messages: Sequence[Said] = ()
    amounts: Sequence[str] = field(default=())
    needs_somebody: bool = False
    # What can be done: replace, send_again, answer; "" for nothing.
    act: str = ""
    wrong_address: bool = False
    # The document that stands in its place.
    instead: Invoice | None = None


def life_of(transmission: Transmission, now: datetime | None = None) -> Life:
    """Reads its messages without their bytes."""
    now = now or timezone.now()
    rows = in_order(transmission.statuses.defer("content").select_related("flow"))
    flow = transmission.flow
    label, icon, colour = state_of(transmission, now)
    reason = _reason(transmission, rows)
    return Life(
        transmission=transmission,
        marks=_marks(transmission, rows, flow),
        state=label,
        icon=icon,
        colour=colour,
        why=reason_in_words(transmission.reason_code, "") if transmission.reason_code else "",
        said=reason,
        after=_after(transmission),
        waits=_waits(flow),
        messages=[_said(row) for row in rows],
        amounts=_announced(rows),
        needs_somebody=needs_somebody(transmission, now),
        act=_act(transmission),
        wrong_address=transmission.reason_code in OF_THE_ADDRESS,
        instead=_instead(transmission),
    )


def _instead(transmission: Transmission) -> Invoice | None:
    """Sent again after a rejection, or corrected."""
    if transmission.replaced_by is not None:
        return transmission.replaced_by
    return Invoice.objects.issued().filter(replaces=transmission.invoice_id).first()


def state_of(transmission: Transmission, now: datetime) -> tuple[str, str, str]:
    """Word, icon and colour; in a list and on the page the same."""
    flow, code = transmission.flow, transmission.status_code
    if transmission.group == Group.CLOSED:
        return _("Put right"), "arrow-back-up", "void"
    if transmission.group == Group.PAID:
        invoice = transmission.invoice
        if not invoice.is_credit_note and not invoice.paid_minor:
            # A credit note settled it: nobody paid.
            return _("Credited, declared"), "receipt-refund", "settled"
        return _("Paid, declared"), "cash", "settled"
    if code == IN_DISPUTE and transmission.group == Group.CLIENT:
        return _("Dispute settled"), "message-check", "settled"
    if code:
        meaning = MEANINGS[code]
        return str(meaning.label), meaning.icon, meaning.colour
    if transmission.group == Group.FAILED:
        return _("Not taken"), "alert-circle", "overdue"
    if flow.state == PlatformFlow.State.SENT:
        if is_silent(transmission, now):
            return _("No word for a day"), "clock-exclamation", "overdue"
        return _("On its way"), "loader-2", "sent"
    return _("Waits to be sent"), "clock", "promised"


def is_silent(transmission: Transmission, now: datetime) -> bool:
    sent = transmission.flow.sent_at
    return (
        transmission.group == Group.WAITING
        and sent is not None
        and now - (transmission.status_at or sent) > SILENT
    )


def needs_somebody(transmission: Transmission, now: datetime) -> bool:
    return transmission.group in (Group.FAILED, Group.DISPUTED) or is_silent(transmission, now)


def _act(transmission: Transmission) -> str:
    if transmission.group == Group.FAILED:
        turned_away = transmission.flow.state == PlatformFlow.State.REFUSED
        return "send_again" if turned_away else "replace"
    return "answer" if transmission.group == Group.DISPUTED else ""


# ─ The track ────────────────────────────────────────────────────────────────────────────────────
def _marks(
    transmission: Transmission, rows: Sequence[LifecycleStatus], flow: PlatformFlow
) -> list[Mark]:
    marks = [_issued(transmission), _sent(transmission, flow)]
    reached = {MEANINGS[row.code].step for row in rows if row.code in MEANINGS}
    furthest = max((_ORDER.index(step) for step in reached if step), default=-1)
    for place, (step, codes, label) in enumerate(_TRACK):
        if step == "paid":
            marks.append(_paid(transmission, rows))
            continue
        if step == "received" and transmission.status_code == REJECTED:
            marks.append(_bad(_("Rejected"), transmission, REJECTED))
        found = [row for row in rows if row.code in MEANINGS and MEANINGS[row.code].step == step]
        if step == "answer" and found:
            marks.append(_answer(transmission, found))
        elif found:
            # The first counts: a repeated message says nothing new.
            marks.append(_done(str(label), found[0]))
        elif place < furthest:
            # A later step implies those before it.
            marks.append(Mark(str(label), _("not told"), codes, "done"))
        else:
            marks.append(Mark(str(label), _("not reached"), codes, "todo"))
    return marks


def _issued(transmission: Transmission) -> Mark:
    invoice = transmission.invoice
    when = (
        dates.exact_moment(invoice.issued_at)
        if invoice.issued_at
        else dates.day(invoice.issue_date)
    )
    return Mark(_("Issued"), when, _("number taken, files kept"), "done")


def _sent(transmission: Transmission, flow: PlatformFlow) -> Mark:
    if flow.state == PlatformFlow.State.SENT:
        if flow.acknowledged == "Error" and not transmission.status_code:
            when = dates.exact_moment(flow.acknowledged_at)
            return Mark(_("Not taken"), when, _("the platform’s checks"), "bad")
        note = _("accepted at the first try")
        if flow.attempts > 1:
            note = _("after %(n)s tries") % {"n": flow.attempts}
        return Mark(_("Sent"), dates.exact_moment(flow.sent_at), note, "done")
    if flow.state == PlatformFlow.State.REFUSED:
        return Mark(
            _("Not taken"), dates.exact_moment(flow.created_at), _("the platform’s door"), "bad"
        )
    return Mark(_("Sent"), _("waits here"), "", "now")


def _done(label: str, row: LifecycleStatus) -> Mark:
    who = _SAID_BY.get(row.issuer_role, row.issuer_role)
    note = f"{row.code} · {who}" if who else row.code
    return Mark(label, dates.exact_moment(row.at or row.kept_at), str(note), "done")


def _bad(label: str, transmission: Transmission, code: str) -> Mark:
    return Mark(label, dates.exact_moment(transmission.status_at), code, "bad")


def _answer(transmission: Transmission, found: Sequence[LifecycleStatus]) -> Mark:
    code = transmission.status_code
    last = next((row for row in reversed(found) if row.code == code), found[-1])
    mark = _done(label_of(last.code, last.words), last)
    if last.code in (REFUSED, IN_DISPUTE):
        return Mark(mark.label, mark.when, mark.note, "bad")
    if last.code == SUSPENDED:
        return Mark(mark.label, mark.when, mark.note, "now")
    return mark


def _paid(transmission: Transmission, rows: Sequence[LifecycleStatus]) -> Mark:
    ours = [row for row in rows if row.code == RECEIVED_MONEY and row.is_ours]
    if not ours or not transmission.declared_minor:
        return Mark(pgettext("e-invoice", "Paid"), "", _("212, declared by us"), "todo")
    amount = formatted_minor(transmission.declared_minor, transmission.invoice.currency)
    whole = transmission.group == Group.PAID
    when = dates.exact_moment(ours[-1].at or ours[-1].kept_at)
    return Mark(
        pgettext("e-invoice", "Paid") if whole else _("Paid in part"),
        when,
        amount,
        "done" if whole else "now",
    )


# ─ Why, and what was said ───────────────────────────────────────────────────────────────────────
def _reason(transmission: Transmission, rows: Sequence[LifecycleStatus]) -> str:
    """Code and text as they came, with what the client asks for."""
    found: dict[str, Any] = {}
    for row in rows:
        if row.code == transmission.status_code and row.reasons:
            found = row.reasons[0]
    parts = [
        transmission.reason_code,
        found.get("text") or transmission.reason_text,
        found.get("note") if found.get("note") != found.get("text") else "",
        found.get("action"),
    ]
    return " · ".join(str(part).strip() for part in parts if part)


def _after(transmission: Transmission) -> str:
    if transmission.status_code == REJECTED:
        return _("The client has not seen this invoice. Its number is not used again.")
    if transmission.status_code == REFUSED:
        return _("The client refused it: a credit note answers, and a new number.")
    if transmission.status_code == COMPLETED:
        return _("We answered; the client has the word now.")
    if transmission.status_code == IN_DISPUTE:
        if transmission.group != Group.DISPUTED:
            return _("The dispute is settled here; the client’s platform still calls it open.")
        return _("No reminder goes out while the dispute is open.")
    return _approved(transmission)


def _approved(transmission: Transmission) -> str:
    """When it was approved, counted from its issue and from the day on which it is due."""
    invoice = transmission.invoice
    if not transmission.approved_at or not invoice.issue_date or not invoice.due_date:
        return ""
    on = timezone.localdate(transmission.approved_at)
    took, left = (on - invoice.issue_date).days, (invoice.due_date - on).days
    parts = {
        "day": dates.day(on),
        "took": ngettext("%(n)s day", "%(n)s days", took) % {"n": took},
        "left": ngettext("%(n)s day", "%(n)s days", abs(left)) % {"n": abs(left)},
    }
    if left < 0:
        return _("Approved on %(day)s: %(took)s after its issue, %(left)s past due.") % parts
    return _("Approved on %(day)s: %(took)s after its issue, %(left)s before it is due.") % parts


def _waits(flow: PlatformFlow) -> str:
    if flow.state == PlatformFlow.State.SENT:
        return flow.trouble_text if flow.acknowledged == "Error" else ""
    text = flow.trouble_text
    if flow.state == PlatformFlow.State.REFUSED:
        return text
    if flow.next_attempt_at and flow.next_attempt_at > timezone.now():
        next_try = _("Next try: %(moment)s.") % {"moment": dates.exact_moment(flow.next_attempt_at)}
        return f"{text} {next_try}".strip()
    return text or _("It leaves within a minute.")


def _said(row: LifecycleStatus) -> Said:
    return Said(
        pk=row.pk,
        label=f"{row.code} {label_of(row.code, row.words)}"
        if row.code in MEANINGS
        else label_of(row.code, row.words),
        when=dates.exact_moment(row.at or row.kept_at),
        by=str(_SAID_BY.get(row.issuer_role, row.issuer_name or row.issuer_role)),
        filename=row.filename,
        known=row.code in MEANINGS,
    )


def _announced(rows: Sequence[LifecycleStatus]) -> list[str]:
    return [
        formatted_minor(each["minor"], each["currency"])
        for row in rows
        if row.code == "211"
        for each in row.amounts
        if each.get("kind") == "MPA"
    ][-1:]
