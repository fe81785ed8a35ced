"""A rule tried on the last twelve months, in words and bars, before anyone is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.cache import cache
from django.utils.translation import gettext as _

from billing_portal import dates
from billing_portal.accounts.models import User
from reports import alert_mail, alert_words, alerts
from reports.models import Alert, AlertRule

LISTED = 12


@dataclass(frozen=True)
class MonthBar:
    label: str
    number: int
    # Of the box of the chart: percent from the left and in width, pixels from the top.
    x: str
    middle: str
    y: int
    height: int
    label_y: int
    labelled: bool


CHART_HEIGHT, FOOT, HEAD = 148, 22, 18


def bars(by_month: list[tuple[date, int]]) -> list[MonthBar]:
    most = max([number for _, number in by_month] + [1])
    room = CHART_HEIGHT - FOOT - HEAD
    step = 100 / len(by_month)
    found = []
    for place, (month, number) in enumerate(by_month):
        height = max(3, round(room * number / most)) if number else 0
        y = CHART_HEIGHT - FOOT - height
        found.append(
            MonthBar(
                label=dates.month(month).split("\u00a0")[0],
                number=number,
                x=f"{place * step + step * 0.2:.2f}%",
                middle=f"{(place + 0.5) * step:.2f}%",
                y=y,
                height=height,
                label_y=y - 5,
                labelled=(len(by_month) - 1 - place) % 2 == 0,
            )
        )
    return found


def preview(rule: AlertRule, on: date, *, reader: User) -> dict[str, Any]:
    """The context of partials/backtest.html and rule_side.html."""
    around = sorted({max(0, round(rule.days * part)) for part in (0.5, 0.75, 1, 1.5, 2)})
    trials = alerts.try_thresholds(rule, on, around)
    tried = trials[rule.days]
    newest = tried.fired[:LISTED]
    listed = alerts.with_subjects(
        [alerts.would_be(rule, would.subject, would.on, would.data) for would in newest]
    )
    now = [alerts.would_be(rule, finding.subject, on, finding.data) for finding in tried.now]
    told = alerts.with_subjects(now[: alert_mail.TOLD])
    return {
        "tried": tried,
        "count": len(tried.fired),
        "bars": bars(tried.by_month),
        "bar_width": f"{60 / max(1, len(tried.by_month)):.2f}%",
        "chart_height": CHART_HEIGHT,
        "base_y": CHART_HEIGHT - FOOT,
        "text_y": CHART_HEIGHT - 6,
        "listed": [(alert, alert_words.tell(alert)) for alert in listed],
        "unlisted": len(tried.fired) - len(listed),
        "now_count": len(now),
        "now": [alert_words.tell(alert) for alert in told[:5]],
        "now_more": max(0, len(now) - 5),
        "mail": _mail(rule, now, reader),
        "people": _people(rule),
        "others": [(days, len(trial.fired), days == rule.days) for days, trial in trials.items()],
        "formula": formula(rule),
        "on": on,
    }


def times_fired(rule: AlertRule, on: date) -> int:
    """How often in twelve months; kept, since a list asks it of every rule."""
    key = f"rule-fired:{rule.pk}:{rule.updated_at.timestamp()}:{on}"
    number: int | None = cache.get(key)
    if number is None:
        number = len(alerts.backtest(rule, on).fired)
        cache.set(key, number, 600)
    return number


def _mail(rule: AlertRule, now: list[Alert], reader: User) -> alert_mail.Mail | None:
    if not now:
        return None
    recipient = alert_mail.Recipient(reader.email, str(reader), reader.language, now)
    return alert_mail.compose(rule, recipient)


def _people(rule: AlertRule) -> list[str]:
    """Who is told, in words."""
    found = []
    if rule.recipients.get("roles"):
        found.append(_("the finance team"))
    people = User.objects.filter(pk__in=rule.recipients.get("users", []), is_active=True)
    found += [str(user) for user in people]
    if rule.recipients.get("owner"):
        found.append(_("the owner"))
    return found + list(rule.recipients.get("emails", []))


def formula(rule: AlertRule) -> str:
    """How it is reckoned, under the figure."""
    words = {
        "window": rule.window_days,
        "least": rule.min_payments,
        "type": rule.client_type.name if rule.client_type else _("each client type"),
        "days": rule.days,
    }
    return {
        AlertRule.Kind.OVERDUE: _(
            "Day − due date > %(days)s, by the balance of that day. Foreign amounts at the rate of "
            "the invoice date."
        ),
        AlertRule.Kind.TYPE_DELAY: _(
            "Payment date − due date over the invoices issued in the %(window)s days before each "
            "day, by value dates up to it; P50 and P75 count open invoices as unfinished "
            "(Kaplan–Meier). %(type)s, every currency, at least %(least)s payments."
        ),
        AlertRule.Kind.HABIT: _(
            "Days late of an open invoice > habit + %(days)s. Habit: the measure of the client’s "
            "other invoices issued in the %(window)s days before this one fell due, as known that "
            "day, at least %(least)s of them paid; early counts as on time."
        ),
        AlertRule.Kind.NOT_INVOICED: _(
            "Day − day won > %(days)s, while no draft and no invoice exist and the deal is not set "
            "aside."
        ),
    }[AlertRule.Kind(rule.kind)] % words
