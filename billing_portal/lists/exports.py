"""Exports in the reader's locale: numbers stay numbers, days stay days, text is never run.

CSV is for the spreadsheet on the reader's machine. A French Excel separates columns at semicolons
and reads decimal commas; an English one takes commas and points. XLSX carries no locale: its cells
are typed, and the spreadsheet writes them as its user is used to.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from itertools import islice
from typing import Any, NamedTuple

import xlsxwriter
from django.http import FileResponse, StreamingHttpResponse
from django.utils import timezone, translation
from django.utils.text import slugify
from django.utils.translation import gettext as _
from moneyed import Money

from billing_portal.lists.columns import Amount, Column
from billing_portal.money import digits, reader_locale, to_minor

# As many rows go out at once: a packet for each row would cost more than the row.
_ROWS_AT_ONCE = 200
_MOST_XLSX_ROWS = 1_048_576
_MOST_IN_A_CELL = 32_767
_NARROWEST, _WIDEST = 8, 48

# The full-width signs are typed in Japan, where a spreadsheet takes them for the others.
_STARTS_A_FORMULA = "=+\\-@＝＋－＠"
_WOULD_RUN = re.compile(rf'(^|[;,\t\r\n])("*)(?=[{_STARTS_A_FORMULA}])')
_WAS_GUARDED = re.compile(rf"""(^|[;,\t\r\n])("*)'(?=[{_STARTS_A_FORMULA}])""")
_NEEDS_QUOTES = re.compile(r'[;,\t"\r\n]|^\s|\s$')


def guarded(text: str) -> str:
    """The text with an apostrophe wherever a spreadsheet would begin to run it.

    That is not only at its start: a reader whose spreadsheet separates at another sign than ours
    gets the rest of the text as a cell of its own, whatever quotation marks surround it.
    """
    text = _WOULD_RUN.sub(r"\1\2'", text)
    return f"'{text}" if text.startswith(("\t", "\r", "\n")) else text


def unguarded(text: str) -> str:
    """The text as it was before an export guarded it: what we write, we read back."""
    text = _WAS_GUARDED.sub(r"\1\2", text)
    return text[1:] if text.startswith(("'\t", "'\r", "'\n")) else text


def file_name(title: object, which: object, ending: str) -> str:
    """factures-2026-11-27.csv: the title in the reader's language, without accents and spaces."""
    return f"{slugify(str(title))}-{which}.{ending}"


def _plain(value: Any) -> Any:
    """What a cell holds: str, int, Decimal, Amount, date, datetime (local, naive), bool, None."""
    if isinstance(value, Money):
        return Amount(to_minor(value), value.currency.code)
    if isinstance(value, datetime):
        return timezone.make_naive(value) if timezone.is_aware(value) else value
    if value is None or isinstance(value, bool | int | float | Decimal | date | str | Amount):
        return value
    return str(value)


def _exported(columns: Sequence[Column]) -> list[tuple[str, Callable[[Any], Any]]]:
    return [(str(column.label), column.value) for column in columns if column.value is not None]


places = cache(digits)


# ─ CSV ──────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class Dialect:
    """How the spreadsheets of a language read a CSV."""

    separator: str
    point: str
    day: str
    moment: str


_DIALECTS = {
    "fr_FR": Dialect(";", ",", "%d/%m/%Y", "%d/%m/%Y %H:%M:%S"),
    "en_GB": Dialect(",", ".", "%Y-%m-%d", "%Y-%m-%d %H:%M:%S"),
}


def _csv_cell(value: Any, dialect: Dialect) -> str:
    value = _plain(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, datetime):
        return value.strftime(dialect.moment)
    if isinstance(value, date):
        return value.strftime(dialect.day)
    if isinstance(value, Amount):
        return _digits(value).replace(".", dialect.point)
    if isinstance(value, str):
        return _quoted(guarded(value))
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    return text.replace(".", dialect.point)


def _digits(amount: Amount) -> str:
    decimals = places(amount.currency)
    if not decimals:
        return str(amount.minor)
    whole, rest = divmod(abs(amount.minor), 10**decimals)
    return f"{'-' if amount.minor < 0 else ''}{whole}.{rest:0{decimals}d}"


def _quoted(text: str) -> str:
    if not _NEEDS_QUOTES.search(text):
        return text
    return '"' + text.replace('"', '""') + '"'


