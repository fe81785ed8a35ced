"""A rule tried on the last twelve months, in words and bars, before anyone is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.core.cache import cache
from django.utils.translation import gettext as _

from billing_portal import dates
from billing_portal.accounts.models import User
from reports.alerts import digests, running
from reports.alerts import words as alert_words
from reports.alerts.kinds.conditions import delays_by_day
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


@dataclass(frozen=True)
class Line:
    """The measure on one day of each week, the threshold and the days on which the rule speaks."""

    # Points of a box of 100 by 100, of which the days without a value are left out.
    points: list[str]
    threshold_y: str
    threshold: int
    # (percent from the left, pixels from the top, number)
    fires: list[tuple[str, str, int]]
    months: list[tuple[str, str, bool]]


def line(rule: AlertRule, tried: running.Backtest) -> Line | None:
    """Drawn for a rule about one client type; its values are what the back-test compared."""
    if rule.kind != AlertRule.Kind.TYPE_DELAY or rule.client_type_id is None:
        return None
    days = delays_by_day(rule, tried.since, tried.until).get(rule.client_type_id, [])
    values = {day: float(now.value) for day, now in days if now.value is not None}
    if len(values) < 2:
        return None
    top = max(max(values.values()), rule.days, 1) * 1.1
    bottom = min(0.0, min(values.values()) * 1.1)
    span = max(1, (tried.until - tried.since).days)
    room = CHART_HEIGHT - FOOT - HEAD

    def left(day: date) -> float:
        return 100 * (day - tried.since).days / span

    def share(value: float) -> float:
        return (top - value) / (top - bottom)

    # A gap where nothing was reached, rather than a line across it.
    parts: list[list[str]] = [[]]
    for place, (day, _now) in enumerate(days):
        if place % 3 and day != tried.until:
            continue
        if day in values:
            parts[-1].append(f"{left(day):.2f},{100 * share(values[day]):.2f}")
        elif parts[-1]:
            parts.append([])
    fires = [
        (f"{left(would.on):.2f}%", f"{HEAD + room * share(values[would.on]):.1f}", number)
        for number, would in enumerate(reversed(tried.fired), 1)
        if would.on in values
    ]
    months: list[tuple[str, str, bool]] = []
    month = (tried.since + timedelta(days=31)).replace(day=1)
    while month <= tried.until:
        label = dates.month(month).split("\u00a0")[0]
        months.append((f"{left(month):.2f}%", label, len(months) % 2 == 1))
        month = (month + timedelta(days=32)).replace(day=1)
    return Line(
        points=[" ".join(part) for part in parts if len(part) > 1],
        threshold_y=f"{HEAD + room * share(rule.days):.1f}",
        threshold=rule.days,
        fires=fires,
        months=months,
    )


def preview(rule: AlertRule, on: date, *, reader: User) -> dict[str, Any]:
    """The context of partials/backtest.html and rule_side.html."""
    around = sorted({max(0, round(rule.days * part)) for part in (0.5, 0.75, 1, 1.5, 2)})
    trials = running.try_thresholds(rule, on, around)
    tried = trials[rule.days]
    newest = tried.fired[:LISTED]
    listed = running.with_subjects(
        [running.would_be(rule, would.subject, would.on, would.data) for would in newest]
    )
    now = [running.would_be(rule, finding.subject, on, finding.data) for finding in tried.now]
    told = running.with_subjects(now[: digests.TOLD])
    return {
        "tried": tried,
        "count": len(tried.fired),
        "bars": bars(tried.by_month),
        "line": line(rule, tried),
        "line_top": HEAD,
        "rule_type": rule.client_type,
        "line_height": CHART_HEIGHT - FOOT - HEAD,
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
        number = len(running.backtest(rule, on).fired)
        cache.set(key, number, 600)
    return number


def _mail(rule: AlertRule, now: list[Alert], reader: User) -> digests.Mail | None:
    if not now:
        return None
    recipient = digests.Recipient(reader.email, str(reader), reader.language, now)
    return digests.compose(rule, recipient)


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
        "type": rule.client_type.name if rule.client_type else _("Each client type"),
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
