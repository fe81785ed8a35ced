"""Reading a table that somebody uploads, CSV or XLSX, bounded and without trust.

Whatever is wrong with the file as a whole raises TableRefused; what is wrong with a cell comes back
as a Complaint with its line and column, so that one look shows all there is to mend.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from itertools import islice
from typing import Any

import openpyxl
from openpyxl.xml import DEFUSEDXML

from billing_portal.lists.exports import unguarded
from billing_portal.notices import Notice, count

MAX_BYTES = 100 * 2**20
MAX_ROWS = 250_000
MAX_COLUMNS = 100
MAX_CELL = 2_000
MAX_EMPTY_ROWS = 10_000
# A workbook is a zip: small outside, of any size inside.
MAX_UNPACKED = 300 * 2**20
MAX_UNPACKED_PER_BYTE = 200
MAX_ENTRIES = 2_000
# The place of a column that the file lacks: no row is that wide.
_NOWHERE = 2**31
# So many texts are remembered at a time, to be kept once.
_MET = 20_000

ZIP_START = b"PK\x03\x04"
OLD_EXCEL_START = b"\xd0\xcf\x11\xe0"
_NAMES_SEPARATOR = re.compile(r"sep=([,;\t|])[,;\t|]*\r?\n", re.IGNORECASE)


class TableRefused(Exception):
    """The file cannot be read as a table; the notice says what is wrong and what to do."""

    def __init__(self, notice: Notice) -> None:
        super().__init__(notice)
        self.notice = notice


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong with one cell or one row, in code and values for whoever reads it."""

    file: str
    line: int
    column: str
    notice: Notice

    @property
    def reason(self) -> str:
        return str(self.notice)


class Cells(Mapping[str, str]):
    """The cells of a row by column. The places of the columns are shared by all rows of a table: a
    dictionary for each would be most of what a file of 100,000 rows takes."""

    __slots__ = ("_places", "_values")

    def __init__(self, places: Mapping[str, int], values: tuple[str, ...]) -> None:
        self._places, self._values = places, values

    def __getitem__(self, column: str) -> str:
        return self._values[self._places[column]]

    def get(self, column: str, default: Any = None) -> Any:
        # Asked for each cell of a file: the one of Mapping goes through an exception.
        place = self._places.get(column)
        return default if place is None else self._values[place]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


@dataclass(frozen=True, slots=True)
class Row:
    line: int
    cells: Mapping[str, str]


@dataclass(slots=True)
class Table:
    name: str
    rows: list[Row] = field(default_factory=list)
    complaints: list[Complaint] = field(default_factory=list)
    # Accepted, but worth saying.
    notices: list[Notice] = field(default_factory=list)
    # Texts that were met: a currency, a client or a day stands in many rows, and once in memory.
    met: dict[str, str] = field(default_factory=dict)
    # The places of the columns in the cells of each row.
    places: dict[str, int] = field(default_factory=dict)

    def once(self, text: str) -> str:
        if type(text) is not str:
            return text
        if len(self.met) >= _MET:
            self.met.clear()
        return self.met.setdefault(text, text)


