"""What each event of an invoice says in its timeline."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing_portal import dates
from billing_portal.money import formatted_minor, is_currency
from billing_portal.notices import in_words
from invoices.company.vat_faults import told_key
from invoices.invoicing.deal_basis import told
from invoices.invoicing.on_the_platform import told_of
from invoices.models import InvoiceEvent, Message, Payment

Kind = InvoiceEvent.Kind


# Icon, what stands out, text, details, address, its words, whether it is bad news.
def _amount(data: dict[str, Any], name: str = "amount_minor") -> str:
    code = str(data.get("currency", ""))
    value = data.get(name)
    return formatted_minor(value, code) if isinstance(value, int) and is_currency(code) else ""


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
    if data.get("deposit_on"):
        url = reverse("invoices:detail", args=[data["deposit_on"]])
        link = str(data.get("deposit_of", ""))
        return "percentage", "", _("Drafted as a deposit on"), [], url, link, False
    if data.get("replaces_id"):
        url = reverse("invoices:detail", args=[data["replaces_id"]])
        return "repeat", "", _("Drafted to replace"), [], url, str(data["replaces"]), False
    if data.get("copied_id"):
        url = reverse("invoices:detail", args=[data["copied_id"]])
        link = str(data.get("copied") or _("a draft"))
        return "copy", "", _("Copied from"), [], url, link, False
    return "pencil", "", _("Draft begun"), [], "", "", False


def _issued(_event: InvoiceEvent, data: dict[str, Any]) -> Told:
    details = [
        _("number taken, PDF kept"),
        _deposits(data),
        _proof(data.get("vat_check")),
    ]
    if data.get("replaces_id"):
        url = reverse("invoices:detail", args=[data["replaces_id"]])
        return "file-check", "", _("Issued in place of"), details, url, str(data["replaces"]), False
    return "file-check", "", _("Issued"), details, "", "", False


def _deposits(data: dict[str, Any]) -> str:
    """Which deposits a final invoice took off."""
    rows, code = data.get("deposits") or [], str(data.get("currency", ""))
    if not rows or not is_currency(code):
        return ""
    taken = ", ".join(f"{number} ({formatted_minor(minor, code)})" for number, _pk, minor in rows)
    return _("deposits deducted: %(deposits)s") % {"deposits": taken}


def _other_invoice(data: dict[str, Any]) -> str:
    return reverse("invoices:detail", args=[data["invoice_id"]]) if "invoice_id" in data else ""


def _of_final(data: dict[str, Any], icon: str, text: str, *, late: bool) -> Told:
    url = _other_invoice(data)
    return icon, _amount(data), text, [], url, str(data.get("number", "")), late


def _deducted(_event: InvoiceEvent, data: dict[str, Any]) -> Told:
    return _of_final(data, "percentage", _("deducted by the final invoice"), late=False)


def _released(_event: InvoiceEvent, data: dict[str, Any]) -> Told:
    text = _("free again: the final invoice was credited whole")
    return _of_final(data, "arrow-back-up", text, late=True)


def _release_moved(_event: InvoiceEvent, data: dict[str, Any]) -> Told:
    try:
        before, now = (dates.day(date.fromisoformat(data[name])) for name in ("from", "to"))
    except (KeyError, TypeError, ValueError):
        before = now = "–"
    text = _("Release of the retention moved from %(before)s to %(now)s") % {
        "before": before,
        "now": now,
    }
    details = [_("“%(text)s”") % {"text": str(data.get("reason", ""))}]
    return "calendar-due", _amount(data), text, details, "", "", False


def _replaced(_event: InvoiceEvent, data: dict[str, Any]) -> Told:
    url = _other_invoice(data)
    moved = data.get("moved_minor")
    details = [_("payments moved: %(amount)s") % {"amount": _amount(data, "moved_minor")}]
    text, link = _("Replaced by"), str(data.get("number", ""))
    return "repeat", "", text, details if moved else [], url, link, False


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
    return "mail", "", text, [people(data)], _mail(data), _("read the email"), False


def _sent(_event: InvoiceEvent, data: dict[str, Any]) -> Told:
    n = len(data.get("to", []))
    text = ngettext("Sent to %(n)s address", "Sent to %(n)s addresses", n) % {"n": n}
    refused = data.get("refused") or []
    details = [people(data)]
    if enclosed := data.get("enclosed"):
        details.append(
            _("with %(files)s") % {"files": ", ".join(str(each[0]) for each in enclosed)}
        )
    if refused:
        details.append(_("refused: %(who)s") % {"who": "; ".join(map(str, refused))})
    return "send", "", text, details, _mail(data), _("read the email"), bool(refused)


def _failed(_event: InvoiceEvent, data: dict[str, Any]) -> Told:
    trouble = dict(Message.Trouble.choices).get(str(data.get("trouble", "")), "")
    details = [people(data), f"{trouble} {data.get('error', '')}".strip()[:300]]
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


def other(event: InvoiceEvent, _data: dict[str, Any]) -> Told:
    return "circle-dot", "", str(event.get_kind_display()), [], "", "", False


SENTENCES: dict[str, Callable[[InvoiceEvent, dict[str, Any]], Told]] = {
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
    Kind.DEDUCTED: _deducted,
    Kind.RELEASED: _released,
    Kind.REPLACED: _replaced,
    Kind.RELEASE_MOVED: _release_moved,
}


def people(data: dict[str, Any]) -> str:
    to = [str(each) for each in data.get("to", [])]
    if len(to) > 2:
        return _("to %(first)s and %(n)s more") % {"first": to[0], "n": len(to) - 1}
    return _("to %(who)s") % {"who": ", ".join(to)} if to else ""


def _mail(data: dict[str, Any]) -> str:
    return f"mail:{data['message_id']}" if data.get("message_id") else ""


def _payment(data: dict[str, Any]) -> str:
    return f"payment:{data['payment_id']}" if data.get("payment_id") else ""
