"""One row of a history file, cell by cell: what is taken, and what is wrong with it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from moneyed import get_currency

from billing_portal.money import LARGEST_MINOR, digits, is_currency
from billing_portal.notices import Notice, day
from billing_portal.spreadsheets import Complaint, Figure, Row, Table
from billing_portal.typed import files
from billing_portal.typed.numbers import Ambiguous, is_finer
from billing_portal.typed.texts import Unreadable, one_line
from invoices.history.spelling import Spelling

LARGEST_PRICE = Decimal(10) ** 13


@dataclass(slots=True)
class Sheet:
    """A file that could be read as a table, and how its columns write days and amounts."""

    kind: str
    table: Table
    on: date
    spelling: Spelling = field(default_factory=Spelling)
    # Called for each row that is read.
    progress: Callable[[], None] = lambda: None

    def each_row(self) -> Iterator[Row]:
        for row in self.table.rows:
            yield row
            self.progress()

    def complain(self, line: int, column: str, code: str, /, **values: Any) -> None:
        self.table.complaints.append(
            Complaint(self.table.name, line, column, Notice(code, **values))
        )

    def say(self, code: str, /, **values: Any) -> None:
        self.table.notices.append(Notice(code, file=self.table.name, **values))


@dataclass(slots=True)
class Reader:
    """Takes the cells of one row, and remembers whether something was wrong with them."""

    sheet: Sheet
    row: Row
    bad: bool = False

    def complain(self, column: str, code: str, /, **values: Any) -> None:
        self.bad = True
        self.sheet.complain(self.row.line, column, code, **values)

    def text(self, column: str, *, most: int, needed: bool = False) -> str:
        given = self.row.cells[column]
        value = " ".join(one_line(given).split())
        if type(given) is str and given == value:
            # The text that all rows share, and no copy of it.
            value = given
        if needed and not value:
            self.complain(column, "history.needed")
        if len(value) > most:
            self.complain(column, "history.long", text=value[:30], most=most)
        return value

    def day(self, column: str, *, needed: bool = True, future: bool = False) -> date | None:
        value = self.text(column, most=40, needed=needed)
        if not value:
            return None
        month_first = self.sheet.spelling.month_first(column)
        if month_first is None and files.is_either_order(value):
            # Asked for the whole column.
            self.bad = True
            return None
        try:
            found = files.read_day(value, month_first=bool(month_first))
        except Unreadable:
            self.complain(column, "history.day", text=value, month_first=bool(month_first))
            return None
        if not future and found > self.sheet.on:
            self.complain(column, "history.day_future", day=day(found))
            return None
        return found

    def currency(self, column: str, *, needed: bool = True) -> str:
        value = self.text(column, most=40, needed=needed).upper()
        if value and not is_currency(value):
            self.complain(column, "history.currency", text=value)
            return ""
        return value

    def amount(self, column: str, currency: str) -> int | None:
        """In minor units; None where the cell or the currency is bad."""
        number = self._number(column, currency)
        if number is None:
            return None
        value = self.text(column, most=60)
        places = digits(currency)
        minor = number * get_currency(currency).sub_unit
        if minor != minor.to_integral_value():
            self.complain(column, "history.decimals", text=value, currency=currency, places=places)
        elif abs(minor) >= LARGEST_MINOR:
            self.complain(column, "history.large", text=value)
        else:
            return int(minor)
        return None

    def price(self, column: str, currency: str) -> Decimal | None:
        """For one unit, in major units; None where the cell or the currency is bad."""
        number = self._number(column, currency)
        if number is None:
            return None
        if number < 0 or number >= LARGEST_PRICE or is_finer(number, 6):
            self.complain(column, "history.price", text=self.text(column, most=60))
            return None
        return number

    def _number(self, column: str, currency: str) -> Decimal | None:
        value = self.text(column, most=60, needed=True)
        if not value or not currency:
            return None
        point = self.sheet.spelling.point(column)
        if isinstance(self.row.cells[column], Figure):
            point = "."
        try:
            number = files.read_amount(value, currency, point)
        except Ambiguous:
            self.bad = True
            # Else it is asked for the whole column.
            if not self.sheet.spelling.asks(column):
                self.complain(column, "history.two_ways", text=value)
            return None
        except Unreadable:
            self.complain(column, "history.amount", text=value, currency=currency, point=point)
            return None
        return number

    def choice(self, column: str, allowed: dict[str, str], *, default: str = "") -> str:
        value = self.text(column, most=40, needed=not default)
        if not value:
            return default
        found = allowed.get(value.casefold().replace(" ", "_").replace("-", "_"))
        if found is None:
            words = ", ".join(sorted(set(allowed.values())))
            self.complain(column, "history.choice", text=value, allowed=words)
            return default
        return found

    def email(self, column: str) -> str:
        value = self.text(column, most=254)
        if value:
            try:
                validate_email(value)
            except ValidationError:
                self.complain(column, "history.email", text=value)
                return ""
        return value