def read_table(
    name: str,
    content: bytes,
    columns: Sequence[str],
    max_rows: int = MAX_ROWS,
    synonyms: Mapping[str, str] | None = None,
    optional: Collection[str] = (),
) -> Table:
    """The rows of `columns`, in whatever order the file has them; other columns are ignored. Those
    that are `optional` may be missing: their cells are empty then.

    `synonyms` leads from other names of a column, as other tools write it, to ours.

    A line is the line of the text file, or the row of the sheet, where the record starts.
    """
    if not content.strip():
        raise TableRefused(Notice("table.empty", file=name))
    if len(content) > MAX_BYTES:
        raise TableRefused(Notice("table.too_large", file=name, most=MAX_BYTES // 2**20))
    if content.startswith(OLD_EXCEL_START):
        raise TableRefused(Notice("table.old_workbook", file=name))
    if content.startswith(ZIP_START):
        return _read_workbook(name, content, columns, max_rows, synonyms or {}, optional)
    return _read_text(name, content, columns, max_rows, synonyms or {}, optional)


# ─ CSV ──────────────────────────────────────────────────────────────────────────────────────────
def _read_text(
    name: str,
    content: bytes,
    columns: Sequence[str],
    max_rows: int,
    synonyms: Mapping[str, str],
    optional: Collection[str],
) -> Table:
    table = Table(name)
    text = _decoded(name, content)
    # Excel's own line: it names the separator and is no row.
    named = _NAMES_SEPARATOR.match(text)
    delimiter = named[1] if named else _delimiter(text, {*columns, *synonyms})
    if delimiter != "," and not named:
        table.notices.append(
            Notice(
                "table.separator",
                file=name,
                what=Notice("table.semicolons" if delimiter == ";" else "table.tabs"),
            )
        )
    records = _records(name, text, delimiter)
    rows = ((line, [unguarded(cell) for cell in cells]) for line, cells in records)
    _collect(table, islice(rows, 1 if named else 0, None), columns, max_rows, synonyms, optional)
    return table


def _decoded(name: str, content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise TableRefused(Notice("table.utf16", file=name))
    if b"\0" in content:
        raise TableRefused(Notice("table.neither", file=name))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = content.count(b"\n", 0, problem.start) + 1
        start = max(content.rfind(b"\n", 0, problem.start) + 1, problem.start - 20)
        shown = content[start : problem.end + 10].decode("latin-1").split("\n")[0].strip()
        raise TableRefused(Notice("table.not_utf8", file=name, line=line, text=shown)) from problem


def _delimiter(text: str, columns: Collection[str]) -> str:
    first = text.lstrip("\r\n").split("\n", 1)[0]

    def known(delimiter: str) -> int:
        return sum(cell.strip(' "\r').casefold() in columns for cell in first.split(delimiter))

    return max(",;\t", key=known)


def _records(name: str, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            raise TableRefused(
                Notice("table.record", file=name, line=line, problem=str(problem))
            ) from problem
        yield line, cells


# ─ XLSX ─────────────────────────────────────────────────────────────────────────────────────────
def _read_workbook(
    name: str,
    content: bytes,
    columns: Sequence[str],
    max_rows: int,
    synonyms: Mapping[str, str],
    optional: Collection[str],
) -> Table:
    if not DEFUSEDXML:  # pragma: no cover - requirements.in names it
        raise RuntimeError("defusedxml is missing: workbooks are not read without it.")
    _guard_zip(name, content)
    table = Table(name)
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
        try:
            sheet = book.worksheets[0]
            # The stated size of a sheet is often missing or wrong.
            sheet.reset_dimensions()
            if len(book.worksheets) > 1:
                table.notices.append(Notice("table.sheets", file=name, sheet=sheet.title[:60]))
            _collect(table, _sheet_records(name, sheet), columns, max_rows, synonyms, optional)
        finally:
            book.close()
    except TableRefused:
        raise
    except Exception as problem:
        # A foreign parser over foreign bytes raises whatever it likes.
        raise TableRefused(Notice("table.no_workbook", file=name)) from problem
    return table


def _guard_zip(name: str, content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as problem:
        raise TableRefused(Notice("table.damaged", file=name)) from problem
    unpacked = sum(entry.file_size for entry in entries)
    if (
        len(entries) > MAX_ENTRIES
        or unpacked > MAX_UNPACKED
        or unpacked > 2**20 + MAX_UNPACKED_PER_BYTE * len(content)
    ):
        raise TableRefused(Notice("table.unpacks", file=name))


def _sheet_records(name: str, sheet: Any) -> Iterator[tuple[int, list[str]]]:
    empty = 0
    for number, cells in enumerate(sheet.iter_rows(max_col=MAX_COLUMNS + 1), 1):
        texts = [_cell_text(cell) for cell in cells]
        while texts and not texts[-1]:
            texts.pop()
        empty = 0 if texts else empty + 1
        if empty > MAX_EMPTY_ROWS:
            # A row may claim any number; those before it are then read as empty ones, for ever.
            raise TableRefused(Notice("table.empty_rows", file=name, most=count(MAX_EMPTY_ROWS)))
        yield number, texts


class _Bad(str):
    """A cell that cannot be taken as it is, and why."""

    notice: Notice


def _bad(notice: Notice) -> _Bad:
    found = _Bad("?")
    found.notice = notice
    return found


class Figure(str):
    """A number that the workbook keeps as one: written in one way, it is never ambiguous."""

    __slots__ = ()


def _cell_text(cell: Any) -> str:
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == "f":
        return _bad(Notice("table.formula"))
    if cell.data_type == "e":
        return _bad(Notice("table.error", value=str(value)[:20]))
    if isinstance(value, datetime):
        if value.time() != time():
            return _bad(Notice("table.time"))
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        # 15 digits are what a spreadsheet keeps; the rest is binary noise.
        if value.is_integer() and abs(value) < 1e15:
            return Figure(int(value))
        text = format(value, ".15g")
        if "e" in text or "n" in text:
            return _bad(Notice("table.digits"))
        return Figure(text)
    return Figure(value) if isinstance(value, int) else str(value)


# ─ Both ─────────────────────────────────────────────────────────────────────────────────────────
def _collect(
    table: Table,
    records: Iterable[tuple[int, list[str]]],
    columns: Sequence[str],
    max_rows: int,
    synonyms: Mapping[str, str],
    optional: Collection[str],
) -> None:
    places: dict[str, int] = {}
    width = 0
    for line, cells in records:
        if not any(cell.strip() for cell in cells):
            continue
        if not places:
            places, width = _places(table, cells, columns, synonyms, optional), len(cells)
            continue
        if len(table.rows) >= max_rows:
            raise TableRefused(Notice("table.rows", file=table.name, most=count(max_rows)))
        _take(table, line, cells, places, width)
    if not places:
        raise TableRefused(Notice("table.empty", file=table.name))
    if not table.rows and not table.complaints:
        table.notices.append(Notice("table.no_rows", file=table.name))
    table.met.clear()


def _places(
    table: Table,
    head: list[str],
    columns: Sequence[str],
    synonyms: Mapping[str, str],
    optional: Collection[str],
) -> dict[str, int]:
    if len(head) > MAX_COLUMNS:
        raise TableRefused(Notice("table.columns", file=table.name, most=MAX_COLUMNS))
    given = [" ".join(cell.strip("\ufeff").split()).casefold() for cell in head]
    # Another tool's word counts where ours is not there itself.
    names = [n if n in columns or synonyms.get(n) in given else synonyms.get(n, n) for n in given]
    doubled = sorted({n for n in names if n in columns and names.count(n) > 1})
    if doubled:
        raise TableRefused(Notice("table.doubled", file=table.name, columns=", ".join(doubled)))
    missing = [column for column in columns if column not in names and column not in optional]
    if missing:
        raise TableRefused(
            Notice(
                "table.missing",
                file=table.name,
                columns=", ".join(missing),
                found=", ".join(n[:30] for n in given if n)[:300] or "–",
            )
        )
    return {c: names.index(c) if c in names else _NOWHERE for c in columns}


def _take(table: Table, line: int, cells: list[str], places: dict[str, int], width: int) -> None:
    found: list[Complaint] = []
    if any(cell.strip() for cell in cells[width:]):
        found.append(
            Complaint(
                table.name,
                line,
                "",
                Notice("table.cells", cells=len(cells), columns=width),
            )
        )
    values: list[str] = []
    for column, place in places.items():
        value = cells[place] if place < len(cells) else ""
        if isinstance(value, _Bad):
            found.append(Complaint(table.name, line, column, value.notice))
        elif len(value) > MAX_CELL:
            found.append(
                Complaint(
                    table.name,
                    line,
                    column,
                    Notice("table.long_text", most=MAX_CELL),
                )
            )
        else:
            values.append(value if isinstance(value, Figure) else table.once(value.strip()))
    if found:
        table.complaints.extend(found)
    else:
        table.places = table.places or {column: n for n, column in enumerate(places)}
        table.rows.append(Row(line, Cells(table.places, tuple(values))))
