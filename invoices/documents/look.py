"""How a document looks: its layout, the company's colour, its logo. Frozen in the paper with the
words, so that a later choice changes no page that was issued.

A colour may be any: what is written in it is darkened until it can be read on white, and what is
written on it is white or ink, whichever stands out more. Contrast is that of WCAG 2.2.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Layout = Literal["classic", "modern", "compact"]
LAYOUTS: tuple[Layout, ...] = ("classic", "modern", "compact")
INK, WHITE = "#1a1d23", "#ffffff"
READABLE = 4.5
_COLOUR = re.compile(r"#[0-9a-f]{6}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """`colour` is "#rrggbb" or "" for none; `logo` the SHA-256 of the picture printed, or "".

    Defaults never change: they are what papers without a look were printed with.
    """

    layout: Layout = "classic"
    colour: str = ""
    logo: str = ""

    @property
    def fill(self) -> str:
        return self.colour or INK

    @property
    def on_fill(self) -> str:
        """What is written on the colour: white where it can be read, else ink."""
        return max((WHITE, INK), key=lambda shade: contrast(shade, self.fill))

    @property
    def text(self) -> str:
        """The colour as text on white."""
        return readable(self.fill)

    @property
    def tint(self) -> str:
        """A breath of the colour, for grounds under ink."""
        return mixed(self.fill, WHITE, 0.07)


NO_LOOK = Look()


def is_colour(text: str) -> bool:
    return _COLOUR.fullmatch(text) is not None


def contrast(one: str, other: str) -> float:
    """From 1 (the same) to 21 (black on white)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def readable(colour: str, ground: str = WHITE) -> str:
    """The colour itself, or darkened step by step until it reads on the ground."""
    for step in range(21):
        shade = mixed(colour, INK, 1 - step / 20)
        if contrast(shade, ground) >= READABLE:
            return shade
    return INK


def mixed(one: str, other: str, share: float) -> str:
    """`share` of the first, the rest of the second."""
    parts = zip(_parts(one), _parts(other), strict=True)
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02x}" for a, b in parts)


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (part / 255 for part in _parts(colour))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
