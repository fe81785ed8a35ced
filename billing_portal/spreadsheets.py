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
from django.utils.translation import gettext as _
from openpyxl.xml import DEFUSEDXML

from billing_portal.lists.exports import unguarded

MAX_BYTES = 100 * 2**20
MAX_ROWS = 250_000
MAX_COLUMNS = 100
MAX_CELL = 2_000
MAX_EMPTY_ROWS = 10_000
# A workbook is a zip: small outside, of any size inside.
MAX_UNPACKED = 300 * 2**20
MAX_UNPACKED_PER_BYTE = 200
MAX_ENTRIES = 2_000

ZIP_START = b"PK\x03\x04"
OLD_EXCEL_START = b"\xd0\xcf\x11\xe0"
_NAMES_SEPARATOR = re.compile(r"sep=([,;\t|])[,;\t|]*\r?\n", re.IGNORECASE)


class TableRefused(Exception):
    """The file cannot be read as a table; the message says what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong with one cell or one row, in a sentence for the person who brought the file."""

    file: str
    line: int
    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    line: int
    cells: dict[str, str]


@dataclass(slots=True)
class Table:
    name: str
    rows: list[Row] = field(default_factory=list)
    complaints: list[Complaint] = field(default_factory=list)
    # Accepted, but worth saying.
    notices: list[str] = field(default_factory=list)


