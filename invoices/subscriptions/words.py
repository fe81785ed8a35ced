"""A subscription told to the reader: how often, its states, its periods."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from billing_portal import dates
from billing_portal.figures import percent
from invoices.models import Indexation, PriceRise, Subscription, SubscriptionPeriod
from invoices.subscriptions.indexing import period_in_words
from invoices.subscriptions.upcoming import Contents

Status = Subscription.Status
# Icon and colour of a state, as those of quotes and invoices.
LOOKS: Final = {
    Status.DRAFT: ("circle-dashed", "draft"),
    Status.ACTIVE: ("repeat", "sent"),
    Status.PAUSED: ("player-pause", "part"),
    Status.ENDED: ("circle-check", "settled"),
    Status.DISCARDED: ("trash", "void"),
}


def rhythm(unit: str, every: int) -> str:
    """“every month”, “every 3 months”"""
    if unit == Subscription.Unit.WEEK:
        return ngettext("every week", "every %(n)s weeks", every) % {"n": every}
    if unit == Subscription.Unit.YEAR:
        return ngettext("every year", "every %(n)s years", every) % {"n": every}
    return ngettext("every month", "every %(n)s months", every) % {"n": every}


def span(first: date, last: date) -> str:
    return _("%(first)s to %(last)s") % {"first": dates.day(first), "last": dates.day(last)}


def calendar_words(subscription: Subscription) -> list[str]:
    """Its calendar in a few sentences, the exact rule of part periods among them."""
    found = [
        _("It begins on %(day)s.") % {"day": dates.day(subscription.starts_on)},
    ]
    if subscription.whole_from > subscription.starts_on:
        found.append(
            _("Whole periods begin on %(day)s; a part period comes before.")
            % {"day": dates.day(subscription.whole_from)}
        )
    if subscription.unit != Subscription.Unit.WEEK and subscription.month_day > 28:
        found.append(
            _("In a shorter month a period begins on its last day.")
            if subscription.month_day < 31
            else _("Periods begin on the last day of a month.")
        )
    found.append(
        _("Each is billed on its last day.")
        if subscription.in_arrears
        else _("Each is billed on its first day.")
    )
    found.append(
        _(
            "A part period costs its days of the days of the whole one, to the cent: the parts sum "
            "to the whole."
        )
        if subscription.prorated
        else _("A part period costs as much as a whole one.")
    )
    return found


def ending(subscription: Subscription) -> str:
    if subscription.ends_on is not None:
        return dates.day(subscription.ends_on)
    if subscription.most_periods is not None:
        return ngettext("after %(n)s period", "after %(n)s periods", subscription.most_periods) % {
            "n": subscription.most_periods
        }
    return _("open")


def index_words(found: Indexation, contents: Contents, day: date) -> list[str]:
    """What its prices follow, and what is not known yet, for prices of `day`."""
    language = get_language() or "en"
    base = period_in_words(found.base_period, language)
    values = {"index": found.index.upper(), "base": base, "day": dates.day(found.first_review)}
    told = [
        _(
            "Prices follow %(index)s (base %(base)s), reviewed on %(day)s and on that day of every "
            "year after: price × new value ÷ base value, rounded half up to the cent."
        )
        % values
    ]
    if contents.indexed and (missing := contents.indexed.missing(day)):
        waits = {"name": f"{found.index.upper()} {period_in_words(missing, language)}"}
        if contents.indexed.holds:
            text = _("The value of %(name)s is not known yet: no invoice is made until it is.")
        else:
            text = _(
                "The value of %(name)s is not known yet: it is billed at the old price until then, "
                "and nothing is billed afterwards for that time."
            )
        told.append(text % waits)
    return told


def rise_words(rise: PriceRise) -> str:
    values = {"percent": percent(rise.percent), "day": dates.day(rise.first_day)}
    if rise.yearly:
        text = _("%(percent)s on %(day)s and on that day of every year") % values
    else:
        text = _("%(percent)s from %(day)s on") % values
    if rise.ends_before is not None:
        text += " · " + _("called off: no more from %(day)s on") % {
            "day": dates.day(rise.ends_before)
        }
    return text


def period_state(period: SubscriptionPeriod, invoice: Any) -> tuple[str, bool]:
    """What became of a period, and whether it needs somebody; an invoice tells its own state."""
    State = SubscriptionPeriod.State
    if invoice is not None and invoice.is_issued:
        return "", False
    if invoice is None:
        if period.state == State.SKIPPED:
            return _("Not billed"), False
        return _("Not billed: its invoice was taken back"), True
    if period.state == State.REFUSED:
        return _("Could not be issued by itself"), True
    if period.state == State.ASKED:
        return _("Waits for you: several were due at once"), True
    if period.state == State.TO_ISSUE:
        return _("About to be issued"), False
    return _("Draft for a person"), False


def state_html(status: str, icon: SafeString, *, pill: bool = False) -> SafeString:
    sign = Status(status)
    return format_html(
        '<span class="state state-{}{}">{}{}</span>',
        LOOKS[sign][1],
        " state-pill" if pill else "",
        icon,
        sign.label,
    )
