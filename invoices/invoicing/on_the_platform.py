"""What went to the approved platform and what came back, in the words of an invoice's timeline."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from billing_portal import dates
from billing_portal.money import formatted_minor
from billing_portal.notices import in_words
from invoices.einvoicing.reasons import reason_in_words
from invoices.einvoicing.statuses import MEANINGS, label_of

SOON: Final = timedelta(minutes=10)
Told = tuple[str, str, str, list[str], str, str, bool]


def told_of(data: dict[str, Any], at: datetime) -> Told:
    """Icon, what stands out, text, details, address, its word, and whether it is amiss."""
    what = data.get("what")
    if what == "status":
        return _status(data, at)
    if what == "declared":
        amount = formatted_minor(data["amount_minor"], data["currency"])
        text = _("declared to the platform as received")
        return "cash", amount, text, ["212"], _message(data), _("the message"), False
    if what == "answered":
        details = ["209", str(data.get("words", "")), str(data.get("filename", ""))]
        text = _("Answered through the platform")
        return "message", "", text, details, _message(data), _("the message"), False
    if what == "answer_refused":
        why = [in_words(data.get("notice"))]
        return "alert-circle", "", _("The platform did not take our answer"), why, "", "", True
    if what == "refused":
        why = [in_words(data.get("notice"))]
        return "alert-circle", "", _("The platform did not take it"), why, "", "", True
    if what in ("dispute_opened", "dispute_closed"):
        is_open = what == "dispute_opened"
        text = _("In dispute") if is_open else _("The dispute is settled")
        icon = "message-exclamation" if is_open else "message-check"
        return icon, "", text, [str(data.get("reason", ""))], "", "", is_open
    text = _("Taken by the platform") if what == "sent" else _("Handed over for the platform")
    return "send", "", text, [], "", "", False


def _status(data: dict[str, Any], at: datetime) -> Told:
    code = str(data.get("code", ""))
    meaning = MEANINGS.get(code)
    said_at = parse_datetime(str(data.get("at") or ""))
    if said_at is not None and abs(at - said_at) < SOON:
        # Its own time is worth a word only where it came late.
        said_at = None
    details = [
        code if meaning else "",
        _("said at %(moment)s") % {"moment": dates.exact_moment(said_at)} if said_at else "",
        reason_in_words(str(data.get("reason_code", "")), str(data.get("reason_text", ""))),
    ]
    label = label_of(code, str(data.get("words", "")))
    text = _("Platform: %(status)s") % {"status": label.lower() if meaning else label}
    icon = meaning.icon if meaning else "circle-dot"
    late = meaning is not None and meaning.colour == "overdue"
    return icon, "", text, details, _message(data), _("the message"), late


def _message(data: dict[str, Any]) -> str:
    pk = data.get("status_id")
    return reverse("invoices:lifecycle-message", args=[pk]) if pk else ""
