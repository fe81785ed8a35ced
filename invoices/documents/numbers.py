"""What the numbers of documents look like: a beginning, in which the date may stand, and a counter.

Platforms take at most 35 characters, letters, digits and + - _ / only (BR-FR-01 and -02). Tax law
asks that numbers are unique and go on without gaps, in several series where there is a reason (CGI
ann. II, 242 nonies A I 7°): a counter may begin again only where the beginning tells the periods
apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

NEVER, YEAR, MONTH = "never", "year", "month"
LONGEST = 35
# A counter grows beyond its digits, up to so many.
MOST_DIGITS = 9
MOST = 10**MOST_DIGITS
# The places that are filled from the issue date, with the characters that each sign of them can be.
_DIGITS = "0123456789"
_PLACES = {
    "{year}": [_DIGITS] * 4,
    "{yy}": [_DIGITS] * 2,
    "{month}": ["01", _DIGITS],
}
_PARTS = re.compile(r"\{[^{}]*\}|.", re.DOTALL)


@dataclass(frozen=True)
class Pattern:
    """`prefix` may hold {year}, {yy} and {month}; `width` is the least digits of the counter."""

    prefix: str
    width: int
    restart: str

    def period(self, on: date) -> str:
        """The key of the period in which the counter runs: "2026-11", "2026", "" without end."""
        return {MONTH: on.isoformat()[:7], YEAR: on.isoformat()[:4]}.get(self.restart, "")

    def prefix_in(self, on: date) -> str:
        """The beginning with what stays the same in the period of this day filled in."""
        if self.restart == NEVER:
            return self.prefix
        whole = filled(self.prefix.replace("{month}", "\0"), on)
        return whole.replace("\0", f"{on:%m}" if self.restart == MONTH else "{month}")


def filled(prefix: str, on: date) -> str:
    year = f"{on.year:04d}"
    return prefix.replace("{year}", year).replace("{yy}", year[2:]).replace("{month}", f"{on:%m}")


def restart_of(period: str) -> str:
    return {0: NEVER, 4: YEAR}.get(len(period), MONTH)


def periods_of(on: date) -> tuple[str, str, str]:
    """Those in which a document of this day may be counted, the narrowest first."""
    return on.isoformat()[:7], on.isoformat()[:4], ""


def first_day(period: str) -> date:
    if not period:
        return date.min
    return date.fromisoformat(f"{period}-01" if len(period) > 4 else f"{period}-01-01")


def last_day(period: str) -> date:
    if not period:
        return date.max
    if restart_of(period) == YEAR:
        return date(int(period), 12, 31)
    # Day 1 and 31 days lie in the next month, whatever the month.
    return (first_day(period) + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def parts(prefix: str) -> list[str]:
    """Its signs one by one, and whatever stands in braces as one."""
    return _PARTS.findall(prefix)


def unknown_places(prefix: str) -> list[str]:
    return [each for each in parts(prefix) if each.startswith("{") and each not in _PLACES]


def length(prefix: str) -> int:
    return len(_signs(prefix))


def literal_head(prefix: str) -> str:
    """The part before the first place: what every number of it begins with."""
    return prefix.partition("{")[0]


def regex(prefix: str) -> str:
    """For numbers with this beginning, in the words of Python and PostgreSQL both."""
    told = (f"[0-9]{{{len(_PLACES[p])}}}" if p in _PLACES else re.escape(p) for p in parts(prefix))
    return f"^{''.join(told)}[0-9]{{1,{MOST_DIGITS}}}$"


def may_meet(prefix: str, width: int, other: str, other_width: int) -> bool:
    """Whether both can give the same number, however far their counters go, whatever the dates.

    F- and F-1 can: F-10001 is the 10001st of the first and the first of the second.
    """
    one, two = _signs(prefix), _signs(other)
    least = max(len(one) + width, len(two) + other_width)
    most = min(len(one), len(two)) + MOST_DIGITS
    return any(
        all(
            set(a) & set(b)
            for a, b in zip(_at(one, width, n), _at(two, other_width, n), strict=True)
        )
        for n in range(least, most + 1)
    )


def _signs(prefix: str) -> list[str]:
    """For each sign of it the characters that it can be."""
    return [signs for part in parts(prefix) for signs in _PLACES.get(part, [part])]


def _at(signs: list[str], width: int, size: int) -> Iterator[str]:
    """Of its numbers of `size` characters: a counter beyond its width begins with no zero."""
    figures = size - len(signs)
    yield from signs
    yield "123456789" if figures > width else _DIGITS
    yield from [_DIGITS] * (figures - 1)
