"""What happened to an invoice, told to the reader from its events."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing_portal import dates
from billing_portal.money import formatted_minor, is_currency
from billing_portal.notices import in_words
from invoices.company.vat_faults import told_key
from invoices.invoicing.deal_basis import told
from invoices.invoicing.on_the_platform import told_of
from invoices.models import Invoice, InvoiceEvent, Message, Payment

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


def _amount(data: dict[str, Any], name: str = "amount_minor") -> str:
    code = str(data.get("currency", ""))
    value = data.get(name)
    return formatted_minor(value, code) if isinstance(value, int) and is_currency(code) else ""


def _told(event: InvoiceEvent, may_see_money: bool, may_see_mail: bool) -> Step:
    data = event.data
    when, iso = _when(event)
    icon, strong, text, details, url, link, late = _SENTENCES.get(event.kind, _other)(event, data)
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


Told = tuple[str, str, str, list[str], str, str, bool]


def _drafted(_event: InvoiceEvent, data: dict[str, Any]) -> Told:
    if data.get("deal_id"):
        url = reverse("invoices:deal", args=[data["deal_id"]])
        return (
            "briefcase",
            "",
            _("Drafted from the deal"),
            [],
            url,
            str(data.get("deal", "")),
            False,
        )
    if data.get("quote_id"):
        url = reverse("invoices:quote", args=[data["quote_id"]])
        return "writing", "", _("Drafted from the quote"), [], url, str(data["quote"]), False
    return "pencil", "", _("Draft begun"), [], "", "", False


def _issued(_event: InvoiceEvent, data: dict[str, Any]) -> Told:
    details = [_("number taken, PDF kept"), _proof(data.get("vat_check"))]
    return "file-check", "", _("Issued"), details, "", "", False


def _proof(check: Any) -> str:
    """What VIES had said of the client's VAT id, where the invoice went without VAT on it."""
    if not isinstance(check, dict):
        return ""
    values = {
        "vat_id": check["vat_id"],
        "day": dates.day(date.fromisoformat(check["on"])),
        "number": check["consultation"],
    }
    if check["answer"] != "valid":
        return _("VAT id %(vat_id)s not valid in VIES on %(day)s") % values
    if not check["consultation"]:
        return _("VAT id %(vat_id)s valid in VIES on %(day)s") % values
    return _("VAT id %(vat_id)s valid in VIES on %(day)s, consultation %(number)s") % values


def _imported(_event: InvoiceEvent, _data: dict[str, Any]) -> Told:
    return "database-import", "", _("Brought in from the old system"), [], "", "", False


def _queued(_event: InvoiceEvent, data: dict[str, Any]) -> Told:
    text = _("Email asked for again") if data.get("again") else _("Email asked for")
    return "mail", "", text, [_people(data)], _mail(data), _("read the email"), False


def _sent(_event: InvoiceEvent, data: dict[str, Any]) -> Told:
    n = len(data.get("to", []))
    text = ngettext("Sent to %(n)s address", "Sent to %(n)s addresses", n) % {"n": n}
    refused = data.get("refused") or []
    details = [_people(data)]
    if refused:
        details.append(_("refused: %(who)s") % {"who": "; ".join(map(str, refused))})
    return "send", "", text, details, _mail(data), _("read the email"), bool(refused)


def _failed(_event: InvoiceEvent, data: dict[str, Any]) -> Told:
    trouble = dict(Message.Trouble.choices).get(str(data.get("trouble", "")), "")
    details = [_people(data), f"{trouble} {data.get('error', '')}".strip()[:300]]
    return "mail-x", "", _("The email was refused"), details, _mail(data), _("see the email"), True


def _paid(_event: InvoiceEvent, data: dict[str, Any]) -> Told:
    reference = str(data.get("reference", ""))
    method = dict(Payment.Method.choices).get(data.get("method", ""), "")
    details = [str(method), _("“%(text)s”") % {"text": reference} if reference else ""]
    return "cash", _amount(data), _("received"), details, _payment(data), _("the payment"), False


def _reversed(_event: InvoiceEvent, data: dict[str, Any]) -> Told:
    details = [str(data.get("reason", ""))]
    if data.get("undone"):
        details = [_("undone by whoever had recorded it")]
    return (
        "arrow-back-up",
        _amount(data),
        _("taken back: the payment was reversed"),
        details,
        _payment(data),
        _("the payment"),
        True,
    )


def _credited(_event: InvoiceEvent, data: dict[str, Any]) -> Told:
    if data.get("invoice_id"):
        url = reverse("invoices:detail", args=[data["invoice_id"]])
        text = _("of this credit used for")
        return "receipt-refund", _amount(data), text, [], url, str(data.get("number", "")), False
    details = [str(data.get("reason", ""))]
    url = (
        reverse("invoices:detail", args=[data["credit_note_id"]])
        if data.get("credit_note_id")
        else ""
    )
    amount = _amount(data) or _amount(data, "total_minor")
    return (
        "receipt-refund", amount, _("credited by"), details, url, str(data.get("number", "")), False
    )  # fmt: skip