def stream_csv(
    rows: Iterable[Any],
    columns: Sequence[Column],
    filename: str = "list.csv",
) -> StreamingHttpResponse:
    """UTF-8 with a byte order mark, without which Excel takes it for Latin-1.

    A head and rows, and nothing after them: programs read it too.
    """
    wanted = _exported(columns)
    dialect = _DIALECTS[reader_locale()]
    language = translation.get_language()

    def line(cells: Iterable[Any]) -> str:
        return dialect.separator.join(_csv_cell(cell, dialect) for cell in cells) + "\r\n"

    def parts() -> Iterator[str]:
        yield "\ufeff" + line(label for label, _value in wanted)
        left = iter(rows)
        while True:
            # The view has returned by now: its language is no longer the thread's.
            with translation.override(language):
                part = [
                    line(value(row) for _label, value in wanted)
                    for row in islice(left, _ROWS_AT_ONCE)
                ]
            if not part:
                break
            yield "".join(part)

    answer = StreamingHttpResponse(parts(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{filename}"'
    return answer


# ─ XLSX ─────────────────────────────────────────────────────────────────────────────────────────
class Beside(NamedTuple):
    """A further sheet of a workbook, as the first one is."""

    title: str
    columns: Sequence[Column]
    rows: Iterable[Any]


def stream_xlsx(
    rows: Iterable[Any],
    columns: Sequence[Column],
    filename: str = "list.xlsx",
    sheet: str = "",
    *,
    notes: Iterable[str] = (),
    more: Iterable[Beside] = (),
) -> FileResponse:
    """Written row by row to a temporary file: memory does not grow with the rows.

    `more` are further sheets. `notes` are what the page says beside its table; they have a sheet
    of their own.
    """
    # Closed and removed by FileResponse.
    spool = tempfile.TemporaryFile(suffix=".xlsx")  # noqa: SIM115
    book = xlsxwriter.Workbook(
        spool,
        {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    )
    for title, heads, lines in (Beside(sheet, columns, rows), *more):
        _fill(_Sheet(book, title), _exported(heads), lines)
    if told := list(notes):
        beside = _Sheet(book, _("Notes"))
        for note in told:
            beside.row([note])
        beside.page.set_column(0, 0, 2 * _WIDEST)
    book.close()
    spool.seek(0)
    return FileResponse(
        spool,
        as_attachment=True,
        filename=filename,
        content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    )


def _fill(
    page: _Sheet, wanted: Sequence[tuple[str, Callable[[Any], Any]]], rows: Iterable[Any]
) -> None:
    page.head([label for label, _value in wanted])
    for row in rows:
        if page.line >= _MOST_XLSX_ROWS - 1:
            page.row([_("The sheet is full: take the CSV export, it has every row.")])
            break
        page.row([value(row) for _label, value in wanted])
    page.finish(len(wanted))


class _Sheet:
    """One sheet while it is written: rows go out at once, widths are known at the end."""

    def __init__(self, book: Any, name: str) -> None:
        self.book = book
        self.page = book.add_worksheet(_sheet_name(name))
        self.line = 0
        self.widths: dict[int, int] = {}
        self.formats: dict[str, Any] = {}

    def head(self, labels: Sequence[str]) -> None:
        bold = self.book.add_format({"bold": True, "bottom": 1})
        for place, label in enumerate(labels):
            self.page.write_string(0, place, label, bold)
            # Room for the arrow of the filter.
            self._widen(place, len(label) + 3)
        self.page.freeze_panes(1, 0)
        self.line = 1

    def row(self, values: Iterable[Any]) -> None:
        for place, value in enumerate(values):
            self._write(place, _plain(value))
        self.line += 1

    def finish(self, count: int) -> None:
        if count:
            self.page.autofilter(0, 0, max(1, self.line - 1), count - 1)
        for place, width in self.widths.items():
            self.page.set_column(place, place, max(_NARROWEST, min(_WIDEST, width)))

    def _format(self, shape: str) -> Any:
        if shape not in self.formats:
            self.formats[shape] = self.book.add_format({"num_format": shape})
        return self.formats[shape]

    def _widen(self, place: int, length: int) -> None:
        if length > self.widths.get(place, 0):
            self.widths[place] = length

    def _write(self, place: int, value: Any) -> None:
        page, line = self.page, self.line
        if value is None:
            return
        if isinstance(value, bool):
            page.write_boolean(line, place, value)
        elif isinstance(value, datetime):
            page.write_datetime(line, place, value, self._format("dd/mm/yyyy hh:mm"))
            self._widen(place, 17)
        elif isinstance(value, date):
            page.write_datetime(line, place, value, self._format("dd/mm/yyyy"))
            self._widen(place, 11)
        elif isinstance(value, Amount):
            decimals = places(value.currency)
            written = self._format(_amount_shape(value.currency))
            page.write_number(line, place, value.minor / 10**decimals, written)
            size = len(str(abs(value.minor)))
            # Groups of three, the point, a sign and the currency.
            self._widen(place, size + size // 3 + 7)
        elif isinstance(value, Decimal):
            page.write_number(line, place, value, self._format("#,##0.00"))
        elif isinstance(value, int | float):
            page.write_number(line, place, value)
        else:
            text = value[:_MOST_IN_A_CELL]
            page.write_string(line, place, text)
            self._widen(place, len(text) + 1)


@cache
def _amount_shape(currency: str) -> str:
    """`#,##0.000 [$TND]`: with the currency's own decimals, and its code, which adds nothing up."""
    decimals = places(currency)
    return f"#,##0{'.' + '0' * decimals if decimals else ''} [${currency}]"


def _sheet_name(text: str) -> str:
    cleaned = "".join(" " if sign in "[]:*?/\\" else sign for sign in text).strip(" '")
    return cleaned[:31] or "List"
