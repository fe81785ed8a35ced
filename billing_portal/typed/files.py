"""Numbers and days of a file (pure).

A file speaks no language that we know: what an English and a French reader would take for two
different numbers is ambiguous, until it is known which sign stands before the decimals of that
column. So are days like 03/04/2026 until its order is known. Nothing is relative to a day here: no
"today", no date without its year.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from billing_portal.money import MINUS
from billing_portal.typed import days, numbers
from billing_portal.typed.texts import Unreadable, refuse_unseen, shown

_PLAIN = re.compile(rf"[-{MINUS}]?[0-9]{{1,18}}(?:\.([0-9]{{1,12}}))?")
_LOCALES = {".": "en_GB", ",": "fr_FR"}
# Of a number that ends so both signs may be meant.
_ENDS_LIKE_A_GROUP = re.compile(r"[.,][0-9]{3}[^0-9]*$")
_DAY_AND_MONTH = re.compile(r"\s*([0-9]{1,2})[/. \-]([0-9]{1,2})[/. \-]([0-9]{4})\s*")

_ISO = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}")
_WITH_A_WORD = re.compile(r"[^/]*[^\W\d][^/]*[^0-9][0-9]{4}")
_EXAMPLE = date(2025, 12, 31)


# ─ Numbers ──────────────────────────────────────────────────────────────────────────────────────
def read_number(text: str, point: str = "") -> Decimal:
    """1234.50, 1 234,50 or 1,234.50. `point` is the decimal sign of the column, where it is known.

    Raises Unreadable, or Ambiguous where two numbers can be meant.
    """
    plain = _PLAIN.fullmatch(text)
    if plain and point != "," and (len(plain[1] or "") != 3 or point == "."):
        return Decimal(text.replace(MINUS, "-"))
    if point:
        return _known(text, point)
    # Each in its turn says what it does not understand.
    english, french = _readings(text, "en_GB"), _readings(text, "fr_FR")
    found = tuple(dict.fromkeys(english + french))
    if len(found) > 1:
        large, small = max(found, key=abs), min(found, key=abs)
        raise numbers.Ambiguous(
            _("“%(text)s” can be read in two ways: write it without signs between thousands.")
            % {"text": shown(text)},
            (large, small),
        )
    return found[0]


def read_amount(text: str, currency: str, point: str = "") -> Decimal:
    """The same for an amount, which may bear the sign or code of its own currency."""
    if _PLAIN.fullmatch(text):
        return read_number(text, point)
    return read_number(numbers.without_currency(text, currency), point)


def _known(text: str, point: str) -> Decimal:
    try:
        return numbers.read_number(text, _LOCALES[point])
    except numbers.Ambiguous as question:
        # The sign is not the decimal one of this column: it groups.
        return question.readings[0]


def _readings(text: str, locale: str) -> tuple[Decimal, ...]:
    try:
        return (numbers.read_number(text, locale),)
    except numbers.Ambiguous as question:
        return question.readings


def is_ambiguous(text: str) -> bool:
    """Two numbers can be meant, whatever the currency beside them."""
    # A quick look first: files have many rows.
    if not _ENDS_LIKE_A_GROUP.search(text):
        return False
    try:
        read_number(_bare(text))
    except numbers.Ambiguous:
        return True
    except Unreadable:
        return False
    return False


def in_both_ways(text: str) -> tuple[Decimal, Decimal]:
    """An ambiguous number with a decimal point, and with a decimal comma."""
    return read_number(_bare(text), "."), read_number(_bare(text), ",")


def _bare(text: str) -> str:
    """Without what names a currency, whichever."""
    body = "".join(letter for letter in text if unicodedata.category(letter) != "Sc")
    return re.sub(r"^\s*[A-Za-z]{2,3}\b|\b[A-Za-z]{3}\s*$", "", body).strip()


# ─ Days ─────────────────────────────────────────────────────────────────────────────────────────
def is_either_order(text: str) -> bool:
    """03/04/2026: the third of April or the fourth of March."""
    found = _DAY_AND_MONTH.fullmatch(text)
    if found is None:
        return False
    first, second = int(found[1]), int(found[2])
    return 1 <= first <= 12 and 1 <= second <= 12 and first != second


def order_of(text: str) -> str:
    """“day” or “month”: what comes first in a day that only one order makes possible, else ""."""
    found = _DAY_AND_MONTH.fullmatch(text)
    if found is None:
        return ""
    return "month" if int(found[2]) > 12 else "day" if int(found[1]) > 12 else ""


def read_day(text: str, *, month_first: bool = False) -> date:
    """2025-12-31, 31/12/2025, 31 Dec 2025, or 20251231 as in a FEC file. Raises Unreadable."""
    refuse_unseen(text)
    if found := re.fullmatch(r"([0-9]{4})([0-9]{2})([0-9]{2})", text):
        text = "-".join(found.groups())
    elif found := _DAY_AND_MONTH.fullmatch(text):
        if month_first:
            text = f"{found[2]}/{found[1]}/{found[3]}"
    elif not _ISO.fullmatch(text) and not _WITH_A_WORD.fullmatch(text):
        raise Unreadable(
            _("“%(text)s” is not a date like 2025-12-31 or 31/12/2025.") % {"text": shown(text)}
        )
    # The year is there: of the day beside it only the example in the sentences is taken.
    return days.read_day(text, _EXAMPLE)
