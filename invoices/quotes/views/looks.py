"""How the state of a quote looks: the signs and colours of the portal, with its own words."""

from __future__ import annotations

from datetime import date

from django.utils.html import format_html
from django.utils.safestring import SafeString

from billing_portal.templatetags.portal import icon_html
from invoices.models import QuoteVersion
from invoices.models.quotes import State

# Icon and colour.
LOOKS = {
    State.DRAFT: ("circle-dashed", "draft"),
    State.SENT: ("send", "sent"),
    State.VIEWED: ("eye", "issued"),
    State.ACCEPTED: ("circle-check", "settled"),
    State.DECLINED: ("circle-x", "overdue"),
    State.EXPIRED: ("hourglass", "promised"),
    State.REPLACED: ("repeat", "void"),
    State.WITHDRAWN: ("hand-stop", "void"),
    State.DISCARDED: ("ban", "void"),
}


def state_shown(version: QuoteVersion, on: date, *, pill: bool = False) -> SafeString:
    return look(version.state(on), pill=pill)


def look(state: State, *, pill: bool = False) -> SafeString:
    sign, colour = LOOKS[state]
    return format_html(
        '<span class="state state-{}{}">{}{}</span>',
        colour,
        " state-pill" if pill else "",
        icon_html(sign),
        state.label,
    )
