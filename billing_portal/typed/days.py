"""Days as people type them, the day first in both languages (pure)."""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import lru_cache

from babel.dates import get_month_names
from django.utils.translation import gettext as _

from billing_portal import dates
from billing_portal.typed.texts import Unreadable, refuse_unseen, shown

FIRST_YEAR, LAST_YEAR = 2000, 2100
_TODAY = {"today", "aujourd'hui", "auj"}
_YESTERDAY = {"yesterday", "hier"}
_TOMORROW = {"tomorrow", "demain"}
_DIGITS = r"[0-9]{1,2}"
_YEAR = r"([0-9]{4}|[0-9]{2})"


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


def read_day(text: str, today: date) -> date:
    """Read 24/11/2026, 24/11/26, 24.11, 24 nov, 2026-11-24, "today". Raises Unreadable.

    A year of two digits is of this century; a missing one is this year.
    """
    plain = text.strip(" \t\r\n\u00a0\u202f")
    refuse_unseen(plain)
    plain = plain.lower().replace("’", "'").replace("\u00a0", " ").replace("\u202f", " ")
    if plain in _TODAY:
        return today
    if plain in _YESTERDAY:
        return today - timedelta(days=1)
    if plain in _TOMORROW:
        return today + timedelta(days=1)
    day, month, year = _parts(text, plain, today)
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise Unreadable(
            _("The year %(year)s is out of range: it must be from %(first)s to %(last)s.")
            % {"year": year, "first": FIRST_YEAR, "last": LAST_YEAR}
        )
    if not 1 <= month <= 12:
        raise Unreadable(_no_month(day, month, year))
    try:
        return date(year, month, day)
    except ValueError as problem:
        raise Unreadable(
            _("There is no day %(day)s in %(month)s.")
            % {"day": day, "month": dates.month(date(year, month, 1))}
        ) from problem


def doubt(day: date, today: date, ahead: bool = True) -> str:
    """The question about a day more than a year away, which is mostly a slip; "" for others.

    Without `ahead` only the past is asked about, where the future is refused anyway.
    """
    if day < _a_year_from(today, -1):
        return _("%(day)s is more than a year ago. Is that the day you mean?") % {
            "day": dates.day(day)
        }
    if ahead and is_far_ahead(day, today):
        return _("%(day)s is more than a year away. Is that the day you mean?") % {
            "day": dates.day(day)
        }
    return ""


def is_far_ahead(day: date, today: date) -> bool:
    """More than a year away."""
    return day > _a_year_from(today, 1)


def machine_day(text: str) -> date:
    """A day of an address of ours, 2026-11-24. Raises ValueError."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError(text)
    return date.fromisoformat(text)


def _parts(text: str, plain: str, today: date) -> tuple[int, int, int]:
    """Day, month and year as numbers, whether or not there is such a day."""
    if found := re.fullmatch(rf"([0-9]{{4}})-({_DIGITS})-({_DIGITS})", plain):
        return int(found[3]), int(found[2]), int(found[1])
    if found := re.fullmatch(rf"({_DIGITS})[/.\- ]({_DIGITS})[/.]?(?:[/.\- ]?{_YEAR})?", plain):
        return int(found[1]), int(found[2]), _year(found[3], today)
    if found := re.fullmatch(
        # An optional weekday, the day, the month's name, perhaps a year.
        rf"(?:[^\W\d]+\.? )?({_DIGITS})(?:er|st|nd|rd|th)?[ .\-]*([^\W\d]+)\.?(?:[ ,\-]+{_YEAR})?",
        plain,
    ):
        month = _month_numbers().get(found[2]) or _month_numbers().get(found[2][:3])
        if month is not None:
            return int(found[1]), month, _year(found[3], today)
    if any(letter.isnumeric() and not letter.isascii() for letter in plain):
        raise Unreadable(
            _("Write the date with the digits 0 to 9: “%(text)s” has others.")
            % {"text": shown(text)}
        )
    raise Unreadable(
        _("“%(text)s” is not a date: write it like %(example)s.")
        % {"text": shown(text), "example": dates.as_typed(today)}
    )


def _no_month(day: int, month: int, year: int) -> str:
    if 1 <= day <= 12 and month <= 31:
        return _("There is no month %(month)s: the day comes first, as in %(turned)s.") % {
            "month": month,
            "turned": f"{month:02d}/{day:02d}/{year}",
        }
    return _("There is no month %(month)s.") % {"month": month}


def _year(text: str | None, today: date) -> int:
    if not text:
        return today.year
    return int(text) if len(text) == 4 else 2000 + int(text)


def _a_year_from(today: date, years: int) -> date:
    try:
        return today.replace(year=today.year + years)
    except ValueError:  # 29 February
        return today.replace(year=today.year + years, day=28)
