"""What happened to a subscription, told to the reader from its events."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing_portal import dates
from billing_portal.figures import percent
from billing_portal.money import formatted_minor, is_currency
from invoices.models import SubscriptionEvent
from invoices.subscriptions.words import span

Kind = SubscriptionEvent.Kind


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


def steps(events: Iterable[SubscriptionEvent]) -> list[Step]:
    """Newest first, as the events come."""
    found = []
    for event in events:
        icon, text, details, url, link, late = _SENTENCES[Kind(event.kind)](event.data)
        found.append(
            Step(
                icon=icon,
                text=text,
                when=dates.exact_moment(event.at),
                iso=timezone.localtime(event.at).isoformat(timespec="seconds"),
                by=str(event.by) if event.by else _("by itself"),
                details=tuple(each for each in details if each),
                url=url,
                link=link,
                late=late,
            )
        )
    return found


def _day(data: dict[str, Any], name: str) -> str:
    return dates.day(date.fromisoformat(data[name])) if data.get(name) else ""


def _span(data: dict[str, Any]) -> str:
    return span(date.fromisoformat(data["first"]), date.fromisoformat(data["last"]))


def _amount(data: dict[str, Any]) -> str:
    code, value = str(data.get("currency", "")), data.get("total_minor")
    return formatted_minor(value, code) if isinstance(value, int) and is_currency(code) else ""


def _invoice(data: dict[str, Any]) -> tuple[str, str]:
    url = reverse("invoices:detail", args=[data["invoice_id"]])
    return url, str(data.get("invoice") or _("the draft"))


def _plain(icon: str, text: Callable[[], str]) -> Callable[[dict[str, Any]], Told]:
    return lambda data: (icon, text(), [str(data.get("reason", ""))], "", "", False)


def _begun(data: dict[str, Any]) -> Told:
    for name, view, words in (
        ("repeats_id", "detail", _("the invoice that it repeats")),
        ("quote_id", "quote", _("the accepted quote")),
        ("deal_id", "deal", _("the deal")),
    ):
        if data.get(name):
            url = reverse(f"invoices:{view}", args=[data[name]])
            return "pencil", _("Begun from"), [], url, words, False
    return "pencil", _("Begun"), [], "", "", False


def _changed(data: dict[str, Any]) -> Told:
    details = []
    if data.get("lines_from"):
        details.append(_("new lines from %(day)s on") % {"day": _day(data, "lines_from")})
    return "pencil", _("Changed"), details, "", "", False


def _rise(data: dict[str, Any]) -> Told:
    text = _("Prices rise by %(percent)s on %(day)s") % {
        "percent": percent(Decimal(data["percent"])),
        "day": _day(data, "first"),
    }
    details = [_("and on that day of every year")] if data.get("yearly") else []
    return "trending-up", text, details, "", "", False


def _rise_ended(data: dict[str, Any]) -> Told:
    text = _("The price rise of %(day)s is called off") % {"day": _day(data, "first")}
    return "circle-x", text, [percent(Decimal(data["percent"]))], "", "", False


def _resumed(data: dict[str, Any]) -> Told:
    skipped = data.get("skipped") or []
    details = [_("not billed: %(spans)s") % {"spans": "; ".join(map(_span, skipped))}]
    return "player-play", _("Resumed"), details if skipped else [], "", "", False


def _skipped(data: dict[str, Any]) -> Told:
    return "arrow-right", _("A period is not billed"), [_span(data)], "", "", False


def _made(data: dict[str, Any]) -> Told:
    url, link = _invoice(data)
    details = [_span(data), _amount(data)]
    if data.get("asked"):
        details.append(_("several were due at once: it waits for a person"))
    return "file-invoice", _("Draft invoice made"), details, url, link, False


def _indexed(data: dict[str, Any]) -> Told:
    if not data["name"]:
        return "trending-up", _("Its prices follow no index any more"), [], "", "", False
    text = _("Its prices follow %(index)s from %(day)s on")
    values = {"index": data["name"], "day": _day(data, "first")}
    return "trending-up", text % values, [], "", "", False


def _refused(data: dict[str, Any]) -> Told:
    url, link = _invoice(data)
    details = [_span(data), " ".join(map(str, data.get("reasons") or []))]
    return "alert-triangle", _("It could not be issued by itself"), details, url, link, True


def _issued(data: dict[str, Any]) -> Told:
    url, link = _invoice(data)
    return "file-check", _("Issued by itself"), [_span(data)], url, link, False


def _released(data: dict[str, Any]) -> Told:
    text = ngettext(
        "%(n)s invoice was released for issue",
        "%(n)s invoices were released for issue",
        data["count"],
    )
    return "circle-check", text % {"n": data["count"]}, [], "", "", False


def _end_set(data: dict[str, Any]) -> Told:
    return "flag", _("It ends on %(day)s") % {"day": _day(data, "last")}, [], "", "", False


_SENTENCES: dict[SubscriptionEvent.Kind, Callable[[dict[str, Any]], Told]] = {
    Kind.BEGUN: _begun,
    Kind.STARTED: _plain("player-play", lambda: _("Started")),
    Kind.CHANGED: _changed,
    Kind.RISE: _rise,
    Kind.RISE_ENDED: _rise_ended,
    Kind.INDEXED: _indexed,
    Kind.PAUSED: _plain("player-pause", lambda: _("Paused")),
    Kind.RESUMED: _resumed,
    Kind.SKIPPED: _skipped,
    Kind.MADE: _made,
    Kind.REFUSED: _refused,
    Kind.ISSUED: _issued,
    Kind.RELEASED: _released,
    Kind.END_SET: _end_set,
    Kind.ENDED: _plain("circle-check", lambda: _("Ended: no period is left")),
    Kind.DISCARDED: _plain("trash", lambda: _("Discarded")),
}
