"""Which characters the document fonts can draw, and what is printed for those they cannot."""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import arabic_reshaper  # type: ignore[import-untyped]
from reportlab.pdfbase.ttfonts import TTFontFile
from xhtml2pdf.bidi import get_display, needs_bidi

FONTS = Path(__file__).resolve().parents[2] / "assets" / "fonts"
# The names under which the engine registers the @font-face rules of document.html:
# family_boldItalic.
REGULAR, BOLD = "portalsans_00", "portalsans_10"
FALLBACK_REGULAR, FALLBACK_BOLD = "portalfallback_00", "portalfallback_10"
EAST_ASIAN = "portaleastasian_00"
MISSING = "□"
# Joiners and variation selectors: part of an emoji, invisible by themselves.
_INVISIBLE = {0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, 0x20E3, *range(0xFE00, 0xFE10)}
_EMOJI = (
    range(0x1F000, 0x1FB00),
    range(0x2600, 0x27C0),
    range(0x2B00, 0x2C00),
    range(0xE0000, 0xE0080),
)


# Where the ideographs, kana and syllables lie: nothing else asks for their three megabytes.
_EAST_ASIAN_CODES = range(0x2E80, 0xFFF0)


@cache
def _drawn_by(name: str) -> frozenset[int]:
    return frozenset(TTFontFile(FONTS / f"{name}.ttf").charToGlyph)


def _is_main(code: int) -> bool:
    return 0x20 <= code < 0x7F or code in _drawn_by("PortalSans-Regular")


def _is_fallback(code: int) -> bool:
    return code in _drawn_by("PortalFallback-Regular")


def _is_east_asian(code: int) -> bool:
    return code in _EAST_ASIAN_CODES and code in _drawn_by("PortalEastAsian-Regular")


def _can_draw(code: int) -> bool:
    return _is_main(code) or _is_fallback(code) or _is_east_asian(code)


@cache
def _common() -> re.Pattern[str]:
    """Text of nothing but European letters and signs that the main font draws as they are: tables
    of thousands of cells are asked about at once instead of sign by sign."""
    codes = [*range(0x20, 0x7F), *range(0xA0, 0x180), *_COMMON_SIGNS]
    kept = (chr(code) for code in codes if code != _SOFT_HYPHEN and _is_main(code))
    return re.compile("[" + "".join(re.escape(char) for char in kept) + "]*")


_SOFT_HYPHEN = 0xAD
# – — ‘ ’ “ ” … € −
_COMMON_SIGNS = (0x2013, 0x2014, 0x2018, 0x2019, 0x201C, 0x201D, 0x2026, 0x20AC, 0x2212)


def needs_fallback(text: str) -> bool:
    if _common().fullmatch(text):
        return False
    return not text.isascii() and any(not _is_main(ord(char)) for char in text if char != "\n")


def needs_east_asian(text: str) -> bool:
    """Whether a character is drawn by the large font, which is read for such documents only."""
    return not text.isascii() and any(
        code in _EAST_ASIAN_CODES and not _is_main(code) and not _is_fallback(code)
        for code in map(ord, set(text))
    )


def printable(text: str) -> str:
    """The text as the page can show it: line breaks kept, control characters and emoji dropped, a
    box for what no font has.

    Paragraphs break at a narrow no-break space, so an ordinary no-break space stands for it.
    """
    if text.isascii() and text.isprintable():
        return text
    if _common().fullmatch(text := text.replace("\u202f", "\u00a0")):
        return text
    kept: list[str] = []
    dropped = False
    for char in unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")):
        code = ord(char)
        if char == "\n":
            kept.append(char)
        elif char.isspace() and not _can_draw(code):
            kept.append(" ")
        elif code in _INVISIBLE or unicodedata.category(char) in ("Cc", "Cf"):
            continue
        elif _can_draw(code):
            kept.append(char)
        elif any(code in block for block in _EMOJI):
            dropped = True
        else:
            kept.append(MISSING)
    shown = "".join(kept)
    if dropped:
        shown = "\n".join(" ".join(line.split(" ")).strip() for line in shown.split("\n"))
        while "  " in shown:
            shown = shown.replace("  ", " ")
    return shown if shown.strip() or not text.strip() else MISSING


def unprintable(text: str) -> tuple[str, ...]:
    """The characters of `text` that will be missing or boxed on the page, each once, in order."""
    found: dict[str, None] = {}
    for char in unicodedata.normalize("NFC", text):
        is_text = not char.isspace() and unicodedata.category(char) not in ("Cc", "Cf")
        if is_text and ord(char) not in _INVISIBLE and not _can_draw(ord(char)):
            found[char] = None
    return tuple(found)


def runs(text: str, *, bold: bool = False) -> Iterator[tuple[str, str]]:
    """(font, piece) pairs: each stretch with the font that can draw it."""
    main, fallback = (BOLD, FALLBACK_BOLD) if bold else (REGULAR, FALLBACK_REGULAR)
    if not needs_fallback(text):
        yield main, text
        return
    fonts = [_font(ord(char), main, fallback) for char in text]
    start = 0
    for index in range(1, len(text) + 1):
        if index == len(text) or fonts[index] != fonts[start]:
            yield fonts[start], text[start:index]
            start = index


def _font(code: int, main: str, fallback: str) -> str:
    if _is_main(code):
        return main
    return EAST_ASIAN if not _is_fallback(code) and _is_east_asian(code) else fallback


def is_right_to_left(text: str) -> bool:
    return not text.isascii() and needs_bidi(text)


def visual(line: str) -> str:
    """One line of Arabic or Hebrew, joined and in the order in which it is drawn."""
    return str(get_display(arabic_reshaper.reshape(line)))
