"""What is wrong with a pattern of numbers, in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import combinations

from django.utils.translation import gettext as _

from invoices.documents import numbers
from invoices.documents.numbers import Pattern

_SIGNS = re.compile(r"[A-Za-z0-9+\-_/]*")
_PLACES = ("{year}", "{yy}", "{month}")


def prefix_problem(prefix: str) -> str:
    """What cannot be printed in a number, or would make it too long; empty when it can."""
    if numbers.unknown_places(prefix):
        return _("Only {year}, {yy} and {month} stand in braces: for example F-{year}-{month}-.")
    rest = prefix
    for place in _PLACES:
        if prefix.count(place) > 1:
            return _("%(place)s stands in it twice: write it once.") % {"place": place}
        rest = rest.replace(place, "")
    if not _SIGNS.fullmatch(rest):
        return _(
            "Beside {year}, {yy} and {month} write only letters A–Z, figures and + - _ /: "
            "for example F-{year}-."
        )
    longest = numbers.length(prefix) + numbers.MOST_DIGITS
    if longest > numbers.LONGEST:
        return _(
            "A number could have %(n)s signs, for its counter may grow to %(digits)s figures; at "
            "most %(most)s are allowed."
        ) % {"n": longest, "digits": numbers.MOST_DIGITS, "most": numbers.LONGEST}
    return ""


def pattern_problem(form: Pattern) -> str:
    """Why numbers by this pattern would not be lawful or not be unique; empty when they are."""
    if text := prefix_problem(form.prefix):
        return text
    has_year = "{year}" in form.prefix or "{yy}" in form.prefix
    if form.restart == numbers.YEAR and not has_year:
        return _(
            "A counter that begins again each year would give the numbers of the year before: "
            "write {year} or {yy} in it, or let the counter never begin again."
        )
    if form.restart == numbers.MONTH and not (has_year and "{month}" in form.prefix):
        return _(
            "A counter that begins again each month would give its numbers again: write the year "
            "and {month} in it, for example {yy}{month}-."
        )
    return ""


def meeting(forms: Mapping[str, Pattern]) -> str:
    """The kind whose numbers could be those of another kind as well; empty when none could."""
    for one, two in combinations(forms, 2):
        first, second = forms[one], forms[two]
        if numbers.may_meet(first.prefix, first.width, second.prefix, second.width):
            return two
    return ""