def _written_off(_event: InvoiceEvent, data: dict[str, Any]) -> Told:
    details = [str(data.get("reason", ""))]
    return "eraser", _amount(data), _("written off"), details, "", "", False


def _claimed_again(_event: InvoiceEvent, data: dict[str, Any]) -> Told:
    details = [str(data.get("reason", ""))]
    text = _("is claimed again: the write-off was taken back")
    return "arrow-back-up", _amount(data), text, details, "", "", True


def _refunded(_event: InvoiceEvent, data: dict[str, Any]) -> Told:
    details = [str(data.get("reason", ""))]
    text = _("paid back to the client")
    return "receipt-refund", _amount(data), text, details, _refund(data), _("the refund"), False


def _refund_taken_back(_event: InvoiceEvent, data: dict[str, Any]) -> Told:
    details = [str(data.get("reason", ""))]
    text = _("not paid back after all")
    return "arrow-back-up", _amount(data), text, details, _refund(data), _("the refund"), True


def _refund(data: dict[str, Any]) -> str:
    return f"refund:{data['refund_id']}" if data.get("refund_id") else ""


def _voided(_event: InvoiceEvent, data: dict[str, Any]) -> Told:
    return "ban", "", _("Draft discarded"), [str(data.get("reason", ""))], "", "", False


_OF_THE_DEAL = {
    "deal_changed": ("refresh", gettext_lazy("The deal changed"), True),
    "deal_confirmed": ("check", gettext_lazy("Stands as it is, although the deal changed"), False),
    "deal_taken": ("briefcase", gettext_lazy("What changed in the deal was taken over"), False),
}


def _note(_event: InvoiceEvent, data: dict[str, Any]) -> Told:
    for key, (icon, sentence, late) in _OF_THE_DEAL.items():
        if key in data:
            changes = [str(each) for each in told(data[key]["was"], data[key]["now"])]
            word = str(data.get("text", ""))
            said = [_("“%(text)s”") % {"text": word}] if word else []
            return icon, "", str(sentence), [*changes, *said], "", "", late
    if "notice" in data:
        # Of an import, not of a person: a code and values.
        return "refresh", "", in_words(data["notice"]), [], "", "", True
    text = str(data.get("text", ""))
    return "message", "", _("Note: “%(text)s”") % {"text": text}, [], "", "", False


def _vat_decided(_event: InvoiceEvent, data: dict[str, Any]) -> Told:
    what = [told_key(str(key)) for key in data.get("keys", [])]
    said = _("“%(text)s”") % {"text": str(data.get("reason", ""))}
    return "scale", "", _("VAT decided against the rules"), [*what, said], "", "", False


def _other(event: InvoiceEvent, _data: dict[str, Any]) -> Told:
    return "circle-dot", "", str(event.get_kind_display()), [], "", "", False


_SENTENCES: dict[str, Callable[[InvoiceEvent, dict[str, Any]], Told]] = {
    Kind.DRAFTED: _drafted,
    Kind.ISSUED: _issued,
    Kind.IMPORTED: _imported,
    Kind.QUEUED: _queued,
    Kind.SENT: _sent,
    Kind.SEND_FAILED: _failed,
    Kind.PAID: _paid,
    Kind.REVERSED: _reversed,
    Kind.CREDITED: _credited,
    Kind.WRITTEN_OFF: _written_off,
    Kind.WRITE_OFF_TAKEN_BACK: _claimed_again,
    Kind.REFUNDED: _refunded,
    Kind.REFUND_TAKEN_BACK: _refund_taken_back,
    Kind.VOIDED: _voided,
    Kind.NOTE: _note,
    Kind.VAT_DECIDED: _vat_decided,
    Kind.PLATFORM: lambda event, data: told_of(data, event.at),
}


def _people(data: dict[str, Any]) -> str:
    to = [str(each) for each in data.get("to", [])]
    if len(to) > 2:
        return _("to %(first)s and %(n)s more") % {"first": to[0], "n": len(to) - 1}
    return _("to %(who)s") % {"who": ", ".join(to)} if to else ""


def _mail(data: dict[str, Any]) -> str:
    return f"mail:{data['message_id']}" if data.get("message_id") else ""


def _payment(data: dict[str, Any]) -> str:
    return f"payment:{data['payment_id']}" if data.get("payment_id") else ""


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
        details=(_people({"to": message.to}), message.error[:160])
        if message.error
        else (_people({"to": message.to}),),
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
