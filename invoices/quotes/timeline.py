"""What happened to a quote, told to the reader from its events."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing_portal import dates
from billing_portal.money import formatted_minor, is_currency
from invoices.models import Message, QuoteBilling, QuoteEvent, QuoteVersion

Kind = QuoteEvent.Kind


@dataclass(frozen=True)
class Step:
    icon: str
    text: str
    when: str
    iso: str
    by: str = ""
    details: tuple[str, ...] = ()
    url: str = ""
    link: str = ""
    late: bool = False


# Icon, sentence, details, address, its words, and whether it is bad news.
Told = tuple[str, str, list[str], str, str, bool]


def steps(events: Iterable[QuoteEvent], *, may_see_mail: bool) -> list[Step]:
    """Newest first, as the events come."""
    found = []
    for event in events:
        icon, text, details, url, link, late = _SENTENCES[Kind(event.kind)](event.data)
        if not may_see_mail and link == _("the email"):
            url = link = ""
        local = timezone.localtime(event.at)
        found.append(
            Step(
                icon=icon,
                text=text,
                when=dates.exact_moment(event.at),
                iso=local.isoformat(timespec="seconds"),
                by=str(event.by) if event.by else "",
                details=tuple(each for each in details if each),
                url=url,
                link=link,
                late=late,
            )
        )
    return found


def _version(data: dict[str, Any]) -> str:
    return _("version %(n)s") % {"n": data["number"]} if data.get("number") else ""


def _amount(data: dict[str, Any], name: str = "amount_minor") -> str:
    code, value = str(data.get("currency", "")), data.get(name)
    return formatted_minor(value, code) if isinstance(value, int) and is_currency(code) else ""


def _drafted(data: dict[str, Any]) -> Told:
    if data.get("deal_id"):
        url = reverse("invoices:deal", args=[data["deal_id"]])
        return "briefcase", _("Begun from the deal"), [], url, str(data.get("deal", "")), False
    if data.get("source_id"):
        url = reverse("invoices:quote", args=[data["source_id"]])
        return "copy", _("Copied from"), [], url, str(data.get("source", "")), False
    return "pencil", _("Quote begun"), [], "", "", False


def _plain(icon: str, text: Callable[[], str], *, late: bool = False) -> Callable[..., Told]:
    return lambda data: (icon, text(), [_version(data)], "", "", late)


def _sent(data: dict[str, Any]) -> Told:
    to = data.get("to") or []
    details = [_version(data), _amount(data, "total_minor"), ", ".join(map(str, to))]
    text = _("Sent") if to else _("Made ready; its link is handed over without an email")
    return "send", text, details, "", "", False


def _mail(data: dict[str, Any]) -> str:
    return reverse("invoices:mail-message", args=[data["message_id"]])


def _mail_sent(data: dict[str, Any]) -> Told:
    to, refused = data.get("to") or [], data.get("refused") or []
    text = ngettext("The email left to %(n)s address", "The email left to %(n)s addresses", len(to))
    details = [", ".join(map(str, to))]
    if refused:
        details.append(_("refused: %(who)s") % {"who": "; ".join(map(str, refused))})
    return "mail", text % {"n": len(to)}, details, _mail(data), _("the email"), bool(refused)


def _mail_failed(data: dict[str, Any]) -> Told:
    trouble = dict(Message.Trouble.choices).get(str(data.get("trouble", "")), "")
    details = [f"{trouble} {data.get('error', '')}".strip()[:300]]
    return "mail-x", _("The email was refused"), details, _mail(data), _("the email"), True


def _accepted(data: dict[str, Any]) -> Told:
    text = _("%(name)s accepted it") % {"name": data.get("name", "")}
    details = [_version(data), _amount(data, "total_minor")]
    return "circle-check", text, details, "", "", False


def _declined(data: dict[str, Any]) -> Told:
    reasons = dict(QuoteVersion.DeclineReason.choices)
    words = str(data.get("words", ""))
    details = [
        _version(data),
        str(reasons.get(data.get("reason", ""), "")),
        _("“%(text)s”") % {"text": words} if words else "",
    ]
    return "circle-x", _("The client declined"), details, "", "", True


def _replaced(data: dict[str, Any]) -> Told:
    text = _("Version %(old)s was replaced by version %(new)s") % {
        "old": data.get("number"),
        "new": data.get("newer"),
    }
    return "repeat", text, [], "", "", False


def _withdrawn(data: dict[str, Any]) -> Told:
    return "hand-stop", _("Withdrawn"), [str(data.get("reason", ""))], "", "", False


def _billed(data: dict[str, Any]) -> Told:
    kinds = dict(QuoteBilling.Kind.choices)
    url = reverse("invoices:detail", args=[data["invoice_id"]])
    details = [str(kinds.get(data.get("billing", ""), "")), _amount(data)]
    return "file-invoice", _("Draft invoice made"), details, url, _("the invoice"), False


def _exceeded(data: dict[str, Any]) -> Told:
    url = reverse("invoices:detail", args=[data["invoice_id"]])
    text = _("Billed beyond what was accepted, and confirmed so")
    return "alert-triangle", text, [_amount(data)], url, _("the invoice"), True


_SENTENCES: dict[QuoteEvent.Kind, Callable[[dict[str, Any]], Told]] = {
    Kind.DRAFTED: _drafted,
    Kind.VERSION: _plain("plus", lambda: _("A new version is being written")),
    Kind.DISCARDED: _plain("trash", lambda: _("The draft was discarded")),
    Kind.SENT: _sent,
    Kind.MAIL_SENT: _mail_sent,
    Kind.MAIL_FAILED: _mail_failed,
    Kind.VIEWED: _plain("eye", lambda: _("The client opened it")),
    Kind.ACCEPTED: _accepted,
    Kind.DECLINED: _declined,
    Kind.RECONSIDERED: _plain("arrow-back-up", lambda: _("The client took the refusal back")),
    Kind.ASKED: _plain("message-question", lambda: _("The client asks for a new version")),
    Kind.REPLACED: _replaced,
    Kind.WITHDRAWN: _withdrawn,
    Kind.LINK_ENDED: _plain("link-off", lambda: _("The link was ended")),
    Kind.LINK_RENEWED: _plain("link", lambda: _("A new link was made; the one before ended")),
    Kind.BILLED: _billed,
    Kind.EXCEEDED: _exceeded,
}
