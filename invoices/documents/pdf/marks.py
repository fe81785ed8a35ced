"""What hangs beside the words of a page: payment code, page numbers, draft mark, the bar of the
colour, and the head of every page after the first."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import segno
from reportlab.lib.colors import Color
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.platypus import Flowable
from xhtml2pdf import parser
from xhtml2pdf.tags import pisaTag

from invoices.documents.pdf.paragraphs import (
    FINE,
    INK,
    LINE,
    MUTED,
    WIDTH,
    Theme,
    drawn_width,
    shortened,
)
from invoices.documents.pdf.text import BOLD, runs


class PaymentCode(Flowable):  # type: ignore[misc]
    """A QR code as filled squares: vector, no image, no SVG."""

    def __init__(self, code: segno.QRCode | None, side: float) -> None:
        super().__init__()
        self.code = code
        self.side = self.width = self.height = side

    def wrap(self, *_available: float) -> tuple[float, float]:
        return self.side, self.side

    def draw(self) -> None:
        matrix = [bytes(row) for row in self.code.matrix] if self.code else []
        module = self.side / max(len(matrix), 1)
        path = self.canv.beginPath()
        for row, modules in enumerate(matrix):
            column = 0
            while column < len(modules):
                length = 0
                while column + length < len(modules) and modules[column + length]:
                    length += 1
                if length:
                    top = self.side - (row + 1) * module
                    path.rect(column * module, top, length * module, module)
                column += length + 1
        self.canv.setFillColor(INK)
        self.canv.drawPath(path, stroke=0, fill=1)


class PageNumber(Flowable):  # type: ignore[misc]
    """Where the number and "page x of y" go. It refers to a form that PageTotal fills in when y is
    known: one layout is enough."""

    box = (110.0, 20.0)

    def wrap(self, *_available: float) -> tuple[float, float]:
        return 0, 0  # it hangs from the top of its cell

    def draw(self) -> None:
        self.canv.translate(0, -self.box[1])
        self.canv.doForm(f"page-{self.canv.getPageNumber()}")


class PageTotal(Flowable):  # type: ignore[misc]
    """The end of the document: writes the forms that the pages before refer to."""

    def __init__(self, reference: str, text: str) -> None:
        super().__init__()
        self.reference = reference
        self.text = text

    def wrap(self, *_available: float) -> tuple[float, float]:
        return 0, 0

    def draw(self) -> None:
        canvas = self.canv
        pages = canvas.getPageNumber()
        width, height = PageNumber.box
        for page in range(1, pages + 1):
            canvas.beginForm(f"page-{page}", 0, 0, width, height)
            canvas.setFillColor(MUTED)
            for line, baseline in (
                (self.reference, 11.8),
                (self.text.format(page=page, pages=pages), 1.3),
            ):
                pieces = list(runs(line))
                x = width - sum(stringWidth(piece, font, FINE) for font, piece in pieces)
                for font, piece in pieces:
                    canvas.setFont(font, FINE)
                    canvas.drawString(x, baseline, piece)
                    x += stringWidth(piece, font, FINE)
            canvas.endForm()


class PageDress(Flowable):  # type: ignore[misc]
    """In the frame of the foot, so on every page: the bar of the colour at the top edge, and from
    the second page on who sells what to whom."""

    def __init__(self, theme: Theme, left: str, right: str) -> None:
        super().__init__()
        self.theme, self.left, self.right = theme, left, right

    def wrap(self, *_available: float) -> tuple[float, float]:
        return 0, 0

    def draw(self) -> None:
        canvas = self.canv
        x, y = canvas.absolutePosition(0, 0)
        canvas.saveState()
        canvas.translate(-x, -y)
        if self.theme.layout != "classic" or not self.theme.plain:
            canvas.setFillColor(self.theme.fill)
            canvas.rect(0, 842 - _BAR, 596, _BAR, stroke=0, fill=1)
        if canvas.getPageNumber() > 1:
            self._head(canvas)
        canvas.restoreState()

    def _head(self, canvas: Any) -> None:
        start, end, base = 51.0, 51.0 + WIDTH, 842 - 31.0
        right = shortened(self.right, WIDTH * 0.42, FINE)
        _write(canvas, end - drawn_width(right, FINE), base, right)
        room = WIDTH - drawn_width(right, FINE) - 16
        _write(canvas, start, base, shortened(self.left, room, FINE))
        canvas.setStrokeColor(LINE)
        canvas.setLineWidth(0.5)
        canvas.line(start, base - 5, end, base - 5)


_BAR = 6.0


def _write(canvas: Any, x: float, y: float, text: str) -> None:
    canvas.setFillColor(MUTED)
    for font, piece in runs(text):
        canvas.setFont(font, FINE)
        canvas.drawString(x, y, piece)
        x += stringWidth(piece, font, FINE)


class DraftMark(Flowable):  # type: ignore[misc]
    """The word across the page, in the frame of the foot so that every page bears it."""

    def __init__(self, word: str) -> None:
        super().__init__()
        self.word = word

    def wrap(self, *_available: float) -> tuple[float, float]:
        return 0, 0

    def draw(self) -> None:
        canvas = self.canv
        x, y = canvas.absolutePosition(0, 0)
        canvas.saveState()
        canvas.translate(297 - x, 400 - y)
        canvas.rotate(48)
        canvas.setFont(BOLD, 92)
        canvas.setFillColor(Color(0.72, 0.11, 0.11, alpha=0.09))
        canvas.drawCentredString(0, -30, self.word)
        canvas.restoreState()


@contextmanager
def drawn_by(**makers: Any) -> Iterator[None]:
    """While one document is rendered, <invoiceNAME> stands for what makers[NAME]() returns.

    Not safe for threads: the caller holds the lock of the engine.
    """
    names = []
    for name, make in makers.items():

        class Tag(pisaTag):  # type: ignore[misc]
            make_flowable = staticmethod(make)

            def start(self, c: Any) -> None:
                c.addPara()
                c.addStory(self.make_flowable())

        names.append(f"pisaTagINVOICE{name.upper()}")
        setattr(parser, names[-1], Tag)
    try:
        yield
    finally:
        for name in names:
            delattr(parser, name)
