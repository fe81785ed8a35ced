"""The middle of the page: how close its lines stand is decided when the room is known.

A document that fits on one page stays there: its lines come closer until it does. One that cannot
keeps lines that read well, and takes its totals, payment box and sentences to the next page with
the last lines, so that no page bears bank data alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import segno
from reportlab.platypus import Flowable, Table

from invoices.documents.paper import CREDIT_NOTE, QUOTE, Paper
from invoices.documents.pdf.labels import Words
from invoices.documents.pdf.lines import MOST_JOINED_TOTALS, table_of_lines, totals_of
from invoices.documents.pdf.paragraphs import ROOMY, SNUG, TIGHT
from invoices.documents.pdf.tail import height_of, payment_box, small_print, stacked

# Higher than this it is no row of the table, so that a page can turn in it.
HIGHEST_JOINED = 290.0
# More lines than this fit on no page, however close.
MOST_ON_ONE_PAGE = 40


class Sheet:
    """What one document draws by itself, made once."""

    def __init__(
        self,
        paper: Paper,
        words: Words,
        *,
        payment: Sequence[tuple[str, str]],
        code: segno.QRCode | None,
        draft: bool,
    ) -> None:
        self.paper, self.words = paper, words
        owes = paper.kind not in (CREDIT_NOTE, QUOTE) and paper.payable_minor > 0
        pays = owes and not words.pro_forma
        box = payment_box(paper, words, payment, code, draft=draft) if pays else None
        print_ = small_print(paper, words, boxed=pays)
        self.after: list[Flowable] = [box] if box else []
        self.after += [stacked(print_)] if print_ else []
        few = len(totals_of(paper, words)) <= MOST_JOINED_TOTALS
        self.joined = paper.kind != QUOTE and few and height_of(self.after) <= HIGHEST_JOINED
        self.loose = [] if self.joined else self.after

    def lines(self) -> Flowable:
        return _Fitted(self)

    def rest(self) -> Flowable:
        """The box and sentences, where they are no rows of the table."""
        return stacked(self.loose) if self.loose else _Nothing()

    def table(self, density: Any) -> Table:
        after = self.after if self.joined else ()
        return table_of_lines(self.paper, self.words, density, after=after)


class _Nothing(Flowable):  # type: ignore[misc]
    def wrap(self, *_available: float) -> tuple[float, float]:
        return 0, 0

    def draw(self) -> None: ...


class _Fitted(Flowable):  # type: ignore[misc]
    """The table, as roomy as the page allows."""

    def __init__(self, sheet: Sheet) -> None:
        super().__init__()
        self.sheet = sheet
        self.table: Table | None = None

    def _chosen(self, width: float, height: float) -> Table:
        sheet = self.sheet
        compact = sheet.paper.look.layout == "compact"
        densities = (TIGHT,) if compact else (ROOMY, SNUG, TIGHT)
        count = len(sheet.paper.lines)
        if count <= MOST_ON_ONE_PAGE:
            below = height_of(sheet.loose)
            for density in densities:
                if density is ROOMY and count > 20:
                    continue
                table = sheet.table(density)
                if table.wrap(width, height)[1] + below + 4 <= height:
                    return table
        return sheet.table(TIGHT if compact else SNUG)

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        if self.table is None:
            self.table = self._chosen(width, height)
        found: tuple[float, float] = self.table.wrap(width, height)
        return found

    def split(self, width: float, height: float) -> list[Flowable]:
        assert self.table is not None
        parts: list[Flowable] = self.table.split(width, height)
        return parts

    def drawOn(self, canvas: Any, x: float, y: float, _sW: float = 0) -> None:  # noqa: N802, N803
        assert self.table is not None
        self.table.drawOn(canvas, x, y, _sW)
