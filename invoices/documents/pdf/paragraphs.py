"""Words as reportlab draws them: fragments of the right font, never read as markup; sizes, greys
and the colours of a look."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.enums import TA_LEFT, TA_RIGHT
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.platypus import Paragraph
from reportlab.platypus.paraparser import ParaFrag

from invoices.documents.look import Look
from invoices.documents.pdf.text import REGULAR, is_right_to_left, runs, visual

INK, MUTED, LINE, GROUND = (HexColor(c) for c in ("#1a1d23", "#4f5663", "#dfe2e7", "#f6f7f9"))
WIDTH = 493.0
SIZE, LEADING = 9.0, 12.5
# What is printed smallest; less than this is no longer read on paper.
FINE, FINE_LEADING = 7.5, 10.2


@dataclass(frozen=True)
class Density:
    """How close the lines of a document stand, in points: `pad` above and below each."""

    size: float
    leading: float
    small: float
    small_leading: float
    pad: float
    total_pad: float


ROOMY = Density(SIZE, LEADING, 7.8, 11, 6, 3.2)
SNUG = Density(SIZE, 12, 7.8, 10.6, 3.4, 2.2)
TIGHT = Density(8.6, 11.2, 7.6, 10, 1.9, 1.5)


@dataclass(frozen=True)
class Theme:
    """The colours of a look, as the table and what follows it use them. `edge` is the air at both
    ends of a row: a coloured head needs some."""

    layout: str
    plain: bool
    text: Color
    fill: Color
    on_fill: Color
    tint: Color
    edge: float


@lru_cache(maxsize=32)
def theme_of(look: Look) -> Theme:
    return Theme(
        layout=look.layout,
        plain=not look.colour,
        text=HexColor(look.text),
        fill=HexColor(look.fill),
        on_fill=HexColor(look.on_fill),
        tint=HexColor(look.tint),
        edge=0 if look.layout == "classic" else 7,
    )


BASE = ParagraphStyle(
    "invoice-line",
    fontName=REGULAR,
    fontSize=SIZE,
    leading=LEADING,
    textColor=INK,
    splitLongWords=1,
)


@lru_cache(maxsize=64)
def style(size: float, leading: float, *, right: bool = False) -> ParagraphStyle:
    return ParagraphStyle(
        f"invoice-{size}-{leading}-{right}",
        parent=BASE,
        fontSize=size,
        leading=leading,
        alignment=TA_RIGHT if right else TA_LEFT,
    )


def fragment(
    text: str, font: str, size: float, color: Color, *, line_break: bool = False
) -> ParaFrag:
    made = copy(_PLAIN)
    made.text, made.fontName, made.fontSize, made.textColor = text, font, size, color
    if line_break:
        made.lineBreak = True
    return made


_PLAIN = ParaFrag(
    text="", fontName=REGULAR, fontSize=SIZE, textColor=INK, backColor=None, rise=0, bold=0,
    italic=0, underline=0, strike=0, link=[], us_lines=[], sub=0, super=0,
)  # fmt: skip


def fragments(
    lines: Iterable[tuple[str, float, Color]], width: float, *, bold: bool = False
) -> list[Any]:
    """Each line with its size and colour; Arabic and Hebrew wrapped here, for they are turned line
    by line."""
    found: list[Any] = []
    for index, (line, size, color) in enumerate(lines):
        if index:
            found.append(fragment("", REGULAR, size, color, line_break=True))
        for position, wrapped in enumerate(wrapped_if_rtl(line, width, size)):
            if position:
                found.append(fragment("", REGULAR, size, color, line_break=True))
            found += [
                fragment(piece, font, size, color) for font, piece in runs(wrapped, bold=bold)
            ]
    return found


def paragraph(
    lines: Sequence[str],
    *,
    size: float = SIZE,
    leading: float = LEADING,
    color: Color = INK,
    width: float = WIDTH,
    bold: bool = False,
    right: bool = False,
) -> Paragraph:
    """Lines of one look, one under the other."""
    shown = [(line.replace("\u202f", "\u00a0"), size, color) for line in lines]
    return Paragraph(
        "", style(size, leading, right=right), frags=fragments(shown, width, bold=bold)
    )


def wrapped_if_rtl(line: str, width: float, size: float) -> list[str]:
    """Arabic and Hebrew are put in visual order line by line, so the lines must be known first."""
    if not is_right_to_left(line):
        return [line]
    lines: list[str] = []
    current = ""
    for word in line.split(" "):
        longer = f"{current} {word}" if current else word
        drawn = sum(stringWidth(piece, font, size) for font, piece in runs(visual(longer)))
        if current and drawn > width:
            lines.append(visual(current))
            current = word
        else:
            current = longer
    return [*lines, visual(current)]


def drawn_width(text: str, size: float, *, bold: bool = False) -> float:
    return float(sum(stringWidth(piece, font, size) for font, piece in runs(text, bold=bold)))


def shortened(text: str, width: float, size: float, *, bold: bool = False) -> str:
    """The text, or as much of it as fits with an ellipsis."""
    if drawn_width(text, size, bold=bold) <= width:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if drawn_width(text[:middle] + "…", size, bold=bold) <= width:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip() + "…"