def read_table(
    name: str,
    content: bytes,
    columns: Sequence[str],
    max_rows: int = MAX_ROWS,
    synonyms: Mapping[str, str] | None = None,
) -> Table:
    """The rows of `columns`, in whatever order the file has them; other columns are ignored.

    `synonyms` leads from other names of a column, as other tools write it, to ours.

    A line is the line of the text file, or the row of the sheet, where the record starts.
    """
    if not content.strip():
        raise TableRefused(_("%(file)s is empty: export it again.") % {"file": name})
    if len(content) > MAX_BYTES:
        raise TableRefused(
            _("%(file)s is larger than %(most)s MB: split it and import the parts in turn.")
            % {"file": name, "most": MAX_BYTES // 2**20}
        )
    if content.startswith(OLD_EXCEL_START):
        raise TableRefused(
            _("%(file)s is a workbook of the old kind (.xls) or has a password: save it as .xlsx.")
            % {"file": name}
        )
    if content.startswith(ZIP_START):
        return _read_workbook(name, content, columns, max_rows, synonyms or {})
    return _read_text(name, content, columns, max_rows, synonyms or {})


# ─ CSV ──────────────────────────────────────────────────────────────────────────────────────────
def _read_text(
    name: str,
    content: bytes,
    columns: Sequence[str],
    max_rows: int,
    synonyms: Mapping[str, str],
) -> Table:
    table = Table(name)
    text = _decoded(name, content)
    # Excel's own line: it names the separator and is no row.
    named = _NAMES_SEPARATOR.match(text)
    delimiter = named[1] if named else _delimiter(text, {*columns, *synonyms})
    if delimiter != "," and not named:
        spoken = _("semicolons") if delimiter == ";" else _("tabs")
        table.notices.append(
            _("%(file)s separates its columns with %(what)s instead of commas; it was read so.")
            % {"file": name, "what": spoken}
        )
    records = _records(name, text, delimiter)
    rows = ((line, [unguarded(cell) for cell in cells]) for line, cells in records)
    _collect(table, islice(rows, 1 if named else 0, None), columns, max_rows, synonyms)
    return table


def _decoded(name: str, content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise TableRefused(
            _("%(file)s is in UTF-16: save it as “CSV UTF-8” and bring it again.") % {"file": name}
        )
    if b"\0" in content:
        raise TableRefused(
            _("%(file)s is neither a CSV text nor an XLSX workbook: export it as one of them.")
            % {"file": name}
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = content.count(b"\n", 0, problem.start) + 1
        start = max(content.rfind(b"\n", 0, problem.start) + 1, problem.start - 20)
        shown = content[start : problem.end + 10].decode("latin-1").split("\n")[0].strip()
        raise TableRefused(
            _(
                "%(file)s, line %(line)s is not UTF-8 (near “%(text)s”): the file seems to be in "
                "Latin-1 (Windows). Save it as “CSV UTF-8” and bring it again."
            )
            % {"file": name, "line": line, "text": shown}
        ) from problem


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
                _(
                    "%(file)s, the record that starts on line %(line)s cannot be read "
                    "(%(problem)s): look for a quotation mark that is not closed or not doubled."
                )
                % {"file": name, "line": line, "problem": problem}
            ) from problem
        yield line, cells


# ─ XLSX ─────────────────────────────────────────────────────────────────────────────────────────
def _read_workbook(
    name: str,
    content: bytes,
    columns: Sequence[str],
    max_rows: int,
    synonyms: Mapping[str, str],
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
                table.notices.append(
                    _("%(file)s has several sheets; only the first, “%(sheet)s”, was read.")
                    % {"file": name, "sheet": sheet.title[:60]}
                )
            _collect(table, _sheet_records(name, sheet), columns, max_rows, synonyms)
        finally:
            book.close()
    except TableRefused:
        raise
    except Exception as problem:
        # A foreign parser over foreign bytes raises whatever it likes.
        raise TableRefused(
            _("%(file)s cannot be read as an XLSX workbook: save it anew, or export it as CSV.")
            % {"file": name}
        ) from problem
    return table


def _guard_zip(name: str, content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as problem:
        raise TableRefused(
            _("%(file)s is damaged: it starts like a workbook and does not end like one.")
            % {"file": name}
        ) from problem
    unpacked = sum(entry.file_size for entry in entries)
    if (
        len(entries) > MAX_ENTRIES
        or unpacked > MAX_UNPACKED
        or unpacked > 2**20 + MAX_UNPACKED_PER_BYTE * len(content)
    ):
        raise TableRefused(
            _("%(file)s unpacks to more than a workbook should hold: export it as CSV.")
            % {"file": name}
        )


def _sheet_records(name: str, sheet: Any) -> Iterator[tuple[int, list[str]]]:
    empty = 0
    for number, cells in enumerate(sheet.iter_rows(max_col=MAX_COLUMNS + 1), 1):
        texts = [_cell_text(cell) for cell in cells]
        while texts and not texts[-1]:
            texts.pop()
        empty = 0 if texts else empty + 1
        if empty > MAX_EMPTY_ROWS:
            # A row may claim any number; those before it are then read as empty ones, for ever.
            raise TableRefused(
                _("%(file)s has more than %(most)s empty rows: delete them, or export it as CSV.")
                % {"file": name, "most": f"{MAX_EMPTY_ROWS:,}"}
            )
        yield number, texts


class _Bad(str):
    """A cell that cannot be taken as it is; the text is the reason."""

    __slots__ = ()


def _cell_text(cell: Any) -> str:
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == "f":
        return _Bad(_("The cell holds a formula: copy it and paste it as values."))
    if cell.data_type == "e":
        return _Bad(_("The cell holds an error, %(value)s.") % {"value": str(value)[:20]})
    if isinstance(value, datetime):
        if value.time() != time():
            return _Bad(_("The cell holds a time of day: a date is wanted."))
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        # 15 digits are what a spreadsheet keeps; the rest is binary noise.
        if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        text = format(value, ".15g")
        if "e" in text or "n" in text:
            return _Bad(_("The number has more digits than a spreadsheet keeps: make it text."))
        return text
    return str(value)


# ─ Both ─────────────────────────────────────────────────────────────────────────────────────────
def _collect(
    table: Table,
    records: Iterable[tuple[int, list[str]]],
    columns: Sequence[str],
    max_rows: int,
    synonyms: Mapping[str, str],
) -> None:
    places: dict[str, int] = {}
    width = 0
    for line, cells in records:
        if not any(cell.strip() for cell in cells):
            continue
        if not places:
            places, width = _places(table, cells, columns, synonyms), len(cells)
            continue
        if len(table.rows) >= max_rows:
            raise TableRefused(
                _("%(file)s has more than %(most)s rows: split it and import the parts in turn.")
                % {"file": table.name, "most": f"{max_rows:,}"}
            )
        _take(table, line, cells, places, width)
    if not places:
        raise TableRefused(_("%(file)s is empty: export it again.") % {"file": table.name})
    if not table.rows and not table.complaints:
        table.notices.append(
            _("%(file)s has its head and no rows under it.") % {"file": table.name}
        )


def _places(
    table: Table, head: list[str], columns: Sequence[str], synonyms: Mapping[str, str]
) -> dict[str, int]:
    if len(head) > MAX_COLUMNS:
        raise TableRefused(
            _("%(file)s has more than %(most)s columns.")
            % {"file": table.name, "most": MAX_COLUMNS}
        )
    given = [" ".join(cell.strip("\ufeff").split()).casefold() for cell in head]
    # Another tool's word counts where ours is not there itself.
    names = [n if n in columns or synonyms.get(n) in given else synonyms.get(n, n) for n in given]
    doubled = sorted({n for n in names if n in columns and names.count(n) > 1})
    if doubled:
        raise TableRefused(
            _("%(file)s has the column %(columns)s twice: delete or rename one of them.")
            % {"file": table.name, "columns": ", ".join(doubled)}
        )
    missing = [column for column in columns if column not in names]
    if missing:
        raise TableRefused(
            _(
                "%(file)s lacks the column %(columns)s. Its first row must name the columns; add "
                "what is missing and leave its cells empty where nothing is known. "
                "Found: %(found)s."
            )
            % {
                "file": table.name,
                "columns": ", ".join(missing),
                "found": ", ".join(n[:30] for n in given if n)[:300] or "–",
            }
        )
    return {column: names.index(column) for column in columns}


def _take(table: Table, line: int, cells: list[str], places: dict[str, int], width: int) -> None:
    found: list[Complaint] = []
    if any(cell.strip() for cell in cells[width:]):
        found.append(
            Complaint(
                table.name,
                line,
                "",
                _(
                    "The row has %(cells)s cells under %(columns)s columns: "
                    "put a value that contains the separator in quotation marks."
                )
                % {"cells": len(cells), "columns": width},
            )
        )
    values: dict[str, str] = {}
    for column, place in places.items():
        value = cells[place] if place < len(cells) else ""
        if isinstance(value, _Bad):
            found.append(Complaint(table.name, line, column, str(value)))
        elif len(value) > MAX_CELL:
            found.append(
                Complaint(
                    table.name,
                    line,
                    column,
                    _("The text is longer than %(most)s characters.") % {"most": MAX_CELL},
                )
            )
        else:
            values[column] = value.strip()
    if found:
        table.complaints.extend(found)
    else:
        table.rows.append(Row(line, values))
