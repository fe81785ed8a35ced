"""Days and moments: how they are written for the reader."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache

from babel.dates import format_date, get_month_names
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing_portal.money import reader_locale

NBSP = "\u00a0"
EMPTY = "–"


@lru_cache(maxsize=8)
def _months(locale: str) -> dict[int, str]:
    names = dict(get_month_names("abbreviated", locale=locale))
    if locale == "en_GB":
        names[9] = "Sep"
    return names


def short_day(day: date | None, locale: str | None = None) -> str:
    """24 Nov"""
    if day is None:
        return EMPTY
    locale = locale or reader_locale()
    number = "1er" if day.day == 1 and locale == "fr_FR" else day.day
    return f"{number}{NBSP}{_months(locale)[day.month]}"


def day(day: date | None, locale: str | None = None) -> str:
    """24 Nov 2026"""
    return EMPTY if day is None else f"{short_day(day, locale)} {day.year}"


def long_day(day: date | None, locale: str | None = None) -> str:
    """Tuesday 24 November 2026"""
    if day is None:
        return EMPTY
    locale = locale or reader_locale()
    number = "'1er'" if day.day == 1 and locale == "fr_FR" else "d"
    written = str(format_date(day, f"EEEE {number} MMMM y", locale=locale))
    return written[0].upper() + written[1:]


def month(day: date, locale: str | None = None) -> str:
    """Nov 2026"""
    return f"{_months(locale or reader_locale())[day.month]}{NBSP}{day.year}"


def moment(at: datetime | None, now: datetime | None = None) -> str:
    """24 Nov, 09:12, with the year when it is another one; "3 minutes ago" within the last day."""
    if at is None:
        return EMPTY
    now = now or timezone.now()
    minutes = int((now - at).total_seconds() // 60)
    if minutes == 0:
        return _("just now")
    if 0 < minutes < 60:
        return ngettext("%(n)s minute ago", "%(n)s minutes ago", minutes) % {"n": minutes}
    if 0 < minutes < 24 * 60:
        hours = minutes // 60
        return ngettext("%(n)s hour ago", "%(n)s hours ago", hours) % {"n": hours}
    return exact_moment(at, now)


def exact_moment(at: datetime | None, now: datetime | None = None) -> str:
    """24 Nov, 09:12, with the year when it is another one."""
    if at is None:
        return EMPTY
    local = timezone.localtime(at)
    written = (
        short_day(local.date())
        if local.year == timezone.localtime(now or timezone.now()).year
        else day(local.date())
    )
    return f"{written}, {local:%H:%M}"


def day_tag(value: date | None, *, short: bool = False) -> SafeString:
    if value is None:
        return mark_safe(EMPTY)
    if isinstance(value, datetime):
        value = timezone.localtime(value).date() if timezone.is_aware(value) else value.date()
    text = short_day(value) if short else day(value)
    return mark_safe(f'<time datetime="{value.isoformat()}">{text}</time>')


def moment_tag(value: datetime | None) -> SafeString:
    if value is None:
        return mark_safe(EMPTY)
    exact = exact_moment(value)
    return mark_safe(
        f'<time datetime="{value.isoformat(timespec="seconds")}" title="{exact}">'
        f"{moment(value)}</time>"
    )


def as_typed(value: date) -> str:
    """How a date field shows its day: 24/11/2026, in both languages."""
    return value.strftime("%d/%m/%Y")
