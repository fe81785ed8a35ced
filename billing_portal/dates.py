"""Days and moments: how they are written for the reader and read from what people type."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from babel.dates import format_date, get_month_names
from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing_portal.money import reader_locale

NBSP = "\u00a0"
EMPTY = "–"
FIRST_YEAR, LAST_YEAR = 2000, 2100


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


# ─ Reading what people type ─────────────────────────────────────────────────────────────────────
@lru_cache(maxsize=1)
def _month_numbers() -> dict[str, int]:
    found: dict[str, int] = {}
    for locale in ("en_GB", "fr_FR"):
        for width in ("abbreviated", "wide"):
            for number, name in get_month_names(width, locale=locale).items():
                plain = name.lower().rstrip(".")
                found[plain] = number
                found[plain[:3]] = found.get(plain[:3], number)
    for name, number in {"fev": 2, "fevrier": 2, "aout": 8, "dec": 12, "decembre": 12}.items():
        found[name] = number
    # "jui" alone could be June or July.
    found.pop("jui", None)
    found.update({"juin": 6, "juil": 7, "juillet": 7, "mai": 5, "avr": 4})
    return found


_TODAY = {"today", "aujourd'hui", "auj"}
_YESTERDAY = {"yesterday", "hier"}
_TOMORROW = {"tomorrow", "demain"}


def parse_day(text: str, today: date) -> date:
    """Read 24/11/2026, 24.11, 24 nov, 2026-11-24, "today". Raises ValueError with a sentence."""
    plain = text.strip().lower().replace("’", "'").replace("\u00a0", " ").replace("\u202f", " ")
    if plain in _TODAY:
        return today
    if plain in _YESTERDAY:
        return today - timedelta(days=1)
    if plain in _TOMORROW:
        return today + timedelta(days=1)
    if found := re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", plain):
        year, month_number, day_number = (int(part) for part in found.groups())
    elif found := re.fullmatch(r"(\d{1,2})[/.\- ](\d{1,2})[/.]?(?:[/.\- ]?(\d{4}|\d{2}))?", plain):
        day_number, month_number = int(found[1]), int(found[2])
        year = _year(found[3], today)
    elif found := re.fullmatch(
        # An optional weekday, the day, the month's name, perhaps a year.
        r"(?:[^\W\d]+\.? )?(\d{1,2})(?:er|st|nd|rd|th)?[ .\-]*([^\W\d]+)\.?"
        r"(?:[ ,\-]+(\d{4}|\d{2}))?",
        plain,
    ):
        name = found[2]
        number = _month_numbers().get(name) or _month_numbers().get(name[:3])
        if number is None:
            raise ValueError(_("“%(text)s” is not a date.") % {"text": text[:40]})
        day_number, month_number, year = int(found[1]), number, _year(found[3], today)
    else:
        raise ValueError(
            _("“%(text)s” is not a date: write it like %(example)s.")
            % {"text": text[:40], "example": today.strftime("%d/%m/%Y")}
        )
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(
            _("The year %(year)s is out of range: it must be from %(first)s to %(last)s.")
            % {"year": year, "first": FIRST_YEAR, "last": LAST_YEAR}
        )
    if not 1 <= month_number <= 12:
        raise ValueError(_("There is no month %(month)s.") % {"month": month_number})
    try:
        return date(year, month_number, day_number)
    except ValueError as problem:
        raise ValueError(
            _("There is no day %(day)s in %(month)s.")
            % {"day": day_number, "month": month(date(year, month_number, 1))}
        ) from problem


def _year(text: str | None, today: date) -> int:
    if not text:
        return today.year
    return int(text) if len(text) == 4 else 2000 + int(text)


def as_typed(value: date) -> str:
    """How a date field shows its day: 24/11/2026, in both languages."""
    return value.strftime("%d/%m/%Y")


class DateTextInput(forms.TextInput):
    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"inputmode": "text", "autocomplete": "off", **(attrs or {})})

    def format_value(self, value: Any) -> str | None:
        if isinstance(value, datetime):
            value = value.date()
        if isinstance(value, date):
            return as_typed(value)
        text: str | None = super().format_value(value)
        # An ISO day from a query string reads like the others.
        if text and re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            try:
                iso = parse_date(text)
            except ValueError:
                return text
            return as_typed(iso) if iso else text
        return text


class DateTextField(forms.Field):
    """A day as people type it; cleans to date. `today` may be set by the form (default: now)."""

    widget = DateTextInput

    def __init__(self, *, today: date | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.today = today

    def to_python(self, value: Any) -> date | None:
        if value in self.empty_values:
            return None
        if isinstance(value, date):
            return value
        try:
            return parse_day(str(value), self.today or timezone.localdate())
        except ValueError as problem:
            raise ValidationError(str(problem), code="date") from problem

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return self.to_python(initial) != self.to_python(data)
        except ValidationError:
            return True
