"""The statuses of the lifecycle (XP Z12-012) and what each means here: a table, and no guess.

A code that is not in it is kept, shown as it was received, and changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from invoices.models.einvoicing import Group


@dataclass(frozen=True)
class Meaning:
    """`step` is the place on the track of an invoice's life that it reaches; `group` what it makes
    of the whole, "" where it changes nothing. `icon` and `colour` are those of states."""

    label: Any
    step: str = ""
    group: str = ""
    icon: str = "circle-dot"
    colour: str = "sent"
    # The column of Transmission that keeps its first time.
    column: str = ""


STEPS: Final = ("deposited", "received", "available", "answer", "paid")
_CLIENT: Final = Group.CLIENT.value
MEANINGS: Final[dict[str, Meaning]] = {
    "200": Meaning(
        _("Deposited"), "deposited", Group.WAITING.value, "send", "sent", "deposited_at"
    ),
    # Sent on by our platform: nothing that the client has seen.
    "201": Meaning(_("Sent on"), "deposited", Group.WAITING.value, "send", "sent"),
    "202": Meaning(
        pgettext_lazy("e-invoice", "Received"), "received", _CLIENT, "check", "sent", "received_at"
    ),
    "203": Meaning(_("Made available"), "available", _CLIENT, "check", "sent", "available_at"),
    "204": Meaning(_("Taken up"), "answer", _CLIENT, "eye", "sent", "taken_up_at"),
    "205": Meaning(_("Approved"), "answer", _CLIENT, "check", "settled", "approved_at"),
    "206": Meaning(_("Approved in part"), "answer", _CLIENT, "circle-half-2", "promised"),
    "207": Meaning(
        _("In dispute"), "answer", Group.DISPUTED.value, "message-exclamation", "disputed"
    ),
    "208": Meaning(_("Suspended"), "answer", Group.DISPUTED.value, "clock", "promised"),
    "209": Meaning(_("Completed"), "answer", _CLIENT, "check", "sent"),
    "210": Meaning(
        pgettext_lazy("e-invoice", "Refused"), "answer", Group.FAILED.value, "x", "overdue"
    ),
    "211": Meaning(
        _("Payment announced"), "answer", _CLIENT, "cash", "settled", "payment_announced_at"
    ),
    "212": Meaning(_("Paid, declared"), "paid", "", "cash", "settled"),
    "213": Meaning(_("Rejected"), "", Group.FAILED.value, "alert-circle", "overdue"),
    "220": Meaning(_("Cancelled"), "", "", "ban", "void"),
}
REJECTED, REFUSED, IN_DISPUTE, SUSPENDED = "213", "210", "207", "208"
COMPLETED, RECEIVED_MONEY = "209", "212"
# After these only a new document under a new number helps.
FINAL: Final = (REJECTED, REFUSED)


def label_of(code: str, words: str = "") -> str:
    """What staff read; of an unknown code what came with it."""
    found = MEANINGS.get(code)
    if found is not None:
        return str(found.label)
    return " ".join(filter(None, (code, words.replace("_", " ")))) or "?"
