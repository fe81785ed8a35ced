"""Exports: numbers stay numbers, days stay days, text never becomes a formula."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import xlsxwriter
from django.http import FileResponse, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from moneyed import Money

from billing_portal.lists.columns import Column

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


_MOST_XLSX_ROWS = 1_048_576


def guarded(text: str) -> str:
    """A spreadsheet that opens the CSV would run a cell that begins so."""
    return f"'{text}" if text.startswith(_STARTS_A_FORMULA) else text


def _plain(value: Any) -> Any:
    """What a cell holds: str, int, Decimal, date, datetime (local, naive), bool or None."""
    if isinstance(value, Money):
        return value.amount
    if isinstance(value, datetime):
        return timezone.make_naive(value) if timezone.is_aware(value) else value
    if value is None or isinstance(value, bool | int | float | Decimal | date | str):
        return value
    return str(value)


def _csv_cell(value: Any) -> Any:
    value = _plain(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    return guarded(value) if isinstance(value, str) else value


class _Echo:
    def write(self, text: str) -> str:
        return text


def _exported(columns: Sequence[Column]) -> list[tuple[str, Callable[[Any], Any]]]:
    return [(str(column.label), column.value) for column in columns if column.value is not None]


def stream_csv(
    rows: Iterable[Any], columns: Sequence[Column], filename: str = "list.csv"
) -> StreamingHttpResponse:
    """UTF-8 with a byte order mark (Excel asks for it), comma, decimal point, ISO days."""
    wanted = _exported(columns)
    writer = csv.writer(_Echo())

    def lines() -> Iterator[str]:
        yield "\ufeff"
        yield str(writer.writerow([guarded(label) for label, _value in wanted]))
        for row in rows:
            yield str(writer.writerow([_csv_cell(value(row)) for _label, value in wanted]))

    answer = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{filename}"'
    return answer


def stream_xlsx(
    rows: Iterable[Any], columns: Sequence[Column], filename: str = "list.xlsx", sheet: str = ""
) -> FileResponse:
    """Written row by row to a temporary file: memory does not grow with the rows."""
    wanted = _exported(columns)
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
    formats = {
        "head": book.add_format({"bold": True, "bottom": 1}),
        "day": book.add_format({"num_format": "dd/mm/yyyy"}),
        "moment": book.add_format({"num_format": "dd/mm/yyyy hh:mm"}),
        "amount": book.add_format({"num_format": "#,##0.00"}),
    }
    page = book.add_worksheet(_sheet_name(sheet))
    page.freeze_panes(1, 0)
    for place, (label, _value) in enumerate(wanted):
        page.set_column(place, place, max(12, min(40, len(label) + 4)))
        page.write_string(0, place, label, formats["head"])
    for line, row in enumerate(rows, 1):
        if line >= _MOST_XLSX_ROWS - 1:
            page.write_string(
                line, 0, _("The sheet is full: take the CSV export, it has every row.")
            )
            break
        for place, (_label, value) in enumerate(wanted):
            _write_cell(page, line, place, _plain(value(row)), formats)
    book.close()
    spool.seek(0)
    return FileResponse(
        spool,
        as_attachment=True,
        filename=filename,
        content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    )


def _sheet_name(text: str) -> str:
    cleaned = "".join(" " if sign in "[]:*?/\\" else sign for sign in text).strip(" '")
    return cleaned[:31] or "List"


def _write_cell(page: Any, line: int, place: int, value: Any, formats: Mapping[str, Any]) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        page.write_boolean(line, place, value)
    elif isinstance(value, datetime):
        page.write_datetime(line, place, value, formats["moment"])
    elif isinstance(value, date):
        page.write_datetime(line, place, value, formats["day"])
    elif isinstance(value, Decimal):
        page.write_number(line, place, value, formats["amount"])
    elif isinstance(value, int | float):
        page.write_number(line, place, value)
    else:
        page.write_string(line, place, value[:32_767])
