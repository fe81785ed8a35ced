"""A rule tried on the last twelve months, in words and bars, before anyone is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing_portal import dates
from billing_portal.accounts.models import User
from invoices.company.currencies import company_currency
from invoices.models import Client, Deal, Invoice
from invoices.outbox.kinds import Render, Words
from reports.alerts import digests, running
from reports.alerts.backtest import Backtest, backtest, try_thresholds
from reports.alerts.kinds.registry import kind_of
from reports.alerts.subjects import unsaved_alert, with_subjects
from reports.alerts.words import words_of
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
# So many percent of the width a number takes on a phone.
NUMBER_APART = 5


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
    # (percent from the left, pixels from the top)
    fires: list[tuple[str, str]]
    # The same with their numbers, or the numbers of some that are close together.
    numbers: list[tuple[str, str, str]]
    months: list[tuple[str, str, bool]]


def line(rule: AlertRule, tried: Backtest, books: Any = None) -> Line | None:
    """Drawn for a rule about one client type; its values are what the back-test compared."""
    values = kind_of(rule).values_by_day(rule, tried.since, tried.until, books)
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
    for place in range(span + 1):
        day = tried.since + timedelta(days=place)
        if place % 3 and day != tried.until:
            continue
        if day in values:
            parts[-1].append(f"{left(day):.2f},{100 * share(values[day]):.2f}")
        elif parts[-1]:
            parts.append([])
    fires = [
        (left(firing.on), HEAD + room * share(values[firing.on]), number)
        for number, firing in enumerate(reversed(tried.fired), 1)
        if firing.on in values
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
        fires=[(f"{x:.2f}%", f"{y:.1f}") for x, y, _number in fires],
        numbers=_numbers(fires),
        months=months,
    )


def _numbers(fires: list[tuple[float, float, int]]) -> list[tuple[str, str, str]]:
    """The number over each dot; dots whose numbers would touch have one label, “2–4”."""
    groups: list[list[tuple[float, float, int]]] = []
    for fire in fires:
        last = groups[-1] if groups else None
        if (
            last
            and fire[0] - last[-1][0] < NUMBER_APART
            and fire[0] - last[0][0] < 2 * NUMBER_APART
        ):
            last.append(fire)
        else:
            groups.append([fire])
    found = []
    for group in groups:
        (first, _y, number), (last_x, _last_y, last_number) = group[0], group[-1]
        text = str(number) if len(group) == 1 else f"{number}–{last_number}"
        found.append((f"{(first + last_x) / 2:.2f}%", f"{min(y for _x, y, _n in group):.1f}", text))
    return found


def preview(rule: AlertRule, on: date, *, reader: User, render: Render) -> dict[str, Any]:
    """The context of partials/backtest.html and rule_side.html."""
    currency = company_currency()
    around = sorted({max(0, round(rule.days * part)) for part in (0.5, 0.75, 1, 1.5, 2)})
    books = kind_of(rule).open_books(rule)
    trials = try_thresholds(rule, on, around, books=books)
    tried = trials[rule.days]
    newest = tried.fired[:LISTED]
    listed = with_subjects(
        [unsaved_alert(rule, firing.subject, firing.on, firing.data) for firing in newest]
    )
    holding = tried.now
    # What was said of before, within the quiet days, is not said again.
    now = running.new_alerts(rule, holding, on)
    at_once = with_subjects(now[: digests.LISTED])
    return {
        "tried": tried,
        "count": len(tried.fired),
        "bars": bars(tried.by_month),
        "line": line(rule, tried, books),
        "line_top": HEAD,
        "rule_type": rule.client_type,
        "line_height": CHART_HEIGHT - FOOT - HEAD,
        "bar_width": f"{60 / max(1, len(tried.by_month)):.2f}%",
        "chart_height": CHART_HEIGHT,
        "base_y": CHART_HEIGHT - FOOT,
        "text_y": CHART_HEIGHT - 6,
        "listed": [(alert, words_of(alert, currency)) for alert in listed],
        "unlisted": len(tried.fired) - len(listed),
        "holding_count": len(holding),
        "now_count": len(now),
        "now": [words_of(alert, currency) for alert in at_once[:LISTED]],
        "mail_more": max(0, len(now) - 5),
        "now_more": max(0, len(now) - LISTED),
        "mail": _mail(rule, now, reader, render),
        "people": _people(rule),
        "cannot_sign_in": _without_password(rule),
        "others": [(days, len(trial.fired), days == rule.days) for days, trial in trials.items()],
        "formula": kind_of(rule).formula(rule),
        "on": on,
    }


def times_fired(rule: AlertRule, on: date) -> int:
    """How often in twelve months; kept, since a list asks it of every rule."""
    key = f"rule-fired:{rule.pk}:{rule.updated_at.timestamp()}:{on}"
    number: int | None = cache.get(key)
    if number is None:
        number = len(backtest(rule, on).fired)
        cache.set(key, number, 600)
    return number


def _mail(rule: AlertRule, now: list[Alert], reader: User, render: Render) -> Words | None:
    if not now:
        return None
    recipient = digests.Recipient(reader.email, str(reader), reader.language, now, reader)
    return digests.compose(rule, recipient, render)


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


def _without_password(rule: AlertRule) -> str:
    """Says who is told and has no password yet; "" when everybody may sign in."""
    named = Q(pk__in=rule.recipients.get("users", []))
    told: Any = named | Q(role__in=rule.recipients.get("roles", []))
    if rule.recipients.get("owner"):
        for rows in (Invoice.objects, Deal.objects, Client.objects):
            told |= Exists(rows.filter(owner=OuterRef("pk")))
    people = User.objects.filter(told, is_active=True).order_by("name", "email")
    names = [str(person) for person in people if not person.has_usable_password()]
    if not names:
        return ""
    return ngettext(
        "%(names)s has no password yet: the email arrives, but its links open for nobody who "
        "cannot sign in.",
        "These have no password yet: %(names)s. The email arrives, but its links open for nobody "
        "who cannot sign in.",
        len(names),
    ) % {"names": ", ".join(names)}
