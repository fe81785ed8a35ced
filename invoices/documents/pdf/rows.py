"""A long table of short cells, drawn row by row: thousands of rows at a few microseconds each.

reportlab's own Table copies all that is left of it at every turn of the page, so that its time
grows with the square of its rows. This one keeps the heights added up and turns the page by a
search among them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.platypus import Flowable

from invoices.documents.letters import Column, Table
from invoices.documents.pdf.paragraphs import INK, LINE, MUTED, WIDTH, Theme
from invoices.documents.pdf.text import (
    BOLD,
    REGULAR,
    is_right_to_left,
    needs_fallback,
    printable,
    runs,
    visual,
)

GAP = 9.0
_SIZES = (8.2, 7.4, 6.6, 5.6, 4.8)
_LEAST_WORDS = 80.0  # points left for words, however long the figures
_MOST_OF_A_COLUMN = 116.0  # what is no figure is cut beyond that
_LONGEST = 12  # so many of a column's longest cells are measured
_TWO_LINES = 2
_HEAD, _SUM, _GRAND = 20.0, 15.0, 20.0
_TITLE, _BEFORE = 18.0, 11.5


class Rows(Flowable):  # type: ignore[misc]
    """The rows [first, last) of a table, with its head above and, at its end, its sums."""

    def __init__(
        self,
        table: Table,
        theme: Theme,
        *,
        laid: _Laid | None = None,
        first: int = 0,
        last: int | None = None,
    ) -> None:
        super().__init__()
        self.table, self.theme = table, theme
        self.laid = laid or _Laid(table)
        self.first = first
        self.last = len(table.rows) if last is None else last
        self.spaceBefore, self.spaceAfter = 14, 8

    @property
    def _sums(self) -> Sequence[tuple[str, str, str]]:
        return self.table.sums if self.last == len(self.table.rows) else ()

    @property
    def _above(self) -> float:
        """Title and the lines beneath it, which stay with the first row."""
        if self.first:
            return 0.0
        return _TITLE * bool(self.table.title) + _BEFORE * len(self.table.before)

    def wrap(self, *_available: float) -> tuple[float, float]:
        tops = self.laid.tops
        self.width = WIDTH
        rows = tops[self.last] - tops[self.first]
        self.height = self._above + _HEAD + rows + _height_of(self._sums)
        return self.width, self.height

    def split(self, _width: float, height: float) -> list[Rows]:
        tops = self.laid.tops
        # As many as fit; the last one goes with the sums to the next page.
        end = bisect_right(tops, tops[self.first] + height - _HEAD - self._above) - 1
        end = min(end, self.last - 1 if self._sums else self.last)
        if end <= self.first:
            return []
        return [
            Rows(self.table, self.theme, laid=self.laid, first=first, last=last)
            for first, last in ((self.first, end), (end, self.last))
        ]

    def draw(self) -> None:
        y = self.height
        if not self.first:
            self._title(y)
        y -= self._above
        self._head(y)
        y -= _HEAD
        for place in range(self.first, self.last):
            y -= self.laid.heights[place]
            self._row(place, y)
        for label, amount, kind in self._sums:
            y -= _GRAND if kind == "grand" else _SUM
            self._sum(label, amount, kind, y)

    def _title(self, top: float) -> None:
        if self.table.title:
            title = _cut(printable(self.table.title), WIDTH, 10.5)
            self._text(title, 0, WIDTH, top - 11, BOLD, 10.5, INK, right=False)
            top -= _TITLE
        for line in self.table.before:
            shown = _cut(printable(line), WIDTH, 7.8)
            self._text(shown, 0, WIDTH, top - 8.5, REGULAR, 7.8, MUTED, right=False)
            top -= _BEFORE

    def _head(self, top: float) -> None:
        for column, (x, width) in zip(self.table.columns, self.laid.places, strict=True):
            self._text(
                printable(column.label), x, width, top - 12, BOLD, 7.4, MUTED, right=column.right
            )
        self._rule(top - _HEAD + 2.5, 0.9, self.theme.fill)

    def _row(self, place: int, bottom: float) -> None:
        size, canvas = self.laid.size, self.canv
        top = bottom + self.laid.heights[place]
        canvas.setFillColor(INK)
        for n, (column, (x, width)) in enumerate(
            zip(self.table.columns, self.laid.places, strict=True)
        ):
            for line, text in enumerate(self.laid.cell(place, n)):
                baseline = top - size - 3.2 - line * (size + 2)
                self._text(text, x, width, baseline, REGULAR, size, INK, right=column.right)
        self._rule(bottom, 0.4, LINE)

    def _sum(self, label: str, amount: str, kind: str, bottom: float) -> None:
        strong = BOLD if kind else REGULAR
        size = 10.5 if kind == "grand" else 8.6
        if kind == "grand":
            self._rule(bottom + _GRAND - 2, 0.9, self.theme.fill)
        colour = self.theme.text if kind == "grand" else INK
        label, amount = printable(label), printable(amount)
        width = stringWidth(amount, strong, size)
        self._text(amount, 0, WIDTH, bottom + 4.5, strong, size, colour, right=True)
        self._text(label, 0, WIDTH - width - GAP, bottom + 4.5, strong, 8.6, INK, right=True)

    def _text(
        self,
        text: str,
        x: float,
        width: float,
        y: float,
        font: str,
        size: float,
        colour: Any,
        *,
        right: bool,
    ) -> None:
        if not text:
            return
        canvas = self.canv
        canvas.setFillColor(colour)
        if not needs_fallback(text):
            canvas.setFont(font, size)
            if right:
                canvas.drawRightString(x + width, y, text)
            else:
                canvas.drawString(x, y, text)
            return
        if is_right_to_left(text):
            text = visual(text)
        pieces = list(runs(text, bold=font == BOLD))
        if right:
            x += width - sum(stringWidth(piece, name, size) for name, piece in pieces)
        for name, piece in pieces:
            canvas.setFont(name, size)
            canvas.drawString(x, y, piece)
            x += stringWidth(piece, name, size)

    def _rule(self, y: float, thickness: float, colour: Any) -> None:
        self.canv.setStrokeColor(colour)
        self.canv.setLineWidth(thickness)
        self.canv.line(0, y, WIDTH, y)


def _height_of(sums: Sequence[tuple[str, str, str]]) -> float:
    return sum(_GRAND if kind == "grand" else _SUM for _label, _amount, kind in sums) + (
        6 if sums else 0
    )


class _Laid:
    """Where the columns stand, what of each cell fits, and how far down each row begins."""

    def __init__(self, table: Table) -> None:
        self.rows = [tuple(printable(cell) for cell in row) for row in table.rows]
        self.size, self.places = _fitted(table, self.rows)
        self._words = {
            place: [self._lines(cell, n) for n, cell in enumerate(row)]
            for place, row in enumerate(self.rows)
            if any(self._is_long(cell, n) for n, cell in enumerate(row))
        }
        tall = {place: max(len(lines) for lines in cells) for place, cells in self._words.items()}
        line = self.size + 2
        self.heights = [
            self.size + 8.6 + (tall.get(place, 1) - 1) * line for place in range(len(table.rows))
        ]
        self.tops = [0.0, *accumulate(self.heights)]

    def cell(self, place: int, column: int) -> Sequence[str]:
        found = self._words.get(place)
        return found[column] if found else (self.rows[place][column],)

    def _is_long(self, cell: str, n: int) -> bool:
        # A cheap bound first: no letter of ours is wider than its size.
        width = self.places[n][1]
        return len(cell) * self.size > width and _width(cell, self.size) > width + 0.5

    def _lines(self, cell: str, n: int) -> list[str]:
        width = self.places[n][1]
        if _width(cell, self.size) <= width + 0.5:
            return [cell]
        found: list[str] = []
        words = cell.split()
        while words and len(found) < _TWO_LINES - 1:
            line = words[0]
            used = 1
            while used < len(words) and _width(f"{line} {words[used]}", self.size) <= width:
                line = f"{line} {words[used]}"
                used += 1
            if _width(line, self.size) > width:
                break
            found.append(line)
            words = words[used:]
        return [*found, _cut(" ".join(words), width, self.size)] if words else found


def _cut(text: str, width: float, size: float) -> str:
    if _width(text, size) <= width:
        return text
    least, most = 0, len(text)
    while least < most:
        middle = (least + most + 1) // 2
        if _width(text[:middle] + "…", size) <= width:
            least = middle
        else:
            most = middle - 1
    return text[:least].rstrip() + "…"


def _width(text: str, size: float) -> float:
    return float(sum(stringWidth(piece, font, size) for font, piece in runs(text)))


def _fitted(table: Table, rows: Sequence[Sequence[str]]) -> tuple[float, list[tuple[float, float]]]:
    """The size of the type, and (left edge, width) of each column."""
    longest = [
        sorted((row[n] for row in rows), key=len)[-_LONGEST:] for n in range(len(table.columns))
    ]
    size, widths = _SIZES[0], [0.0]
    for size in _SIZES:
        widths = [_column(c, longest[n], size) for n, c in enumerate(table.columns)]
        left = WIDTH - sum(widths) - GAP * (len(widths) - 1)
        if left >= _LEAST_WORDS:
            break
    flexible = sum(not column.width for column in table.columns)
    widths = [
        width if column.width else left / max(flexible, 1)
        for column, width in zip(table.columns, widths, strict=True)
    ]
    edges = [0.0, *accumulate(width + GAP for width in widths)]
    return size, list(zip(edges, widths, strict=False))


def _column(column: Column, cells: Sequence[str], size: float) -> float:
    if not column.width:
        return 0.0
    widest: float = max((_width(cell, size) for cell in cells), default=0.0)
    if not column.right:
        widest = min(widest, _MOST_OF_A_COLUMN)
    return float(max(widest, stringWidth(column.label, BOLD, 7.4)) + 0.5)
