"""One row of a history file, cell by cell: what is taken, and what is wrong with it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _
from moneyed import get_currency

from billing_portal.money import LARGEST_MINOR, digits, is_currency
from billing_portal.spreadsheets import Complaint, Row
from billing_portal.typed.numbers import read_number
from billing_portal.typed.texts import Unreadable, one_line

FIRST_DAY = date(2000, 1, 1)
LAST_DUE_DAY = date(2100, 12, 31)


@dataclass(slots=True)
class Reader:
    """Takes the cells of one row, and remembers what was wrong with them."""

    file: str
    row: Row
    complaints: list[Complaint]
    on: date
    bad: bool = False

    def complain(self, column: str, reason: str) -> None:
        self.bad = True
        self.complaints.append(Complaint(self.file, self.row.line, column, reason))

    def text(self, column: str, *, most: int, needed: bool = False) -> str:
        value = " ".join(one_line(self.row.cells[column]).split())
        if needed and not value:
            self.complain(column, _("The cell is empty, and it is needed."))
        if len(value) > most:
            self.complain(
                column,
                _("“%(text)s…” is longer than %(most)s characters.")
                % {"text": value[:30], "most": most},
            )
        return value

    def day(self, column: str, *, needed: bool = True, future: bool = False) -> date | None:
        value = self.text(column, most=40, needed=needed)
        if not value:
            return None
        found = _day_of(value)
        if found is None:
            self.complain(
                column,
                _("“%(text)s” is not a date like 2025-12-31 or 31/12/2025.") % {"text": value},
            )
            return None
        if found < FIRST_DAY:
            self.complain(
                column, _("%(day)s is before the year 2000: check the year.") % {"day": found}
            )
            return None
        if found > (LAST_DUE_DAY if future else self.on):
            self.complain(
                column,
                _("%(day)s is too far in the future: check the year.") % {"day": found}
                if future
                else _("%(day)s is in the future: history ends today.") % {"day": found},
            )
            return None
        return found

    def currency(self, column: str, *, needed: bool = True) -> str:
        value = self.text(column, most=40, needed=needed).upper()
        if value and not is_currency(value):
            self.complain(
                column,
                _("“%(text)s” is not a currency: write its three letters, like EUR.")
                % {"text": value},
            )
            return ""
        return value

    def amount(self, column: str, currency: str) -> int | None:
        """In minor units; None where the cell or the currency is bad."""
        value = self.text(column, most=60, needed=True)
        if not value or not currency:
            return None
        try:
            number = _number_of(value, digits(currency))
        except Unreadable as problem:
            self.complain(column, str(problem))
            return None
        places = digits(currency)
        minor = number * get_currency(currency).sub_unit
        if minor != minor.to_integral_value():
            self.complain(
                column,
                _("%(text)s has more decimals than %(currency)s (%(places)s): round it.")
                % {"text": value, "currency": currency, "places": places},
            )
            return None
        if abs(minor) >= LARGEST_MINOR:
            self.complain(
                column,
                _("%(text)s is larger than any amount here: check the figure.") % {"text": value},
            )
            return None
        return int(minor)

    def choice(self, column: str, allowed: dict[str, str], *, default: str = "") -> str:
        value = self.text(column, most=40, needed=not default)
        if not value:
            return default
        found = allowed.get(value.casefold().replace(" ", "_").replace("-", "_"))
        if found is None:
            self.complain(
                column,
                _("“%(text)s” is not known here: write one of %(allowed)s.")
                % {"text": value, "allowed": ", ".join(sorted(set(allowed.values())))},
            )
            return default
        return found

    def email(self, column: str) -> str:
        value = self.text(column, most=254)
        if value:
            try:
                validate_email(value)
            except ValidationError:
                self.complain(column, _("“%(text)s” is not an email address.") % {"text": value})
                return ""
        return value


_DAY_FIRST = re.compile(r"([0-9]{1,2})[/. -]([0-9]{1,2})[/. -]([0-9]{4})")


def is_day_first(text: str) -> bool:
    return bool(_DAY_FIRST.fullmatch(text.strip()))


def _day_of(text: str) -> date | None:
    """2025-12-31, 31/12/2025 (the day first, as in Europe) or 20251231, as in a FEC file."""
    if found := re.fullmatch(r"([0-9]{4})(-?)([0-9]{2})\2([0-9]{2})", text):
        year, _dash, month, day = found.groups()
    elif found := _DAY_FIRST.fullmatch(text):
        day, month, year = found.groups()
    else:
        return None
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _number_of(text: str, places: int) -> Decimal:
    """1234.50, 1 234,50 or 1,234.50; where a thousand or a decimal can be meant, it is asked.

    Raises Unreadable.
    """
    plain = re.fullmatch(r"[-\u2212]?[0-9]{1,30}(?:\.([0-9]{1,20}))?", text)
    # Three decimals are a group of thousands, unless the currency has as many.
    if plain and (len(plain[1] or "") != 3 or places == 3):
        return Decimal(text.replace("\u2212", "-"))
    # A file speaks no language that we know: what an English and a French reader would take
    # for different numbers is asked.
    english, french = read_number(text, "en_GB"), read_number(text, "fr_FR")
    if english != french:
        raise Unreadable(
            _("“%(text)s” can be read in two ways: write it without signs between thousands.")
            % {"text": text}
        )
    return english
